"""One app and one database a test session; tables are emptied after each test, first data is loaded again."""

from __future__ import annotations

import importlib
import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from factories import make_staff
from flask import Flask
from flask_migrate import upgrade
from hypothesis import settings
from needs import own_database
from sqlalchemy import Table, text
from sqlalchemy.orm import Session

import seed
from models import Staff, Unit, db
from models.clock import move_to, now
from models.scope import ALL, set_scope
from models.search import empty_grams

settings.register_profile("house", deadline=None)  # a busy machine is no fault of what is tested
settings.load_profile("house")

Rows = dict[str, list[dict[str, Any]]]
# SQLite has one writer at a time: there two sessions cannot wait for each other.
collect_ignore = [] if own_database("LAMPLIGHTER_TEST_DATABASE_URL") else ["test_workflows_locks.py"]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder of its own for everything the session writes."""
    path = tmp_path_factory.mktemp("home")
    before = os.environ.get("LAMPLIGHTER_HOME")
    os.environ["LAMPLIGHTER_HOME"] = str(path)
    yield path
    os.environ.pop("LAMPLIGHTER_HOME")
    if before is not None:
        os.environ["LAMPLIGHTER_HOME"] = before


@pytest.fixture(scope="session")
def core(home: Path) -> Iterator[Flask]:
    """The app without pages on a migrated database: SQLite, or what LAMPLIGHTER_TEST_DATABASE_URL names."""
    made = importlib.import_module("app").create_app(**overrides())
    with made.app_context():
        _start_afresh()
        upgrade()
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def app(core: Flask) -> Iterator[Flask]:
    """The web app on the same database."""
    made = importlib.import_module("app").create_web(**overrides())
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def first_data(core: Flask) -> Rows:
    """The rows of the first data, loaded once: putting them back is ten times as fast as loading them."""
    with core.app_context():
        seed.load(db.session())
        db.session.commit()
        db.session.remove()
        with db.engine.connect() as connection:
            found = {table.name: connection.execute(table.select()).mappings().all() for table in _tables()}
        empty_tables()
    return {name: [dict(row) for row in rows] for name, rows in found.items() if rows}


@pytest.fixture
def session(core: Flask, first_data: Rows) -> Iterator[Session]:
    """A session that reaches all rows, on a database that holds the first data only; emptied afterwards."""
    with core.app_context():
        put_back(first_data)
        set_scope(db.session(), ALL)
        yield db.session()
        db.session.remove()
        empty_tables()


@pytest.fixture
def shell(session: Session) -> Staff:
    """The seeded account that shell commands act as, acting."""
    staff = session.query(Staff).filter_by(username="shell").one()
    session.info["actor_id"] = staff.id
    return staff


@pytest.fixture
def by_day(session: Session) -> None:
    """Ten in the morning, when messages may go out."""
    move_to(session, now(session).replace(hour=10, minute=0))
    session.commit()


@pytest.fixture
def leaders(session: Session) -> list[Staff]:
    """Three team leaders of the root unit."""
    return [make_staff(session, "team_leader") for _number in range(3)]


@pytest.fixture
def root(session: Session) -> Unit:
    """The root unit."""
    return session.query(Unit).filter(Unit.parent_id.is_(None)).one()


def overrides() -> dict[str, object]:
    """The configuration of a test session's apps."""
    found: dict[str, object] = {"TESTING": True, "SECRET_KEY": "only for tests"}
    found["SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS"] = {"argon2__rounds": 1, "argon2__memory_cost": 64}
    if address := own_database("LAMPLIGHTER_TEST_DATABASE_URL"):
        found["SQLALCHEMY_DATABASE_URI"] = address
    return found


def put_back(first_data: Rows) -> None:
    """Fill empty tables with the first data, parents first."""
    with db.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for name, rows in first_data.items():
            connection.execute(db.metadata.tables[name].insert(), rows)
        if connection.dialect.name == "postgresql":
            for name in (name for name in first_data if "id" in db.metadata.tables[name].c):
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}"  # noqa: S608
                )


def _tables() -> Sequence[Table]:
    return db.metadata.sorted_tables


def empty_tables() -> None:
    """Delete every row, children first, in one go."""
    deletes = "; ".join(f"DELETE FROM {table.name}" for table in reversed(_tables()))  # noqa: S608
    with db.engine.begin() as connection:
        empty_grams(connection)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(deletes)
    if db.engine.dialect.name == "sqlite":
        raw = db.engine.raw_connection()
        begin = "PRAGMA query_only=OFF; BEGIN IMMEDIATE; PRAGMA defer_foreign_keys=ON"  # it may have been a reader's
        raw.driver_connection.executescript(f"{begin}; {deletes}; COMMIT")
        raw.close()


def _start_afresh() -> None:
    if db.engine.dialect.name == "postgresql":
        with db.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With LAMPLIGHTER_TEST_ALL=1 nothing may be skipped: a skip is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("LAMPLIGHTER_TEST_ALL") == "1":
        report.outcome = "failed"
    return report
