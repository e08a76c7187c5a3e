"""Runs (流程实例): started, tried again, skipped, paused, cancelled. The caller commits; bells ring after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Outgoing, Run, Staff, Step, StepItem, Task
from models.clock import today, utcnow
from services import Refused, messages, tasks, traces, workflow_access, workflows
from workflows.options import with_values
from workflows.queues import ring_after_commit
from workflows.transitions import (
    FAILED_STEP,
    PARKED_RUN,
    UNKNOWN_SENDING,
    enter,
    move_on,
    set_state,
    take_up_again,
    unknown_sendings,
)
from workflows.walk import Tree, first, node_at, placed

OPEN_STEPS = ("ready", "leased", "waiting", "failed", "dead", "unknown")
ENDED = ("done", "partly_failed", "failed", "cancelled")
TITLED_BY = ("name", "period")


def start(session: Session, key: str, values: Mapping[str, Any], staff: Staff) -> Run:
    """Start a run of the newest version of a workflow, with `node.option` values for what its start form asks."""
    workflow, version = workflows.startable(session, key)
    workflow_access.require(staff, workflow, "start")
    tree = with_values(version.tree, values)
    owner = workflow.owner if workflow.owner is not None and workflow.owner.active else staff
    run = Run(
        workflow_id=workflow.id,
        workflow_key=workflow.key,
        version=version.number,
        title=title_of(workflow.name, tree, str(today(session)))[:160],
        tree=tree,
        facts={},
        state="running",
        owner_id=owner.id,
        unit_id=staff.unit_id,
        started_at=utcnow(),
    )
    session.add(run)
    session.flush()
    run.facts = {"run": _run_facts(session, run, staff)}
    traces.record(session, "run.started", run, details={"workflow": key, "version": version.number})
    enter(session, run, first(tree))
    return run


def retry(session: Session, run: Run) -> None:
    """Go on from where a run failed or was laid aside: what is done stays done, what failed is tried again."""
    locked(session, run)
    failed = _failed_steps(session, run)
    if run.state not in ("failed", "parked", "partly_failed") or not (failed or run.state == "parked"):
        raise Refused("「%(title)s」没有失败的步骤，不需要重试。", title=run.title)
    for step in failed:
        _make_ready(session, step)
    for step in session.scalars(select(Step).where(Step.run_id == run.id, Step.state == "ready")):
        ring_after_commit(session, step.id, step.queue)
    run.state, run.message, run.ended_at = "running", "", None
    _close_notes(session, run)
    traces.record(session, "run.retried", run)


def skip(session: Session, run: Run, reason: str) -> None:
    """Go on behind a step that failed for good, with a reason; the run then ends as partly failed."""
    locked(session, run)
    step = session.scalar(select(Step).where(Step.run_id == run.id, Step.state == "dead"))
    if step is None:
        raise Refused("「%(title)s」没有可以跳过的步骤。", title=run.title)
    if not reason.strip():
        raise Refused("请填写跳过的原因。")
    session.execute(update(Step).where(Step.id == step.id).values(ended_at=utcnow()))
    set_state(session, step.id, "skipped", error=f"{step.error}\n跳过：{reason.strip()}")
    session.expire(step)
    run.state, run.message, run.ended_at = "running", "", None
    _close_notes(session, run)
    move_on(session, run.id, step.path, node_at(run.tree, step.path), result=step.result)
    traces.record(session, "run.skipped", run, details={"node": step.node})


def pause(session: Session, run: Run) -> None:
    """Let nothing of a run begin until it is resumed; a chunk under way is finished."""
    locked(session, run)
    if run.state not in ("running", "waiting"):
        raise Refused("「%(title)s」现在不在进行中，不能暂停。", title=run.title)
    run.state = "paused"
    traces.record(session, "run.paused", run)


def resume(session: Session, run: Run) -> None:
    """Let a paused run go on."""
    locked(session, run)
    if run.state != "paused":
        raise Refused("「%(title)s」没有暂停。", title=run.title)
    rows = session.scalars(select(Step).where(Step.run_id == run.id, Step.state.in_(OPEN_STEPS))).all()
    run.state = (
        "waiting" if rows and all(step.state in ("waiting", "unknown") for step in rows) else "running"
    )
    for step in rows:
        if step.state == "ready":
            ring_after_commit(session, step.id, step.queue)
    traces.record(session, "run.resumed", run)


def cancel(session: Session, run: Run, reason: str) -> None:
    """End a run for good: its open steps and tasks with it; what is done stays."""
    locked(session, run)
    if run.state in ENDED:
        raise Refused("「%(title)s」已经结束，不能取消。", title=run.title)
    if not reason.strip():
        raise Refused("请填写取消的原因。")
    moment = utcnow()
    values = {"state": "cancelled", "token": None, "lease_until": None, "ended_at": moment}
    session.execute(update(Step).where(Step.run_id == run.id, Step.state.in_(OPEN_STEPS)).values(**values))
    session.execute(
        update(Task.__table__)
        .where(Task.__table__.c.run_id == run.id, Task.__table__.c.state == "open")
        .values(state="cancelled", done_at=moment)
    )
    run.state, run.message, run.ended_at = "cancelled", reason.strip(), moment
    traces.record(session, "run.cancelled", run)


def settle_sending(session: Session, outgoing: Outgoing, *, went_out: bool) -> None:
    """Say what became of a sending nobody knows of: it went out, or it did not and is to be sent again."""
    if outgoing.state != "unknown":
        raise Refused("这件外发的结果已经确认过了。")
    step = session.get(Step, outgoing.step_id, with_for_update=True) if outgoing.step_id is not None else None
    outgoing.state = "done" if went_out else "ready"
    outgoing.sent_at = utcnow() if went_out else None
    session.flush()
    messages.conclude(session, outgoing.key, "sent" if went_out else "sending")
    traces.record(session, "outgoing.settled", outgoing, details={"went_out": went_out})
    if step is not None and step.state == "unknown" and not unknown_sendings(session, step.id):
        _go_on_sending(session, step)


def locked(session: Session, run: Run) -> None:
    """Lock a run's row for what follows, and read it afresh."""
    session.refresh(run, with_for_update=True)


