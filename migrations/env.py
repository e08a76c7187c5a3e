"""Runs the migrations against the app's database, in its own transactions (SQLite: whole tables are copied)."""

from __future__ import annotations

from alembic import context
from flask import current_app

from models import db
from models.search import is_in_models

TARGET = db.Model.metadata


def compares() -> dict[str, object]:
    """The options under which models and database are compared."""
    return {"target_metadata": TARGET, "render_as_batch": True, "compare_type": True, "include_name": is_in_models}


def run() -> None:
    """Migrate online; there is no offline mode."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True, **compares())
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
