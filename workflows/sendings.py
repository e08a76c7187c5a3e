"""Sendings whose outcome nobody knows: counted, and taken up again when a person has settled them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import Outgoing, StepItem


def unknown_sendings(session: Session, step_id: int) -> int:
    """How many sendings of a step nobody knows the outcome of."""
    query = select(func.count()).select_from(Outgoing)
    return session.scalar(query.where(Outgoing.step_id == step_id, Outgoing.state == "unknown")) or 0


def make_settled_ready(session: Session, step_id: int) -> bool:
    """Make items ready whose sending a person has settled; False when there are none."""
    rows = StepItem.__table__
    again: Any = session.execute(
        update(rows)
        .where(rows.c.step_id == step_id, rows.c.state == "unknown")
        .values(state="ready", error="")
    )
    return bool(again.rowcount)
