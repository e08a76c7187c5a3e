"""Tasks (待办): what waits for a person, of a run's person node or of a desk; who may decide, and the decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, false, or_, select, update
from sqlalchemy.orm import Session, joinedload

from models import Staff, Task
from models.clock import utcnow
from models.people import Unit
from services import Refused, people, traces

LISTED = 200


def open_task(session: Session, kind: str, title: str, *, unit_id: int, **fields: Any) -> Task:
    """Make a task for whoever holds `permission` or `role` in the unit or above, or for one person (`staff_id`).

    `choices`: {code, label} each; without any the task is only read and done. `link` leads to where the work is.
    """
    task = Task(kind=kind, title=title[:200], unit_id=unit_id, state="open", created_at=utcnow(), **fields)
    session.add(task)
    session.flush()
    return task


def waiting_for(session: Session, staff: Staff) -> Sequence[Task]:
    """The open tasks a person may decide, the most urgent first (at most 200)."""
    query = (
        _meant_for(staff).where(Task.state == "open").order_by(Task.due_at.is_(None), Task.due_at, Task.id)
    )
    found = session.scalars(query.limit(LISTED)).all()
    return [task for task in found if staff.id not in task.not_by]


def decided_by(session: Session, staff: Staff) -> Sequence[Task]:
    """The tasks a person has done, the newest first (at most 200)."""
    query = (
        select(Task).where(Task.done_by_id == staff.id, Task.state == "done").order_by(Task.done_at.desc())
    )
    return session.scalars(_shown(query).limit(LISTED)).all()


def find(session: Session, staff: Staff, task_id: int) -> Task | None:
    """A task that a person may look at: one meant for them, or one they have done."""
    meant = session.scalar(_meant_for(staff).where(Task.id == task_id))
    return meant or session.scalar(
        _shown(select(Task).where(Task.id == task_id, Task.done_by_id == staff.id))
    )


def require_decider(session: Session, task: Task, staff: Staff) -> None:
    """Refuse whoever may not decide a task: lacking permission, role or unit, or the first of four eyes."""
    if task.state != "open":
        raise Refused("这项待办已经办结，不用再办。请刷新待办列表。")
    if staff.id in task.not_by:
        raise Refused("您已经办理过同一件事的前一环节，这一环节要由另一个人办理。")
    if task.staff_id is not None and task.staff_id != staff.id:
        raise Refused("这项待办指定由别人办理。如需改派，请联系流程负责人。")
    if task.permission:
        people.require(staff, task.permission)
    if task.role and staff.username != people.SHELL and task.role not in {role.name for role in staff.roles}:
        raise Refused("您的角色不能办理这项待办。如工作需要，请联系系统管理员。")
    _require_unit(session, task, staff)


def decide(session: Session, task: Task, staff: Staff, choice: str, *, note: str = "") -> None:
    """Write a person's decision once: whoever comes second is refused."""
    require_decider(session, task, staff)
    codes = [str(one["code"]) for one in task.choices]
    if choice not in (codes or [""]):
        raise Refused("请先选择一项办理意见。")
    _close(
        session,
        task.id,
        state="done",
        decision=choice,
        note=note.strip(),
        done_by_id=staff.id,
        done_at=utcnow(),
    )
    session.refresh(task)
    traces.record(session, "task.decided", task, details={"decision": choice, "run": task.run_id})


def close_about(session: Session, run_id: int, *, kind: str) -> None:
    """Close the open tasks of a kind that a run had opened: what they told of is no more."""
    told = Task.__table__
    session.execute(
        update(told)
        .where(told.c.run_id == run_id, told.c.kind == kind, told.c.state == "open")
        .values(state="done", done_at=utcnow())
    )


def time_out(session: Session, task_id: int) -> None:
    """Close a task whose time is over and that nobody decided."""
    _close(session, task_id, state="timed_out", done_at=utcnow())


def overdue(session: Session, moment: datetime) -> Sequence[Task]:
    """Open tasks whose due moment has passed and whose details say what then (`on_timeout`)."""
    then = Task.details["on_timeout"].as_string()
    query = select(Task).where(Task.state == "open", Task.due_at <= moment, then != "")
    return session.scalars(query.order_by(Task.id).limit(LISTED)).all()


def _meant_for(staff: Staff) -> Select[tuple[Task]]:
    permissions = {name for role in staff.roles for name in role.permissions}
    roles = {role.name for role in staff.roles}
    anybody = and_(
        Task.staff_id.is_(None),
        or_(
            Task.permission.in_(permissions) if permissions else false(),
            and_(Task.permission == "", Task.role.in_(roles) if roles else false()),
        ),
        or_(Task.role == "", Task.role.in_(roles) if roles else false()),
    )
    return _shown(select(Task).where(or_(Task.staff_id == staff.id, anybody)))


def _shown(query: Select[tuple[Task]]) -> Select[tuple[Task]]:
    return query.options(joinedload(Task.run), joinedload(Task.unit))


def _require_unit(session: Session, task: Task, staff: Staff) -> None:
    path = session.scalar(select(Unit.path).where(Unit.id == task.unit_id)) or ""
    if task.staff_id != staff.id and not path.startswith(people.scope_of(session, staff).path):
        raise Refused("这项待办属于别的单位，不归您办理。")


def _close(session: Session, task_id: int, **values: Any) -> None:
    rows = Task.__table__
    closed = session.execute(
        update(rows).where(rows.c.id == task_id, rows.c.state == "open").values(**values)
    )
    if closed.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("这项待办刚刚已由别人办结。请刷新待办列表。")
