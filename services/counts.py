"""What is counted of customers: their current values, and their required items; kept as sums that deltas move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from math import inf
from typing import Any

from sqlalchemy import Table, delete, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Contact, ContactCount, CountSet, Customer, QualityCount, RequiredField
from models.bulk import among, stored
from models.counts import ANY_MONTH, current_set
from quality.measures import Bit, Recorded, bits_of, has

CUSTOMERS = Customer.__table__
CONTACTS = Contact.__table__
FACTS = ("id", "unit_id", "customer_class", "manager_id", "opened_on", "closed_on")
VALUES = ("customer_id", "unit_id", "kind", "verdict", "recorder_id", "preferred", "id")
PAGE = 1000
MEASURED = {"required": Bit.REQUIRED, "recorded": Bit.RECORDED, "good": Bit.GOOD, "valid": Bit.VALID}
RANK = {"valid": 0, "repairable": 1, "suspect": 2, "invalid": 3, "missing": 4}
LOCK = 7_041_001  # the advisory lock of PostgreSQL under which counts are kept

Required = Mapping[str, Sequence[str]]
Facts = tuple[
    int, int, str, int | None, date | None, date | None
]  # customer, unit, class, manager, opened, closed
Value = tuple[
    int, int, str, str, int | None, bool, int
]  # customer, unit, kind, verdict, recorder, preferred, id


# The group that a required item counts in: unit, whoever answers for it (0: nobody), class, month of opening.
Item = tuple[int, int, str, str]


@dataclass(frozen=True)
class Tally:
    """Some customers counted: current values by (unit, kind, verdict), required items by group and bits."""

    values: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    items: Counter[tuple[Item, int]] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count others too."""
        self.values.update(other.values)
        self.items.update(other.items)

    def without(self, other: Tally) -> Tally:
        """What this one has more than another, or less."""
        values, items = self.values.copy(), self.items.copy()
        values.subtract(other.values)
        items.subtract(other.items)
        return Tally(values, items)


def required_kinds(session: Session) -> dict[str, list[str]]:
    """Which kinds customers of each class must have."""
    found: dict[str, list[str]] = {}
    for row in session.execute(select(RequiredField.customer_class, RequiredField.kind)):
        found.setdefault(row.customer_class, []).append(row.kind)
    return found


def tally(session: Session, customer_ids: Iterable[int], required: Required) -> Tally:
    """Count customers as they stand in this transaction, a page at a time."""
    ids, found = sorted(set(customer_ids)), Tally()
    for place in range(0, len(ids), PAGE):
        found.add(_tally_page(session, ids[place : place + PAGE], required))
    return found


def lock(session: Session, *, alone: bool = False) -> None:
    """Keep whoever builds or swaps a set of counts (`alone`) and those who move counts apart; SQLite does by itself."""
    if session.get_bind().dialect.name == "postgresql":
        shared = "" if alone else "_shared"
        session.execute(text(f"SELECT pg_advisory_xact_lock{shared}(:key)"), {"key": LOCK})


def lock_customers(session: Session, customer_ids: Iterable[int]) -> None:
    """Keep others from changing these customers until the transaction ends, always in the order of their keys."""
    ids = sorted(set(customer_ids))
    for place in range(0, len(ids) if session.get_bind().dialect.name == "postgresql" else 0, PAGE):
        query = select(CUSTOMERS.c.id).where(CUSTOMERS.c.id.in_(ids[place : place + PAGE]))
        session.execute(query.order_by(CUSTOMERS.c.id).with_for_update()).all()


def add_tally(session: Session, set_id: int, more: Tally) -> None:
    """Add to a set of counts: summed first and written in the order of keys, so that writers never cross."""
    values = [(set_id, *key, number) for key, number in sorted(more.values.items()) if number]
    _upsert(session, ContactCount.__table__, values)
    rows = [(set_id, *key, *sums) for key, sums in sorted(quality_sums(more.items).items()) if any(sums)]
    _upsert(session, QualityCount.__table__, rows)


def quality_sums(items: Mapping[tuple[Item, int], int]) -> dict[tuple[str, int, int, str], list[int]]:
    """Items as rows of `quality_counts`: by month, unit, person, class, and once more over all months."""
    found: dict[tuple[str, int, int, str], list[int]] = {}
    for ((unit_id, staff_id, customer_class, opened), bits), number in items.items():
        if not number:
            continue
        places = _places(bits)
        for month in (opened, ANY_MONTH):
            sums = found.setdefault((month, unit_id, staff_id, customer_class), [0, 0, 0, 0])
            for place in places:
                sums[place] += number
    return found


