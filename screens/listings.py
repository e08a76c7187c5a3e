"""What a list of a large table is made of: columns, sorts, searches, buttons; and a page of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import InstrumentedAttribute, Session

from screens.filters import Filter

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
