"""How fast a customer file is brought in with judging, and how that compares with only writing the rows it makes.

    python bench/importing.py [CUSTOMERS]

Generates a believable file (23 columns, GB18030), imports it into a new SQLite home, then copies every row that the
import made into an empty database of the same tables by bare `executemany`, one transaction a thousand rows. Prints
rows a second (wall and CPU), the peak of memory, and the ratio of the two by CPU time.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import select  # noqa: E402 - the checkout is not an installed package

from models import Staff, db  # noqa: E402
from models.people import root_unit  # noqa: E402
from models.scope import ALL, set_scope  # noqa: E402
from seed import files, staffing  # noqa: E402
from seed.bureau import make_bureau  # noqa: E402
from services import import_errors, imports, tables, units, upgrades  # noqa: E402
from services.import_spools import spool_path  # noqa: E402

MADE = ("import_batches", "customers", "customer_versions", "contacts", "traces", "batch_rows")
TODAY = date(2026, 11, 20)
CHUNK = 1000


def main(customers: int) -> None:
    """Print the figures as one JSON object."""
    folder = Path(tempfile.mkdtemp(prefix="lamplighter-bench-"))
    try:
        os.environ["LAMPLIGHTER_HOME"] = str(folder / "home")
        path = folder / "customers.csv"
        bureau = make_bureau(1)
        rows = files.write_file(path, folder / "truth.csv", files.lines(bureau, count=customers, seed=1, today=TODAY))
        staffing.write_units(bureau, folder / "units.csv")
        empty = prepare(folder)
        wall, cpu = measured(lambda: bring_in(path))
        bare_wall, bare_cpu = bare(folder / "home" / "lamplighter.db", empty)
        report(rows, (wall, cpu), (bare_wall, bare_cpu))
    finally:
        shutil.rmtree(folder)


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
    return copy


def bring_in(path: Path) -> None:
    """The import itself, as the command does it."""
    session = db.session()
    staff = session.scalars(select(Staff).where(Staff.username == "shell")).one()
    table = tables.open_table(path)
    plan = imports.Plan("insert", root_unit(session), {})
    batch = imports.start_batch(session, path.name, plan, recorder=staff)
    session.commit()
    for _progress in imports.import_file(session, batch, table):
        session.commit()
    session.refresh(batch)
    imports.finish(session, batch, import_errors.write(session, batch, spool_path(batch.id)))
    session.commit()
    imports.forget(session, batch)
    session.commit()


def bare(made: Path, empty: Path) -> tuple[float, float]:
    """Only the writing: what the import made, into the same tables."""
    wall = cpu = 0.0
    with sqlite3.connect(made) as source, sqlite3.connect(empty, isolation_level=None) as target:
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
            target.execute(f"PRAGMA {pragma}")
        for table in MADE:
            for rows in chunks(source, table):
                more = measured(lambda rows=rows, table=table: write(target, table, rows))
                wall, cpu = wall + more[0], cpu + more[1]
    return wall, cpu


def chunks(source: sqlite3.Connection, table: str) -> Iterator[list[tuple[object, ...]]]:
    """The rows of a table, a thousand at a time; ids of other tables' rows are there already."""
    cursor = source.execute(f"SELECT * FROM {table} WHERE id > 0")  # noqa: S608 our own tables
    while rows := cursor.fetchmany(CHUNK):
        yield rows


def write(target: sqlite3.Connection, table: str, rows: list[tuple[object, ...]]) -> None:
    """One transaction; what stands there from the start is replaced by itself."""
    marks = ", ".join("?" * len(rows[0]))
    target.execute("BEGIN IMMEDIATE")
    target.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)  # noqa: S608 our own tables
    target.execute("COMMIT")


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds by the wall and of CPU, children's included."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    work()
    return time.perf_counter() - wall, cpu_seconds() - cpu


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def report(rows: int, whole: tuple[float, float], alone: tuple[float, float]) -> None:
    """The figures, and what they are of."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    figures = {
        "rows": rows,
        "seconds": round(whole[0], 2),
        "cpu_seconds": round(whole[1], 2),
        "rows_per_second": round(rows / whole[0]),
        "rows_per_cpu_second": round(rows / whole[1]),
        "bare_seconds": round(alone[0], 2),
        "bare_cpu_seconds": round(alone[1], 2),
        "ratio_cpu": round(whole[1] / alone[1], 2),
        "ratio_wall": round(whole[0] / alone[0], 2),
        "peak_mib": peak,
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
