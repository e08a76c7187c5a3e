"""Runs (流程实例): started, paused, cancelled, tried again, skipped. The caller commits; bells ring after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from models import Outgoing, Run, Staff, Step, Task, Workflow
from models.clock import today, utcnow
from services import Refused, messages, tasks, traces, workflow_access, workflows
from workflows import repairs
from workflows.claims import locked
from workflows.failures import FAILED_STEP, PARKED_RUN, UNKNOWN_SENDING
from workflows.options import with_values
from workflows.queues import ring_after_commit
from workflows.sendings import make_settled_ready, unknown_sendings
from workflows.step_rows import OPEN_STEPS, set_state
from workflows.times import Times, times
from workflows.transitions import begin, move_on, settle
from workflows.walk import Tree, placed

ENDED = ("done", "partly_failed", "failed", "cancelled")
TITLED_BY = ("name", "period")


@dataclass(frozen=True)
class Accomplished:
    """What a node of a run has done: how many times it ended, and with how many items."""

    path: str
    node: str
    times: int
    items: int


def start(
    session: Session, key: str, values: Mapping[str, Any], staff: Staff, *, parent: Run | None = None
) -> Run:
    """Start a run of the newest version of a workflow, with `node.option` values for what its start form asks.

    `parent`: the run that starts it; workflows start workflows only so deep, and one only so often an hour.
    """
    workflow, version = workflows.startable(session, key)
    workflow_access.require(staff, workflow, "start")
    depth = parent.depth + 1 if parent is not None else 0
    _require_room(session, workflow, depth, times())
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
        parent_id=parent.id if parent is not None else None,
        depth=depth,
        started_at=utcnow(),
    )
    session.add(run)
    session.flush()
    run.facts = {"run": _run_facts(session, run, staff)}
    traces.record(session, "run.started", run, details={"workflow": key, "version": version.number})
    begin(session, run)
    return run


def start_below(session: Session, parent_id: int, key: str, values: Mapping[str, Any]) -> dict[str, int]:
    """Start a run from within another one, in the name of its owner; what the step's result says of it."""
    parent = session.get_one(Run, parent_id)
    owner = session.get(Staff, parent.owner_id) if parent.owner_id is not None else None
    if owner is None:
        raise Refused("流程实例没有负责人，不能再发起流程。请在流程页指定负责人后重试。")
    return {"run_id": start(session, key, values, owner, parent=parent).id, "started": 1}


def retry(session: Session, run: Run, *, newest: bool = False) -> None:
    """Go on from where a run failed or was laid aside: what is done stays done, what failed is tried again.

    Items that failed are tried again alone, those of an each from the node on at which they failed. `newest`: with the
    newest published version from the failed node on, if everything passed so far stands in it too.
    """
    locked(session, run.id)
    stopped = run.state in ("cancelled", "paused")
    if stopped or not (repairs.failed_steps(session, run.id) or run.state == "parked"):
        raise _nothing_failed(run)
    if newest:
        repairs.take_newest_version(session, run)
    if not repairs.try_again(session, run, anew=newest) and run.state != "parked":
        raise _nothing_failed(run)
    for step in session.scalars(select(Step).where(Step.run_id == run.id, Step.state == "ready")):
        ring_after_commit(session, step.id, step.queue)
    _go_on(session, run)
    traces.record(session, "run.retried", run, details={"version": run.version} if newest else {})


def retry_items(session: Session, run: Run, step: Step, item_ids: Sequence[int]) -> int:
    """Try some items of a step or a list again that failed, and leave the others; returns how many."""
    locked(session, run.id)
    step = session.get_one(Step, step.id, populate_existing=True)
    if run.state in ("cancelled", "paused") or step.state not in ("done", "skipped") or step.turn:
        raise Refused("「%(title)s」现在不能单独重试这些项。请等它停下来，或恢复后再试。", title=run.title)
    tried = repairs.try_items(session, run, step, item_ids)
    if not tried:
        raise Refused("选中的项没有失败，或已经重试。请刷新页面。")
    ring_after_commit(session, step.id, step.queue)
    _go_on(session, run)
    traces.record(session, "run.retried", run, details={"node": step.node, "items": tried})
    return tried


def retry_all(session: Session, run_ids: Sequence[int]) -> Iterator[int]:
    """Try several runs again; yields each that had something to try, the caller commits."""
    for run in session.scalars(select(Run).where(Run.id.in_(run_ids)).order_by(Run.id)).all():
        try:
            retry(session, run)
        except Refused:
            continue
        yield run.id


def skip(session: Session, run: Run, reason: str, *, step: Step | None = None) -> None:
    """Go on behind a step that failed for good, or behind a wait, with a reason; a skipped step leaves its run partly
    failed."""
    locked(session, run.id)
    may = or_(Step.state == "dead", (Step.state == "waiting") & (Step.kind == "wait"))
    query = select(Step).where(Step.run_id == run.id, may if step is not None else Step.state == "dead")
    found = session.scalar(query.where(Step.id == step.id) if step is not None else query)
    if found is None:
        raise Refused("「%(title)s」没有可以跳过的步骤。", title=run.title)
    if not reason.strip():
        raise Refused("请填写跳过的原因。")
    result = {**found.result, "passed": "person"}
    state = "skipped" if found.state == "dead" else "done"
    error = f"{found.error}\n跳过：{reason.strip()}".strip()
    set_state(session, found.id, state, error=error, result=result, ended_at=utcnow())
    session.expire(found)
    _go_on(session, run)
    move_on(session, run, found, result)
    traces.record(session, "run.skipped", run, details={"node": found.node, "reason": reason.strip()[:200]})


