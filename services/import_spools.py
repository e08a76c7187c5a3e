"""The rows of one file laid out for an import: read once, then taken in chunks by any worker, in constant memory.

A spool is a SQLite file of its own. All rows of one account lie in one chunk, so that chunks do not depend on each
other. It holds what the upload held and is deleted with it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

from models.home import home_path
from quality.texts import storable
from services.import_units import Home
from services.tables import Row, Table

CHUNK = 1000
MAX_ACCOUNT = 40
NO_ACCOUNT = "no_account"
UNKNOWN_UNIT = "unknown_unit"
UNREADABLE_ACCOUNT = "unreadable_account"
CONTRADICTION = "contradiction"

Find = Callable[[Sequence[tuple[str, str]]], Sequence[Home | None]]
Singles = Callable[["SpoolRow"], Mapping[str, str]]

_SCHEMA = """
CREATE TABLE about (headings TEXT, mapping TEXT, rows INTEGER, starts TEXT);
CREATE TABLE rows (number INTEGER PRIMARY KEY, account TEXT, unit INTEGER, named INTEGER, error TEXT, cells TEXT);
CREATE TABLE later (number INTEGER PRIMARY KEY, lead INTEGER, error TEXT);
CREATE INDEX later_lead ON later (lead);
"""
_REPEATED = """
SELECT number, account, unit, named, error, cells, 0 FROM rows
WHERE error = '' AND account IN (SELECT account FROM rows WHERE error = '' GROUP BY account HAVING count(*) > 1)
ORDER BY account, number
"""
_READ = """
SELECT rows.number, account, unit, named, coalesce(nullif(later.error, ''), rows.error), cells, later.number IS NULL
FROM rows LEFT JOIN later ON later.number = rows.number WHERE {} ORDER BY rows.number
"""
_BETWEEN = "\x1f"


class SpoolRow(NamedTuple):
    """One row: its filled cells by our field as they came, where it belongs, and why it is rejected, if it is."""

    number: int
    account: str
    home: Home
    fields: Mapping[str, str]
    error: str
    is_first: bool


@dataclass(frozen=True)
class Layout:
    """What a spool knows of its file: the headings in order, heading -> field, its rows, and where chunks start."""

    headings: tuple[str, ...]
    mapping: Mapping[str, str]
    rows: int
    starts: tuple[int, ...]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """First and last row number of each chunk."""
        after = [*self.starts[1:], 2**62]
        return [(first, following - 1) for first, following in zip(self.starts, after, strict=True)]

    @property
    def columns(self) -> list[tuple[str, int]]:
        """Which field stands in which place of a row."""
        return [(self.mapping[text], place) for place, text in enumerate(self.headings) if text in self.mapping]

    def heading_of(self) -> dict[str, str]:
        """field -> the heading it came from."""
        return {field: heading for heading, field in self.mapping.items()}


def spool_path(batch_id: int) -> Path:
    """Where the spool of a batch lies: beside the stored files, so that every machine reaches it."""
    return home_path() / "files" / "imports" / f"{batch_id}.spool"


def build(path: Path, table: Table, find: Find, singles: Singles) -> Layout:
    """Read the file into a spool, whole or not at all: its rows, their homes, and rows that contradict earlier ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(draft)) as base:
            base.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {_SCHEMA}")
            layout = _fill(base, table, find)
            base.execute("CREATE INDEX rows_account ON rows (account)")
            _mark_repeated(base, layout, singles)
            base.commit()
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return layout


def layout_of(path: Path) -> Layout:
    """What a spool knows of its file."""
    with _opened(path) as base:
        return _layout(base)


def read(path: Path, first: int, last: int) -> list[SpoolRow]:
    """The rows of one chunk: those that lead in a span of row numbers, and the later rows of the same accounts."""
    leads = "rows.number BETWEEN ? AND ? AND later.number IS NULL"
    with _opened(path) as base:
        layout = _layout(base)
        found = base.execute(_READ.format(leads), (first, last)).fetchall()
        found += base.execute(_READ.format("later.lead BETWEEN ? AND ?"), (first, last)).fetchall()
    return [_spool_row(row, layout.columns) for row in found]


