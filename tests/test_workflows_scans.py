"""A scan batch read by several workers that are killed: every side is there once, and every form written once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import make_customer, make_letter, make_staff
from machines import Machines, installation, until
from needs import POSTGRES_URL, needs_postgres
from PIL import Image
from scanning import MAP, Sheet, batch
from sqlalchemy import func, select

from models import FormVersion, Keying, ScanBatch, Step
from models import Sheet as Side
from services import scan_batches
from services.scan_batches import Scans
from workflows import scan_readings

pytestmark = pytest.mark.slow
WORKERS = ("now", "bulk", "bulk-2", "clock")
FORMS, EMPTY = 2, Image.new("L", (800, 1100), 245)
DATABASES = [
    pytest.param("", id="sqlite"),
    pytest.param(POSTGRES_URL, id="postgresql", marks=needs_postgres),
]


@pytest.fixture(params=DATABASES)
def machines(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machines]:
    monkeypatch.setattr(scan_batches, "PART", 2)  # the workers are forked and take it over
    with installation(tmp_path, request.param) as made:
        yield made


def test_killed_readers_lose_no_side_and_read_none_twice(machines: Machines, tmp_path: Path) -> None:
    batch_id, run_id = _bring_in(machines, tmp_path)
    machines.keep_alive(*WORKERS)
    until(lambda: machines.keep_alive(*WORKERS) or _lanes(machines, run_id) > 1)
    for victim in ("worker", "child", "reader"):
        until(lambda victim=victim: machines.keep_alive(*WORKERS) or _hit(machines, victim))
        machines.keep_alive(*WORKERS)
    until(lambda: machines.keep_alive(*WORKERS) or machines.state(run_id) == "done", every=0.1)
    with machines.session() as session:
        found = session.get_one(ScanBatch, batch_id)
        sides = session.execute(select(Side.file, Side.side).order_by(Side.file, Side.side)).tuples().all()
        assert sides == [(1, number) for number in range(1, 7)] + [(2, number) for number in range(1, 7)]
        counts = scan_batches.counts_of(session, found)
        assert (found.state, counts["accepted"], counts["blank"], counts["sheets"]) == ("done", FORMS, 10, 12)
        assert session.scalar(select(func.count(Keying.id))) == FORMS


def _bring_in(machines: Machines, folder: Path) -> tuple[int, int]:
    with machines.session() as session:
        clerk = make_staff(session, "clerk")
        letters = [make_letter(session, make_customer(session)) for _number in range(FORMS)]
        session.get_one(FormVersion, letters[0].form_version_id).boxes = MAP
        pages = [Sheet(letter.token) for letter in letters]
        first = batch(folder / "a.pdf", *pages[:1], *[EMPTY] * 5)
        second = batch(folder / "b.tif", *[EMPTY] * 5, *pages[1:])
        counted = scan_batches.look_into([Scans(first, first.name), Scans(second, second.name)])
        found, _is_new = scan_batches.receive(session, counted, origin="upload", staff=clerk)
        return found.id, scan_readings.start(session, found, clerk).id


def _lanes(machines: Machines, run_id: int) -> int:
    """How many workers read at this moment."""
    with machines.session() as session:
        query = select(func.count(Step.id)).where(Step.run_id == run_id, Step.key == "read_scans")
        return session.scalar(query.where(Step.state == "leased")) or 0


def _hit(machines: Machines, victim: str) -> bool:
    """Kill a worker, the process that runs its step, or the process that opens the files; False where none is seen."""
    child = machines.child_of("bulk") if victim != "worker" else machines.children["bulk"]
    if child is not None and victim == "reader":
        child = _child_of(child)
    if child is not None:
        os.kill(child, signal.SIGKILL)
    return child is not None


def _child_of(pid: int) -> int | None:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return None
    return int(found[0]) if found else None
