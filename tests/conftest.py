"""One app and one database a test session; tables are emptied after each test, first data is loaded again."""

from __future__ import annotations

import importlib
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from factories import make_staff
from flask import Flask
from flask_migrate import upgrade
from hypothesis import settings
from needs import own_database
from resetting import SqliteTables, Tables
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

import seed
from models import Staff, Unit, db
from models.base import ENGINE_OPTIONS
from models.clock import move_to, now
from models.scope import ALL, set_scope

settings.register_profile("house", deadline=None)  # a busy machine is no fault of what is tested
settings.load_profile("house")

# Of slow tests, those of the floors that ask the database themselves are worth another database.
QUERIES = ("test_models_", "test_services_", "test_workflows_")
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
        _hurry(db.engine)
        _start_afresh()
        upgrade()
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def app(core: Flask) -> Iterator[Flask]:
    """The web app on the same database."""
    made = importlib.import_module("app").create_web(**overrides())
    with made.app_context():
        _hurry(db.engine)
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def tables(core: Flask) -> Iterator[Tables]:
    """The tables with the rows of the first data, loaded once: putting them back is ten times as fast."""
    with core.app_context():
        seed.load(db.session())
        db.session.commit()
        db.session.remove()
        made = SqliteTables() if db.engine.dialect.name == "sqlite" else Tables()
        made.empty()
    yield made
    made.close()


@pytest.fixture
def session(core: Flask, tables: Tables) -> Iterator[Session]:
    """A session that reaches all rows, on a database that holds the first data only; emptied afterwards."""
    with core.app_context():
        tables.fill()
        set_scope(db.session(), ALL)
        yield db.session()
        db.session.remove()
        tables.empty()


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
    found["SQLALCHEMY_ENGINE_OPTIONS"] = ENGINE_OPTIONS | {"query_cache_size": 5000}  # of all tests together
    found["SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS"] = {"argon2__rounds": 1, "argon2__memory_cost": 64}
    if address := own_database("LAMPLIGHTER_TEST_DATABASE_URL"):
        found["SQLALCHEMY_DATABASE_URI"] = address
    return found


def _hurry(engine: Engine) -> None:
    """No test outlives a power cut: its SQLite need not wait for the disk."""
    if engine.dialect.name == "sqlite":
        event.listen(
            engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF")
        )


def _start_afresh() -> None:
    if db.engine.dialect.name == "postgresql":
        with db.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Mark what works on the database; of two workers each begins with its share of the long tests."""
    for item in items:
        is_worth = not is_slow(item) or item.path.name.startswith(QUERIES)
        if is_worth and "core" in getattr(item, "fixturenames", ()):
            item.add_marker("database")
    yield
    if "PYTEST_XDIST_WORKER" in os.environ:
        items[:] = in_halves(items)


def in_halves(items: list[pytest.Item]) -> list[pytest.Item]:
    """The files dealt out in two halves, as the workers take them; in each the slow tests stand first."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    dealt = sorted(files.values(), key=lambda found: sum(map(is_slow, found)), reverse=True)
    halves = [[item for found in dealt[start::2] for item in found] for start in (0, 1)]
    return [item for half in halves for item in sorted(half, key=is_slow, reverse=True)]


def is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With LAMPLIGHTER_TEST_ALL=1 nothing may be skipped: a skip is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("LAMPLIGHTER_TEST_ALL") == "1":
        report.outcome = "failed"
    return report
