"""Lists of large tables: key paging without counting, chosen filters and sorts, posted searches, picking rows.

A list is a `ListPage` with a `Listing` and a `query()`. Filters stand in the address as codes; what a person types is
posted, kept server side and named by an id. A page begins after the row whose id the address carries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from flask import redirect, request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import db
from screens import access, filters
from screens.base import Page
from screens.filters import Filter
from services import saved_filters

NO_EXTRA: Mapping[int, Any] = {}


@dataclass(frozen=True)
class Column:
    """One column: its heading, and what it shows of a row; `show(row, extra)` gets what `Listing.load` found for it."""

    label: Any
    show: Callable[[Any, Any], Any]
    sort: str = ""
    css: str = ""


@dataclass(frozen=True)
class Sort:
    """One order: columns that are never null, all in one direction; the id settles ties."""

    label: Any
    columns: tuple[Any, ...]
    descending: bool = False


@dataclass(frozen=True)
class Search:
    """One field of the posted search, and what it does to the query."""

    key: str
    label: Any
    apply: Callable[[Any, str], Any]


@dataclass(frozen=True)
class Action:
    """A button for the picked rows: posts their ids as `rowid` to a view of the page, with `choice` where offered."""

    view: str
    label: Any
    permission: str
    question: Any = ""
    choices: Callable[[], Sequence[tuple[str, Any]]] | None = None


@dataclass(frozen=True)
class Listing:
    """What a list shows; the first sort is the usual one. `load(session, rows)` finds in one go what columns need."""

    id: InstrumentedAttribute[int]
    columns: Sequence[Column]
    sorts: Mapping[str, Sort]
    filters: Sequence[Filter] = ()
    searches: Sequence[Search] = ()
    actions: Sequence[Action] = ()
    load: Callable[[Session, Sequence[Any]], Mapping[int, Any]] = lambda _session, _rows: NO_EXTRA
    link: Callable[[Any], str] | None = None
    empty: Any = _l("没有符合条件的记录。")
    size: int = 50


@dataclass(frozen=True)
class Shown:
    """One page of a list, ready for templates/screens/_list.html."""

    listing: Listing
    rows: Sequence[Any]
    extra: Mapping[int, Any]
    chosen: Mapping[str, str]
    found: Mapping[str, str]
    sort: str
    find: str = ""
    before: int | None = None
    after: int | None = None
    actions: Sequence[Action] = field(default_factory=tuple)

    def labels(self) -> list[str]:
        """The headings as plain texts: looked up once, not once a cell."""
        return [str(column.label) for column in self.listing.columns]

    def address(self, **changes: Any) -> dict[str, Any]:
        """The arguments of this list's address with some changed; the place in the list starts afresh."""
        kept: dict[str, Any] = {**self.chosen, "sort": self.sort, "find": self.find or None} | changes
        if kept["sort"] == next(iter(self.listing.sorts)):  # the usual order needs no word in the address
            kept["sort"] = None
        return {key: value for key, value in kept.items() if value}


def show(session: Session, listing: Listing, query: Select[Any], screen: str) -> Shown:
    """The page that the request's address asks for."""
    args = request.args
    find = args.get("find", type=int)
    found = saved_filters.load(session, current_user.id, screen, find)
    chosen = filters.chosen(listing.filters, args)
    sort = args["sort"] if args.get("sort") in listing.sorts else next(iter(listing.sorts))
    query = filters.narrowed(query, listing.filters, chosen)
    for entry in listing.searches:
        if found.get(entry.key):
            query = entry.apply(query, found[entry.key])
    rows, before, after = _slice(session, listing, query, listing.sorts[sort])
    return Shown(
        listing=listing,
        rows=rows,
        extra=listing.load(session, rows),
        chosen=chosen,
        found=found,
        sort=sort,
        find=str(find) if found else "",
        before=before,
        after=after,
        actions=[entry for entry in listing.actions if access.may(entry.permission)],
    )


class ListPage(Page):
    """A page that is a list: `listing`, `query()`; the search is remembered and named by its id."""

    listing: ClassVar[Listing]
    template: ClassVar[str] = "screens/list.html"

    def query(self) -> Select[Any]:
        """The rows before filters; the scope of the session applies by itself."""
        raise NotImplementedError

    def permissions_for(self, method: str, *, reading: bool) -> tuple[str, ...]:
        return super().permissions_for(method, reading=reading or method == "search")

    @expose("/")
    def index(self) -> Any:
        """The list."""
        return self.render(self.template, **self.shown())

    def shown(self) -> dict[str, Any]:
        """What the template gets; pages add to it."""
        return {"page": show(db.session(), self.listing, self.query(), self.endpoint)}

    @expose("/search", methods=("POST",))
    def search(self) -> Any:
        """Keep what was typed, and go to the list that it finds."""
        return redirect(self.remembered(request.form), 303)

    def remembered(self, values: Mapping[str, str]) -> str:
        """The address of the list for a search."""
        typed = {entry.key: values.get(entry.key, "").strip() for entry in self.listing.searches}
        kept: dict[str, Any] = dict(filters.chosen(self.listing.filters, values))
        if any(typed.values()):
            kept["find"] = saved_filters.save(db.session(), current_user.id, self.endpoint, typed)
        return url_for(f"{self.endpoint}.index", **kept)


def _slice(
    session: Session, listing: Listing, query: Select[Any], sort: Sort
) -> tuple[list[Any], int | None, int | None]:
    """Rows of one page, and the ids that the links to the pages before and after it carry."""
    keys = (*sort.columns, listing.id)
    place = _place(
        session, listing, keys, request.args.get("before", type=int) or request.args.get("after", type=int)
    )
    backward = place is not None and "before" in request.args
    descending = sort.descending != backward
    if place is not None:
        here, there = tuple_(*keys), tuple_(*place)
        query = query.where(here < there if descending else here > there)
    query = query.order_by(None).order_by(*(key.desc() if descending else key for key in keys))
    rows = list(session.scalars(query.limit(listing.size + 1)).all())
    more = len(rows) > listing.size
    rows = rows[: listing.size]
    rows = rows[::-1] if backward else rows
    has_before, has_after = (more, True) if backward else (place is not None, more)
    first, last = (rows[0].id, rows[-1].id) if rows else (None, None)
    return rows, first if has_before else None, last if has_after else None


def _place(
    session: Session, listing: Listing, keys: Sequence[Any], row_id: int | None
) -> Sequence[Any] | None:
    """The sort keys of the row that a page begins after; None for the first page and for a row that is gone."""
    if row_id is None or not 0 < row_id < 2**63:
        return None
    return session.execute(select(*keys).where(listing.id == row_id)).first()
