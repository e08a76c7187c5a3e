"""Checking a customer file without storing anything: every judged cell, and how many of each verdict a column has."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from quality import judge
from quality.verdicts import NOWHERE, Context, Verdict
from services import Refused
from services.headings import FIELDS
from services.table_files import safe_text
from services.tables import Row, Table

VERDICTS = ("valid", "repairable", "suspect", "invalid", "missing")
COLUMNS = ("row", "account", "field", "raw", "kind", "verdict", "values", "reasons")


class JudgedCell(NamedTuple):
    """One cell of a file with its verdict; `field` is the standard heading."""

    row: int
    account: str
    field: str
    raw: str
    verdict: Verdict


@dataclass
class Tally:
    """What a check counted: rows, rows that could not be read, and verdicts by standard heading."""

    rows: int = 0
    unreadable: list[int] = field(default_factory=list)
    verdicts: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, cell: JudgedCell) -> None:
        """Add one judged cell."""
        self.verdicts[cell.field][cell.verdict.verdict] += 1

    @property
    def fields(self) -> dict[str, dict[str, int]]:
        """Every judged column with the number of each verdict."""
        return {name: {verdict: counts[verdict] for verdict in VERDICTS} for name, counts in self.verdicts.items()}


def judge_rows(table: Table, tally: Tally, context: Context = NOWHERE) -> Iterator[JudgedCell]:
    """Judge every cell that has a rule, row by row, counting into `tally` on the way."""
    columns = [(name, FIELDS[name].heading) for name in table.mapping.values() if FIELDS[name].judged]
    tally.verdicts.update({heading: Counter() for _name, heading in columns})
    for row in table.rows():
        tally.rows += 1
        if row.error:
            tally.unreadable.append(row.number)
        for name, heading in columns:
            if name in row.fields:
                cell = _judge_cell(row, name, heading, context)
                tally.count(cell)
                yield cell


def _judge_cell(row: Row, name: str, heading: str, context: Context) -> JudgedCell:
    raw = row.fields[name]
    verdict = judge(FIELDS[name].judged, raw, context)
    return JudgedCell(row.number, row.fields.get("account_no", ""), heading, raw, verdict)


def write_cells(cells: Iterator[JudgedCell], path: Path) -> None:
    """Write judged cells as CSV (UTF-8 with BOM, so that spreadsheets read it); the file appears when it is whole."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(map(_line, cells))
        os.replace(part, path)
    except OSError as error:
        raise Refused(
            "写不了文件“%(path)s”(%(why)s)。请检查文件夹是否存在、可写,文件是否正被打开。",
            path=path, why=error.strerror,
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _line(cell: JudgedCell) -> tuple[str | int, ...]:
    verdict = cell.verdict
    values, reasons = ";".join(verdict.values), ";".join(verdict.reasons)
    texts = (cell.account, cell.field, cell.raw, verdict.kind, verdict.verdict, values, reasons)
    return (cell.row, *map(safe_text, texts))