def pause(session: Session, run: Run) -> None:
    """Let nothing of a run begin until it is resumed; a chunk under way is finished."""
    locked(session, run.id)
    if run.state not in ("running", "waiting"):
        raise Refused("「%(title)s」现在不在进行中，不能暂停。", title=run.title)
    run.state = "paused"
    traces.record(session, "run.paused", run)


def resume(session: Session, run: Run) -> None:
    """Let a paused run go on."""
    locked(session, run.id)
    if run.state != "paused":
        raise Refused("「%(title)s」没有暂停。", title=run.title)
    run.state = "running"
    settle(session, run)
    for step in session.scalars(select(Step).where(Step.run_id == run.id, Step.state == "ready")):
        ring_after_commit(session, step.id, step.queue)
    traces.record(session, "run.resumed", run)


def cancel(session: Session, run: Run, reason: str) -> list[Accomplished]:
    """End a run for good: its open steps and tasks with it. What is done stays, and is returned and traced."""
    locked(session, run.id)
    if run.state in ENDED:
        raise Refused("「%(title)s」已经结束，不能取消。", title=run.title)
    if not reason.strip():
        raise Refused("请填写取消的原因。")
    moment, done = utcnow(), accomplished(session, run)
    values = {"state": "cancelled", "token": None, "lease_until": None, "ended_at": moment}
    session.execute(update(Step).where(Step.run_id == run.id, Step.state.in_(OPEN_STEPS)).values(**values))
    session.execute(
        update(Task.__table__)
        .where(Task.__table__.c.run_id == run.id, Task.__table__.c.state.in_(("open", "sent_back")))
        .values(state="cancelled", done_at=moment)
    )
    run.state, run.message, run.ended_at = "cancelled", reason.strip(), moment
    facts = {"reason": reason.strip()[:200], "done": {one.node: one.items for one in done}}
    traces.record(session, "run.cancelled", run, details=facts)
    return done


def accomplished(session: Session, run: Run) -> list[Accomplished]:
    """What a run has done so far, in the order of its nodes."""
    rows = (
        select(Step.path, Step.node, func.count(Step.ended_at), func.sum(Step.items_done))
        .where(Step.run_id == run.id, or_(Step.state == "done", Step.items_done > 0))
        .group_by(Step.path, Step.node, Step.position)
        .order_by(Step.position)
    )
    return [
        Accomplished(path, node, ended, int(items or 0)) for path, node, ended, items in session.execute(rows)
    ]


def settle_sending(session: Session, outgoing: Outgoing, *, went_out: bool) -> None:
    """Say what became of a sending nobody knows of: it went out, or it did not and is to be sent again."""
    if outgoing.state != "unknown":
        raise Refused("这件外发的结果已经确认过了。")
    step = session.get(Step, outgoing.step_id) if outgoing.step_id is not None else None
    if step is not None:
        locked(session, step.run_id)
        session.refresh(step, with_for_update=True)
    outgoing.state = "done" if went_out else "ready"
    outgoing.sent_at = utcnow() if went_out else None
    session.flush()
    messages.conclude(session, outgoing.key, "sent" if went_out else "sending")
    traces.record(session, "outgoing.settled", outgoing, details={"went_out": went_out})
    if step is not None and step.state == "unknown" and not unknown_sendings(session, step.id):
        _go_on_sending(session, step)


def _nothing_failed(run: Run) -> Refused:
    return Refused("「%(title)s」没有失败的步骤，不需要重试。", title=run.title)


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


def _require_room(session: Session, workflow: Workflow, depth: int, limits: Times) -> None:
    if depth > limits.depth:
        raise Refused(
            "流程互相发起超过了 %(most)s 层，「%(name)s」没有发起。请检查是不是互相循环发起。",
            most=int(limits.depth), name=workflow.name,
        )  # fmt: skip
    before = select(Run.started_at).where(Run.workflow_id == workflow.id).order_by(Run.started_at.desc())
    earlier = session.scalar(before.offset(int(limits.starts) - 1).limit(1))
    if earlier is not None and earlier > utcnow() - timedelta(hours=1):
        raise Refused(
            "流程「%(name)s」一小时内已发起 %(most)s 次，暂时不能再发起。请稍后再试，或检查是什么在反复发起它。",
            name=workflow.name, most=int(limits.starts),
        )  # fmt: skip


def _go_on(session: Session, run: Run) -> None:
    """A run that had stopped is live again, and what it had told its owner is no more; unless somebody paused it, or it
    stands at another step too that failed."""
    if run.state == "paused":
        return
    dead = (
        select(Step.error).where(Step.run_id == run.id, Step.state == "dead").order_by(Step.position).limit(1)
    )
    if (error := session.scalar(dead)) is not None:
        run.message = error
        return
    run.state, run.message, run.ended_at = "running", "", None
    settle(session, run)
    for kind in (FAILED_STEP, PARKED_RUN, UNKNOWN_SENDING):
        tasks.close_about(session, run.id, kind=kind)


def _go_on_sending(session: Session, step: Step) -> None:
    """Take up the items whose sending is settled now; a step still at work does so itself before it ends."""
    make_settled_ready(session, step.id)
    set_state(session, step.id, "ready", attempt=0, error="")
    run = step.run
    run.state, run.message = "running" if run.state == "waiting" else run.state, ""
    tasks.close_about(session, run.id, kind=UNKNOWN_SENDING)
    ring_after_commit(session, step.id, step.queue)
