"""Batch changes driven to a state in tests, chunk by chunk as the engine does."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import BatchChange, BatchChangeLine, Contact, Staff
from services import batch_change_chunks, batch_changes
from services.batch_change_plans import find_lines
from services.batch_changes import Beginning, Choice


def carry_out(session: Session, change: BatchChange) -> BatchChange:
    """Do all parts of what is under way."""
    for part in list(batch_changes.parts(session, change)):
        if part["part"] == "begin":
            batch_changes.open_part(session, change, part["total"])
        elif part["part"] == "finish":
            batch_changes.finish(session, change)
        elif part["part"] == "plan":
            lines = find_lines(session, change, part["first"], part["last"])
            batch_changes.write_lines(session, change.id, lines)
        else:
            work = getattr(batch_change_chunks, f"{part['part']}_chunk")
            work(session, change.id, part["first"], part["last"])
        session.commit()
        session.refresh(change)
    return change


def tried(session: Session, staff: Staff, kind: str, **facts: Any) -> BatchChange:
    """A change that was tried."""
    values = {"unit": staff.unit, "document": "公安〔2026〕5号"} | facts
    return carry_out(session, batch_changes.begin(session, Beginning(kind, **values), staff))


def submitted(session: Session, staff: Staff, kind: str, **facts: Any) -> BatchChange:
    """A change that waits for another person."""
    change = tried(session, staff, kind, **facts)
    batch_changes.submit(session, change, staff)
    return carry_out(session, change)


def applied(session: Session, staff: Staff, other: Staff, kind: str, **facts: Any) -> BatchChange:
    """A change that another person approved and that took effect."""
    change = submitted(session, staff, kind, **facts)
    batch_changes.approve(session, change, Choice(), other, checked=True)
    return carry_out(session, change)


def taken_back(session: Session, change: BatchChange, staff: Staff) -> BatchChange:
    """A change that was taken back."""
    batch_changes.take_back(session, change, staff)
    return carry_out(session, change)


def lines_of(session: Session, change: BatchChange) -> list[tuple[str, str, str]]:
    """State, conflict and new text of each line."""
    query = select(BatchChangeLine).where(BatchChangeLine.change_id == change.id).order_by(BatchChangeLine.id)
    return [(row.state, row.conflict, row.raw) for row in session.scalars(query)]


def current(session: Session) -> set[tuple[Any, ...]]:
    """Every current value with all that belongs to it."""
    names = ("customer_id", "unit_id", "kind", "raw", "value", "extension", "verdict", "preferred", "recorder_id")
    rows = session.scalars(select(Contact).where(Contact.state == "current"))
    return {tuple(getattr(row, name) for name in (*names, "recorded_at")) for row in rows}


def write_list(path: Path, rows: list[dict[str, str]]) -> Path:
    """A list as CSV."""
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
