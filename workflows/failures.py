"""What becomes of a step that cannot be done: tried again, given up as its node says, or laid aside."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models import Run, Step, Workflow
from models.clock import utcnow
from models.words import N_, Said
from services import Refused, tasks, traces
from workflows import turns
from workflows.channels import DeliveryFailed
from workflows.claims import hold
from workflows.deliveries import NotNow
from workflows.held import Held, hold_run
from workflows.sessions import writing
from workflows.step_rows import set_state
from workflows.times import Times, pause_before
from workflows.transitions import move_on, settle
from workflows.walk import FAILED, container, node_at

FAILED_STEP, PARKED_RUN, UNKNOWN_SENDING = "failed_step", "parked_run", "unknown_sending"
PROGRAM_ERROR = N_("程序错误 %(kind)s，详情在日志里")

log = logging.getLogger(__name__)


def fail(held: Held, error: Exception) -> None:
    """Write a failed attempt: again after a pause, or given up when that is of no use or was tried often enough."""
    if isinstance(error, NotNow):
        put_off(held, error)
        return
    permanent = isinstance(error, Refused | ValidationError) or (
        isinstance(error, DeliveryFailed) and error.permanent
    )
    if not permanent:
        log.error("step %s: %s\n%s", held.step_id, type(error).__name__, _where(error))
    with writing() as session:
        run = hold_run(session, held)
        attempt = session.scalar(select(Step.attempt).where(Step.id == held.step_id)) or 1
        if permanent or attempt >= held.limits.attempts:
            die(session, run, held.step_id, told(error), limits=held.limits)
        else:
            again = utcnow() + timedelta(seconds=pause_before(attempt, held.limits))
            set_state(session, held.step_id, "failed", error=told(error), not_before=again)


def put_off(held: Held, error: NotNow) -> None:
    """Let a step rest for some time; no attempt is counted, and its row says why."""
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits)
        again = utcnow() + error.pause
        set_state(session, held.step_id, "ready", attempt=0, error=str(error), not_before=again)


def die(session: Session, run: Run, step_id: int, message: str, *, limits: Times) -> None:
    """Give a step of a locked run up: the run stops, goes on behind it or goes down the arm for it, as its node says.

    Inside an each only the items that were not done are given up, and the others go on.
    """
    step = session.get_one(Step, step_id, populate_existing=True)
    policy = str(node_at(run.tree, step.path).get("on_failure", "stop"))
    if step.turn:
        _give_up_items(session, run, step, message, policy=policy)
    elif policy == "stop":
        _stop(session, run, step, message, limits)
    else:
        result = {**step.result, "error": message, "passed": policy}
        set_state(session, step_id, "skipped", error=message, result=result, ended_at=utcnow())
        move_on(session, run, step, result, arm=FAILED if policy == "branch" else "")
    if policy != "branch":
        title = Said("「%(title)s」的步骤「%(node)s」失败", title=run.title, node=step.node)
        _tell_owner(session, run, FAILED_STEP, title, message)


def stop_failed(session: Session, step: Step, errors: Mapping[int, str], *, policy: str) -> dict[str, Any]:
    """Let items that failed in a turn stop or go down the arm for it, as the node says; what its result says then."""
    if policy == "branch" and errors:
        return {"split": turns.joined(step.result, {FAILED: sorted(errors)})}
    if policy == "stop":
        part = turns.portion(session, step.run, container(step.path), step.turn)
        turns.fail_items(session, part, step.path, errors)
    return {}


def park(session: Session, run: Run, step_id: int, message: str) -> None:
    """Lay a locked run aside until somebody mends what the message says; nothing of it is lost."""
    set_state(session, step_id, "ready", attempt=0)
    run.state, run.message = "parked", message
    _tell_owner(session, run, PARKED_RUN, Said("「%(title)s」已搁置", title=run.title), message)
    traces.record(session, "run.parked", run)


def await_settlement(session: Session, run: Run, held: Held, unknown: int) -> None:
    """Leave a step until a person has said what became of the sendings nobody knows of."""
    message = Said("有 %(unknown)s 件外发的结果不清楚，要由人确认是否已经发出。", unknown=unknown)
    set_state(session, held.step_id, "unknown", attempt=0, error=message)
    settle(session, run)
    run.message = message
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
    if isinstance(error, MemoryError):
        return Said("这一步需要的内存超过了上限，已停止。请减少一次处理的数量，或请管理员调高上限后重试。")
    return Said(PROGRAM_ERROR, kind=type(error).__name__)


def is_program_error(text: str) -> bool:
    """Whether what was told is a fault of the program, which no setting mends."""
    return text.startswith(PROGRAM_ERROR.partition(" ")[0])


def _stop(session: Session, run: Run, step: Step, message: str, limits: Times) -> None:
    """The run has failed; a workflow that fails again and again is switched off."""
    set_state(session, step.id, "dead", error=message, ended_at=utcnow())
    run.state, run.message, run.ended_at = "failed", message, utcnow()
    traces.record(session, "run.failed", run, details={"node": step.node})
    workflow = session.get(Workflow, run.workflow_id) if run.workflow_id else None
    if workflow is not None:
        workflow.failures += 1
        if workflow.failures >= limits.breaker and workflow.tripped_at is None:
            workflow.tripped_at = utcnow()


def _give_up_items(session: Session, run: Run, step: Step, message: str, *, policy: str) -> None:
    standing = turns.portion(session, run, container(step.path), step.turn).standing(step.path)
    undone = turns.undone(session, step, standing)
    more = stop_failed(session, step, dict.fromkeys(undone, message), policy=policy)
    more |= turns.left_behind(step.result, standing, undone if policy == "go_on" else ())
    before = {name: value for name, value in step.result.items() if name != "left"}
    result = {**before, **more, "error": message, "passed": policy}
    state = "skipped" if undone else "done"
    set_state(session, step.id, state, error=message, result=result, ended_at=utcnow())
    move_on(session, run, step, result)


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


def _where(error: Exception) -> str:
    return "".join(traceback.format_tb(error.__traceback__)[-4:])
