"""Who may change, publish and start one workflow: the roles it names, else whoever holds the permission for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Role, Staff, Workflow
from models.words import N_, Said
from services import Refused, traces
from services.people import SHELL, staff_in_scope

EDIT, GOVERN = "workflows.edit", "roles.edit"
ACTS = {"edit": N_("修改"), "approve": N_("发布"), "start": N_("发起")}
COLUMNS = {"edit": "editors", "approve": "approvers", "start": "starters"}


def roles_for(workflow: Workflow, act: str) -> list[str]:
    """The roles a workflow names for an act; none: the permission decides."""
    return list(getattr(workflow, COLUMNS[act]))


def permission_for(workflow: Workflow, act: str) -> str:
    """What an act needs where the workflow names no roles."""
    return workflow.permission if act == "start" else EDIT


def may(staff: Staff, workflow: Workflow, act: str) -> bool:
    """Whether a person may change (`edit`), publish (`approve`) or start (`start`) this workflow."""
    named = roles_for(workflow, act)
    if staff.username == SHELL:
        return True
    if named:
        return any(role.name in named for role in staff.roles)
    return bool(staff.can(permission_for(workflow, act)))


def require(staff: Staff, workflow: Workflow, act: str) -> None:
    """Refuse whoever may not."""
    if not may(staff, workflow, act):
        raise Refused(
            "您不能%(act)s流程「%(name)s」。谁可以修改、发布和发起，写在流程页面上；如工作需要，请联系系统管理员。",
            act=Said(ACTS[act]),
            name=workflow.name,
        )


def require_to_publish(session: Session, staff: Staff, workflow: Workflow) -> None:
    """Refuse whoever may not publish it, or reaches less far than the owner: runs borrow the owner's reach."""
    require(staff, workflow, "approve")
    if workflow.owner_id is None or staff.username == SHELL:
        return
    if staff_in_scope(session, workflow.owner_id) is None:
        raise Refused(
            "流程「%(name)s」的负责人不在您的单位范围内，要由能管到负责人的人发布。", name=workflow.name
        )


def may_govern(session: Session, staff: Staff, workflow: Workflow) -> bool:
    """Whether a person may switch it on and off, name its owner, and say who may change, publish and start it.

    Its owner may; else whoever changes roles, and reaches as far as the owner.
    """
    if staff.username == SHELL or workflow.owner_id == staff.id:
        return True
    is_far = workflow.owner_id is not None and staff_in_scope(session, workflow.owner_id) is None
    return staff.can(GOVERN) and not is_far


def require_to_govern(session: Session, staff: Staff, workflow: Workflow) -> None:
    """Refuse whoever may not."""
    if not may_govern(session, staff, workflow):
        raise Refused(
            "启用、停用流程「%(name)s」，指定负责人，和决定谁能修改、发布、发起，只有流程负责人和系统管理员能做。",
            name=workflow.name,
        )


def allow(session: Session, workflow: Workflow, roles: Mapping[str, Sequence[str]]) -> None:
    """Say which roles may change, publish and start a workflow; an act left empty goes by the permission again."""
    known = set(session.scalars(select(Role.name)))
    for act, names in roles.items():
        unknown = [name for name in names if name not in known]
        if unknown:
            raise Refused("没有角色「%(role)s」。请从角色清单中选择。", role=unknown[0])
        setattr(workflow, COLUMNS[act], sorted(set(names)))
    traces.record(session, "workflow.allowed", workflow, details={act: list(roles[act]) for act in roles})
