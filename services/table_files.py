"""Tables written as files: XLSX in constant memory and CSV, every cell a text and never a formula."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
MEDIA = {"csv": CSV, "xlsx": XLSX}
MAX_CELL, MAX_NAME = 32_767, 31
MAX_WIDTH, MIN_WIDTH = 48, 8

_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r]")
_NUMBERS = re.compile(r"[+\-]?[\d\s;+().\-/]*")


@dataclass(frozen=True)
class SheetOf:
    """One worksheet: its name, what stands above the heading, the headings and the rows; widths in characters."""

    name: str
    headings: Sequence[str]
    rows: Iterable[Sequence[str]]
    above: Sequence[str] = ()
    widths: Sequence[float] = ()


@dataclass(frozen=True)
class Marks:
    """What the file says of itself; `mark` stands at the head and foot of each printed page and in its properties."""

    title: str
    made_at: datetime
    mark: str = ""


def write_workbook(path: Path, sheets: Iterable[SheetOf], marks: Marks) -> int:
    """Write a workbook row by row; returns the rows. The same rows and marks give the same bytes."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False})
    made = marks.made_at.replace(tzinfo=None, microsecond=0)
    book.set_properties({"title": marks.title, "comments": marks.mark, "created": made})
    bold = book.add_format({"bold": True, "num_format": "@", "text_wrap": True, "valign": "top"})
    text, taken, number = book.add_format({"num_format": "@"}), set[str](), 0
    for one in sheets:
        sheet = book.add_worksheet(_name(one.name, taken))
        _page(sheet, one, marks)
        number += _fill(sheet, one, (text, bold))
    book.close()
    return number


def write_csv(
    path: Path, headings: Sequence[str], rows: Iterable[Sequence[str]], *, above: Sequence[str] = ()
) -> int:
    """Write CSV that spreadsheets open (UTF-8 with BOM); what they would take for a formula gets an apostrophe."""
    number = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([safe_text(line)] for line in above)
        writer.writerow(headings)
        for row in rows:
            writer.writerow([safe_text(cell) for cell in row])
            number += 1
    return number


def safe_text(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe goes first; phone numbers (+86…) stay."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBERS.fullmatch(text) else text


def _page(sheet: Worksheet, one: SheetOf, marks: Marks) -> None:
    """How the sheet is printed: across, one page wide, the heading again on every page."""
    for at, width in enumerate(one.widths):
        sheet.set_column(at, at, max(MIN_WIDTH, min(MAX_WIDTH, width)))
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(len(one.above))
    mark = marks.mark.replace("&", "&&")[:200]
    sheet.set_header(f"&L{mark}")
    sheet.set_footer(f"&L{mark}&R&P/&N")
    sheet.freeze_panes(len(one.above) + 1, 0)


def _fill(sheet: Worksheet, one: SheetOf, formats: tuple[Format, Format]) -> int:
    text, bold = formats
    for at, line in enumerate(one.above):
        sheet.write_string(at, 0, line[:MAX_CELL], text)
    for column, heading in enumerate(one.headings):
        sheet.write_string(len(one.above), column, heading, bold)
    number = 0
    for row in one.rows:
        number += 1
        for column, cell in enumerate(row):
            sheet.write_string(len(one.above) + number, column, cell[:MAX_CELL], text)
    return number


def _name(wanted: str, taken: set[str]) -> str:
    """A name that a worksheet may have, none twice."""
    plain = _FORBIDDEN.sub(" ", wanted).strip()[:MAX_NAME] or "1"
    name, at = plain, 1
    while name.lower() in taken:
        at += 1
        name = f"{plain[: MAX_NAME - 4]} {at}"
    taken.add(name.lower())
    return name
