"""The child process that opens one XLSX file: limits first, then on stdout JSON lines with blocks of rows between them.

Run as a script by `workbooks`; it imports nothing of ours, so that whatever a hostile file does happens here.
"""

from __future__ import annotations

import ctypes
import datetime
import gc
import json
import os
import resource
import signal
import sys
from itertools import islice
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum

MEMORY = 2 * 1024**3
CPU_SECONDS = 300
MAX_COLUMNS = 500
MAX_CELL = 32_767
BLOCK = 200  # rows a line: few enough that the top of a file comes at once
CELL, ROW = "\x1f", "\x1e"  # stand between cells and rows: hardly any cell holds them
_PR_SET_PDEATHSIG = 1
_ONLY_TEXT = frozenset({str})


def main(path: str, parent: int) -> None:
    """Write the head line, the rows with their numbers, and an end line; or one line with an error code."""
    _limit(parent)
    gc.disable()  # a short life of plain rows: nothing to collect
    try:
        sheet = _first_filled(CalamineWorkbook.from_path(path))
    except (CalamineError, ValueError, OSError):
        return _write({"error": "broken"})
    if sheet is None:
        return _write({"error": "empty"})
    if sheet.width > MAX_COLUMNS:
        return _write({"error": "too_wide"})
    _write({"sheet": sheet.name, "height": sheet.end[0] + 1 if sheet.end else 0})
    rows = sheet.iter_rows()
    number = 1
    while block := [_texts(cells) for cells in islice(rows, BLOCK)]:
        _write_block(number, block)
        number += len(block)
    return _write({"end": True})


def _texts(cells: list[Any]) -> list[str]:
    """A row as text; most rows hold nothing else, which is seen at once."""
    if _ONLY_TEXT.issuperset(map(type, cells)) and max(map(len, cells), default=0) <= MAX_CELL:
        return cells
    return [cell if type(cell) is str and len(cell) <= MAX_CELL else as_text(cell) for cell in cells]


def as_text(cell: Any) -> str:
    """A cell as text: whole numbers up to 15 digits without point, longer ones as 4.4E+17 (their end is lost)."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        return _number(cell)
    if isinstance(cell, datetime.datetime) and (cell.hour, cell.minute, cell.second) == (0, 0, 0):
        return cell.date().isoformat()
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    return str(cell)[:MAX_CELL]


def _number(cell: float) -> str:
    if abs(cell) >= 1e15:
        return f"{cell:.14E}"
    return str(int(cell)) if cell == int(cell) else repr(cell)


def _first_filled(book: CalamineWorkbook) -> CalamineSheet | None:
    shown = [sheet.name for sheet in book.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
    filled = (book.get_sheet_by_name(name) for name in shown or book.sheet_names)
    return next((sheet for sheet in filled if sheet.height), None)


def _limit(parent: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def _write_block(number: int, block: list[list[str]]) -> None:
    """Rows as one text whose size goes before it; where a cell holds what stands between cells, as JSON."""
    text = ROW.join([CELL.join(cells) for cells in block])
    if text.count(ROW) != len(block) - 1 or text.count(CELL) != sum(map(len, block)) - len(block):
        return _write({"n": number, "rows": block})
    written = text.encode("utf-8", "replace")
    _write({"n": number, "size": len(written)})
    sys.stdout.buffer.write(written)


def _write(line: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
