"""The database and the version of the program: which migration it stands at, and bringing it to the newest."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Connection, inspect, select, text

from models import Staff, db
from models.home import prepare_home
from models.words import N_
from services import Refused, search_checks

EMPTY, BEHIND, CURRENT, NEWER = "empty", "behind", "current", "newer"
ADVISORY_LOCK = 7_301_001


def database_state(app: Flask) -> str:
    """How the database stands to this program: empty, behind, current, or written by a newer version.

    Tables without anybody in them are empty too: a first start that was killed before its first data.
    """
    script = ScriptDirectory.from_config(_config(app))
    with _connection() as connection:
        stands_at = set(MigrationContext.configure(connection).get_current_heads())
        if not stands_at and not inspect(connection).has_table("staff"):
            return EMPTY
        if stands_at - {revision.revision for revision in script.walk_revisions()}:
            return NEWER
        if stands_at != set(script.get_heads()):
            return BEHIND
        return CURRENT if connection.scalar(select(Staff.id).limit(1)) is not None else EMPTY


def make_ready(app: Flask) -> None:
    """Before a command or a process works: fill an empty database, refuse one of another version."""
    state = database_state(app)
    if state == EMPTY:
        upgrade(app)
    elif state != CURRENT:
        raise Refused(ADVICE[state])


def upgrade(app: Flask) -> str:
    """Bring the database to this program's version, with its first data; returns how it stood before.

    One at a time on all machines. Killed midway and repeated, the result is the same: a migration is one transaction,
    and first data only adds what is missing.
    """
    with _alone(app):
        before = database_state(app)
        if before == NEWER:
            raise Refused(ADVICE[NEWER])
        if before in (EMPTY, BEHIND):
            command.upgrade(_config(app), "head")
        session = db.session()
        app.extensions["first_data"](session)
        for _written in search_checks.fill(session):
            session.commit()
        session.commit()
    return before


ADVICE = {
    EMPTY: N_("数据库还是空的。任何一个命令都会先建好它，也可以运行 ./lamplighter upgrade。"),
    BEHIND: N_("数据库是旧版本的。请先停下所有服务并备份，然后运行 ./lamplighter upgrade。"),
    NEWER: N_("数据库是由更新版本的程序写的，本程序太旧，不能打开它。请换用新版本的程序(git pull)，或恢复旧的备份。"),
    CURRENT: "",
}


def _config(app: Flask) -> Config:
    config: Config = app.extensions["migrate"].migrate.get_config(app.extensions["migrate"].directory)
    return config


@contextmanager
def _connection() -> Iterator[Connection]:
    engine = db.engine.execution_options(house_readonly=True)
    with engine.connect() as connection:
        yield connection


@contextmanager
def _alone(app: Flask) -> Iterator[None]:
    """Hold the lock of this home folder and, on PostgreSQL, the one of the database."""
    with open(prepare_home(app.config["HOME"]) / ".upgrade.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if db.engine.dialect.name != "postgresql":
            yield
            return
        with db.engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            connection.commit()
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
                connection.commit()
