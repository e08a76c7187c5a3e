"""Tasks (待办): what waits for a person, of a run's person node or of a desk; who may decide, and the decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import Staff, Task, TaskAct, TaskPerson
from models.clock import utcnow
from models.people import Unit
from models.scope import ALL, working_as
from services import Refused, delegations, people, task_fields, traces

LISTED = 200
NOTE = 2000
TASKS = Task.__table__
PEOPLE = TaskPerson.__table__


@dataclass(frozen=True)
class Decision:
    """What a person says to a task: one of its choices, words, and the answers to its fields."""

    choice: str
    note: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)


def open_task(session: Session, kind: str, title: str, *, unit_id: int, **fields: Any) -> Task:
    """Make a task for whoever holds `permission` or `role` in the unit or above, or for one person (`staff_id`).

    `choices`: {code, label} each; without any the task is only read and done. `link` leads to where the work is.
    `people`: the ids of those who decide it together by its `rule`, or any of them.
    """
    several = fields.pop("people", ())
    task = Task(kind=kind, title=title[:200], unit_id=unit_id, state="open", created_at=utcnow(), **fields)
    task.addressee_id = task.staff_id
    session.add(task)
    session.flush()
    session.add_all(TaskPerson(task_id=task.id, staff_id=staff_id) for staff_id in several)
    session.flush()
    return task


def require_decider(session: Session, task: Task, staff: Staff) -> None:
    """Refuse whoever may not decide a task: lacking permission, role or unit, or the first of four eyes."""
    in_whose_name(session, task, staff)


def in_whose_name(session: Session, task: Task, staff: Staff) -> Staff:
    """In whose name a person may decide a task: their own, else that of somebody they stand in for."""
    with working_as(session, ALL):
        try:
            _require(session, task, staff)
        except Refused:
            if task.state == "open" and staff.id not in task.not_by:
                for principal in delegations.principals(session, staff):
                    if _may(session, task, principal):
                        return principal
            raise
    return staff


def decide(session: Session, task: Task, staff: Staff, decision: Decision) -> None:
    """Write a person's decision once: whoever comes second is refused.

    The task ends with it unless somebody is to sign after, or several decide it and it is not settled yet.
    """
    with working_as(session, ALL):
        name = in_whose_name(session, task, staff)
        codes = [str(one["code"]) for one in task.choices]
        if decision.choice not in (codes or [""]):
            raise Refused("请先选择一项办理意见。")
        answers = {**task.answers, **task_fields.checked(task.fields, decision.answers)}
        outcome = _outcome(session, task, name, decision.choice)
        note = decision.note.strip()[:NOTE]
        if outcome is None:
            act = "signed"
        else:
            act, values = "decided", {"decision": outcome, "note": note, "done_by_id": staff.id}
            change_open(session, task, state="done", answers=answers, done_at=utcnow(), **values)
        if outcome is None and answers:
            session.execute(update(TASKS).where(TASKS.c.id == task.id).values(answers=answers))
        session.refresh(task)
        note_act(session, task, act, staff=staff, for_id=name.id, choice=decision.choice, note=note)
        told = {"decision": decision.choice, "run": task.run_id, **_named(staff, name)}
        traces.record(session, f"task.{act}", task, details=told)


def open_again(session: Session, task: Task, *, staff_id: int | None, **times: Any) -> None:
    """Open a task that had ended once more, as if nobody had decided it; what was done with it stays in its history."""
    nobody: dict[str, Any] = {"done_at": None, "done_by_id": None, "next_ids": [], "reminders": 0}
    values = {**nobody, "decision": "", "note": "", "state": "open", "staff_id": staff_id, **times}
    session.execute(update(TASKS).where(TASKS.c.id == task.id, TASKS.c.state != "open").values(**values))
    session.execute(update(PEOPLE).where(PEOPLE.c.task_id == task.id).values(choice="", decided_at=None))
    session.refresh(task)
    note_act(session, task, "reopened", to_id=staff_id)


def persons_of(session: Session, task: Task) -> list[int]:
    """Everybody who had a hand in a task's decision, in their own name or in another's."""
    query = select(TaskAct.staff_id, TaskAct.for_id).where(
        TaskAct.task_id == task.id, TaskAct.act.in_(("decided", "signed"))
    )
    return sorted({one for row in session.execute(query) for one in row if one is not None})


def decided_for(session: Session, task: Task) -> int | None:
    """In whose name a task was decided last: where a stand-in did, that of who was away."""
    query = select(func.coalesce(TaskAct.for_id, TaskAct.staff_id))
    decided = query.where(TaskAct.task_id == task.id, TaskAct.act == "decided")
    return session.scalar(decided.order_by(TaskAct.id.desc()).limit(1)) or task.done_by_id


def acts_of(session: Session, task: Task) -> Sequence[TaskAct]:
    """What was done with a task, in order."""
    return session.scalars(select(TaskAct).where(TaskAct.task_id == task.id).order_by(TaskAct.id)).all()


def people_of(session: Session, task: Task) -> Sequence[tuple[TaskPerson, Staff]]:
    """Those who decide a task together, each with the choice made so far."""
    query = select(TaskPerson, Staff).join(Staff, Staff.id == TaskPerson.staff_id)
    rows = session.execute(query.where(TaskPerson.task_id == task.id).order_by(TaskPerson.id))
    return [(row[0], row[1]) for row in rows]


def note_act(session: Session, task: Task, act: str, *, staff: Staff | None = None, **more: Any) -> None:
    """Keep one thing that somebody, or the clock, did with a task; in one's own name no other is named."""
    if staff is not None and more.get("for_id") == staff.id:
        more["for_id"] = None
    row = TaskAct(task_id=task.id, at=utcnow(), act=act, staff_id=staff.id if staff else None, **more)
    session.add(row)
    session.flush()


