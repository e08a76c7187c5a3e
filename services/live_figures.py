"""The figures of this moment (实时质量), out of the kept counts alone: as fast with ten million customers as with ten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import QualityCount, Staff, Unit
from models.counts import ANY_MONTH, current_set
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


def groups(session: Session, unit_ids: Sequence[int], month: str) -> list[Any]:
    """The sums of units by person: over all opening months, and of customers opened in one month."""
    table = QualityCount.__table__.c
    sums = [func.sum(table[name]).label(name) for name in SUMS]
    query = select(table.opened, table.unit_id, table.staff_id, *sums)
    query = query.where(table.set_id == current_set(session), table.opened.in_((ANY_MONTH, month)))
    query = query.where(table.unit_id.in_(unit_ids)).group_by(table.opened, table.unit_id, table.staff_id)
    return list(session.execute(query))


def units(session: Session, unit: Unit, month: str) -> list[Line]:
    """A unit with all below it, then the units right below it; those without any required item are left out."""
    with working_as(session, ALL):
        inside = session.scalars(
            select(Unit).where(Unit.path.startswith(unit.path)).order_by(Unit.code)
        ).all()
    rows = groups(session, [one.id for one in inside], month)
    shown = [unit, *(one for one in inside if one.parent_id == unit.id)]
    found = [
        _line(one.id, one.name, rows, {o.id for o in inside if o.path.startswith(one.path)}, month)
        for one in shown
    ]
    return [line for line in found if line.all.required or line.key == unit.id]


def people(session: Session, unit: Unit, month: str) -> list[Line]:
    """Everybody who answers for required items of the unit's own customers, the most items first."""
    by_person: dict[int, list[Any]] = {}
    for row in groups(session, [unit.id], month):
        by_person.setdefault(row.staff_id, []).append(row)
    with working_as(session, ALL):
        names = {row.id: row.name for row in session.scalars(select(Staff).where(Staff.id.in_(by_person)))}
    found = [_line(key, names.get(key, ""), rows, {unit.id}, month) for key, rows in by_person.items()]
    return sorted(found, key=lambda line: (-line.all.required, line.key))


def _line(key: int, name: str, rows: Sequence[Any], unit_ids: set[int], month: str) -> Line:
    new, whole = Sums(), Sums()
    for row in rows:
        if row.unit_id not in unit_ids:
            continue
        sums = Sums(*(int(getattr(row, field)) for field in SUMS))
        new, whole = (new + sums, whole) if row.opened == month else (new, whole + sums)
    return Line(key, name, new, whole)
