"""Tasks and their runs: a decision wakes the step that waits for it, a task sent back lets the run go on from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Run, Staff, Step, Task
from models.clock import now
from models.scope import ALL, working_as
from services import Refused, calendar, task_holders, tasks, traces
from services.tasks import Decision
from workflows import runs
from workflows.claims import LIVE, hold_runs, locked
from workflows.persons import next_reminder, open_again
from workflows.step_rows import set_state
from workflows.transitions import settle, wake
from workflows.walk import DO, LANE, node_at

REMINDED = 200
BATCH = 200


def decide_task(session: Session, task: Task, staff: Staff, choice: str, *, note: str = "") -> None:
    """Decide a task once, by whoever may; of a person node, its run goes on with the choice."""
    answer_task(session, task, staff, Decision(choice, note))


def answer_task(session: Session, task: Task, staff: Staff, decision: Decision) -> None:
    """Decide a task with all that its form asks for; its run goes on once nobody else has to decide."""
    _hold_runs(session, [task])
    tasks.decide(session, task, staff, decision)
    if task.step_id is None or task.state != "done":
        return
    with working_as(session, ALL):
        wake(session, session.get_one(Step, task.step_id), _result(session, task, staff.id))


def answer_tasks(
    session: Session, chosen: Sequence[Task], staff: Staff, decision: Decision
) -> list[tuple[Task, str]]:
    """Decide many tasks of one node alike, each by itself; those that could not be decided, each with its reason."""
    if len(chosen) > BATCH:
        raise Refused("一次最多办理 %(most)s 项。请分几次办理。", most=BATCH)
    if not are_alike(session, chosen):
        raise Refused("所选的待办不是同一个流程的同一个环节，不能一起办理。请按流程筛选后再选。")
    left: list[tuple[Task, str]] = []
    _hold_runs(session, chosen)
    for task in chosen:
        try:
            with session.begin_nested():
                answer_task(session, task, staff, decision)
        except Refused as refusal:
            left.append((task, refusal.args[0]))
    return left


def are_alike(session: Session, chosen: Sequence[Task]) -> bool:
    """Whether tasks stand at the same node of the same workflow and may be answered alike."""
    with working_as(session, ALL):
        query = select(Run.workflow_key, Step.node).join(Step, Step.run_id == Run.id)
        kinds = session.execute(query.where(Step.id.in_([task.step_id or 0 for task in chosen]))).all()
    same = len({(row.workflow_key, row.node) for row in kinds}) == 1
    return same and len(kinds) == len(chosen) and all(task.choices == chosen[0].choices for task in chosen)


def earlier_persons(session: Session, task: Task) -> list[Task]:
    """The decided tasks of a run to which one may be sent back: on its way, not in a list or in another lane."""
    with working_as(session, ALL):
        step = session.get(Step, task.step_id) if task.step_id is not None else None
        if step is None or step.turn:
            return []
        query = select(Task, Step.path).join(Step, Step.id == Task.step_id)
        query = query.where(Task.run_id == task.run_id, Task.state == "done", Step.position < step.position)
        rows = session.execute(query.where(Step.turn == "", Step.state == "done").order_by(Step.position))
        return [one for one, path in rows if _lane(path) == _lane(step.path)]


def send_back(session: Session, task: Task, staff: Staff, earlier_id: int, note: str) -> None:
    """Send a task back to an earlier person: the run goes on from there again.

    Decisions and branches behind are made anew; steps that are done stay done and are not repeated.
    """
    _hold_runs(session, [task])
    name = tasks.in_whose_name(session, task, staff)
    if task_holders.is_signer(session, task, name.id):
        raise Refused("您是被请来加签的，不能退回整个流程。请写明您的意见，由请您的人决定是否退回。")
    if not note.strip():
        raise Refused("请填写退回的原因，让前面的人明白要改什么。")
    with working_as(session, ALL):
        earlier = next((one for one in earlier_persons(session, task) if one.id == earlier_id), None)
        run = locked(session, task.run_id or 0)
        if earlier is None or run.state not in LIVE:
            raise Refused("不能退回到这个环节：流程没有在进行，或这个环节不在前面。请刷新后再选。")
        tasks.change_open(session, task, state="sent_back", next_ids=[])
        words = note.strip()[: tasks.NOTE]
        to_id = tasks.decided_for(session, earlier)
        tasks.note_act(session, task, "sent_back", staff=staff, for_id=name.id, to_id=to_id, note=words)
        _go_back(session, run, task, earlier)
        traces.record(session, "task.sent_back", task, details={"to": earlier.id, "run": run.id})
        session.refresh(task)


def withdraw(session: Session, task: Task, staff: Staff, reason: str) -> None:
    """Let whoever started a run take it back while nobody has decided anything in it."""
    if task.run_id is None or task.starter_id != staff.id:
        raise Refused("只有发起人能撤回。")
    with working_as(session, ALL):
        _hold_runs(session, [task])
        decided = select(Task.id).where(Task.run_id == task.run_id, Task.done_by_id.is_not(None)).limit(1)
        if session.scalar(decided) is not None or tasks.persons_of(session, task):
            raise Refused("已经有人办理过，不能撤回。请联系流程负责人取消流程。")
        runs.cancel(session, session.get_one(Run, task.run_id), reason)
        session.refresh(task)
        tasks.note_act(session, task, "withdrawn", staff=staff, note=reason.strip()[: tasks.NOTE])
        traces.record(session, "task.withdrawn", task, details={"run": task.run_id})


def overdue_tasks(session: Session) -> list[int]:
    """The tasks whose time is over and whose node says what then."""
    return [task.id for task in tasks.overdue(session, now(session))]


def time_out_task(session: Session, task_id: int) -> None:
    """Let the run of a task go on whose time is over; refused when somebody has decided it meanwhile."""
    task = session.get_one(Task, task_id)
    _hold_runs(session, [task])
    tasks.time_out(session, task)
    choice = {"choice": task.details["on_timeout"], "by": None, "note": "", "timed_out": True}
    wake(session, session.get_one(Step, task.step_id), choice)


def is_any_to_remind(session: Session) -> bool:
    """Whether any open task waits to be reminded of."""
    query = select(Task.id).where(Task.state == "open", Task.remind_at <= now(session))
    return session.scalar(query.limit(1)) is not None


def remind_tasks(session: Session) -> int:
    """Remind of tasks whose moment has come: they are marked in the inbox, and the next reminder is set."""
    moment = now(session)
    query = select(Task).where(Task.state == "open", Task.remind_at <= moment).order_by(Task.id)
    found = session.scalars(query.limit(REMINDED)).all()
    days = calendar.calendar(session)
    for task in found:
        task.reminders += 1
        from_then = max(moment, task.due_at or moment)
        task.remind_at = next_reminder(days, from_then, task.details.get("remind_every"))
        tasks.note_act(session, task, "reminded", to_id=task.staff_id)
    return len(found)


def _hold_runs(session: Session, chosen: Sequence[Task]) -> None:
    """Hold the runs of tasks before anything of them is changed, as the workers do."""
    hold_runs(session, {task.run_id for task in chosen if task.run_id is not None})


def _result(session: Session, task: Task, by: int) -> dict[str, Any]:
    """What a node leaves behind: the choice that counts, and everybody who had a hand in it where they are several."""
    persons = tasks.persons_of(session, task)
    several: Mapping[str, Any] = {"persons": persons} if persons != [by] else {}
    plain = {"choice": task.decision, "by": by, "note": task.note, "timed_out": False}
    return {**task.answers, **plain, **several}


def _go_back(session: Session, run: Run, task: Task, earlier: Task) -> None:
    """Undo the decisions and branches behind an earlier person's node, and let it wait for its person again."""
    here, there = session.get_one(Step, task.step_id), session.get_one(Step, earlier.step_id)
    rows = Step.__table__
    behind = select(Step).where(Step.run_id == run.id, Step.turn == "", Step.kind.in_(("branch", "person")))
    behind = behind.where(Step.position > there.position, Step.position <= here.position)
    anew = [step for step in session.scalars(behind) if _lane(step.path) == _lane(here.path)]
    undone: dict[str, Any] = {
        "state": "cancelled",
        "result": {},
        "token": None,
        "lease_until": None,
        "due_at": None,
        "ended_at": None,
    }
    session.execute(update(rows).where(rows.c.id.in_([step.id for step in anew])).values(**undone))
    person = node_at(run.tree, there.path)["person"]
    staff_id = tasks.decided_for(session, earlier) if earlier.rule == "any" else None
    open_again(session, earlier, person, staff_id=staff_id)
    set_state(session, there.id, "waiting", result={}, ended_at=None, due_at=earlier.due_at)
    gone = {there.node, *(step.node for step in anew)}
    run.facts = {name: made for name, made in run.facts.items() if name not in gone}
    session.flush()
    session.expire_all()
    settle(session, run)


def _lane(path: str) -> str:
    """The way into the innermost list or lane that a node stands in; empty outside of any."""
    parts = path.split(".")
    arms = [at for at in range(1, len(parts), 2) if parts[at] == DO or parts[at].startswith(LANE)]
    return ".".join(parts[: arms[-1] + 1]) if arms else ""
