"""The door plates of an approved list: known to judging while its batch change stands."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import BatchChange, DoorPlate, Unit
from models.bulk import insert_rows, take_ids
from models.clock import utcnow
from quality.addresses import split_address
from services.batch_change_lists import stored_list

PLATES = DoorPlate.__table__


def hang(session: Session, change: BatchChange) -> None:
    """Write down the plates of a list that took effect, once."""
    known = select(PLATES.c.id).where(PLATES.c.source == _source(change), PLATES.c.withdrawn_at.is_(None))
    if change.kind != "door_plate_change" or session.scalar(known.limit(1)) is not None:
        return
    units = {text: row.id for row in session.execute(select(Unit.id, Unit.code, Unit.name)) for text in row[1:]}
    rows = []
    for entry in stored_list(change.sha256, change.kind):
        new = split_address(entry.new)
        since = date.fromisoformat(entry.since) if entry.since else change.effective_on
        road = new.road or new.lane or new.village
        rows.append({
            "unit_id": units.get(entry.unit, change.unit_id), "old_road": entry.old[:60],
            "old_number": entry.number[:40], "new_road": (road or entry.new)[:60],
            "new_number": entry.new.removeprefix(road)[:40] if road else "", "changed_on": since,
            "source": _source(change), "batch_id": None, "created_at": utcnow(), "withdrawn_at": None,
        })  # fmt: skip
    keys = take_ids(session, PLATES, len(rows))
    insert_rows(session, PLATES, [{"id": key} | row for key, row in zip(keys, rows, strict=True)])


def withdraw(session: Session, change: BatchChange) -> None:
    """Let the plates of a list that was taken back count no longer."""
    mine = (PLATES.c.source == _source(change)) & PLATES.c.withdrawn_at.is_(None)
    session.execute(update(PLATES).where(mine).values(withdrawn_at=utcnow()))


def _source(change: BatchChange) -> str:
    return f"batch_change:{change.id}"
