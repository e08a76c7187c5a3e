"""One page of the customer list, at any depth, of any size of table: which rows to read first is chosen by counting.

Three ways to the same rows. By a set: where the rarest condition leaves few customers, those are read and sorted. By
the order: where it leaves many, each unit's index is walked in order from the place of the page, and only the units
that can have rows on the page are read. By entry: where a search leaves very many, they come in the order in which they
were entered. Counting stops at `MANY`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, false, func, select, true, tuple_
from sqlalchemy.orm import Session

from models import Customer, SearchRow, Unit
from models.scope import ALL, current_scope, own_customers
from services import search
from services.search_texts import CLOSED, words_of

MANY = 30_000
COUNTED = 1_000
FEW = 2_000
FEW_OF = 200  # of a large table, one in so many counts as few
ROWS, UNITS, CUSTOMERS = SearchRow.__table__, Unit.__table__, Customer.__table__
SORTS = {"account_no": ROWS.c.account_no, "opened_on": ROWS.c.opened_on, "changed_at": ROWS.c.changed_at}
ENTRY = "entry"


@dataclass(frozen=True)
class Wanted:
    """What a list is asked for: of the facets in `care`, exactly those in `want` must be set."""

    text: str = ""
    unit_id: int | None = None
    manager_id: int | None = None
    care: int = CLOSED
    want: int = 0
    sort: str = "account_no"
    descending: bool = False
    after: int | None = None
    before: int | None = None
    size: int = 50

    def having(self, bit: int) -> Wanted:
        """The same with one more facet asked for."""
        return replace(self, care=self.care | bit, want=self.want | bit)

    def without(self, bit: int) -> Wanted:
        """The same with one facet that must not be set."""
        return replace(self, care=self.care | bit)

    def closed_too(self) -> Wanted:
        """The same without leaving out closed accounts."""
        return replace(self, care=self.care & ~CLOSED | self.want & CLOSED)


@dataclass(frozen=True)
class Page:
    """The ids of one page in their order, whether there are more that way, how many there are in all, exactly or at
    least, and by what they are sorted."""

    ids: tuple[int, ...]
    more: bool
    number: int
    is_exact: bool
    sort: str
    has_place: bool


@dataclass(frozen=True)
class _Limit:
    """One condition: how a row is asked, and how its customers are found where that can be done from an index."""

    check: ColumnElement[bool]
    found: Select[Any] | None = None
    is_text: bool = False
    most: int | None = None


class _Read(NamedTuple):
    """What was read: one id more than a page has, where there are more."""

    ids: list[int]
    number: int
    is_exact: bool


@dataclass(frozen=True)
class _Walk:
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


def page(session: Session, wanted: Wanted) -> Page:
    """The page that is wanted, of the customers in the session's scope."""
    search.keep(session)
    _be_brief(session)
    inside, limits = _in_units(session, wanted), _limits(session, wanted)
    rarest = _rarest(session, [*limits[::-1], inside])
    is_broad = rarest is None and bool(wanted.text)
    sort = ENTRY if is_broad else wanted.sort
    walk = _walk(session, wanted, sort)
    if rarest is not None:
        checks = [limit.check for limit in (inside, *limits) if limit is not rarest or limit.is_text]
        read = _by_set(session, walk, rarest.found, checks)
    elif is_broad:
        read = _by_entry(session, walk, [inside, *limits])
    else:
        read = _by_order(session, walk, _units(session, wanted), [limit.check for limit in limits])
    shown, more = read.ids[: wanted.size], len(read.ids) > wanted.size
    shown = shown[::-1] if walk.is_back else shown
    return Page(tuple(shown), more, read.number, read.is_exact, sort, walk.place is not None)


def _limits(session: Session, wanted: Wanted) -> list[_Limit]:
    """Everything that the page is limited by, but the units of the scope."""
    limits = []
    facets = ROWS.c.facets.bitwise_and(wanted.care) == wanted.want
    few = _Limit(facets, _with_facets(wanted), most=_few(session))
    limits.append(few if wanted.want else _Limit(facets))
    if wanted.manager_id is not None:
        looked_after = select(CUSTOMERS.c.id).where(CUSTOMERS.c.manager_id == wanted.manager_id)
        limits.append(_Limit(ROWS.c.manager_id == wanted.manager_id, looked_after))
    scope = current_scope(session)
    if scope is not None and scope.own:
        own = own_customers(scope)
        limits.append(_Limit(ROWS.c.customer_id.in_(own), own))
    if wanted.text:  # last: the dearest to check
        words = words_of(wanted.text)
        asked = search.rarest_grams(session, words)
        found = search.candidates(session, asked) if asked else None
        limits.append(_Limit(and_(*search.holding(session, words)), found, is_text=True))
    return limits


def _in_units(session: Session, wanted: Wanted) -> _Limit:
    """The units of the scope below the chosen one; the `+ 0` keeps planners from walking an index of units instead."""
    units = _units(session, wanted)
    found = select(ROWS.c.customer_id).where(ROWS.c.unit_id.in_(units)) if wanted.text else None
    return _Limit((ROWS.c.unit_id + 0).in_(units), found)


def _units(session: Session, wanted: Wanted) -> Select[tuple[int]]:
    scope = current_scope(session)
    query = select(UNITS.c.id)
    if scope is None:
        return query.where(false())
    if scope != ALL:
        query = query.where(UNITS.c.path.startswith(scope.path, autoescape=True))
    if wanted.unit_id is not None:
        path = _ask(session, select(UNITS.c.path).where(UNITS.c.id == wanted.unit_id)).scalar() or "-"
        query = query.where(UNITS.c.path.startswith(path, autoescape=True))
    return query


