"""What select lists offer: units, people and roles within the asking person's reach."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models import ContactKind, Role, Staff, Unit, db
from screens.filters import Filter
from services.people import SHELL, in_scope_units


def units_in_scope() -> Any:
    """Units of one's own and below, as a query in the order of the tree."""
    return db.session.query(Unit).filter(in_scope_units(db.session())).order_by(Unit.path)


def unit_choices() -> list[tuple[int, str]]:
    """Units of one's own and below, set in by their depth."""
    found = units_in_scope().all()
    top = min((unit.path.count("/") for unit in found), default=0)
    return [(unit.id, "　" * (unit.path.count("/") - top) + unit.name) for unit in found]


def staff_in_reach() -> Any:
    """Active people of one's own unit and below, as a query."""
    inside = select(Unit.id).where(in_scope_units(db.session()))
    people = db.session.query(Staff).filter(Staff.active, Staff.unit_id.in_(inside), Staff.username != SHELL)
    return people.options(joinedload(Staff.unit)).order_by(Staff.unit_id, Staff.name)


def staff_choices() -> list[tuple[int, str]]:
    """Active people with their unit."""
    people = staff_in_reach()
    return [(one.id, _("%(person)s（%(unit)s）", person=one.name, unit=one.unit.name)) for one in people]


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
    return Filter("unit", _l("单位"), unit_choices, below(column))
