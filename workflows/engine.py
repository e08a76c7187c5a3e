"""The engine: one function that carries one step forward, whoever rings and however often."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import Run, Step
from models.clock import utcnow
from models.words import Said
from workflows.claims import LIVE, ClaimLost, claim, hold, is_due, locked
from workflows.failures import die, fail, park
from workflows.held import Held, Parked, in_turn, take_up
from workflows.nodes import do_branch, do_each, do_parallel, do_wait
from workflows.persons import do_person
from workflows.sessions import reading, writing
from workflows.step_rows import set_state
from workflows.times import Times, pause_before, times
from workflows.walk import kind_of, node_at
from workflows.watch import Watched, watch
from workflows.work import do_step

WORK: dict[str, Callable[[Held], Held | None]] = {
    "step": do_step,
    "branch": do_branch,
    "wait": do_wait,
    "person": do_person,
    "each": do_each,
    "parallel": do_parallel,
}

log = logging.getLogger(__name__)


def run_step(step_id: int) -> None:
    """Carry a step forward if it is due and nobody holds it, and for a moment what follows it. The only function that a
    queue may call."""
    held = _claim(step_id, times())
    while held is not None:
        held = _carry(held)


def _carry(held: Held) -> Held | None:
    """Work on one step, whatever becomes of it; returns what this worker goes on with."""
    following: Held | None = None
    minutes = held.node.get("time_limit")
    watch().begin(held.step_id, held.token, limit=minutes * 60 if minutes else None, hang=held.limits.hang)
    try:
        following = WORK[kind_of(held.node)](in_turn(held))
    except ClaimLost:
        log.warning("step %s: the claim was lost, nothing written", held.step_id)
    except Parked as parked:
        _put_aside(held, str(parked))
    except Exception as error:  # noqa: BLE001 whatever a step does, its row says so and somebody sees it
        _fail(held, error)
    watch().end()
    return following


def bury(seen: Watched, reason: str) -> None:
    """Write what became of a step whose process died over it, unless somebody else has it by now."""
    limits = times()

    def write(session: Session, run: Run) -> None:
        step = session.get_one(Step, seen.step_id)
        if seen.is_over:
            minutes = node_at(run.tree, step.path)["time_limit"]
            die(session, run, step.id, _over_limit(step, minutes), limits=limits)
        else:
            again = utcnow() + timedelta(seconds=pause_before(step.attempt, limits))
            set_state(session, step.id, "failed", error=reason, not_before=again)

    try:
        with reading() as session:
            run_id = session.scalar(select(Step.run_id).where(Step.id == seen.step_id))
        if run_id is not None:
            _write(run_id, seen.step_id, seen.token, write)
    except SQLAlchemyError as error:
        log.warning("step %s: its lease will run out: %s", seen.step_id, type(error).__name__)


def _over_limit(step: Step, minutes: float) -> str:
    return Said(
        "这一步超过时限 %(minutes)s 分钟，已停止；做完的 %(done)s 项已保留。请检查后重试，或在流程定义里放宽时限。",
        minutes=minutes,
        done=step.items_done,
    )


def drain(*, most: int = 1000) -> int:
    """Run what is due in this process until nothing is, without a queue: for tests and the shell. Returns how many."""
    for number in range(most):
        step_id = _next_due()
        if step_id is None:
            return number
        run_step(step_id)
    return most


def _claim(step_id: int, limits: Times) -> Held | None:
    parked = ""
    with writing() as session:
        token = claim(session, step_id, limits)
        if token is None:
            return None
        step = session.get_one(Step, step_id)
        run_id, attempt = step.run_id, step.attempt
        try:
            if attempt <= limits.attempts:
                return take_up(session, step, token, limits)
        except Parked as reason:
            parked = str(reason)
    if parked:
        _write(run_id, step_id, token, lambda session, run: park(session, run, step_id, parked))
        return None
    broken = Said(
        "这一步连续 %(count)s 次中途中断（程序被结束或卡住），没有再试。请检查后点“重试”。", count=attempt - 1
    )
    _write(run_id, step_id, token, lambda session, run: die(session, run, step_id, broken, limits=limits))
    return None


def _write(run_id: int, step_id: int, token: str, act: Callable[[Session, Run], None]) -> None:
    """Write what becomes of a step that is given up or laid aside, unless somebody else has it by now."""
    try:
        with writing() as session:
            run = locked(session, run_id)
            hold(session, step_id, token, times())
            act(session, run)
    except ClaimLost:
        log.warning("step %s: the claim was lost, nothing written", step_id)


def _put_aside(held: Held, message: str) -> None:
    _write(
        held.run_id, held.step_id, held.token, lambda session, run: park(session, run, held.step_id, message)
    )


def _fail(held: Held, error: Exception) -> None:
    try:
        fail(held, error)
    except ClaimLost:
        log.warning("step %s: the claim was lost, nothing written", held.step_id)


def _next_due() -> int | None:
    rows, runs = Step.__table__, Run.__table__
    query = select(rows.c.id).join(runs, runs.c.id == rows.c.run_id).where(runs.c.state.in_(LIVE), is_due())
    with reading() as session:
        return session.scalar(query.order_by(rows.c.id).limit(1))
