"""Lists of large tables: key paging without counting, chosen filters and sorts, posted searches, picking rows.

A list is a `ListPage` with a `Listing` and a `query()`. Filters stand in the address as codes; what a person types is
posted, kept server side and named by an id. A page begins after the row whose id the address carries. The sort that a
person chose last is remembered. A list whose rows are found in another way than by one query brings its own `pages`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from flask import abort, redirect, request, url_for
from flask import session as cookie
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import db
from screens import access, filters
from screens.access import needs, reads
from screens.base import Page
from screens.exports import sent
from screens.filters import Filter
from services import exports, saved_filters

EXPORTS = (exports.RUN, "customers.export", "traces.export")
EXPORTED_AT_ONCE = 500
SORTS = "sorts"  # in the cookie: the sort chosen last, by screen
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
class Asked:
    """Which page of a list is asked for: its sort, the row that it begins after or ends before, the most rows."""

    sort: str
    after: int | None
    before: int | None
    size: int


@dataclass(frozen=True)
class Slice:
    """The rows of one page; whether there are rows before and after it; how many there are in all, where that was
    counted, exactly or at least; and what to say about it."""

    rows: Sequence[Any]
    has_before: bool
    has_after: bool
    number: int | None = None
    is_exact: bool = True
    note: Any = ""


@dataclass(frozen=True)
class Listing:
    """What a list shows; the first sort is the usual one. `load(session, rows)` finds in one go what columns need.

    `pages(session, query, asked)` finds the rows of a page where one query in order would not do; `advice` tells what
    to do where nothing is found.
    """

    id: InstrumentedAttribute[int]
    columns: Sequence[Column]
    sorts: Mapping[str, Sort]
    filters: Sequence[Filter] = ()
    searches: Sequence[Search] = ()
    actions: Sequence[Action] = ()
    load: Callable[[Session, Sequence[Any]], Mapping[int, Any]] = lambda _session, _rows: NO_EXTRA
    link: Callable[[Any], str] | None = None
    empty: Any = _l("没有符合条件的记录。")
    advice: Any = ""
    pages: Callable[[Session, Any, Asked], Slice] | None = None
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
    slice: Slice = Slice((), has_before=False, has_after=False)
    actions: Sequence[Action] = field(default_factory=tuple)

    def chips(self) -> list[tuple[str, Any, dict[str, Any]]]:
        """What narrows the list: heading, value, and the arguments of the address without it."""
        found = [
            (str(entry.label), str(entry.told(self.chosen[entry.key])).strip(), self.address(**{entry.key: None}))
            for entry in self.listing.filters
            if entry.key in self.chosen
        ]
        only = _("查找") if len(self.listing.searches) == 1 else ""
        return found + [
            (only or str(entry.label), self.found[entry.key], self.address(find=None))
            for entry in self.listing.searches
            if self.found.get(entry.key)
        ]

    def sorted_by(self) -> str:
        """The sort that the rows really have: none where a note says that they could not be sorted."""
        return "" if self.slice.note else self.sort

    def offers_sorts(self) -> bool:
        """Whether there is an order that no heading of a column offers."""
        return not set(self.listing.sorts) <= {column.sort for column in self.listing.columns}

    def labels(self) -> list[str]:
        """The headings as plain texts: looked up once, not once a cell."""
        return [str(column.label) for column in self.listing.columns]

    def address(self, **changes: Any) -> dict[str, Any]:
        """The arguments of this list's address with some changed; the place in the list starts afresh."""
        kept: dict[str, Any] = {**self.chosen, "sort": self.sort, "find": self.find or None} | changes
        if len(self.listing.sorts) == 1:  # else it is said: another window may have another sort remembered
            kept["sort"] = None
        return {key: value for key, value in kept.items() if value}


@dataclass(frozen=True)
class Narrowed:
    """A list's query with what was chosen and searched for applied."""

    query: Any
    chosen: Mapping[str, str]
    found: Mapping[str, str]
    find: int | None


def narrow(session: Session, listing: Listing, query: Any, screen: str, args: Any) -> Narrowed:
    """The query as an address or a form narrows it."""
    find = args.get("find", type=int)
    found = saved_filters.load(session, current_user.id, screen, find)
    chosen = filters.chosen(listing.filters, args)
    query = filters.narrowed(query, listing.filters, chosen)
    for entry in listing.searches:
        if found.get(entry.key):
            query = entry.apply(query, found[entry.key])
    return Narrowed(query, chosen, found, find)