def cells_of(path: Path, numbers: Sequence[int]) -> dict[int, list[str]]:
    """The cells of some rows as they came: for the error file."""
    marks = ", ".join("?" * len(numbers))
    with _opened(path) as base:
        query = f"SELECT number, cells FROM rows WHERE number IN ({marks})"  # noqa: S608 marks only
        return {number: _cells(text) for number, text in base.execute(query, list(numbers))}


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as base:
        yield base


def _layout(base: sqlite3.Connection) -> Layout:
    headings, mapping, rows, starts = base.execute("SELECT headings, mapping, rows, starts FROM about").fetchone()
    return Layout(tuple(json.loads(headings)), json.loads(mapping), rows, tuple(json.loads(starts)))


def _fill(base: sqlite3.Connection, table: Table, find: Find) -> Layout:
    starts, number = [], 0
    rows = table.rows()
    while chunk := list(islice(rows, CHUNK)):
        starts.append(chunk[0].number)
        number += len(chunk)
        found = find([(row.fields.get("account_no", ""), row.fields.get("unit", "")) for row in chunk])
        lines = [_line(row, home) for row, home in zip(chunk, found, strict=True)]
        base.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", lines)
    layout = Layout(table.headings, table.mapping, number, tuple(starts))
    facts = (json.dumps(layout.headings), json.dumps(table.mapping), number, json.dumps(starts))
    base.execute("INSERT INTO about VALUES (?, ?, ?, ?)", facts)
    return layout


def _line(row: Row, home: Home | None) -> tuple[object, ...]:
    cells = _text(row.cells)
    account = storable(row.fields.get("account_no", ""))
    error = row.error or _unplaced(account, home)
    place = home or Home(0)
    return row.number, account, place.unit_id, place.named, error, cells


def _text(cells: Sequence[str]) -> str:
    """The cells of a row as one text: joined by a sign that no cell holds; where one does, as JSON."""
    text = _BETWEEN.join(cells)
    if text.count(_BETWEEN) != len(cells) - 1 or text.startswith("["):
        return json.dumps([storable(cell) for cell in cells], ensure_ascii=False)
    return storable(text)


def _cells(text: str) -> list[str]:
    cells: list[str] = json.loads(text) if text.startswith("[") else text.split(_BETWEEN)
    return cells


def _unplaced(account: str, home: Home | None) -> str:
    if not account:
        return NO_ACCOUNT
    if len(account) > MAX_ACCOUNT:
        return UNREADABLE_ACCOUNT
    return UNKNOWN_UNIT if home is None else ""


def _mark_repeated(base: sqlite3.Connection, layout: Layout, singles: Singles) -> None:
    """Tie later rows of an account to its first, and mark those that contradict what earlier ones say."""
    found = (_spool_row(row, layout.columns) for row in base.execute(_REPEATED))
    for _account, rows in groupby(found, key=lambda row: row.account):
        base.executemany("INSERT INTO later VALUES (?, ?, ?)", _marks(rows, singles))


def _marks(rows: Iterator[SpoolRow], singles: Singles) -> Iterator[tuple[int, int, str]]:
    first = next(rows)
    said = dict(singles(first))
    for row in rows:
        yield row.number, first.number, _compare(said, singles(row))


def _compare(said: dict[str, str], more: Mapping[str, str]) -> str:
    """Whether a row contradicts what earlier rows said; if not, what it adds is said from here on."""
    if any(said.get(name, value) != value for name, value in more.items()):
        return CONTRADICTION
    said.update(more)
    return ""


def _spool_row(row: tuple[int, str, int, int, str, str, int], columns: Sequence[tuple[str, int]]) -> SpoolRow:
    number, account, unit, named, error, text, is_first = row
    cells = _cells(text)
    width = len(cells)
    fields = {name: text for name, at in columns if at < width and (text := cells[at]) and not text.isspace()}
    return SpoolRow(number, account, Home(unit, bool(named)), fields, error, bool(is_first))
