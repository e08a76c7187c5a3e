"""Customer files: what a file is, where its heading stands, which column is which, and its rows one by one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from services import Refused, csv_files, workbooks
from services.headings import FIELDS, HEADINGS, field_of, recognise

UNREADABLE_COLUMNS = "unreadable_columns"  # the row has more or fewer columns than the heading
UNREADABLE_ACCOUNT = "unreadable_account"  # a spreadsheet turned the account number into a float and lost its end

_HEADING_ROWS = 20
_SCIENTIFIC = re.compile(r"(\d)(?:\.(\d*))?E\+?(\d{1,3})", re.IGNORECASE)
_WRAPPED = re.compile(r'="([^"]*)"')


class Row(NamedTuple):
    """One row: its number in a spreadsheet (heading = 1), our fields with the raw text, and the cells as they came.

    `error` is empty, or why the row cannot be read; the fields are empty then, the cells are there for the error file.
    """

    number: int
    fields: dict[str, str]
    cells: tuple[str, ...]
    error: str = ""


@dataclass(frozen=True)
class Table:
    """A file whose heading is found. `mapping` says which heading holds which field; `lines` is about its rows.

    `unread` holds the records of a workbook that is still open: opening one costs as much as reading it to the end.
    """

    path: Path
    kind: str
    headings: tuple[str, ...]
    mapping: dict[str, str]
    heading_row: int
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    lines: int = 0
    damaged: int = 0
    title: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    unread: list[Iterator[tuple[int, tuple[str, ...]]]] = field(default_factory=list, repr=False, compare=False)

    @property
    def unmapped(self) -> tuple[str, ...]:
        """Headings that hold none of our fields: left out, or to be mapped by a person."""
        return tuple(heading for heading in self.headings if heading and heading not in self.mapping)

    def rows(self) -> Iterator[Row]:
        """The rows below the heading, streamed; rows without any text are passed over."""
        columns = [(self.mapping[text], place) for place, text in enumerate(self.headings) if text in self.mapping]
        for number, cells in _records(self):
            if number > self.heading_row and any(map(str.strip, cells)):
                yield _read_row(number, cells, columns=columns, width=len(self.headings))


def open_table(path: str | Path, mapping: Mapping[str, str] | None = None) -> Table:
    """Open a customer file for reading; refused when it is none, or when no column holds the account numbers.

    `mapping` (heading -> field or standard heading, empty to leave a column out) goes before what is recognised.
    """
    table = look_into(path, mapping)
    if "account_no" not in table.mapping.values():
        raise Refused(
            "文件“%(name)s”里没有找到户号一列(第 %(row)s 行的标题是:%(headings)s)。"
            "请把户号所在列的标题改为“户号”,或在导入页面上把它对应到“户号”后再试。",
            name=table.path.name, row=table.heading_row, headings=_listed(table.headings),
        )
    return table


def look_into(path: str | Path, mapping: Mapping[str, str] | None = None) -> Table:
    """Find out what a file is and what its columns hold, even when the account number is not recognised yet."""
    path = Path(path)
    if not path.is_file():
        raise Refused("找不到文件“%(path)s”,请检查文件名和所在文件夹。", path=path)
    if path.stat().st_size == 0:
        raise Refused("文件“%(name)s”是空的,请重新导出后再试。", name=path.name)
    blank = Table(path, "", (), {}, 0)
    found = _look_into_workbook(blank) if workbooks.is_workbook(path) else _look_into_csv(blank)
    _refuse_duplicates(found)
    return replace(found, mapping=_mapped(found, mapping or {}))


def read_account_no(text: str) -> str:
    """An account number as text, whatever a spreadsheet made of it; empty when blank or when digits were lost."""
    if text.isascii() and text.isdigit():
        return text
    flat = unicodedata.normalize("NFKC", text)
    flat = "".join(char for char in flat if not char.isspace() and unicodedata.category(char) != "Cf")
    wrapped = _WRAPPED.fullmatch(flat)
    flat = (wrapped.group(1) if wrapped else flat).strip("'`\"")
    if re.fullmatch(r"\d+\.0+", flat):
        return flat.partition(".")[0]
    scientific = _SCIENTIFIC.fullmatch(flat)
    return _whole(scientific) if scientific else flat


def _whole(scientific: re.Match[str]) -> str:
    first, rest, power = scientific.group(1), scientific.group(2) or "", int(scientific.group(3))
    return first + rest if len(rest) == power and len(first + rest) <= 15 else ""


def _read_row(number: int, cells: tuple[str, ...], *, columns: Sequence[tuple[str, int]], width: int) -> Row:
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) != width:
        return Row(number, {}, cells, UNREADABLE_COLUMNS)
    fields = {name: cells[place] for name, place in columns}
    account = fields.get("account_no", "")
    if account:
        fields["account_no"] = read_account_no(account)
        if account.strip() and not fields["account_no"]:
            return Row(number, fields, cells, UNREADABLE_ACCOUNT)
    return Row(number, fields, cells)


def _records(table: Table) -> Iterator[tuple[int, tuple[str, ...]]]:
    if table.kind == "csv":
        return csv_files.records(table.path, table.encoding, table.delimiter)
    return table.unread.pop() if table.unread else workbooks.records(table.path)


def _look_into_workbook(blank: Table) -> Table:
    sheet = workbooks.look_into(blank.path, _HEADING_ROWS)
    found = replace(blank, kind="xlsx", sheet=sheet.name, lines=sheet.height, unread=[sheet.records])
    return _with_heading(found, sheet.top)


def _look_into_csv(blank: Table) -> Table:
    coding = csv_files.detect_encoding(blank.path)
    tops = csv_files.tops(blank.path, coding.name, _HEADING_ROWS)
    delimiter = max(tops, key=lambda sign: _likeliness(tops[sign]))
    found = replace(
        blank, kind="csv", encoding=coding.name, delimiter=delimiter, lines=coding.lines, damaged=coding.damaged
    )
    return _with_heading(found, tops[delimiter])


def _likeliness(top: Sequence[Sequence[str]]) -> tuple[int, int]:
    """How much a table's top looks like one: recognised headings, then the usual number of columns."""
    widths = sorted(len(cells) for cells in top if any(cells))
    return max((_known(cells) for cells in top), default=0), widths[len(widths) // 2] if widths else 0


def _known(cells: Sequence[str]) -> int:
    return len({field_of(cell) for cell in cells} - {""})


def _with_heading(found: Table, top: Sequence[tuple[str, ...]]) -> Table:
    filled = [place for place, cells in enumerate(top) if any(map(str.strip, cells))]
    if not filled:
        raise Refused(
            "文件“%(name)s”里没有内容(前 %(rows)s 行都是空的),请检查导出的是不是客户清单。",
            name=found.path.name, rows=_HEADING_ROWS,
        )
    best = max(filled, key=lambda place: (_known(top[place]), _texts(top[place]), -place))
    headings = tuple(" ".join(cell.split()) for cell in top[best])
    while headings and not headings[-1]:
        headings = headings[:-1]
    return replace(found, headings=headings, heading_row=best + 1, title=tuple(top[:best]))


def _texts(cells: Sequence[str]) -> int:
    return len({cell.strip() for cell in cells if cell.strip() and not any(map(str.isdigit, cell))})


def _refuse_duplicates(found: Table) -> None:
    named = [heading for heading in found.headings if heading]
    twice = sorted({heading for heading in named if named.count(heading) > 1}, key=named.index)
    if twice:
        raise Refused(
            "文件“%(name)s”第 %(row)s 行的标题重复:%(twice)s。请把重复的列改名或删除后再试。",
            name=found.path.name, row=found.heading_row, twice=_listed(twice),
        )


def _mapped(found: Table, wishes: Mapping[str, str]) -> dict[str, str]:
    unknown = [heading for heading in wishes if heading not in found.headings]
    if unknown:
        raise Refused(
            "文件“%(name)s”里没有这些标题:%(unknown)s。文件中的标题是:%(headings)s。请重新对应。",
            name=found.path.name, unknown=_listed(unknown), headings=_listed(found.headings),
        )
    wanted = {heading: _field(wish) for heading, wish in wishes.items()}
    taken = [name for name in wanted.values() if name]
    if len(set(taken)) < len(taken):
        twice = sorted({FIELDS[name].heading for name in taken if taken.count(name) > 1})
        raise Refused("有两列对应到了同一项:%(twice)s。一项只能对应一列,请改正后再试。", twice=_listed(twice))
    known = recognise(heading for heading in found.headings if heading not in wanted)
    merged = {heading: name for heading, name in known.items() if name not in taken}
    merged.update({heading: name for heading, name in wanted.items() if name})
    return {heading: merged[heading] for heading in found.headings if heading in merged}


def _field(wish: str) -> str:
    if not wish:
        return ""
    if wish in FIELDS:
        return wish
    if wish in HEADINGS:
        return HEADINGS[wish].field
    raise Refused("没有“%(wish)s”这一项,不能对应。可用的有:%(known)s。", wish=wish, known=_listed(HEADINGS))


def _listed(words: Sequence[str] | Mapping[str, object]) -> str:
    shown = [word[:20] or "(空)" for word in islice(words, 40)]
    return "、".join([*shown, *(["……"] if len(words) > len(shown) else [])]) or "(无)"
