"""Staff who act: whose scope the session works with, and who may do what."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from models import Role, Staff, Unit
from models.scope import ALL, Scope, current_scope, set_scope
from services import Refused

SHELL = "shell"


def acting(session: Session, login: str) -> Staff:
    """The person a command acts as, with that person's scope put into the session."""
    staff = session.scalar(select(Staff).where(Staff.username == login))
    if staff is None or not staff.active:
        raise Refused(
            "没有可用的账号「%(login)s」。请核对 --as 后面的登录名，或先用 user add 建立账号。",
            login=login,
        )
    set_scope(session, scope_of(session, staff))
    session.info["actor_id"] = staff.id
    return staff


def acting_staff(session: Session) -> Staff | None:
    """The person who acts in this session; None for the system itself."""
    actor_id = session.info.get("actor_id")
    return None if actor_id is None else session.get(Staff, actor_id)


def scope_of(session: Session, staff: Staff) -> Scope:
    """What a person reaches: own customers, or own unit and below; the seeded account `shell` reaches all."""
    if staff.username == SHELL:
        return ALL
    path = session.scalar(select(Unit.path).where(Unit.id == staff.unit_id)) or "/-"
    return Scope(path=path, staff_id=staff.id, own=staff.is_own_scoped())


def require(staff: Staff, permission: str) -> None:
    """Refuse whoever lacks a permission; checked again by services whatever the screen showed."""
    if staff.username != SHELL and not staff.can(permission):
        raise Refused(
            "账号「%(username)s」没有这项操作的权限（%(permission)s）。如工作需要，"
            "请联系系统管理员调整角色。",
            username=staff.username,
            permission=permission,
        )


def holding(session: Session, permission: str) -> ColumnElement[bool]:
    """The condition on `Staff` of who has a permission by any of their roles."""
    roles = [role.id for role in session.scalars(select(Role)) if permission in role.permissions]
    return Staff.roles.any(Role.id.in_(roles))


def able_for(session: Session, unit_id: int, *, role: str = "", permission: str = "") -> Select[tuple[int]]:
    """A select of the ids of those who may do a task of a unit, the nearest first: active in it or above it, with the
    task's role and its permission, by whichever of their roles."""
    path = session.scalar(select(Unit.path).where(Unit.id == unit_id)) or "/-"
    above = [int(part) for part in path.strip("/").split("/") if part.isdigit()]
    query = select(Staff.id).join(Unit, Unit.id == Staff.unit_id)
    query = query.where(Staff.active, Staff.username != SHELL, Unit.id.in_(above))
    query = query.where(Staff.roles.any(Role.name == role)) if role else query
    query = query.where(holding(session, permission)) if permission else query
    return query.order_by(func.length(Unit.path).desc(), Staff.id)


def in_scope_units(session: Session) -> ColumnElement[bool]:
    """The condition on units that lie in the session's scope: for the unit and staff screens, which are not scoped."""
    scope = current_scope(session)
    path = scope.path if scope is not None else "/-"
    return Unit.path.startswith(path, autoescape=True)


def along_the_line(session: Session, unit_id: int) -> ColumnElement[bool]:
    """The condition on `Unit` of a unit, those above it and those below it: who may do its work for a time."""
    path = session.scalar(select(Unit.path).where(Unit.id == unit_id)) or "/-"
    above = [int(part) for part in path.strip("/").split("/") if part.isdigit()]
    return or_(Unit.id.in_(above), Unit.path.startswith(path))


def in_scope_staff(session: Session) -> Select[tuple[int]]:
    """A select of the ids of everybody whose unit lies in the session's scope."""
    return select(Staff.id).join(Unit, Unit.id == Staff.unit_id).where(in_scope_units(session))


def staff_in_scope(session: Session, staff_id: int) -> Staff | None:
    """A person by id, if their unit lies in the session's scope."""
    query = select(Staff).join(Unit, Staff.unit_id == Unit.id)
    return session.scalar(query.where(Staff.id == staff_id, in_scope_units(session)))
