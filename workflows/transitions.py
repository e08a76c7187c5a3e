"""How a run moves on: the next node is entered in the transaction that finishes the one before."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models import Outgoing, Run, Step, StepItem, Workflow
from models.clock import utcnow
from models.words import Said
from services import Refused, tasks, traces
from workflows import STEPS
from workflows.channels import DeliveryFailed
from workflows.claims import hold
from workflows.deliveries import NotNow
from workflows.held import Held
from workflows.queues import ring_after_commit
from workflows.sessions import writing
from workflows.times import Times, pause_before
from workflows.walk import Node, after, kind_of, node_at, placed

FAILED_STEP, PARKED_RUN, UNKNOWN_SENDING = "failed_step", "parked_run", "unknown_sending"
LONG_NUMBER = re.compile(r"\d{5,}")

log = logging.getLogger(__name__)


def enter(session: Session, run: Run, path: str | None) -> None:
    """Make the step of the node at a path ready and ring for it; without one the run ends."""
    if path is None:
        _end(session, run)
        return
    if session.scalar(select(Step.id).where(Step.run_id == run.id, Step.path == path)) is not None:
        _end(session, run)  # an earlier step was tried again after everything behind it had run
        return
    node = node_at(run.tree, path)
    position = next(place.number for place in placed(run.tree) if place.path == path)
    key = str(node.get("step", ""))
    queue = STEPS[key].queue if key in STEPS else "now"
    step = Step(
        run_id=run.id,
        path=path,
        position=position,
        node=node["id"],
        kind=kind_of(node),
        key=key,
        state="ready",
        queue=queue,
        created_at=utcnow(),
    )
    session.add(step)
    session.flush()
    run.state = "running"
    ring_after_commit(session, step.id, queue)


def finish(held: Held, result: Mapping[str, Any], *, arm: str = "") -> None:
    """Finish a step with its result and enter what follows, in one transaction."""
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits)
        set_state(session, held.step_id, "done", result=dict(result), error="", ended_at=utcnow())
        move_on(session, held.run_id, held.path, held.node, result=result, arm=arm)


def move_on(
    session: Session, run_id: int, path: str, node: Node, *, result: Mapping[str, Any], arm: str = ""
) -> None:
    """Keep a node's result for all that follows, and enter the next one unless the run was stopped meanwhile."""
    run = session.scalars(select(Run).where(Run.id == run_id).with_for_update()).one()
    run.facts = _with_result(run.facts, node, result)
    state = run.state
    enter(session, run, after(run.tree, path, arm))
    if state == "paused" and run.ended_at is None:
        run.state = state


def rest(held: Held, due_at: datetime | None) -> None:
    """Leave a step waiting: for its time, its condition or its person."""
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits)
        wait_in(session, held, due_at)


def wait_in(session: Session, held: Held, due_at: datetime | None) -> None:
    """The same inside a transaction of the holder."""
    set_state(session, held.step_id, "waiting", attempt=0, due_at=due_at)
    session.execute(_run(held.run_id).where(Run.__table__.c.state == "running").values(state="waiting"))


def wake(session: Session, step: Step, result: Mapping[str, Any]) -> bool:
    """Make a waiting step ready with what it waited for, and ring; False when it waits no more."""
    rows = Step.__table__
    woken = session.execute(
        update(rows)
        .where(rows.c.id == step.id, rows.c.state == "waiting")
        .values(state="ready", result=dict(result), attempt=0, not_before=None)
    )
    if woken.rowcount != 1:  # type: ignore[attr-defined]
        return False
    session.execute(_run(step.run_id).where(Run.__table__.c.state == "waiting").values(state="running"))
    ring_after_commit(session, step.id, step.queue)
    return True


def set_state(session: Session, step_id: int, state: str, **values: Any) -> None:
    """Put a step into a state in which nobody holds it."""
    rows = Step.__table__
    free = {"state": state, "token": None, "lease_until": None}
    session.execute(update(rows).where(rows.c.id == step_id).values(**free, **values))


def fail(held: Held, error: Exception) -> None:
    """Write a failed attempt: again after a pause, or dead when that is of no use or was tried often enough."""
    if isinstance(error, NotNow):
        put_off(held, error)
        return
    permanent = isinstance(error, Refused | ValidationError) or (
        isinstance(error, DeliveryFailed) and error.permanent
    )
    if not permanent:
        log.error("step %s: %s\n%s", held.step_id, type(error).__name__, _where(error))
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits)
        if permanent or held.attempt >= held.limits.attempts:
            die(session, held.step_id, told(error), held.limits)
        else:
            again = utcnow() + timedelta(seconds=pause_before(held.attempt, held.limits))
            set_state(session, held.step_id, "failed", error=told(error), not_before=again)


def put_off(held: Held, error: NotNow) -> None:
    """Let a step rest for some time; no attempt is counted, and its row says why."""
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits)
        again = utcnow() + error.pause
        set_state(session, held.step_id, "ready", attempt=0, error=str(error), not_before=again)


