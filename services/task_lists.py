"""Which tasks a person sees: what waits for them or for whom they stand in, what they did, what they started."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, Text, and_, cast, false, func, literal, or_, select
from sqlalchemy.orm import Session, joinedload

from models import Staff, Task, TaskAct, TaskPerson
from models.scope import ALL, units_in, working_as
from services import delegations, people, task_holders

LISTED = 200
MOST = 99
OWN_ACTS = ("decided", "signed", "sent_back", "handed_over", "reassigned")
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
DUE = func.coalesce(
    Task.due_at, literal(NEVER, Task.due_at.type)
)  # what a list by urgency goes by: never null

ENDED = func.coalesce(
    Task.done_at, literal(NEVER, Task.done_at.type)
)  # open ones first, then the newest done


def waiting(session: Session, staff: Staff) -> Select[tuple[Task]]:
    """The open tasks that a person may decide, in their own name or another's, or is to give to somebody else."""
    names = (staff, *delegations.principals(session, staff))
    mine = (and_(_addressed_to(session, one), _not_barred(one.id)) for one in names)
    own = and_(or_(*mine), _not_barred(staff.id))
    left = task_holders.to_reassign(staff, _in_reach(session, staff))
    return shown(select(Task).where(Task.state == "open", or_(own, left)))


def done(session: Session, staff: Staff) -> Select[tuple[Task]]:
    """The tasks with which a person had to do."""
    acted = select(TaskAct.task_id).where(TaskAct.staff_id == staff.id, TaskAct.act.in_(OWN_ACTS))
    return shown(select(Task).where(or_(Task.done_by_id == staff.id, Task.id.in_(acted))))


def started(session: Session, staff: Staff) -> Select[tuple[Task]]:
    """The tasks of runs that a person started."""
    return shown(select(Task).where(Task.starter_id == staff.id))


def capped(session: Session, query: Select[tuple[Task]]) -> int:
    """How many a query finds; of more than `MOST` one more than that."""
    ids = query.with_only_columns(Task.id).order_by(None).limit(MOST + 1).subquery()
    with working_as(session, ALL):
        return session.scalar(select(func.count()).select_from(ids)) or 0


def waiting_for(session: Session, staff: Staff) -> Sequence[Task]:
    """The open tasks a person may decide, the most urgent first (at most 200)."""
    query = waiting(session, staff).order_by(DUE, Task.id)
    with working_as(session, ALL):
        return session.scalars(query.limit(LISTED)).all()


def find(session: Session, staff: Staff, task_id: int) -> Task | None:
    """A task that a person may look at: one meant for them, one they had to do with, or one of a run they started."""
    with working_as(session, ALL):
        for query in _readable(session, staff):
            if (found := session.scalar(query.where(Task.id == task_id))) is not None:
                return found
    return None


def readable(session: Session, staff: Staff, task_ids: Collection[int]) -> set[int]:
    """Which of these tasks a person may look at."""
    found: set[int] = set()
    with working_as(session, ALL):
        for query in _readable(session, staff):
            ids = query.with_only_columns(Task.id).order_by(None).where(Task.id.in_(task_ids))
            found.update(session.scalars(ids))
    return found


def _readable(session: Session, staff: Staff) -> tuple[Select[tuple[Task]], ...]:
    left = shown(select(Task).where(task_holders.to_reassign(staff, _in_reach(session, staff))))
    return meant_for(session, staff), done(session, staff), started(session, staff), left


def meant_for(session: Session, staff: Staff) -> Select[tuple[Task]]:
    """The tasks addressed to a person or to whom that person stands in for, decided or not."""
    names = (staff, *delegations.principals(session, staff))
    return shown(select(Task).where(or_(*(_addressed_to(session, one) for one in names))))


def shown(query: Select[tuple[Task]]) -> Select[tuple[Task]]:
    """With what lists and pages show of a task."""
    return query.options(joinedload(Task.run), joinedload(Task.unit), joinedload(Task.staff))


def _addressed_to(session: Session, staff: Staff) -> ColumnElement[bool]:
    permissions = {name for role in staff.roles for name in role.permissions}
    roles = {role.name for role in staff.roles}
    in_role = Task.role.in_(roles) if roles else false()
    anybody = and_(
        Task.staff_id.is_(None),
        Task.rule == "any",
        _in_reach(session, staff),
        or_(
            Task.permission.in_(permissions) if permissions else false(), and_(Task.permission == "", in_role)
        ),
        or_(Task.role == "", in_role),
    )
    among = select(TaskPerson.task_id).where(TaskPerson.staff_id == staff.id, TaskPerson.decided_at.is_(None))
    return or_(Task.staff_id == staff.id, anybody, and_(Task.staff_id.is_(None), Task.id.in_(among)))


def _in_reach(session: Session, staff: Staff) -> ColumnElement[bool]:
    """Units whose tasks a role reaches; of people who reach own customers only, their own unit's tasks of runs."""
    scope = people.scope_of(session, staff)
    if scope.own:
        return and_(Task.unit_id == staff.unit_id, Task.run_id.is_not(None), Task.customer_id.is_(None))
    return Task.unit_id.in_(units_in(scope))


def _not_barred(staff_id: int) -> ColumnElement[bool]:
    """That a person is not among those who may not decide: the list is JSON, and is read as its text."""
    text = func.replace(func.replace(cast(Task.not_by, Text), "[", ", "), "]", ",")
    return text.not_like(f"%, {staff_id},%")
