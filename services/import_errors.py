"""The error file (错误清单): rejected rows in the sender's own layout with a reason, to be brought again."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import BatchRow, ImportBatch
from models.clock import utcnow
from models.words import IMPORT_REASONS
from services import files, import_spools
from services.table_files import MEDIA, Marks, SheetOf, write_workbook

KEEP_DAYS = 7
CHUNK = 1000
REASON = "拒收原因"

Line = Sequence[str]


def write(session: Session, batch: ImportBatch, spool: Path) -> Path | None:
    """Write the rejected rows of a batch beside its spool; None when no row was rejected. Only reads the database."""
    if not batch.rejected:
        return None
    path = spool.with_suffix(f".{batch.layout['kind']}")
    lines = _lines(session, batch.id, spool)
    if batch.layout["kind"] == "xlsx":
        _write_workbook(path, batch.layout, lines)
    else:
        _write_csv(path, batch.layout, lines)
    return path


def keep(session: Session, path: Path, file_name: str) -> str:
    """Keep an error file for seven days; returns its sha256."""
    kind = path.suffix.removeprefix(".")
    name = f"{Path(file_name).stem}-错误清单.{kind}"
    row = files.store(session, path, name, MEDIA[kind], keep_days=KEEP_DAYS)
    path.unlink()
    return row.sha256


def _lines(session: Session, batch_id: int, spool: Path) -> Iterator[Line]:
    """The heading, then each rejected row with its cells as they came and the reason; one column holds the reason."""
    headings = import_spools.layout_of(spool).headings
    place = headings.index(REASON) if REASON in headings else len(headings)
    yield [*headings[:place], REASON, *headings[place + 1 :]]
    after = 0
    while rows := _rejected(session, batch_id, after):
        cells = import_spools.cells_of(spool, list(rows))
        for number, reason in rows.items():
            yield _line(cells[number], place, len(headings), _sentence(number, reason))
        after = max(rows)


def _line(cells: Sequence[str], place: int, width: int, reason: str) -> Line:
    padded = [*cells, *[""] * (width - len(cells))]
    return [*padded[:place], reason, *padded[place + (place < width) :]]


def _sentence(number: int, reason: str) -> str:
    return f"原文件第 {number} 行：{IMPORT_REASONS.get(reason, reason)}"


def _rejected(session: Session, batch_id: int, after: int) -> Mapping[int, str]:
    rows = BatchRow.__table__.c
    query = select(rows.row, rows.reason).where(rows.batch_id == batch_id, rows.outcome == "rejected", rows.row > after)
    return {row.row: row.reason for row in session.execute(query.order_by(rows.row).limit(CHUNK))}


def _write_csv(path: Path, layout: Mapping[str, Any], lines: Iterator[Line]) -> None:
    with path.open("w", encoding=layout["encoding"], errors="replace", newline="") as file:
        csv.writer(file, delimiter=layout["delimiter"]).writerows(lines)


def _write_workbook(path: Path, layout: Mapping[str, Any], lines: Iterator[Line]) -> None:
    """Cells are text whatever they look like: no live formula, no number that loses its zeros."""
    sheet = SheetOf(str(layout["sheet"]), next(lines), lines)
    write_workbook(path, [sheet], Marks(path.stem, utcnow()))