def _with_facets(wanted: Wanted) -> Select[tuple[int]]:
    """The customers with some facets, by the few sums of bits that occur: found by leaping through their index."""
    first = select(func.min(ROWS.c.facets).label("facets")).cte("leaps", recursive=True)
    after = select(ROWS.c.facets).where(ROWS.c.facets > first.c.facets).order_by(ROWS.c.facets).limit(1)
    leaps = first.union_all(select(after.scalar_subquery()).where(first.c.facets.is_not(None)))
    sums = select(leaps.c.facets).where(leaps.c.facets.bitwise_and(wanted.care) == wanted.want)
    return select(ROWS.c.customer_id).where(ROWS.c.facets.in_(sums))


def _rarest(session: Session, limits: Sequence[_Limit]) -> _Limit | None:
    """The condition that finds the fewest customers, if they are not very many."""
    best, fewest = None, MANY + 1
    for limit in limits:
        if limit.found is not None:
            most = MANY if limit.most is None else limit.most
            counted = limit.found.limit(min(fewest, most + 1)).subquery()
            number = _ask(session, select(func.count()).select_from(counted)).scalar() or 0
            if number < fewest and number <= most:
                best, fewest = limit, number
    return best


def _be_brief(session: Session) -> None:
    """Every question here is short: starting helpers or a compiler would take PostgreSQL longer than answering."""
    if session.get_bind().dialect.name == "postgresql":
        for setting in ("max_parallel_workers_per_gather = 0", "jit = off"):
            session.connection().exec_driver_sql(f"SET LOCAL {setting}")


def _few(session: Session) -> int:
    """How many of all customers are so few that reading them alone is quicker than walking in order."""
    last = _ask(session, select(func.max(ROWS.c.customer_id))).scalar() or 0
    return max(min(FEW, MANY), min(MANY, last // FEW_OF))


def _ask(session: Session, query: Any) -> Any:
    """Ask the database as it is: the scope stands in the query already."""
    return session.connection().execute(query)


def _walk(session: Session, wanted: Wanted, sort: str) -> _Walk:
    keys = (ROWS.c.customer_id,) if sort == ENTRY else (SORTS[sort], ROWS.c.customer_id)
    at = wanted.before or wanted.after
    row = _ask(session, select(*keys).where(ROWS.c.customer_id == at)).first() if at else None
    descending = wanted.descending and sort != ENTRY
    is_back = row is not None and wanted.before is not None
    return _Walk(keys, tuple(row) if row else None, descending != is_back, wanted.size + 1, is_back)


def _by_set(session: Session, walk: _Walk, ids: Any, checks: Sequence[Any]) -> _Read:
    """The customers of one condition, asked for all others, then sorted; and how many they are."""
    wanted = ids.cte("wanted").prefix_with("MATERIALIZED")
    rows = select(*walk.keys).join(wanted, wanted.c[0] == ROWS.c.customer_id).where(*checks)
    found = rows.cte("found").prefix_with("MATERIALIZED")
    columns = [found.c[key.name] for key in walk.keys]
    total = select(func.count()).select_from(found).scalar_subquery()
    query = select(found.c.customer_id, total).where(*walk.beyond(columns)).order_by(*walk.order(columns))
    page = _ask(session, query.limit(walk.number)).all()
    number = page[0][1] if page else _ask(session, select(total)).scalar() or 0
    return _Read([row[0] for row in page], number, is_exact=True)


def _by_entry(session: Session, walk: _Walk, limits: Sequence[_Limit]) -> _Read:
    """Customers in the order of their ids, as the index of grams gives them."""
    checks, key = [limit.check for limit in limits], ROWS.c.customer_id
    query = select(key)
    found = next((limit.found for limit in limits if limit.is_text and limit.found is not None), None)
    if found is not None and session.get_bind().dialect.name == "sqlite":
        key = next(iter(found.selected_columns))
        query = found.join(ROWS, ROWS.c.customer_id == key)
    query = query.where(*checks, *walk.beyond([key])).order_by(*walk.order([key]))
    ids = list(_ask(session, query.limit(walk.number)).scalars())
    is_all = walk.place is None and len(ids) < walk.number
    return _Read(ids, len(ids) if is_all else walk.number - 1, is_all)


def _by_order(session: Session, walk: _Walk, units: Select[Any], checks: Sequence[Any]) -> _Read:
    """The first rows beyond the place, unit by unit; a unit whose own first row comes too late is not read further."""
    heads = _heads(session, walk, units, checks)
    counted = (
        select(ROWS.c.customer_id).where(ROWS.c.unit_id.in_(units), *checks).limit(COUNTED + 1).subquery()
    )
    number = _ask(session, select(func.count()).select_from(counted)).scalar() or 0
    total = min(number, COUNTED), number <= COUNTED
    if not heads:
        return _Read([], *total)
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
    return _Read(list(_ask(session, query.limit(walk.number)).scalars()), *total)


def _heads(session: Session, walk: _Walk, units: Select[Any], checks: Sequence[Any]) -> Sequence[Any]:
    """The units whose first row beyond the place comes earliest, each with the keys of that row."""
    here, head = UNITS.alias("here"), ROWS.alias("head")
    first = select(ROWS.c.customer_id).where(ROWS.c.unit_id == here.c.id, *checks, *walk.beyond(walk.keys))
    first = first.order_by(*walk.order(walk.keys)).limit(1).correlate(here)
    columns = [head.c[key.name] for key in walk.keys]
    query = select(here.c.id, *columns).select_from(here)
    query = query.join(head, head.c.customer_id == first.scalar_subquery())
    query = query.where(here.c.id.in_(units)).order_by(*walk.order(columns))
    heads: Sequence[Any] = _ask(session, query.limit(walk.number)).all()
    return heads
