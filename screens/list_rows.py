"""The rows of a list as an address asks for them: narrowed, in the order chosen, one page by key, or all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import request
from flask import session as cookie
from flask_babel import gettext as _
from flask_security import current_user
from markupsafe import Markup, escape
from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from screens import access, filters
from screens.listings import Action, Asked, Listing, Slice
from services import saved_filters

EXPORTED_AT_ONCE = 500
SORTS = "sorts"  # in the cookie: the sort chosen last, by screen


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
            (
                str(entry.label),
                str(entry.told(self.chosen[entry.key])).strip(),
                self.address(**{entry.key: None}),
            )
            for entry in self.listing.filters
            if entry.key in self.chosen and not entry.is_tab
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

    def lines(self) -> Iterator[tuple[Any, Markup]]:
        """Each row with its cells as HTML: put together here, as a template takes several times as long for a cell."""
        columns, link = self.listing.columns, self.listing.link
        begins = [f'      <td class="{escape(c.css)}" data-label="{escape(c.label)}" ' for c in columns]
        for row in self.rows:
            extra = self.extra.get(row.id)
            texts = [escape("" if (value := c.show(row, extra)) is None else value) for c in columns]
            cells = texts if link is None else [f'<a href="{escape(link(row))}">{texts[0]}</a>', *texts[1:]]
            whole = zip(begins, texts, cells, strict=True)
            html = [f"{begin}{'' if text else 'data-empty'}>{cell}</td>\n" for begin, text, cell in whole]
            yield row, Markup("".join(html))  # noqa: S704 each part is escaped above

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
