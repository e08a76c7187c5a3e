"""In whose hand a task lies when that hand is gone: an account switched off, and who may give the task to another."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, false, or_, select, update
from sqlalchemy.orm import Session

from models import Staff, Task, TaskPerson
from models.scope import ALL, working_as
from services import Refused, task_acts, tasks, traces

PEOPLE = TaskPerson.__table__
ASSIGN = ("tasks.assign", "staff.edit")  # who leads the unit, or keeps the accounts
HANDED = ("handed_over", "reassigned")


def gone(session: Session, task: Task) -> Sequence[Staff]:
    """Those for whom an open task waits in vain, their accounts being switched off."""
    if session.scalar(select(Task.id).where(Task.id == task.id, waits_in_vain())) is None:
        return []
    undecided = (TaskPerson.task_id == task.id, TaskPerson.decided_at.is_(None))
    several = select(TaskPerson.staff_id).where(*undecided)
    waited = Staff.id == task.staff_id if task.staff_id is not None else Staff.id.in_(several)
    return session.scalars(select(Staff).where(waited, ~Staff.active).order_by(Staff.id)).all()


def waits_in_vain() -> ColumnElement[bool]:
    """The condition on tasks of those that wait for somebody whose account is switched off; one of several stands in
    nobody's way while the others can still decide without them."""
    off = select(Staff.id).where(~Staff.active)
    left = select(TaskPerson.task_id).where(TaskPerson.decided_at.is_(None))
    by_off = Task.id.in_(left.where(TaskPerson.staff_id.in_(off)))
    by_others = left.where(TaskPerson.task_id == Task.id, TaskPerson.staff_id.not_in(off)).exists()
    shared = and_(Task.staff_id.is_(None), by_off, or_(Task.rule == "all", ~by_others))
    return and_(Task.state == "open", or_(Task.staff_id.in_(off), shared))


def may_assign(staff: Staff) -> bool:
    """Whether a person may give the tasks of a switched-off account to others, within their reach."""
    return any(staff.can(permission) for permission in ASSIGN) and not staff.is_own_scoped()


def to_reassign(staff: Staff, reach: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition on tasks of those that a person is to give to another."""
    return and_(waits_in_vain(), reach) if may_assign(staff) else false()


def candidates(session: Session, task: Task, staff: Staff) -> Sequence[Staff]:
    """Who may get a task that waits in vain, oneself too; nobody where one may not give it away."""
    if not may_assign(staff) or not tasks.reaches(session, staff, task.unit_id):
        return []
    with working_as(session, ALL):
        return task_acts.able(session, task) if gone(session, task) else []


def reassign(session: Session, task: Task, staff: Staff, to_id: int, note: str) -> None:
    """Give a task of somebody whose account is switched off to another who may decide it."""
    to = next((one for one in candidates(session, task, staff) if one.id == to_id), None)
    if to is None:
        raise Refused(
            "不能改派：只有办理人的账号已停用时，由本单位或上级单位的负责人或系统管理员，改派给能办理这项待办的人。"
        )
    if not note.strip():
        raise Refused("请填写原因，让接手的人明白要做什么。")
    with working_as(session, ALL):
        left = gone(session, task)[0]
        is_shared = task.staff_id is None  # in nobody's hand: it waits for the people named, any or all of them
        tasks.change_open(session, task, **({"state": "open"} if is_shared else {"staff_id": to.id}))
        here = (PEOPLE.c.task_id == task.id, PEOPLE.c.staff_id == left.id, PEOPLE.c.decided_at.is_(None))
        if is_shared:
            session.execute(update(PEOPLE).where(*here).values(staff_id=to.id))
        session.refresh(task)
        told = {"for_id": left.id, "to_id": to.id, "note": note.strip()[: tasks.NOTE]}
        tasks.note_act(session, task, "reassigned", staff=staff, **told)
        details = {"from": left.id, "to": to.id, "run": task.run_id}
        traces.record(session, "task.reassigned", task, details=details)


def is_signer(session: Session, task: Task, staff_id: int) -> bool:
    """Whether a person has a task in hand only to sign it, asked by somebody, or in the place of one who was asked."""
    signing: set[int | None] = set()
    for act in tasks.acts_of(session, task):
        if act.act in ("signer_before", "signer_after"):
            signing.add(act.to_id)
        elif act.act in HANDED and (act.for_id or act.staff_id) in signing:
            signing.add(act.to_id)
        elif act.act == "reopened":
            signing.clear()
    return staff_id in signing
