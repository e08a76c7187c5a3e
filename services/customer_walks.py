"""The ways to the rows of one page of customers: from a set, in the order of entry, unit by unit, by account number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select, true, tuple_
from sqlalchemy.orm import Session

from models import Customer, SearchRow, Unit

COUNTED = 1_000
NEAR = 4_000  # account numbers that are looked through before the units are asked one by one
ROWS, UNITS, CUSTOMERS = SearchRow.__table__, Unit.__table__, Customer.__table__


@dataclass(frozen=True)
class Limit:
    """One condition: how a row is asked, and how its customers are found where that can be done from an index."""

    check: ColumnElement[bool]
    found: Select[Any] | None = None
    is_text: bool = False
    most: int | None = None


class Read(NamedTuple):
    """What was read: one id more than a page has, where there are more."""

    ids: list[int]
    number: int
    is_exact: bool


@dataclass(frozen=True)
class Walk:
    """The order and the place that a page is read from."""

    keys: tuple[Any, ...]
    place: tuple[Any, ...] | None
    descending: bool
    number: int
    is_back: bool

    def beyond(self, columns: Sequence[Any]) -> list[Any]:
        """The condition of lying beyond the place."""
        if self.place is None:
            return []
        here, there = tuple_(*columns), tuple_(*self.place)
        return [here < there if self.descending else here > there]

    def up_to(self, last: Sequence[Any]) -> Any:
        """The condition of lying no farther than some row."""
        here, there = tuple_(*self.keys), tuple_(*last)
        return here >= there if self.descending else here <= there

    def order(self, columns: Sequence[Any]) -> list[Any]:
        """The order of the page; backwards where it is read backwards."""
        return [column.desc() if self.descending else column for column in columns]


def ask(session: Session, query: Any) -> Any:
    """Ask the database as it is: the scope stands in the query already."""
    return session.connection().execute(query)


def by_set(session: Session, walk: Walk, ids: Any, checks: Sequence[Any]) -> Read:
    """The customers of one condition, asked for all others, then sorted; and how many they are."""
    wanted = ids.cte("wanted").prefix_with("MATERIALIZED")
    rows = select(*walk.keys).join(wanted, wanted.c[0] == ROWS.c.customer_id).where(*checks)
    found = rows.cte("found").prefix_with("MATERIALIZED")
    columns = [found.c[key.name] for key in walk.keys]
    total = select(func.count()).select_from(found).scalar_subquery()
    query = select(found.c.customer_id, total).where(*walk.beyond(columns)).order_by(*walk.order(columns))
    page = ask(session, query.limit(walk.number)).all()
    number = page[0][1] if page else ask(session, select(total)).scalar() or 0
    return Read([row[0] for row in page], number, is_exact=True)


def by_entry(session: Session, walk: Walk, limits: Sequence[Limit]) -> Read:
    """Customers in the order of their ids, as the index of grams gives them."""
    checks, key = [limit.check for limit in limits], ROWS.c.customer_id
    query = select(key)
    found = next((limit.found for limit in limits if limit.is_text and limit.found is not None), None)
    if found is not None and session.get_bind().dialect.name == "sqlite":
        key = next(iter(found.selected_columns))
        query = found.join(ROWS, ROWS.c.customer_id == key)
    query = query.where(*checks, *walk.beyond([key])).order_by(*walk.order([key]))
    ids = list(ask(session, query.limit(walk.number)).scalars())
    is_all = walk.place is None and len(ids) < walk.number
    return Read(ids, len(ids) if is_all else walk.number - 1, is_all)


def by_account(session: Session, walk: Walk, checks: Sequence[Any]) -> list[int] | None:
    """The rows beyond the place in the order of all account numbers; None where too few of the next ones match."""
    key = CUSTOMERS.c.account_no
    beyond = walk.beyond([key, CUSTOMERS.c.id])
    last = ask(
        session, select(key).where(*beyond).order_by(*walk.order([key])).limit(1).offset(NEAR)
    ).scalar()
    if last is not None:
        beyond.append(key >= last if walk.descending else key <= last)
    query = select(CUSTOMERS.c.id).join(ROWS, ROWS.c.customer_id == CUSTOMERS.c.id).where(*beyond, *checks)
    ids = list(ask(session, query.order_by(*walk.order([key])).limit(walk.number)).scalars())
    return ids if len(ids) == walk.number or last is None else None


def counted(session: Session, units: Select[Any], checks: Sequence[Any]) -> tuple[int, bool]:
    """How many customers match, and whether exactly so many: counting stops."""
    some = select(ROWS.c.customer_id).where(ROWS.c.unit_id.in_(units), *checks).limit(COUNTED + 1).subquery()
    number = ask(session, select(func.count()).select_from(some)).scalar() or 0
    return min(number, COUNTED), number <= COUNTED


def by_order(session: Session, walk: Walk, units: Select[Any], checks: Sequence[Any]) -> list[int]:
    """The first rows beyond the place, unit by unit; a unit whose own first row comes too late is not read further."""
    heads = _heads(session, walk, units, checks)
    if not heads:
        return []
    here = UNITS.alias("here")
    limits = [ROWS.c.unit_id == here.c.id, *checks, *walk.beyond(walk.keys)]
    if len(heads) == walk.number:
        limits.append(walk.up_to(heads[-1][1:]))
    part = select(*walk.keys).where(*limits).order_by(*walk.order(walk.keys)).limit(walk.number)
    if session.get_bind().dialect.name == "sqlite":  # knows no LATERAL
        whole = ROWS.alias("whole")
        columns = [whole.c[key.name] for key in walk.keys]
        of_unit = part.with_only_columns(ROWS.c.customer_id).correlate(here)
        query = select(whole.c.customer_id).select_from(here.join(whole, whole.c.customer_id.in_(of_unit)))
    else:
        lateral = part.correlate(here).lateral("part")
        columns = [lateral.c[key.name] for key in walk.keys]
        query = select(lateral.c.customer_id).select_from(here.join(lateral, true()))
    query = query.where(here.c.id.in_([row[0] for row in heads])).order_by(*walk.order(columns))
    return list(ask(session, query.limit(walk.number)).scalars())


def _heads(session: Session, walk: Walk, units: Select[Any], checks: Sequence[Any]) -> Sequence[Any]:
    """The units whose first row beyond the place comes earliest, each with the keys of that row."""
    here, head = UNITS.alias("here"), ROWS.alias("head")
    first = select(ROWS.c.customer_id).where(ROWS.c.unit_id == here.c.id, *checks, *walk.beyond(walk.keys))
    first = first.order_by(*walk.order(walk.keys)).limit(1).correlate(here)
    columns = [head.c[key.name] for key in walk.keys]
    query = select(here.c.id, *columns).select_from(here)
    query = query.join(head, head.c.customer_id == first.scalar_subquery())
    query = query.where(here.c.id.in_(units)).order_by(*walk.order(columns))
    heads: Sequence[Any] = ask(session, query.limit(walk.number)).all()
    return heads
