"""How fast a customer file is brought in, judging included, against only writing the rows that it makes.

    python bench/importing.py [--rows 200000] [--xlsx 50000]

Generates a believable file (23 columns, GB18030) and imports it into a new SQLite home. After every chunk the rows that
it made are copied into an empty database of the same tables and indexes by bare `executemany`, one transaction a
chunk: both sides meet the same machine. Prints one JSON object: rows a second, CPU seconds of both and their ratio, the
share of each stage (of this process; children judge ahead where there are cores), the peak of memory. `--xlsx`
compares reading a workbook with openpyxl, where somebody has installed that.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import importlib.util
import json
import os
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import xlsxwriter  # noqa: E402 - the checkout is not an installed package
from python_calamine import CalamineWorkbook  # noqa: E402
from sqlalchemy import select  # noqa: E402

from models import Staff, db  # noqa: E402
from models.people import root_unit  # noqa: E402
from models.scope import ALL, set_scope  # noqa: E402
from seed import files, staffing  # noqa: E402
from seed.bureau import make_bureau  # noqa: E402
from services import (  # noqa: E402
    changes,
    contacts,
    counts,
    import_errors,
    import_readers,
    import_rows,
    import_spools,
    import_waves,
    imports,
    policies,
    search,
    tables,
    traces,
    units,
    upgrades,
)
from services.import_spools import spool_path  # noqa: E402
from services.search_texts import grams  # noqa: E402

MADE = ("customers", "customer_versions", "contacts", "traces", "batch_rows", "search_rows")
KEY = {"search_rows": "customer_id"}
TODAY = date(2026, 11, 20)
COLUMNS = 23
STAGES = {
    "lay_out": (imports, "lay_out"),
    "read": (import_spools, "read"),
    "judge": (import_rows, "judge"),
    "rows": (import_rows, "read_rows"),
    "steps": (import_waves, "_steps"),
    "drafts": (import_waves, "_drafts"),
    "policy": (policies, "settling"),
    "write_contacts": (contacts, "_insert"),
    "touch": (contacts, "_touch"),
    "traces": (traces, "record_lines"),
    "counts": (changes, "_fresh"),
    "count_rows": (counts, "add_tally"),
    "search": (search, "keep"),
}


@dataclass
class Clock:
    """CPU seconds of stages, each without the stages inside it."""

    spent: Counter[str] = field(default_factory=Counter)
    inner: list[float] = field(default_factory=list)

    def watch(self, name: str, module: Any, function: str) -> None:
        """Have a function's time counted."""
        real = getattr(module, function)

        @functools.wraps(real)
        def watched(*args: Any, **options: Any) -> Any:
            began = time.process_time()
            self.inner.append(0.0)
            try:
                return real(*args, **options)
            finally:
                whole, inside = time.process_time() - began, self.inner.pop()
                self.spent[name] += whole - inside
                if self.inner:
                    self.inner[-1] += whole

        setattr(module, function, watched)


class Bare:
    """The same tables and indexes, written by nothing but the driver."""

    def __init__(self, made: Path, empty: Path) -> None:
        self.source = sqlite3.connect(made)
        self.target = sqlite3.connect(empty, isolation_level=None)
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
            self.target.execute(f"PRAGMA {pragma}")
        self.after = dict.fromkeys(MADE, 0)
        self.cpu = 0.0

    def copy(self) -> None:
        """Write what was made since; reading it is not counted."""
        found = {table: self._new(table) for table in MADE}
        texts = [(row[0], " ".join(sorted(grams(row[-1])))) for row in found["search_rows"]]
        began = time.process_time()
        self.target.execute("BEGIN IMMEDIATE")
        for table, rows in found.items():
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                self.target.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 our own tables
        self.target.executemany("INSERT INTO search_grams(rowid, grams) VALUES (?, ?)", texts)
        self.target.execute("COMMIT")
        self.cpu += time.process_time() - began

    def _new(self, table: str) -> list[tuple[Any, ...]]:
        key = KEY.get(table, "id")
        query = f"SELECT * FROM {table} WHERE {key} > ? ORDER BY {key}"  # noqa: S608 our own tables
        rows = self.source.execute(query, (self.after[table],)).fetchall()
        names = [row[1] for row in self.source.execute(f"PRAGMA table_info({table})")]
        if rows:
            self.after[table] = rows[-1][names.index(key)]
        return rows


