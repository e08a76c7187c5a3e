"""The step that reads scan batches: each item is one part of a file, so that a killed worker reads one part again."""

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


class OfScans(Options):
    """Which batch; `name` is what the run is called after."""

    batch: int = asked(N_("扫描批次编号"), ge=1)
    name: str = asked(N_("说明"), "", max_length=200)


def plan_read_scans(session: Session, options: OfScans, facts: Facts) -> Planned:
    """What of the batch is still to be read."""
    batch = session.get_one(ScanBatch, options.batch)
    parts = [
        {"part": "sides", "file": one.file, "first": one.first, "last": one.last}
        for one in scan_batches.parts_left(session, batch)
    ]
    return Planned([{"part": "begin"}, *parts, {"part": "finish"}], {"sides": batch.sides})


def read_scans(options: OfScans, facts: Facts, items: Sequence[Item]) -> Effects:
    """Read one part in a child process; what was found is written in one transaction."""
    (item,) = items
    if item["part"] == "begin":
        return Effects(calls=[Call(begin_scans, {"batch_id": options.batch})])
    if item["part"] == "finish":
        return Effects(calls=[Call(finish_scans, {"batch_id": options.batch})])
    part = Part(item["file"], item["first"], item["last"])
    with reading() as session:
        batch = session.get_one(ScanBatch, options.batch)
    try:
        path = scan_batches.stored_path(batch, part.file)
    except Refused as refusal:
        return Effects(calls=[Call(fail_scans, {"batch_id": options.batch, "message": str(refusal)})])
    rows = [row for some in intake.read_part(path, part, reading) for row in some]
    return Effects(calls=[Call(keep_sides, {"batch_id": options.batch, "rows": rows})])


def begin_scans(session: Session, batch_id: int) -> None:
    """Say that a batch is being read."""
    scan_batches.begin(session, session.get_one(ScanBatch, batch_id))


def keep_sides(session: Session, batch_id: int, rows: Sequence[Row]) -> dict[str, int]:
    """Write one part of a batch that was read already."""
    return intake.keep(session, session.get_one(ScanBatch, batch_id), rows)


def fail_scans(session: Session, batch_id: int, message: str) -> dict[str, Any]:
    """Say why a batch could not be read."""
    scan_batches.fail(session, session.get_one(ScanBatch, batch_id), message)
    return {"refused": message}


def finish_scans(session: Session, batch_id: int) -> None:
    """End a batch whose sides are all there; one that failed keeps its message."""
    batch = session.get_one(ScanBatch, batch_id)
    if batch.state != "failed":
        scan_batches.finish(session, batch)