def die(session: Session, step_id: int, message: str, limits: Times) -> None:
    """Give a step up: its run has failed, its owner is told, a workflow that fails again and again is switched off."""
    set_state(session, step_id, "dead", error=message, ended_at=utcnow())
    step = session.get_one(Step, step_id, populate_existing=True)
    run = step.run
    run.state, run.message, run.ended_at = "failed", message, utcnow()
    title = Said("「%(title)s」的步骤「%(node)s」失败", title=run.title, node=step.node)
    _tell_owner(session, run, FAILED_STEP, title, message)
    traces.record(session, "run.failed", run, details={"node": step.node})
    workflow = session.get(Workflow, run.workflow_id) if run.workflow_id else None
    if workflow is not None:
        workflow.failures += 1
        if workflow.failures >= limits.breaker and workflow.tripped_at is None:
            workflow.tripped_at = utcnow()


def park(session: Session, step_id: int, message: str) -> None:
    """Lay a run aside until somebody mends what the message says; nothing of it is lost."""
    set_state(session, step_id, "ready", attempt=0)
    run = session.get_one(Step, step_id, populate_existing=True).run
    run.state, run.message = "parked", message
    _tell_owner(session, run, PARKED_RUN, Said("「%(title)s」已搁置", title=run.title), message)
    traces.record(session, "run.parked", run)


def await_settlement(session: Session, held: Held, unknown: int) -> None:
    """Leave a step until a person has said what became of the sendings nobody knows of."""
    message = Said("有 %(unknown)s 件外发的结果不清楚，要由人确认是否已经发出。", unknown=unknown)
    set_state(session, held.step_id, "unknown", attempt=0, error=message)
    run = session.get_one(Run, held.run_id, populate_existing=True)
    run.state, run.message = "waiting", message
    title = Said("「%(title)s」有外发结果待确认", title=run.title)
    _tell_owner(session, run, UNKNOWN_SENDING, title, message)


def told(error: Exception) -> str:
    """What a person is told about an error: our own messages as they are, others without any data in them."""
    if isinstance(error, Refused | DeliveryFailed):
        return str(error)
    if isinstance(error, ValidationError):
        names = "、".join(".".join(str(part) for part in one["loc"]) for one in error.errors())
        return Said("步骤的选项和程序不符（%(names)s）。请在流程定义中改正，再重新发起。", names=names)
    if isinstance(error, DBAPIError):
        return Said("数据库没有完成这次写入（%(kind)s），稍后会自动重试。", kind=type(error).__name__)
    return LONG_NUMBER.sub("…", f"程序错误 {type(error).__name__}：{error}")[:500]


def _end(session: Session, run: Run) -> None:
    session.flush()
    steps = session.execute(select(Step.state, Step.result).where(Step.run_id == run.id)).all()
    partly = any(state == "skipped" or (result or {}).get("failed") for state, result in steps)
    run.state, run.message, run.ended_at = "partly_failed" if partly else "done", "", utcnow()
    workflow = session.get(Workflow, run.workflow_id) if run.workflow_id else None
    if workflow is not None and not partly:
        workflow.failures = 0
    traces.record(session, "run.ended", run, details={"state": run.state})


def _with_result(facts: Mapping[str, Any], node: Node, result: Mapping[str, Any]) -> dict[str, Any]:
    kind = STEPS.get(node.get("step", ""))
    shared = {name: result[name] for name in (kind.sets if kind else ()) if name in result}
    return {**facts, node["id"]: dict(result), "run": {**facts["run"], **shared}}


def _tell_owner(session: Session, run: Run, kind: str, title: str, message: str) -> None:
    tasks.close_about(session, run.id, kind=kind)
    tasks.open_task(
        session,
        kind,
        title,
        unit_id=run.unit_id,
        run_id=run.id,
        staff_id=run.owner_id,
        permission="" if run.owner_id else "runs.run",
        details={"message": message},
        link=f"/admin/runs/{run.id}",
    )


def _run(run_id: int) -> Any:
    return update(Run.__table__).where(Run.__table__.c.id == run_id)


def _where(error: Exception) -> str:
    return "".join(traceback.format_tb(error.__traceback__)[-4:])


def items_in(session: Session, step_id: int, state: str) -> int:
    """How many items of a step are in a state."""
    query = (
        select(func.count()).select_from(StepItem).where(StepItem.step_id == step_id, StepItem.state == state)
    )
    return session.scalar(query) or 0


def unknown_sendings(session: Session, step_id: int) -> int:
    """How many sendings of a step nobody knows the outcome of."""
    query = (
        select(func.count())
        .select_from(Outgoing)
        .where(Outgoing.step_id == step_id, Outgoing.state == "unknown")
    )
    return session.scalar(query) or 0


def take_up_again(session: Session, step_id: int) -> bool:
    """Make items ready whose sending a person has settled; False when there are none."""
    rows = StepItem.__table__
    again: Any = session.execute(
        update(rows)
        .where(rows.c.step_id == step_id, rows.c.state == "unknown")
        .values(state="ready", error="")
    )
    return bool(again.rowcount)
