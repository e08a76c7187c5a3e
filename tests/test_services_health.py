"""What the doctor finds, and what it advises."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from models import Lease, db
from models.clock import utcnow
from models.faces import FoundFace
from models.processes import SERVE_LOCK, hold_lock, queue_url
from services import Refused, health, upgrades

NAMES = ["home", "disk", "libraries", "fonts", "front_end", "database", "queue", "clock", "search", "counts"]
NAMES += ["balances", "sheets", "publications"]


@pytest.fixture
def served(core: Flask, session: Session) -> Iterator[Flask]:
    """An app whose home is being served, by this process."""
    handle = hold_lock(core.config["HOME"] / SERVE_LOCK)
    assert handle is not None
    yield core
    os.close(handle)


def boxes(_folders: object) -> list[FoundFace]:
    return [FoundFace("songti", "宋体", "", False)]


def test_every_check_has_a_name_and_says_what_to_do(core: Flask, session: Session) -> None:
    checks = health.check_everything(core)
    assert [check.name for check in checks] == NAMES
    assert all(check.ok or check.advice for check in checks)


def test_boxes_are_refused_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "found_faces", boxes)
    monkeypatch.setattr(health, "missing_packages", lambda: ["fonts-noto-cjk"])
    check = health.fonts()
    assert not check.ok
    assert "apt-get install -y --no-install-recommends fonts-noto-cjk" in check.advice
    with pytest.raises(Refused, match="方框"):
        health.require_printing()


def test_a_face_that_stands_in_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    stands_in = FoundFace("fangsong", "仿宋", "Noto Serif CJK SC", False)
    monkeypatch.setattr(health, "found_faces", lambda _folders: [stands_in])
    check = health.fonts()
    assert check.ok
    assert "仿宋(暂用 Noto Serif CJK SC)" in check.advice
    assert check.found["faces"][0]["real"] is False


def test_missing_libraries_are_refused_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "missing_libraries", lambda: ["libharfbuzz-subset0"])
    assert "libharfbuzz-subset0" in health.libraries().advice
    with pytest.raises(Refused, match="libharfbuzz-subset0"):
        health.require_printing()


@pytest.mark.parametrize(
    ("state", "ok"),
    [(upgrades.CURRENT, True), (upgrades.EMPTY, True), (upgrades.BEHIND, False), (upgrades.NEWER, False)],
)
def test_database_of_another_version_is_not_well(
    core: Flask, monkeypatch: pytest.MonkeyPatch, state: str, ok: bool
) -> None:
    monkeypatch.setattr(upgrades, "database_state", lambda _app: state)
    check = health.database(core)
    assert check.ok is ok
    assert check.advice == upgrades.ADVICE[state]


def test_an_unreachable_database_is_said(core: Flask, tmp_path: Path) -> None:
    lost = Flask("lost")
    lost.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/no/such/folder.db"
    db.init_app(lost)
    lost.extensions["migrate"] = core.extensions["migrate"]
    with lost.app_context():
        check = health.database(lost)
    assert not check.ok
    assert "LAMPLIGHTER_DATABASE_URL" in check.advice


def test_nothing_runs_while_nothing_is_served(core: Flask, session: Session) -> None:
    assert health.queue(core) == health.Check("queue", True, health.NOT_RUNNING)
    assert health.clock(core) == health.Check("clock", True, health.NOT_RUNNING)


def test_a_silent_clock_is_noticed_while_served(served: Flask, session: Session) -> None:
    assert not health.clock(served).ok
    session.add(Lease(name=health.CLOCK_LEASE, seen_at=utcnow() - timedelta(minutes=5)))
    session.flush()
    assert "clock" in health.clock(served).advice
    session.get(Lease, health.CLOCK_LEASE).seen_at = utcnow()
    session.flush()
    assert health.clock(served).ok


def test_a_queue_that_does_not_answer_is_noticed(served: Flask) -> None:
    assert served.config["REDIS_URL"] == queue_url(served.config["HOME"])
    assert not health.queue(served).ok
    with pytest.raises(Refused, match="serve"):
        health.require_queue(served)


def test_a_configured_queue_is_asked_for(
    core: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(core.config, "REDIS_URL", f"unix://{tmp_path}/none.sock")
    assert "LAMPLIGHTER_REDIS_URL" in health.queue(core).advice


def test_a_full_disk_is_noticed(core: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LEAST_FREE", 1 << 62)
    assert not health.disk(core).ok
