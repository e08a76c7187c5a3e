"""Runs the migrations against the app's database, in its own transactions (SQLite: whole tables are copied)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from models import db
from models.search import is_in_models

TARGET = db.Model.metadata


def compares() -> dict[str, object]:
    """The options under which models and database are compared."""
    return {"target_metadata": TARGET, "render_as_batch": True, "compare_type": True, "include_name": is_in_models}


@contextmanager
def tables_may_be_copied(connection: Connection) -> Iterator[None]:
    """On SQLite the old copy of a table is dropped: the rows that refer to it neither hinder that nor go with it."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")  # outside of a transaction, or it does nothing
    try:
        yield
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys=ON")


def run() -> None:
    """Migrate online; there is no offline mode."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection, tables_may_be_copied(connection):
        context.configure(connection=connection, transaction_per_migration=True, **compares())
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
