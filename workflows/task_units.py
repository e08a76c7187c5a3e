"""In which unit the task of a person node lies, and whether anybody there could do it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Role, Unit
from models.people import root_unit
from models.words import N_, Said
from services import Refused, people
from workflows.walk import Tree, placed

IN_UNIT = "unit:"  # before the code of a unit that a node names
NO_UNIT = N_("没有编码为「%(code)s」的单位，可能已经撤并。请在流程里重新选择办理单位。")
NOBODY_THERE = N_("没有人能办理：「%(unit)s」和它的上级单位里，没有启用的人员有「%(role)s」这个角色或权限")


def unit_named(session: Session, unit: str, run_unit_id: int) -> int | None:
    """The unit that a person node names; none where only earlier results say which."""
    if unit == "run":
        return run_unit_id
    if unit == "root":
        return root_unit(session).id
    if not unit.startswith(IN_UNIT):
        return None
    found = session.scalar(select(Unit.id).where(Unit.code == unit.removeprefix(IN_UNIT)))
    if found is None:
        raise Refused(NO_UNIT, code=unit.removeprefix(IN_UNIT))
    return found


def unable(session: Session, settings: Mapping[str, Any], run_unit_id: int) -> str:
    """Why the task of a person node would wait for ever: nobody there has its role; empty when somebody has."""
    if settings.get("to", "role") != "role":
        return ""
    try:
        unit_id = unit_named(session, str(settings.get("unit", "run")), run_unit_id)
    except Refused as refusal:
        return refusal.message
    wanted = {name: str(settings.get(name, "")) for name in ("role", "permission")}
    if unit_id is None or session.scalar(people.able_for(session, unit_id, **wanted).limit(1)) is not None:
        return ""
    label = session.scalar(select(Role.label).where(Role.name == wanted["role"])) or wanted["permission"]
    unit = session.get_one(Unit, unit_id)
    return Said(NOBODY_THERE, unit=unit.name, role=label)


def unable_in(session: Session, tree: Tree, run_unit_id: int) -> Iterator[tuple[str, str]]:
    """The tasks of a tree that nobody could do if a run of it stood in this unit: their titles, and why."""
    for place in placed(tree):
        if "person" in place.node and (text := unable(session, place.node["person"], run_unit_id)):
            yield str(place.node.get("title") or place.node["person"]["title"]), text
