"""How far a step or a list is: how much a minute, and when it should end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Step, StepItem
from models.clock import utcnow

ENDED = ("done", "failed")


@dataclass(frozen=True)
class Progress:
    """Items of a step: all, done, failed; how many a minute, and the expected end (None before anything is done)."""

    total: int
    done: int
    failed: int
    a_minute: float
    ends_at: datetime | None


def progress(session: Session, step: Step) -> Progress:
    """How far a step is. Items of a list count when they have gone through all of its nodes."""
    query = select(StepItem.state, func.count()).where(StepItem.step_id == step.id).group_by(StepItem.state)
    counted: dict[str, int] = dict(session.execute(query).tuples().all())
    total, ended = sum(counted.values()), sum(counted.get(state, 0) for state in ENDED)
    until = step.ended_at or utcnow()
    seconds = (until - step.started_at).total_seconds() if step.started_at else 0.0
    pace = ended / seconds if seconds > 0 else 0.0
    ends_at = until + timedelta(seconds=(total - ended) / pace) if pace and total > ended else None
    return Progress(total, counted.get("done", 0), counted.get("failed", 0), pace * 60, ends_at)
