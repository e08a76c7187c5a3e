"""ASSUMPTIONS: what only the future decides and a trial run therefore assumes, one line an entry.

The value comes from the last comparable run: the newest one of the same workflow that ended, in the unit itself where
it had one. Without such a run, or where it had nothing to count, the fallback stands; a reader may change it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Run
from models.words import N_
from workflows import letters, notice_forecasts, visit_forecasts


@dataclass(frozen=True)
class Assumption:
    """`find(session, run)` gives the value that a run came to, None where it had nothing to count."""

    label: str
    fallback: float
    find: Callable[[Session, Run], float | None]
    unit: Literal["share", "number"] = "share"


ASSUMPTIONS: dict[str, Assumption] = {
    "answered": Assumption(N_("寄出的函件有回复的占比"), 0.35, letters.answered_share),
    "undelivered": Assumption(N_("寄出的函件被退回的占比"), 0.06, letters.undelivered_share),
    "undelivered_to_door": Assumption(N_("退信中按原因要上门走访的占比"), 0.9, letters.door_share),
    "visits_left": Assumption(N_("到期仍未完成的走访任务占比"), 0.1, visit_forecasts.left_share),
    "unsigned": Assumption(N_("到期仍未签收的单位占比"), 0.2, notice_forecasts.unsigned_share),
}


def comparable_run(session: Session, workflow_key: str, unit_id: int) -> Run | None:
    """The newest run of a workflow that came to its end: one of the unit itself before any other."""
    query = select(Run).where(Run.workflow_key == workflow_key, Run.state.in_(("done", "partly_failed")))
    return session.scalar(query.order_by((Run.unit_id == unit_id).desc(), Run.id.desc()).limit(1))