def close_about(session: Session, run_id: int, *, kind: str) -> None:
    """Close the open tasks of a kind that a run had opened: what they told of is no more."""
    told = (TASKS.c.run_id == run_id, TASKS.c.kind == kind, TASKS.c.state == "open")
    session.execute(update(TASKS).where(*told).values(state="done", done_at=utcnow()))


def time_out(session: Session, task: Task) -> None:
    """Close a task whose time is over and that nobody decided."""
    change_open(session, task, state="timed_out", done_at=utcnow())
    note_act(session, task, "timed_out", choice=task.details["on_timeout"])


def overdue(session: Session, moment: datetime) -> Sequence[Task]:
    """Open tasks whose due moment has passed and whose details say what then (`on_timeout`)."""
    then = Task.details["on_timeout"].as_string()
    query = select(Task).where(Task.state == "open", Task.due_at <= moment, then != "")
    return session.scalars(query.order_by(Task.id).limit(LISTED)).all()


def change_open(session: Session, task: Task, **values: Any) -> None:
    """Change an open task that is in the hand it was read in: whoever comes second is refused."""
    hand = TASKS.c.staff_id.is_(None) if task.staff_id is None else TASKS.c.staff_id == task.staff_id
    here = (TASKS.c.id == task.id, TASKS.c.state == "open", hand)
    changed = session.execute(update(TASKS).where(*here).values(**values))
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("这项待办刚刚已由别人办结。请刷新待办列表。")


def reaches(session: Session, staff: Staff, unit_id: int) -> bool:
    """Whether a unit lies in the one a person works in, or below it."""
    path = session.scalar(select(Unit.path).where(Unit.id == unit_id)) or ""
    return path.startswith(people.scope_of(session, staff).path)


def _outcome(session: Session, task: Task, name: Staff, choice: str) -> str | None:
    """What a task is settled with by this choice; None while others have yet to decide."""
    if task.rule != "any":
        return _counted(session, task, name, choice)
    if not task.next_ids:
        return choice
    change_open(session, task, staff_id=task.next_ids[0], next_ids=task.next_ids[1:])
    return None


def _counted(session: Session, task: Task, name: Staff, choice: str) -> str | None:
    """Count one of several choices: for all, one that is not the first settles it; a majority is more than half."""
    change_open(
        session, task, state="open"
    )  # holds the row: two who decide at once do so one after the other
    mine = (PEOPLE.c.task_id == task.id, PEOPLE.c.staff_id == name.id, PEOPLE.c.decided_at.is_(None))
    counted = session.execute(update(PEOPLE).where(*mine).values(choice=choice, decided_at=utcnow()))
    if counted.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("您已经办理过这项待办，正在等其他人办理。")
    said: Sequence[str] = session.scalars(select(PEOPLE.c.choice).where(PEOPLE.c.task_id == task.id)).all()
    given = Counter(one for one in said if one)
    codes = [str(one["code"]) for one in task.choices] or [""]
    if task.rule == "all":
        return choice if choice != codes[0] or given.total() == len(said) else None
    most, votes = given.most_common(1)[0]
    if votes * 2 > len(said):
        return most
    return codes[-1] if given.total() == len(said) else None


def _may(session: Session, task: Task, staff: Staff) -> bool:
    try:
        _require(session, task, staff)
    except Refused:
        return False
    return True


def _require(session: Session, task: Task, staff: Staff) -> None:
    if task.state != "open":
        raise Refused("这项待办已经办结，不用再办。请刷新待办列表。")
    if staff.id in task.not_by:
        raise Refused("您已经办理过同一件事的前一环节，这一环节要由另一个人办理。")
    if task.staff_id is not None and task.staff_id != staff.id:
        raise Refused("这项待办现在由别人办理。如需改派，请联系流程负责人。")
    if task.permission:
        people.require(staff, task.permission)
    if task.staff_id is None:
        _require_addressee(session, task, staff)


def _require_addressee(session: Session, task: Task, staff: Staff) -> None:
    among = {person.staff_id: person.decided_at for person, _staff in people_of(session, task)}
    if among and staff.id not in among:
        raise Refused("这项待办由指定的几个人办理，其中没有您。")
    if among.get(staff.id) is not None:
        raise Refused("您已经办理过这项待办，正在等其他人办理。")
    if among:
        return
    if task.role and staff.username != people.SHELL and task.role not in {role.name for role in staff.roles}:
        raise Refused("您的角色不能办理这项待办。如工作需要，请联系系统管理员。")
    if not reaches(session, staff, task.unit_id):
        raise Refused("这项待办属于别的单位，不归您办理。")


def _named(staff: Staff, name: Staff) -> dict[str, int]:
    return {} if name.id == staff.id else {"for": name.id}
