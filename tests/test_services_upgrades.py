"""The database's version: empty, behind, current, newer; an upgrade killed midway and repeated."""

from __future__ import annotations

import importlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from flask import Flask
from needs import POSTGRES_URL, needs_postgres
from sqlalchemy import create_engine, event, select, text

from models import BatchRow, ImportBatch, Staff, Unit, db
from models.clock import utcnow
from models.home import CHECKOUT
from models.scope import ALL, set_scope
from services import Refused, upgrades

Make = Callable[[], Flask]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAMPLIGHTER_HOME", str(tmp_path))
    monkeypatch.delenv("LAMPLIGHTER_DATABASE_URL", raising=False)
    return tmp_path / "lamplighter.db"


@pytest.fixture
def fresh(place: Path) -> Iterator[Flask]:
    """An app on a database file of its own, which does not exist yet."""
    app: Flask = importlib.import_module("app").create_app()
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def stand_at(place: Path, revision: str) -> None:
    with closing(sqlite3.connect(place)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def contents(place: Path) -> tuple[list[tuple[str, str, list[str]]], dict[str, int]]:
    """Schema and number of rows a table; a full-text table is counted by those it stands on.

    The constraints of a table that a migration copied come in any order.
    """
    with closing(sqlite3.connect(place)) as database:
        rows = database.execute("SELECT name, type, sql FROM sqlite_master ORDER BY name").fetchall()
        counts = {
            name: f"SELECT count(*) FROM {name}"  # noqa: S608 own names
            for name, kind, sql in rows
            if kind == "table" and not sql.startswith("CREATE VIRTUAL")
        }
        lines = {name: (sql or "").splitlines() for name, _kind, sql in rows}
        schema = [(name, kind, sorted(one.strip("\t ,") for one in lines[name])) for name, kind, _sql in rows]
        return schema, {name: database.execute(count).fetchone()[0] for name, count in counts.items()}


def killed_in(app: Flask, die: Callable[[Flask], None]) -> None:
    """Upgrade in a child process that kills itself on the way."""
    db.engine.dispose()
    child = os.fork()
    if child == 0:
        die(app)
        upgrades.upgrade(app)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def die_in_first_data(app: Flask) -> None:
    before = app.extensions["first_data"]

    def load(session: object) -> None:
        before(session)
        os.kill(os.getpid(), signal.SIGKILL)

    app.extensions["first_data"] = load


def die_after_ten_tables(_app: Flask) -> None:
    made: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        made.append(statement)
        if sum("CREATE TABLE" in one for one in made) > 10:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(db.engine, "after_cursor_execute", count)


@pytest.mark.slow
def test_first_start_fills_an_empty_database(fresh: Flask, place: Path) -> None:
    assert upgrades.database_state(fresh) == upgrades.EMPTY
    upgrades.make_ready(fresh)
    assert upgrades.database_state(fresh) == upgrades.CURRENT
    assert contents(place)[1]["units"] == 1


@pytest.mark.slow
def test_upgrade_twice_changes_nothing(fresh: Flask, place: Path) -> None:
    assert upgrades.upgrade(fresh) == upgrades.EMPTY
    before = contents(place)
    assert upgrades.upgrade(fresh) == upgrades.CURRENT
    assert contents(place) == before


@pytest.mark.slow
@pytest.mark.parametrize("die", [die_after_ten_tables, die_in_first_data])
def test_killed_midway_and_repeated_gives_the_same(
    fresh: Flask, place: Path, die: Callable[[Flask], None]
) -> None:
    killed_in(fresh, die)
    upgrades.make_ready(fresh)
    after = contents(place)
    db.engine.dispose()
    place.unlink()
    upgrades.upgrade(fresh)
    assert contents(place) == after


@pytest.mark.slow
def test_rows_that_refer_to_a_copied_table_stay(fresh: Flask, place: Path) -> None:
    upgrades.upgrade(fresh)
    session = db.session()
    set_scope(session, ALL)
    shell, unit = session.scalars(select(Staff.id)).first(), session.scalars(select(Unit.id)).first()
    facts = {"file_name": "a.csv", "mode": "update", "state": "done", "recorder_id": shell, "unit_id": unit}
    batch = ImportBatch(**facts, created_at=utcnow())
    session.add(batch)
    session.flush()
    session.add(BatchRow(batch_id=batch.id, row=2, unit_id=unit, outcome="rejected", reason="no_account"))
    session.commit()
    command.downgrade(upgrades._config(fresh), "0017")
    assert upgrades.upgrade(fresh) == upgrades.BEHIND
    assert session.scalars(select(BatchRow.reason)).all() == ["no_account"]
    assert session.execute(text("PRAGMA foreign_key_check")).all() == []
    assert session.scalar(text("PRAGMA foreign_keys")) == 1


@pytest.mark.slow
@pytest.mark.parametrize("ready", [upgrades.make_ready, upgrades.upgrade])
def test_a_newer_database_is_refused_and_left_alone(
    fresh: Flask, place: Path, ready: Callable[[Flask], object]
) -> None:
    upgrades.upgrade(fresh)
    stand_at(place, "9999")
    before = contents(place)
    with pytest.raises(Refused, match="更新版本"):
        ready(fresh)
    assert contents(place) == before


@pytest.mark.slow
def test_a_database_that_is_behind_waits_for_the_command(
    fresh: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrades.upgrade(fresh)
    monkeypatch.setattr(upgrades.ScriptDirectory, "get_heads", lambda _script: ["0002"])
    with pytest.raises(Refused, match="lamplighter upgrade"):
        upgrades.make_ready(fresh)


@pytest.mark.slow
@pytest.mark.parametrize("url", ["", pytest.param(POSTGRES_URL, id="postgresql", marks=needs_postgres)])
def test_machines_that_upgrade_together_wait_for_each_other(place: Path, tmp_path: Path, url: str) -> None:
    where = {"LAMPLIGHTER_DATABASE_URL": url, "LAMPLIGHTER_HOME": str(tmp_path)}
    if url:
        reset_postgres(url)
    command = [sys.executable, str(CHECKOUT / "app.py"), "upgrade", "--json"]
    together = [
        subprocess.Popen(command, env=os.environ | where, stdout=subprocess.PIPE) for _one in range(3)
    ]
    said = [one.communicate(timeout=60)[0] for one in together]
    assert [one.returncode for one in together] == [0, 0, 0]
    assert sorted(b'"before": "empty"' in one for one in said) == [False, False, True]


def reset_postgres(url: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