def main() -> None:
    """Print the figures."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=200_000)
    asked.add_argument("--xlsx", type=int, default=0)
    asked.add_argument("--alone", action="store_true", help="no children: every stage is in this process")
    args = asked.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lamplighter-bench-"))
    try:
        os.environ["LAMPLIGHTER_HOME"] = str(folder / "home")
        figures = importing(folder, args.rows, alone=args.alone)
        figures |= workbook(folder, args.xlsx) if args.xlsx else {}
        sys.stdout.write(json.dumps(figures) + "\n")
    finally:
        shutil.rmtree(folder)


def importing(folder: Path, customers: int, *, alone: bool) -> dict[str, Any]:
    """Import, and copy chunk by chunk."""
    path, bureau = folder / "customers.csv", make_bureau(1)
    lines = files.lines(bureau, count=customers, seed=1, today=TODAY)
    rows = files.write_file(path, folder / "truth.csv", lines)
    staffing.write_units(bureau, folder / "units.csv")
    empty = prepare(folder)
    if alone:
        import_readers.MOST_CHILDREN = 0
    clock = Clock()
    for name, (module, function) in STAGES.items():
        clock.watch(name, module, function)
    bare = Bare(folder / "home" / "lamplighter.db", empty)
    wall, cpu = time.perf_counter(), cpu_seconds()
    beside = sum(bring_in(path, bare))
    whole = cpu_seconds() - cpu - beside
    return report(rows, (time.perf_counter() - wall, whole), clock.spent, bare.cpu)


def prepare(folder: Path) -> Path:
    """A home with units, and a copy of its database for the comparison."""
    app = importlib.import_module("app").create_app()
    app.app_context().push()
    upgrades.make_ready(app)
    set_scope(db.session(), ALL)
    units.import_file(db.session(), folder / "units.csv")
    db.session.commit()
    copy = folder / "bare.db"
    with sqlite3.connect(folder / "home" / "lamplighter.db") as home, sqlite3.connect(copy) as there:
        home.backup(there)
        for table in MADE:
            there.execute(f"DELETE FROM {table}")  # noqa: S608 our own tables
    return copy


def bring_in(path: Path, bare: Bare) -> Iterator[float]:
    """The import as the command does it; yields the CPU seconds that the comparison took beside it."""
    session = db.session()
    staff = session.scalars(select(Staff).where(Staff.username == "shell")).one()
    table = tables.open_table(path)
    batch = imports.start_batch(
        session, path.name, imports.Plan("insert", root_unit(session), {}), recorder=staff
    )
    session.commit()
    yield beside(lambda: open_batch(bare))
    for _progress in imports.import_file(session, batch, table):
        session.commit()
        yield beside(bare.copy)
    session.refresh(batch)
    imports.finish(session, batch, import_errors.write(session, batch, spool_path(batch.id)))
    session.commit()
    imports.forget(session, batch)
    session.commit()


def open_batch(bare: Bare) -> None:
    """The row that all others refer to."""
    rows = bare.source.execute("SELECT * FROM import_batches").fetchall()
    marks = ", ".join("?" * len(rows[0]))
    bare.target.executemany(f"INSERT INTO import_batches VALUES ({marks})", rows)  # noqa: S608 our own tables
    bare.copy()
    bare.cpu = 0.0


def beside(work: Callable[[], None]) -> float:
    """CPU seconds of work that is not the product's."""
    began = time.process_time()
    work()
    return time.process_time() - began


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def report(rows: int, whole: tuple[float, float], spent: Counter[str], bare: float) -> dict[str, Any]:
    """The figures, and what they are of."""
    wall, cpu = whole
    shares = {name: round(seconds / cpu, 3) for name, seconds in spent.most_common()}
    shares["rest"] = round(1 - sum(shares.values()), 3)
    return {
        "rows": rows,
        "seconds": round(wall, 2),
        "rows_per_second": round(rows / wall),
        "cpu_seconds": round(cpu, 2),
        "rows_per_cpu_second": round(rows / cpu),
        "bare_cpu_seconds": round(bare, 2),
        "ratio_cpu": round(cpu / bare, 2),
        "shares": shares,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def workbook(folder: Path, rows: int) -> dict[str, Any]:
    """Reading a workbook of the same columns, its texts in the cells or in a table of their own (as Excel does)."""
    with (folder / "customers.csv").open(encoding="gb18030", newline="") as text:
        lines = [line.rstrip("\r\n").split(",") for _row, line in zip(range(rows + 1), text, strict=False)]
    paths = {"in_cells": folder / "cells.xlsx", "shared": folder / "shared.xlsx"}
    for name, path in paths.items():
        write_workbook(path, lines, in_cells=name == "in_cells")
    return {"xlsx_rows": len(lines) - 1} | {f"xlsx_{name}": reading(path) for name, path in paths.items()}


def write_workbook(path: Path, lines: list[list[str]], *, in_cells: bool) -> None:
    """A workbook of text cells."""
    with xlsxwriter.Workbook(path, {"constant_memory": in_cells, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for place, cells in enumerate(lines):
            for column, cell in enumerate(cells[:COLUMNS]):
                sheet.write_string(place, column, cell)


def reading(path: Path) -> dict[str, float]:
    """CPU seconds: ours, child included; the bare library, not even to text; and openpyxl, where it is installed."""
    figures = {
        "cpu_seconds": cpu_of(lambda: sum(1 for _row in tables.open_table(path).rows())),
        "bare_cpu_seconds": cpu_of(lambda: sum(1 for _row in bare_rows(path))),
    }
    if importlib.util.find_spec("openpyxl") is not None:
        openpyxl = importlib.import_module("openpyxl")
        theirs = cpu_of(lambda: sum(1 for _row in openpyxl.load_workbook(path, read_only=True).active.values))
        figures |= {"openpyxl_cpu_seconds": theirs, "ratio": theirs / figures["cpu_seconds"]}
    return {name: round(figure, 2) for name, figure in figures.items()}


def bare_rows(path: Path) -> Iterator[list[Any]]:
    """The rows as the library hands them out."""
    return iter(CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows())


def cpu_of(work: Callable[[], object]) -> float:
    """CPU seconds, children's included."""
    began = cpu_seconds()
    work()
    return cpu_seconds() - began


if __name__ == "__main__":
    main()
