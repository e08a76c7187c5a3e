"""Staff and their accounts: adding, roles within one's own rights, new passwords, closing."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask_security import hash_password
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Role, Staff, Unit
from models.clock import utcnow
from services import Refused, accounts, traces
from services.people import SHELL, acting_staff, in_scope_units, require

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
POWERS = frozenset({"staff.edit", "roles.edit", "units.edit", "settings.edit"})
APART = (("staff.edit", "traces.export"), ("roles.edit", "traces.export"))


@dataclass(frozen=True)
class NewStaff:
    """A person about to get an account; roles by name."""

    login: str
    name: str
    unit_id: int
    roles: Sequence[str]
    password: str
    must_change: bool = False
    phone: str = ""
    job: str = ""


def add_staff(session: Session, draft: NewStaff) -> Staff:
    """Make a person with an account; refused for a login that is taken, a weak password, or rights one may not give."""
    if not LOGIN.fullmatch(draft.login):
        raise Refused("登录名要用 2 到 64 位小写字母、数字、点、横线或下划线，并以字母或数字开头。")
    if session.scalar(select(Staff.id).where(Staff.username == draft.login)) is not None:
        raise Refused("登录名「%(login)s」已经有人用了，请换一个。", login=draft.login)
    accounts.check_password(draft.password, draft.login)
    staff = Staff(username=draft.login, name=draft.name, phone=draft.phone, job=draft.job)
    staff.unit_id, staff.created_at, staff.active = draft.unit_id, utcnow(), True
    staff.password, staff.must_change = hash_password(draft.password), draft.must_change
    staff.fs_uniquifier = secrets.token_hex(32)
    check_unit(session, draft.unit_id)
    give_roles(session, staff, draft.roles)
    session.add(staff)
    traces.record(session, "staff.created", staff, details={"roles": sorted(draft.roles)})
    return staff


def give_roles(session: Session, staff: Staff, names: Collection[str]) -> None:
    """Put a person into exactly these roles; never oneself, and never into powers that one does not hold."""
    roles = list(session.scalars(select(Role).where(Role.name.in_(names)).order_by(Role.id)))
    if len(roles) != len(set(names)):
        unknown = sorted(set(names) - {role.name for role in roles})
        raise Refused("没有角色 %(unknown)s。可以用的角色见“角色”页面。", unknown="、".join(unknown))
    before = {role.name for role in staff.roles}
    if before == set(names):
        return
    _check_giver(session, staff, [role for role in roles if role.name not in before])
    _check_apart({permission for role in roles for permission in role.permissions})
    staff.roles = roles


def set_active(session: Session, staff: Staff, active: bool) -> None:
    """Close a person's account, which ends every session of it at once, or open it again."""
    if staff.username == SHELL or staff.id == session.info.get("actor_id"):
        raise Refused("不能停用命令行账号，也不能停用自己的账号。")
    staff.active = active
    accounts.finish_all(session, staff)
    traces.record(session, "staff.opened" if active else "staff.closed", staff)


def reset_password(session: Session, staff: Staff) -> str:
    """Give a person a one-time password, to be changed at the next sign-in; returns it, it is kept nowhere."""
    if staff.username == SHELL:
        raise Refused("命令行账号没有密码，不能从网页登录。")
    actor = acting_staff(session)
    held = {permission for role in staff.roles for permission in role.permissions} & POWERS
    if actor is not None and not _holds(actor, held):
        raise Refused("不能重置管理权限比自己高的账号的密码。")
    password = accounts.one_time_password()
    accounts.set_password(session, staff, password, must_change=True)
    return password


def check_unit(session: Session, unit_id: int) -> None:
    """Refuse a unit outside the acting person's scope."""
    if session.scalar(select(Unit.id).where(Unit.id == unit_id, in_scope_units(session))) is None:
        raise Refused("所选单位不在您的单位范围内，请重新选择单位。")


def change_permissions(session: Session, role: Role, permissions: Collection[str]) -> None:
    """Give a role exactly these permissions; refused for a role that one is in oneself."""
    actor = acting_staff(session)
    if actor is not None:
        require(actor, "roles.edit")
        if actor.username != SHELL and role.name in {own.name for own in actor.roles}:
            raise Refused("不能修改自己所在的角色「%(label)s」，请由另一位系统管理员修改。", label=role.label)
    before, after = set(role.permissions), set(permissions)
    _check_apart(after)
    role.permissions = sorted(after)
    details = {"added": sorted(after - before), "removed": sorted(before - after)}
    if before != after:
        traces.record(session, "role.changed", role, details=details)


def _check_giver(session: Session, staff: Staff, given: Sequence[Role]) -> None:
    actor = acting_staff(session)
    if actor is None or actor.username == SHELL:
        return
    require(actor, "staff.edit")
    if staff.id == actor.id:
        raise Refused("不能修改自己的角色，请由另一位系统管理员修改。")
    powers = {permission for role in given for permission in role.permissions} & POWERS
    if not _holds(actor, powers):
        raise Refused("不能授予自己没有的管理权限，请由有这些权限的管理员办理。")


def _check_apart(permissions: Collection[str]) -> None:
    """Who gives rights does not also audit: the two powers are never in one hand."""
    if any(left in permissions and right in permissions for left, right in APART):
        raise Refused("系统管理和稽查必须由不同的人担任，不能同时授予。")


def _holds(actor: Staff, permissions: Collection[str]) -> bool:
    return actor.username == SHELL or all(actor.can(permission) for permission in permissions)
