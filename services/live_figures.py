"""The figures of this moment (实时质量), out of the kept counts alone: ten million customers cost no more than ten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import QualityCount, Staff, Unit
from models.counts import ANY_MONTH, CURRENT
from models.scope import ALL, working_as

SUMS = ("required", "recorded", "good", "valid")


@dataclass(frozen=True)
class Sums:
    """Required items, those recorded, those of them usable, and those that are clean."""

    required: int = 0
    recorded: int = 0
    good: int = 0
    valid: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, name) + getattr(other, name) for name in SUMS))

    def __sub__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, name) - getattr(other, name) for name in SUMS))

    @property
    def completeness(self) -> float | None:
        """Recorded by required; None when nothing is required."""
        return self.recorded / self.required if self.required else None

    @property
    def validity(self) -> float | None:
        """Usable by recorded; None when nothing is recorded."""
        return self.good / self.recorded if self.recorded else None


@dataclass(frozen=True)
class Line:
    """One unit with all below it, or one person: customers opened this month, and all."""

    key: int
    name: str
    new: Sums
    all: Sums

    @property
    def existing(self) -> Sums:
        """Customers opened before this month."""
        return self.all - self.new


def by_unit(session: Session, unit_ids: Sequence[int], month: str) -> list[Any]:
    """The sums of units: over all opening months, and of customers opened in one month."""
    return _sums(session, QualityCount.unit_id, unit_ids, month)


def by_person(session: Session, unit_ids: Sequence[int], month: str) -> list[Any]:
    """The sums of the people in units, 0 for what is nobody's."""
    return _sums(session, QualityCount.staff_id, unit_ids, month)


def _sums(session: Session, column: Any, unit_ids: Sequence[int], month: str) -> list[Any]:
    table = QualityCount.__table__.c
    sums = [func.sum(table[name]).label(name) for name in SUMS]
    query = select(table.opened, table[column.name].label("key"), *sums).where(table.set_id == CURRENT)
    query = query.where(table.opened.in_((ANY_MONTH, month)), table.unit_id.in_(unit_ids))
    return list(session.connection().execute(query.group_by(table.opened, table[column.name])))


def units(session: Session, unit: Unit, month: str) -> list[Line]:
    """A unit with all below it, then the units right below it; those without any required item are left out."""
    with working_as(session, ALL):
        inside = session.scalars(
            select(Unit).where(Unit.path.startswith(unit.path)).order_by(Unit.code)
        ).all()
    rows = by_unit(session, [one.id for one in inside], month)
    shown = [unit, *(one for one in inside if one.parent_id == unit.id)]
    found = [
        _line(one.id, one.name, rows, {o.id for o in inside if o.path.startswith(one.path)}, month)
        for one in shown
    ]
    return [line for line in found if line.all.required or line.key == unit.id]


def people(session: Session, unit: Unit, month: str) -> list[Line]:
    """Everybody who answers for required items of the unit's own customers, the most items first."""
    rows = by_person(session, [unit.id], month)
    keys = {row.key for row in rows}
    with working_as(session, ALL):
        names = {row.id: row.name for row in session.scalars(select(Staff).where(Staff.id.in_(keys)))}
    found = [_line(key, names.get(key, ""), rows, {key}, month) for key in keys]
    return sorted(found, key=lambda line: (-line.all.required, line.key))


def _line(key: int, name: str, rows: Sequence[Any], keys: set[int], month: str) -> Line:
    new, whole = Sums(), Sums()
    for row in rows:
        if row.key not in keys:
            continue
        sums = Sums(*(int(getattr(row, field)) for field in SUMS))
        new, whole = (new + sums, whole) if row.opened == month else (new, whole + sums)
    return Line(key, name, new, whole)
