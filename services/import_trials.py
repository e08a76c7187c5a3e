"""Trials of an upload: what the import would do to each row, with nothing kept but the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import BatchRow, ImportBatch, Staff, TrialRow
from models.bulk import insert_rows
from services import Refused, imports, traces, uploads
from services.import_chunks import OUTCOMES, import_chunk
from services.import_rows import ReadRow
from services.import_units import Units
from services.imports import Plan
from services.tables import open_table

ROWS = TrialRow.__table__
RUNNING, DONE = "running", "done"
BAD = ("invalid", "suspect")


def begin(session: Session, batch: ImportBatch, plan: Plan, staff: Staff) -> None:
    """Say that an upload is to be tried with a plan; refused where the import itself would be."""
    if batch.state != "uploaded":
        raise Refused("这个文件已经开始导入，不能再试算。请在导入列表里查看进度。")
    imports.check(session, plan, staff)
    with uploads.named(batch.sha256, batch.file_name):
        open_table(uploads.upload_path(batch), plan.mapping)
    imports.forget_trial(session, batch)
    batch.mode, batch.unit_id, batch.mapping = plan.mode, plan.unit.id, dict(plan.mapping)
    batch.recorder_id = staff.id
    batch.trial = {"state": RUNNING, "rows": 0, "done": 0, **dict.fromkeys(OUTCOMES, 0)}
    traces.record(session, "import.tried", batch, details={"mode": plan.mode})


def open_trial(session: Session, batch: ImportBatch, rows: int) -> None:
    """Say how many rows there are."""
    batch.trial = batch.trial | {"rows": rows}


def try_chunk(
    session: Session, batch_id: int, rows: Sequence[ReadRow], headings: Mapping[str, str], *, units: Units
) -> dict[str, int]:
    """Write a chunk as the import would, see what became of its rows, and take it all back but the answer."""
    batch = session.get_one(ImportBatch, batch_id)
    if batch.state != "uploaded":
        return {}
    point = session.begin_nested()
    tally = import_chunk(session, batch_id, rows, headings, units=units)
    query = select(BatchRow.row, BatchRow.unit_id, BatchRow.outcome, BatchRow.reason, BatchRow.unread)
    found = session.execute(query.where(BatchRow.batch_id == batch_id)).all()
    point.rollback()
    session.expire(batch)
    bad = {row.number: sum(cell.verdict in BAD for cell in row.cells) for row in rows}
    insert_rows(session, ROWS, [_trial_row(batch_id, row, bad.get(row.row, 0)) for row in found])
    done = {name: batch.trial.get(name, 0) + number for name, number in tally.items()}
    batch.trial = batch.trial | done | {"done": batch.trial["done"] + len(found)}
    return tally


def finish(session: Session, batch: ImportBatch) -> None:
    """End a trial: its figures stand, with how many rows are bad in which way."""
    counted = select(func.sum(ROWS.c.bad), func.count()).where(ROWS.c.batch_id == batch.id, ROWS.c.bad > 0)
    cells, rows = session.execute(counted).one()
    unread = select(func.count()).where(ROWS.c.batch_id == batch.id, ROWS.c.unread > 0)
    facts = {"bad_cells": int(cells or 0), "bad_rows": rows, "unread": session.scalar(unread), "state": DONE}
    batch.trial = batch.trial | facts


def fail(session: Session, batch: ImportBatch, message: str) -> None:
    """End a trial of a file that cannot be read."""
    batch.trial = {"state": "failed", "message": message}


def reasons(session: Session, batch: ImportBatch) -> dict[str, int]:
    """How many rows would be rejected, by reason."""
    query = select(ROWS.c.reason, func.count()).where(ROWS.c.batch_id == batch.id, ROWS.c.outcome == "rejected")
    return dict(Counter({row[0]: row[1] for row in session.execute(query.group_by(ROWS.c.reason))}).most_common())


def _trial_row(batch_id: int, row: Any, bad: int) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "unit_id": row.unit_id,
        "row": row.row,
        "outcome": row.outcome,
        "reason": row.reason,
        "bad": bad,
        "unread": len(row.unread or {}),
    }
