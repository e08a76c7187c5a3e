"""Waits: woken when their time is over or their condition holds."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select, update

from models import Run, Step
from models.clock import now, utcnow
from workflows.claims import LIVE, hold_runs
from workflows.held import scope_for
from workflows.nodes import is_met
from workflows.sessions import reading, writing
from workflows.times import times
from workflows.transitions import wake
from workflows.turns import facts_in_turn
from workflows.walk import node_at

AT_ONCE = 500
ASKING = 0.03
RARELY = 300.0

log = logging.getLogger(__name__)


def wake_due_waits() -> int:
    """Make waits ready whose time is over."""
    with reading() as session:
        late = _waiting().where(Step.due_at <= now(session)).order_by(Step.due_at)
        ids = session.scalars(late.with_only_columns(Step.id).limit(AT_ONCE)).all()
    return _wake(ids)


def wake_met_waits() -> int:
    """Make waits ready whose condition holds. Each is asked in its turn, the longer it waits the more rarely, with its
    run's scope and outside any write transaction; a tick asks no more than there is time for."""
    moment, end, limits = utcnow(), time.monotonic() + ASKING, times()
    with reading() as session:
        asked = _waiting().where(Step.not_before <= moment).order_by(Step.not_before)
        rows = session.execute(asked.with_only_columns(Step.id, Step.created_at).limit(AT_ONCE)).all()
    met: list[int] = []
    later: list[dict[str, Any]] = []
    for row in rows:
        if time.monotonic() > end:
            break
        if _is_met(row.id):
            met.append(row.id)
        else:
            pause = max(limits.waits, min((moment - row.created_at).total_seconds() / 20, RARELY))
            later.append({"asked": row.id, "again": moment + timedelta(seconds=pause)})
    if later:
        _ask_again(later)
    return _wake(met)


def _ask_again(later: Sequence[Mapping[str, Any]]) -> None:
    rows = Step.__table__
    here = (rows.c.id == bindparam("asked"), rows.c.state == "waiting")
    again = update(rows).where(*here).values(not_before=bindparam("again"))
    with writing() as session:
        session.connection().execute(again, [dict(row) for row in later])


def _wake(ids: Sequence[int]) -> int:
    if not ids:
        return 0
    query = select(Step).where(Step.id.in_(ids)).order_by(Step.id)
    with writing() as session:
        steps = session.scalars(query).all()
        hold_runs(session, {step.run_id for step in steps})
        return sum(wake(session, step, {}) for step in steps)


def _waiting() -> Any:
    live = select(Run.id).where(Run.id == Step.run_id, Run.state.in_(LIVE)).exists()
    return select(Step).where(Step.state == "waiting", Step.kind == "wait", live)


def _is_met(step_id: int) -> bool:
    """Whether a wait's condition holds; one that cannot be asked is woken too: the worker then says why."""
    with reading() as session:
        step = session.get_one(Step, step_id)
        run, wait = step.run, node_at(step.run.tree, step.path)["wait"]
        try:
            facts = facts_in_turn(session, run, step.path, step.turn) if step.turn else run.facts
            with reading(scope_for(session, run), actor_id=run.owner_id) as asking:
                return is_met(asking, wait, facts)
        except Exception as error:  # noqa: BLE001 whatever a condition does, the step's row will say so
            log.warning("step %s: condition: %s", step_id, type(error).__name__)
            return True
