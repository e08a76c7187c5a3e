"""The steps that read scan batches: opened once, then read by several workers, each its own share of the parts.

Each item is one part of a file, so that a killed worker reads one part again. Who reads the last side ends the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from models import ScanBatch
from models.words import N_
from services import Refused, intake, scan_batches
from services.intake import Row
from services.scan_batches import Part
from workflows.sessions import reading
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked

WORKFLOW = "read_scans"


class OfScans(Options):
    """Which batch; `name` is what the run is called after."""

    batch: int = asked(N_("扫描批次编号"), ge=1)
    name: str = asked(N_("说明"), "", max_length=200)


class Share(Options):
    """Which share of the opened batch a step reads: the `lane`-th of `lanes` that read side by side."""

    lane: int = asked(N_("第几路"), 1, ge=1, le=6)
    lanes: int = asked(N_("共几路同时读"), 1, ge=1, le=6)

    def has(self, part: Part) -> bool:
        """Whether a part belongs to this share."""
        return part.number % self.lanes == self.lane - 1


def values_of(batch: ScanBatch) -> dict[str, str]:
    """What a run that reads a batch is told: which one, and what it is called after."""
    return {"open.batch": str(batch.id), "open.name": batch.name}


def plan_open_scans(session: Session, options: OfScans, facts: Facts) -> Planned:
    """The batch as a whole."""
    batch = session.get_one(ScanBatch, options.batch)
    return Planned([{"batch_id": batch.id}])


def open_scans(options: OfScans, facts: Facts, items: Sequence[Item]) -> Effects:
    """Say that a batch is being read."""
    return Effects(calls=[Call(begin_scans, {"batch_id": options.batch})])


def plan_read_scans(session: Session, options: Share, facts: Facts) -> Planned:
    """What of its share of the batch is still to be read."""
    batch = session.get_one(ScanBatch, _batch_id(facts))
    own = [one for one in scan_batches.parts_left(session, batch) if options.has(one)]
    parts = [{"part": "sides", "file": one.file, "first": one.first, "last": one.last} for one in own]
    return Planned([*parts, {"part": "finish"}], {"sides": sum(one.sides for one in own)})


def read_scans(options: Share, facts: Facts, items: Sequence[Item]) -> Effects:
    """Read one part in a child process; what was found is written in one transaction."""
    (item,) = items
    batch_id = _batch_id(facts)
    if item["part"] == "finish":
        return Effects(calls=[Call(finish_scans, {"batch_id": batch_id})])
    part = Part(item["file"], item["first"], item["last"])
    with reading() as session:
        batch = session.get_one(ScanBatch, batch_id)
    try:
        path = scan_batches.stored_path(batch, part.file)
    except Refused as refusal:
        return Effects(calls=[Call(fail_scans, {"batch_id": batch_id, "message": str(refusal)})])
    rows = [row for some in intake.read_part(path, part, reading) for row in some]
    return Effects(calls=[Call(keep_sides, {"batch_id": batch_id, "rows": rows})])


def _batch_id(facts: Facts) -> int:
    return int(facts["run"]["scan_batch_id"])


def begin_scans(session: Session, batch_id: int) -> dict[str, int]:
    """Say that a batch is being read, and to the steps that follow which one it is."""
    scan_batches.begin(session, session.get_one(ScanBatch, batch_id))
    return {"scan_batch_id": batch_id}


def keep_sides(session: Session, batch_id: int, rows: Sequence[Row]) -> dict[str, int]:
    """Write one part of a batch that was read already."""
    return intake.keep(session, session.get_one(ScanBatch, batch_id), rows)


def fail_scans(session: Session, batch_id: int, message: str) -> dict[str, Any]:
    """Say why a batch could not be read."""
    scan_batches.fail(session, session.get_one(ScanBatch, batch_id), message)
    return {"refused": message}


def finish_scans(session: Session, batch_id: int) -> None:
    """End a batch once all its sides are there: who comes last does so. One that failed keeps its message."""
    batch = session.get_one(ScanBatch, batch_id, with_for_update=True)
    if batch.state not in ("failed", "done") and not scan_batches.parts_left(session, batch):
        scan_batches.finish(session, batch)