@lru_cache
def _places(bits: int) -> tuple[int, ...]:
    """Which of the sums an item with these bits counts in."""
    return tuple(place for place, wanted in enumerate(MEASURED.values()) if has(bits, wanted))


def reach_of_sets(session: Session) -> dict[int, float]:
    """Up to which customer each set of counts knows: the one that is read all of them, one being built fewer."""
    query = select(CountSet.id, CountSet.state, CountSet.counted_to).where(
        CountSet.state.in_(("current", "building"))
    )
    found = {row.id: inf if row.state == "current" else row.counted_to for row in session.execute(query)}
    return found if inf in found.values() else {0: inf, **found}


def recount(session: Session) -> None:
    """Count everything anew in one transaction: after a repair by hand, and the proof that the deltas are right."""
    set_id, required = current_set(session), required_kinds(session)
    lock(session, alone=True)
    for table in (ContactCount.__table__, QualityCount.__table__):
        session.execute(delete(table).where(table.c.set_id == set_id))
    for ids in pages(session):
        add_tally(session, set_id, tally(session, ids, required))


def pages(session: Session, *, after: int = 0, size: int = PAGE) -> Iterator[list[int]]:
    """The ids of all customers in pages, in order."""
    while True:
        query = select(CUSTOMERS.c.id).where(CUSTOMERS.c.id > after).order_by(CUSTOMERS.c.id).limit(size)
        ids = list(session.scalars(query))
        if not ids:
            return
        after = ids[-1]
        yield ids


def _tally_page(session: Session, ids: Sequence[int], required: Required) -> Tally:
    values = stored(session, CONTACTS, VALUES, f"{among('customer_id', ids)} AND state = 'current'")
    return tally_of(stored(session, CUSTOMERS, FACTS, among("id", ids)), values, required)


def tally_of(customers: Iterable[Facts | Any], contacts: Iterable[Value | Any], required: Required) -> Tally:
    """Count customers with their current values. Of several of a kind the preferred one counts, then the best, then
    the newest."""
    best: dict[tuple[int, str], tuple[bool, int, int, str, int | None]] = {}
    values: Counter[tuple[int, str, str]] = Counter()
    for customer_id, unit_id, kind, verdict, recorder_id, preferred, key in contacts:
        values[unit_id, kind, verdict] += 1
        order = (preferred, -RANK.get(verdict, 9), key, verdict, recorder_id)
        held = best.get((customer_id, kind))
        if held is None or order[:3] > held[:3]:
            best[customer_id, kind] = order
    return Tally(values, Counter(_items(customers, best, required)))


def _items(
    customers: Iterable[Facts | Any],
    best: Mapping[tuple[int, str], tuple[bool, int, int, str, int | None]],
    required: Required,
) -> Iterator[tuple[Item, int]]:
    nothing = (False, 0, 0, "missing", None)
    for key, unit_id, customer_class, manager_id, opened_on, closed_on in customers:
        if closed_on is not None:
            continue
        opened = (
            str(opened_on)[:7] if opened_on else ""
        )  # a date, or its text as the driver of SQLite gives it
        for kind in required.get(customer_class, ()):
            *_order, verdict, recorder_id = best.get((key, kind), nothing)
            staff_id = manager_id if verdict == "missing" else recorder_id
            yield (unit_id, staff_id or 0, customer_class, opened), BITS[verdict]


BITS = {verdict: bits_of(Recorded(verdict, None), None) for verdict in RANK}


def _upsert(session: Session, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows or add to those that stand; both databases have it under their own name."""
    if not rows:
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    sums = {c.name: c + statement.excluded[c.name] for c in table.c if not c.primary_key}
    keys = [column.name for column in table.primary_key]
    statement = statement.on_conflict_do_update(index_elements=keys, set_=sums)
    names = [column.name for column in table.c]
    connection = session.connection()
    if dialect is sqlite:
        compiled = statement.compile(dialect=connection.dialect, column_keys=names)
        connection.exec_driver_sql(str(compiled), list(rows))
    else:
        connection.execute(statement, [dict(zip(names, row, strict=True)) for row in rows])