def show(session: Session, listing: Listing, query: Select[Any], screen: str) -> Shown:
    """The page that the request's address asks for."""
    args = request.args
    narrowed = narrow(session, listing, query, screen, args)
    chosen, found, find = narrowed.chosen, narrowed.found, narrowed.find
    sort = _sort(listing, screen)
    asked = Asked(sort, args.get("after", type=_key), args.get("before", type=_key), listing.size)
    page = _page(session, listing, narrowed.query, asked)
    return Shown(
        listing=listing,
        rows=page.rows,
        extra=listing.load(session, page.rows),
        chosen=chosen,
        found=found,
        sort=sort,
        find=str(find) if found else "",
        before=page.rows[0].id if page.rows and page.has_before else None,
        after=page.rows[-1].id if page.rows and page.has_after else None,
        slice=page,
        actions=[entry for entry in listing.actions if access.may(entry.permission)],
    )


def every_row(session: Session, listing: Listing, query: Any, sort: str) -> Iterator[list[Any]]:
    """All rows of a list as their cells, in the order of its pages, read chunk by chunk."""
    asked = Asked(sort, None, None, EXPORTED_AT_ONCE)
    while True:
        page = _page(session, listing, query, asked)
        extra = listing.load(session, page.rows)
        for row in page.rows:
            yield [column.show(row, extra.get(row.id)) for column in listing.columns]
        if not page.has_after or not page.rows:
            return
        asked = replace(asked, after=page.rows[-1].id)


class ListPage(Page):
    """A page that is a list: `listing`, `query()`; the search is remembered and named by its id."""

    listing: ClassVar[Listing]
    export_permission: ClassVar[str] = exports.RUN
    has_plain: ClassVar[bool] = False  # whether the masked values of its rows may be exported in plain
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

    @expose("/export", methods=("POST",))
    @needs(*EXPORTS)
    @reads
    def export(self) -> Any:
        """All rows of the list as a file: those of the page's filters and search, in its order."""
        if not self.is_accessible() or not access.may(self.export_permission):
            abort(403)
        session, listing = db.session(), self.listing
        narrowed = narrow(session, listing, self.query(), self.endpoint, request.form)
        asked = request.form.get("sort", "")
        sort = asked if asked in listing.sorts else next(iter(listing.sorts))
        rows = every_row(session, listing, narrowed.query, sort)
        headings = [column.label for column in listing.columns]
        return sent(str(self.label), headings, rows, permission=self.export_permission)

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


def _sort(listing: Listing, screen: str) -> str:
    """The sort that the address asks for, else the one that this browser chose last, else the usual one."""
    usual = next(iter(listing.sorts))
    kept = dict(cookie.get(SORTS, {}))
    chosen = request.args.get("sort", kept.get(screen, usual))
    sort = chosen if chosen in listing.sorts else usual
    if sort != kept.get(screen, usual):
        cookie[SORTS] = kept | {screen: sort}
    return sort


def _key(text: str) -> int | None:
    """An id from an address."""
    return key if 0 < (key := int(text)) < 2**63 else None


def _slice(session: Session, listing: Listing, query: Select[Any], asked: Asked) -> Slice:
    """Rows of one page by one query in the order of the sort."""
    sort = listing.sorts[asked.sort]
    keys = (*sort.columns, listing.id)
    place = _place(session, listing, keys, asked.before or asked.after)
    backward = place is not None and asked.before is not None
    descending = sort.descending != backward
    if place is not None:
        here, there = tuple_(*keys), tuple_(*place)
        query = query.where(here < there if descending else here > there)
    query = query.order_by(None).order_by(*(key.desc() if descending else key for key in keys))
    rows = list(session.scalars(query.limit(asked.size + 1)).all())
    return cut(rows, asked, has_place=place is not None)


def _page(session: Session, listing: Listing, query: Any, asked: Asked) -> Slice:
    return listing.pages(session, query, asked) if listing.pages else _slice(session, listing, query, asked)


def cut(rows: Sequence[Any], asked: Asked, *, has_place: bool) -> Slice:
    """A page from one row more than it has, read in the direction that was asked for."""
    more = len(rows) > asked.size
    rows = rows[: asked.size]
    if has_place and asked.before is not None:
        return Slice(rows[::-1], has_before=more, has_after=True)
    return Slice(rows, has_before=has_place, has_after=more)


def _place(
    session: Session, listing: Listing, keys: Sequence[Any], row_id: int | None
) -> Sequence[Any] | None:
    """The sort keys of the row that a page begins after; None for the first page and for a row that is gone."""
    if row_id is None:
        return None
    return session.execute(select(*keys).where(listing.id == row_id)).first()
