"""Yield (C9): what each way of getting contacts gained, what of it proved right or wrong, and what was kept.

All figures of a source are about the same values: those that it brought in the period, that came into use, and that
the customer did not have before. So every figure is a part of `gained`, and opens its list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from models import Confirmation, Contact, Setting, Staff, Unit
from models.clock import end_of_day, now, start_of_day
from services import Refused, traces
from services.people import require

SOURCES = ("import", "returned_form", "visit", "hotline", "counter", "self_service", "third_party")
CAME_INTO_USE = ("current", "superseded", "stopped")
COSTS = "yield_costs"
KEPT_DAYS = 90


@dataclass(frozen=True)
class Asked:
    """Which values: brought from one day to another, of a unit and all below it (none: all in reach)."""

    first: date
    last: date
    unit_id: int | None = None
    days: int = KEPT_DAYS


@dataclass(frozen=True)
class Yield:
    """What one source gave: values gained, of them proved right, found wrong, old enough to ask, and kept of those.

    `cost` is what one gained value costs in yuan, where the bureau has said so.
    """

    source: str
    gained: int
    proved: int
    refuted: int
    old: int
    kept: int
    cost: float | None = None

    @property
    def cost_per_proof(self) -> float | None:
        """Yuan for one value that proved right; None where no cost is known, or nothing proved right."""
        return self.cost * self.gained / self.proved if self.cost is not None and self.proved else None


def yields(session: Session, asked: Asked) -> list[Yield]:
    """The figures of every source, in the order of the list, in one pass over the values of the period."""
    parts = {name: figure(session, name, asked) for name in ("proved", "refuted", "old", "kept")}
    sums = [func.sum(case((condition, 1), else_=0)).label(name) for name, condition in parts.items()]
    query = select(Contact.source, func.count().label("gained"), *sums).where(gained(session, asked))
    found = {row.source: row for row in session.execute(query.group_by(Contact.source))}
    known = costs(session)
    return [_yield(source, found.get(source), known) for source in SOURCES]


def gained(session: Session, asked: Asked) -> ColumnElement[bool]:
    """The condition on contacts that they are values gained in the period."""
    earlier = aliased(Contact)
    same = (earlier.customer_id == Contact.customer_id, earlier.kind == Contact.kind, earlier.value == Contact.value)
    known = exists().where(*same, earlier.id < Contact.id, earlier.state.in_(CAME_INTO_USE))
    first, beyond = start_of_day(asked.first), end_of_day(asked.last)
    wanted = (
        Contact.id.between(first_since(session, first), first_since(session, beyond) - 1)
        & Contact.source.in_(SOURCES)
        & Contact.state.in_(CAME_INTO_USE)
        & (Contact.value != "")
        & ~known
    )
    return wanted & Contact.unit_id.in_(_below(asked.unit_id)) if asked.unit_id else wanted


def figure(session: Session, name: str, asked: Asked) -> ColumnElement[bool]:
    """The condition on gained values behind one figure: gained, proved, refuted, old, kept."""
    if name in ("proved", "refuted"):
        return _finding() == ("confirmed" if name == "proved" else "refuted")
    if name not in ("old", "kept"):
        return Contact.id.is_not(None)
    old = Contact.current_from <= now(session) - timedelta(days=asked.days)
    return old & (Contact.state == "current") if name == "kept" else old


def first_since(session: Session, moment: object) -> int:
    """The key of the first contact that came in at a moment or later: keys go up with time, so halving finds it."""
    low, high = 1, (session.scalar(select(func.max(Contact.__table__.c.id))) or 0) + 1
    table = Contact.__table__.c
    while low < high:
        middle = (low + high) // 2
        query = select(table.created_at).where(table.id >= middle).order_by(table.id).limit(1)
        at = session.scalar(query)
        low, high = (low, middle) if at is None or at >= moment else (middle + 1, high)
    return low


def costs(session: Session) -> dict[str, float]:
    """What one gained value costs in yuan, by source, where the bureau has said so."""
    stored = session.scalar(select(Setting.value).where(Setting.key == COSTS))
    return {key: float(value) for key, value in stored.items()} if isinstance(stored, dict) else {}


def set_costs(session: Session, typed: Mapping[str, str], *, staff: Staff) -> None:
    """Say what one gained value costs, by source; a blank takes a cost away."""
    require(staff, "rules.edit")
    found: dict[str, float] = {}
    for source in SOURCES:
        text = typed.get(source, "").strip()
        if text:
            found[source] = _yuan(text)
    row = session.merge(Setting(key=COSTS, value=found))
    traces.record(session, "setting.changed", row, details={COSTS: found})


def _yuan(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        raise Refused("成本「%(text)s」不是数字。请填写每条多少元，例如 2.5。", text=text) from None
    if not 0 <= amount <= 100_000:
        raise Refused("成本要在 0 到 100000 元之间。")
    return round(amount, 2)


def _yield(source: str, row: object, known: Mapping[str, float]) -> Yield:
    names = ("gained", "proved", "refuted", "old", "kept")
    numbers = {name: int(getattr(row, name, 0) or 0) for name in names}
    return Yield(source, **numbers, cost=known.get(source))


def _finding() -> ColumnElement[str]:
    """What the latest finding about a value says."""
    found = aliased(Confirmation)
    names = ("customer_id", "kind", "value")
    latest = select(found.result).where(*(getattr(found, name) == getattr(Contact, name) for name in names))
    return latest.order_by(found.id.desc()).limit(1).correlate(Contact).scalar_subquery()


def _below(unit_id: int) -> Select[tuple[int]]:
    path = select(Unit.path).where(Unit.id == unit_id).scalar_subquery()
    return select(Unit.id).where(Unit.path.startswith(path))
