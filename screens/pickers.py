"""What select lists offer: units, people and roles within the asking person's reach."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models import ContactKind, Role, Staff, Unit, db
from screens.filters import Filter
from services.choices import PEOPLE_LISTED, is_sought
from services.people import SHELL, in_scope_units

MANY = 200


def units_in_scope() -> Any:
    """Units of one's own and below, as a query in the order of the tree."""
    return db.session.query(Unit).filter(in_scope_units(db.session())).order_by(Unit.path)


def unit_choices() -> list[tuple[int, str]]:
    """Units of one's own and below, set in by their depth."""
    found = units_in_scope().all()
    top = min((unit.path.count("/") for unit in found), default=0)
    return [(unit.id, "　" * (unit.path.count("/") - top) + unit.name) for unit in found]


def unit_steps() -> list[tuple[int, str]]:
    """The units to choose in a list: all, or where they are many those above the chosen one and those just below it."""
    query = select(Unit.id, Unit.name, Unit.path).where(in_scope_units(db.session())).order_by(Unit.path)
    found = db.session.execute(query.limit(MANY + 1)).all()
    if len(found) > MANY:
        chosen = found[0] if (one := chosen_unit()) is None else one
        above = [int(part) for part in chosen.path.strip("/").split("/")]
        near = Unit.id.in_(above) | (Unit.parent_id == chosen.id)
        found = db.session.execute(query.where(near).limit(MANY + len(above))).all()
    top = min((unit.path.count("/") for unit in found), default=0)
    return [(unit.id, "　" * (unit.path.count("/") - top) + unit.name) for unit in found]


def chosen_unit() -> Unit | None:
    """The unit in one's scope that the address names."""
    key = request.values.get("unit", type=int)
    return units_in_scope().filter(Unit.id == key).one_or_none() if key and 0 < key < 2**63 else None


def manager_choices() -> list[tuple[Any, str]]:
    """The people below the chosen unit who may look after customers; of very many only the chosen one."""
    unit = chosen_unit()
    people = select(Staff.id, Staff.name, Unit.name.label("unit")).join(Unit, Unit.id == Staff.unit_id)
    people = people.where(Staff.active, Staff.username != SHELL, in_scope_units(db.session()))
    near = people if unit is None else people.where(Unit.path.startswith(unit.path))
    if len(db.session.scalars(near.limit(MANY + 1)).all()) > MANY:
        key = request.values.get("manager", 0, type=int)
        near = people.where(Staff.id == (key if 0 < key < 2**63 else 0))
    found, said = (
        db.session.execute(near.order_by(Staff.unit_id, Staff.name)).all(),
        _("%(person)s（%(unit)s）"),
    )
    if not found:
        return [("", _("（请先选单位）"))]
    return [(row.id, said % {"person": row.name, "unit": row.unit}) for row in found]


def staff_in_reach() -> Any:
    """Active people of one's own unit and below, as a query."""
    inside = select(Unit.id).where(in_scope_units(db.session()))
    people = db.session.query(Staff).filter(Staff.active, Staff.unit_id.in_(inside), Staff.username != SHELL)
    return people.options(joinedload(Staff.unit)).order_by(Staff.unit_id, Staff.name)


def staff_choices() -> list[tuple[int, str]]:
    """Active people with their unit."""
    people = staff_in_reach()
    return [(one.id, _("%(person)s（%(unit)s）", person=one.name, unit=one.unit.name)) for one in people]


def staff_found(sought: str, chosen: int | None) -> list[tuple[int, str]]:
    """Active people whose name, login or unit has what is sought, the first of them; and the chosen one."""
    session, said = db.session(), _("%(person)s（%(unit)s）")
    query = select(Staff.id, Staff.name, Unit.name.label("unit")).join(Unit, Unit.id == Staff.unit_id)
    reach = query.where(Staff.active, Staff.username != SHELL, in_scope_units(session))
    found = reach.where(is_sought(sought)).order_by(Unit.path, Staff.name, Staff.id).limit(PEOPLE_LISTED)
    rows = [*session.execute(query.where(Staff.id == (chosen or 0))), *session.execute(found)]
    return list({row.id: (row.id, said % {"person": row.name, "unit": row.unit}) for row in rows}.values())


def role_choices() -> list[tuple[str, str]]:
    """All roles by name and label."""
    return [(role.name, _(role.label)) for role in db.session.scalars(select(Role).order_by(Role.id))]


def kind_choices() -> list[tuple[str, str]]:
    """The kinds of contacts in their order."""
    query = select(ContactKind.code, ContactKind.label).order_by(ContactKind.position)
    return [(row.code, _(row.label)) for row in db.session.execute(query)]


def below(column: Any) -> Any:
    """A filter's `apply`: rows of the chosen unit and everything under it."""

    def apply(query: Any, value: str) -> Any:
        chosen = select(Unit.path).where(Unit.id == int(value)).scalar_subquery()
        return query.where(column.in_(select(Unit.id).where(Unit.path.startswith(chosen))))

    return apply


def unit_filter(column: Any) -> Filter:
    """The filter by unit that most lists begin with."""
    return Filter("unit", _l("单位"), unit_steps, below(column))
