"""One chunk of a file written to the database: its customers, their contact versions, and what became of each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import BatchRow, ImportBatch, RequiredField, Unit
from models.bulk import insert_lines, take_ids, undisturbed
from models.scope import ALL, working_as
from services import calendar, import_customers, import_waves
from services.changes import changing
from services.import_customers import Found
from services.import_rows import ReadRow
from services.import_spools import UNKNOWN_UNIT
from services.import_units import Units
from services.import_waves import OUTCOME, Job

OUTCOMES = ("created", "updated", "unchanged", "proposed", "rejected")


def import_chunk(
    session: Session, batch_id: int, rows: Sequence[ReadRow], headings: Mapping[str, str], *, units: Units
) -> dict[str, int]:
    """Write one chunk of read rows in the name of whoever records the batch; returns how many rows ended how.

    `headings`: field -> the heading it came from. The figures are added to the batch's in the same transaction.
    """
    batch = session.get_one(ImportBatch, batch_id)
    before = session.info.get("actor_id")
    session.info["actor_id"] = batch.recorder_id
    try:
        with working_as(session, ALL), undisturbed():
            job = _job(session, batch, headings, units)
            outcomes = _write(session, job, rows)
            tally = Counter(row["outcome"] for row in outcomes)
            _count(session, batch_id, tally, outcomes)
    finally:
        session.info["actor_id"] = before
    return {name: tally[name] for name in OUTCOMES}


def _job(session: Session, batch: ImportBatch, headings: Mapping[str, str], units: Units) -> Job:
    required: dict[str, set[str]] = {}
    for row in session.execute(select(RequiredField.customer_class, RequiredField.kind)):
        required.setdefault(row.customer_class, set()).add(row.kind)
    return Job(
        batch.id,
        batch.mode,
        batch.unit_id,
        headings,
        units,
        {name: frozenset(kinds) for name, kinds in required.items()},
        {row.id: row.deadline_days for row in session.execute(select(Unit.id, Unit.deadline_days))},
        calendar.calendar(session),
    )


def _write(session: Session, job: Job, rows: Sequence[ReadRow]) -> list[dict[str, Any]]:
    """Write the first rows of all customers, then their later rows: a later one sees what the first one made."""
    with changing(session, ()):
        return _write_waves(session, job, rows)


def _write_waves(session: Session, job: Job, rows: Sequence[ReadRow]) -> list[dict[str, Any]]:
    outcomes = [_rejected(job, row, row.error) for row in rows if row.error]
    placed, recorders = import_customers.with_people(session, [row for row in rows if not row.error])
    for wave_rows in ([row for row in placed if row.is_first], [row for row in placed if not row.is_first]):
        found = import_customers.find(session, wave_rows, job.batch_id)
        outside = [row for row in wave_rows if _is_outside(row, found, job.units)]
        outcomes += [_rejected(job, row, UNKNOWN_UNIT) for row in outside]
        inside = [row for row in wave_rows if not _is_outside(row, found, job.units)]
        if inside:
            outcomes += import_waves.write(session, job, import_waves.gather(session, job, inside, recorders, found))
    keys = take_ids(session, BatchRow.__table__, len(outcomes))
    lines = [(key, *row.values()) for key, row in zip(keys, outcomes, strict=True)]
    insert_lines(session, BatchRow.__table__, ("id", *OUTCOME), lines)
    return outcomes


def _is_outside(row: ReadRow, found: Mapping[str, Found], units: Units) -> bool:
    one = found.get(row.account)
    return one is not None and not one.removed and not units.reaches(one.unit_id)


def _rejected(job: Job, row: ReadRow, reason: str) -> dict[str, Any]:
    written: tuple[Any, ...] = (job.batch_id, row.number, None, job.home_id, "rejected", reason, {}, {})
    return dict(zip(OUTCOME, written, strict=True))


def _count(session: Session, batch_id: int, tally: Mapping[str, int], outcomes: Sequence[Mapping[str, Any]]) -> None:
    batches = ImportBatch.__table__.c
    values = {name: batches[name] + tally.get(name, 0) for name in OUTCOMES}
    values["rows_done"] = batches.rows_done + len(outcomes)
    values["unread"] = batches.unread + sum(bool(row["unread"]) for row in outcomes)
    session.execute(update(ImportBatch.__table__).where(batches.id == batch_id).values(**values))