def _run_facts(session: Session, run: Run, staff: Staff) -> dict[str, Any]:
    return {
        "id": run.id,
        "key": run.workflow_key,
        "title": run.title,
        "owner_id": run.owner_id,
        "unit_id": run.unit_id,
        "started_by": staff.id,
        "started_on": str(today(session)),
    }


def title_of(name: str, tree: Tree, day: str) -> str:
    """What a run is called: its workflow, and what it is about or when it began."""
    options = [place.node.get("options") or {} for place in placed(tree)]
    named = (str(one[word]) for one in options for word in TITLED_BY if one.get(word))
    return f"{name} · {next(named, day)}"


def _failed_steps(session: Session, run: Run) -> list[Step]:
    rows = session.scalars(select(Step).where(Step.run_id == run.id).order_by(Step.position)).all()
    return [step for step in rows if step.state in ("dead", "failed") or (step.result or {}).get("failed")]


def _make_ready(session: Session, step: Step) -> None:
    session.execute(
        update(StepItem)
        .where(StepItem.step_id == step.id, StepItem.state == "failed")
        .values(state="ready", error="")
    )
    result = {name: value for name, value in (step.result or {}).items() if name != "failed"}
    set_state(session, step.id, "ready", attempt=0, not_before=None, ended_at=None, error="", result=result)
    session.expire(step)


def _close_notes(session: Session, run: Run) -> None:
    for kind in (FAILED_STEP, PARKED_RUN, UNKNOWN_SENDING):
        tasks.close_about(session, run.id, kind=kind)


def _go_on_sending(session: Session, step: Step) -> None:
    """Take up the items whose sending is settled now; a step still at work does so itself before it ends."""
    take_up_again(session, step.id)
    set_state(session, step.id, "ready", attempt=0, error="")
    run = step.run
    run.state, run.message = "running" if run.state == "waiting" else run.state, ""
    tasks.close_about(session, run.id, kind=UNKNOWN_SENDING)
    ring_after_commit(session, step.id, step.queue)
