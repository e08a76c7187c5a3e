"""One page of the customer list, at any depth, of any size of table: which rows to read first is chosen by counting.

Ways to the same rows (`customer_walks`). By a set: where the rarest condition leaves few customers, those are read and
sorted. By the order: where it leaves many, each unit's index is walked in order from the place of the page, and only
the units that can have rows on the page are read; by account number of everybody, one index of all. By entry: where a
search leaves very many, they come in the order in which they were entered. Counting stops at `MANY`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, and_, false, func, select
from sqlalchemy.orm import Session

from models import Customer, SearchRow, Unit
from models.scope import ALL, current_scope, own_customers
from services import search
from services.customer_walks import Limit, Read, Walk, ask, by_account, by_entry, by_order, by_set, counted
from services.search_texts import CLOSED, words_of

MANY = 30_000
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
        read = by_set(session, walk, rarest.found, checks)
    elif is_broad:
        read = by_entry(session, walk, [inside, *limits])
    else:
        read = _in_order(session, walk, wanted, [limit.check for limit in limits])
    shown, more = read.ids[: wanted.size], len(read.ids) > wanted.size
    shown = shown[::-1] if walk.is_back else shown
    return Page(tuple(shown), more, read.number, read.is_exact, sort, walk.place is not None)


def _in_order(session: Session, walk: Walk, wanted: Wanted, checks: Sequence[Any]) -> Read:
    """The rows beyond the place: by all account numbers where that is the order and nearly every unit is asked for."""
    units, ids = _units(session, wanted), None
    if wanted.sort == "account_no" and wanted.unit_id is None and _reaches_all(session):
        ids = by_account(session, walk, [(ROWS.c.unit_id + 0).in_(units), *checks])
    if ids is None:
        ids = by_order(session, walk, units, checks)
    return Read(ids, *counted(session, units, checks))


def _reaches_all(session: Session) -> bool:
    """Whether the scope is that of the topmost unit."""
    scope = current_scope(session)
    return scope is not None and not scope.own and scope.path.count("/") <= 2


def _limits(session: Session, wanted: Wanted) -> list[Limit]:
    """Everything that the page is limited by, but the units of the scope."""
    limits = []
    facets = ROWS.c.facets.bitwise_and(wanted.care) == wanted.want
    few = Limit(facets, _with_facets(wanted), most=_few(session))
    limits.append(few if wanted.want else Limit(facets))
    if wanted.manager_id is not None:
        looked_after = select(CUSTOMERS.c.id).where(CUSTOMERS.c.manager_id == wanted.manager_id)
        limits.append(Limit(ROWS.c.manager_id == wanted.manager_id, looked_after))
    scope = current_scope(session)
    if scope is not None and scope.own:
        own = own_customers(scope)
        limits.append(Limit(ROWS.c.customer_id.in_(own), own))
    if wanted.text:  # last: the dearest to check
        words = words_of(wanted.text)
        asked = search.rarest_grams(session, words)
        found = search.candidates(session, asked) if asked else None
        limits.append(Limit(and_(*search.holding(session, words)), found, is_text=True))
    return limits


def _in_units(session: Session, wanted: Wanted) -> Limit:
    """The units of the scope below the chosen one; the `+ 0` keeps planners from walking an index of units instead."""
    units = _units(session, wanted)
    found = select(ROWS.c.customer_id).where(ROWS.c.unit_id.in_(units)) if wanted.text else None
    return Limit((ROWS.c.unit_id + 0).in_(units), found)


def _units(session: Session, wanted: Wanted) -> Select[tuple[int]]:
    scope = current_scope(session)
    query = select(UNITS.c.id)
    if scope is None:
        return query.where(false())
    if scope != ALL:
        query = query.where(UNITS.c.path.startswith(scope.path, autoescape=True))
    if wanted.unit_id is not None:
        path = ask(session, select(UNITS.c.path).where(UNITS.c.id == wanted.unit_id)).scalar() or "-"
        query = query.where(UNITS.c.path.startswith(path, autoescape=True))
    return query


def _with_facets(wanted: Wanted) -> Select[tuple[int]]:
    """The customers with some facets, by the few sums of bits that occur: found by leaping through their index."""
    first = select(func.min(ROWS.c.facets).label("facets")).cte("leaps", recursive=True)
    after = select(ROWS.c.facets).where(ROWS.c.facets > first.c.facets).order_by(ROWS.c.facets).limit(1)
    leaps = first.union_all(select(after.scalar_subquery()).where(first.c.facets.is_not(None)))
    sums = select(leaps.c.facets).where(leaps.c.facets.bitwise_and(wanted.care) == wanted.want)
    return select(ROWS.c.customer_id).where(ROWS.c.facets.in_(sums))


def _rarest(session: Session, limits: Sequence[Limit]) -> Limit | None:
    """The condition that finds the fewest customers, if they are not very many."""
    best, fewest = None, MANY + 1
    for limit in limits:
        if limit.found is not None:
            most = MANY if limit.most is None else limit.most
            counted = limit.found.limit(min(fewest, most + 1)).subquery()
            number = ask(session, select(func.count()).select_from(counted)).scalar() or 0
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
    last = ask(session, select(func.max(ROWS.c.customer_id))).scalar() or 0
    return max(min(FEW, MANY), min(MANY, last // FEW_OF))


def _walk(session: Session, wanted: Wanted, sort: str) -> Walk:
    keys = (ROWS.c.customer_id,) if sort == ENTRY else (SORTS[sort], ROWS.c.customer_id)
    at = wanted.before or wanted.after
    row = ask(session, select(*keys).where(ROWS.c.customer_id == at)).first() if at else None
    descending = wanted.descending and sort != ENTRY
    is_back = row is not None and wanted.before is not None
    return Walk(keys, tuple(row) if row else None, descending != is_back, wanted.size + 1, is_back)
