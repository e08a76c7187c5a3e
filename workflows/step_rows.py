"""The rows of a run's steps: found by their place, put into a state, asked whether anything is open.

Statements that every step needs are built once: building one anew takes five times as long as running it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from models import Run, Step
from workflows.results import tried_again

BUSY = ("ready", "leased", "failed")
OPEN_STEPS = (*BUSY, "waiting", "dead", "unknown")
ROWS = Step.__table__
IN_RUN = ROWS.c.run_id == bindparam("run")

ONE = update(ROWS).where(ROWS.c.id == bindparam("step"))
AT = select(ROWS.c.id).where(IN_RUN, ROWS.c.path == bindparam("path"), ROWS.c.turn == bindparam("turn"))
OPEN = select(ROWS.c.id).where(IN_RUN, ROWS.c.state.in_(bindparam("states", expanding=True))).limit(1)
PASSED = func.coalesce(ROWS.c.result["passed"].as_string(), "")
LEFT_OUT = (
    select(ROWS.c.id)
    .where(IN_RUN)
    .where(or_((ROWS.c.state == "skipped") & (PASSED != "branch"), ROWS.c.result["failed"].as_integer() > 0))
    .limit(1)
)


def step_at(session: Session, run: Run, path: str, turn: str) -> Step | None:
    """The step of a node as it stands now, if the run has come to it yet."""
    key = session.scalar(AT, {"run": run.id, "path": path, "turn": turn})
    if key is None:
        return None
    session.flush()
    return session.get_one(Step, key, populate_existing=True)


def set_state(session: Session, step_id: int, state: str, **values: Any) -> None:
    """Put a step into a state in which nobody holds it."""
    session.execute(ONE, {"step": step_id, "state": state, "token": None, "lease_until": None, **values})


def take_up_again(session: Session, step: Step, **values: Any) -> None:
    """Make a step ready once more that has ended, or that nobody could do. Whoever called rings for it."""
    again = {"attempt": 0, "not_before": None, "ended_at": None, "error": "", **values}
    set_state(session, step.id, "ready", result=tried_again(step.result or {}), **again)
    session.expire(step)


def has_open(
    session: Session, run: Run, *where: ColumnElement[bool], states: Sequence[str] = OPEN_STEPS
) -> bool:
    """Whether any step of a run is in one of these states, of those that fit."""
    session.flush()
    query = OPEN.where(*where) if where else OPEN
    return session.scalar(query, {"run": run.id, "states": states}) is not None


def has_left_out(session: Session, run: Run) -> bool:
    """Whether anything was left out: skipped without an arm for it, or with items that failed."""
    return session.scalar(LEFT_OUT, {"run": run.id}) is not None
