"""What the work of a month costs: assess, issues, judge again, publish, look, reports, package; and how large it gets.

    python bench/months.py [--rows 20000]

Imports a believable file into a new SQLite home, assesses its month, follows the issues, judges every value again as a
changed rule would, publishes, makes the reports of the bureau and the units right below it, and writes the package.
Prints one JSON object: CPU seconds of each (this process and its children), peak memory, and sizes in bytes. Run it at
two sizes: what grows with the customers is the difference by the difference, the rest is what a start costs.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import func, select  # noqa: E402 - the checkout is not an installed package

from models import Assessment, Customer, Issue, Publication, Staff, db  # noqa: E402
from models.clock import ZONE, move_to  # noqa: E402
from models.people import root_unit  # noqa: E402
from models.scope import ALL, set_scope  # noqa: E402
from seed import files, staffing  # noqa: E402
from seed.bureau import make_bureau  # noqa: E402
from services import (  # noqa: E402
    assessments,
    imports,
    issues,
    publication_checks,
    publication_files,
    publications,
    rejudging,
    reports,
    tables,
    units,
    upgrades,
)

TODAY, PERIOD = date(2026, 11, 20), "2026-11"
AFTER = datetime(2026, 12, 2, 9, tzinfo=ZONE)
SPAN = 1000
SPENT: dict[str, float] = {}


def main() -> None:
    """Print the figures."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=20_000)
    args = asked.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lamplighter-bench-"))
    try:
        os.environ["LAMPLIGHTER_HOME"] = str(folder / "home")
        sizes = month(folder, args.rows)
        peak = max(
            resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        told = {"rows": args.rows, "cpu_seconds": SPENT, "peak_mib": round(peak / 1024), "sizes": sizes}
        sys.stdout.write(json.dumps(told) + "\n")
    finally:
        shutil.rmtree(folder)


def month(folder: Path, rows: int) -> dict[str, int]:
    """Do the month's work; returns how large what it leaves is."""
    bring_in(folder, rows)
    session, staff = db.session(), shell()
    move_to(session, AFTER)
    session.info["actor_id"] = staff.id
    with timed("assess"):
        question = assessments.question(session, PERIOD, root_unit(session), allow_empty=True)
        run = assessments.keep(session, assessments.count(session, question), staff_id=staff.id)
        session.commit()
    with timed("issues"):
        commit_each(issues.follow(session, run))
    with timed("judge_again"):
        judge_again()
    with timed("publish"):
        made = publications.publish(session, run, staff=staff)
        session.commit()
    with timed("look"):
        publication_checks.look(session, made)
        session.commit()
    with timed("reports"):
        wanted = reports.with_below(session, root_unit(session), PERIOD)
        kept = reports.make(session, wanted, PERIOD, staff=staff)
        session.commit()
    with timed("package"):
        publication_files.write_package(session, made, folder / "package.zip")
    return sizes(folder, run, made) | {"reports": len(kept)}


def bring_in(folder: Path, rows: int) -> None:
    """A new home with units and customers."""
    bureau = make_bureau(1)
    files.write_file(
        folder / "a.csv", folder / "truth.csv", files.lines(bureau, count=rows, seed=1, today=TODAY)
    )
    staffing.write_units(bureau, folder / "units.csv")
    app = importlib.import_module("app").create_app()
    app.app_context().push()
    upgrades.make_ready(app)
    session = db.session()
    set_scope(session, ALL)
    units.import_file(session, folder / "units.csv")
    session.commit()
    plan = imports.Plan("insert", root_unit(session), {})
    with timed("import"):
        batch = imports.start_batch(session, "a.csv", plan, recorder=shell())
        session.commit()
        commit_each(imports.import_file(session, batch, tables.open_table(folder / "a.csv")))
        session.refresh(batch)
        imports.finish(session, batch, None)
        session.commit()


def shell() -> Staff:
    """The account of the command line."""
    return db.session().scalars(select(Staff).where(Staff.username == "shell")).one()


def judge_again() -> None:
    """Judge everybody again, a span at a time, and write what differs: nothing, under the same rules."""
    session, selection = db.session(), rejudging.Selection()
    last = session.scalar(select(func.max(Customer.id))) or 0
    for first in range(1, last + 1, SPAN):
        rejudging.write(session, rejudging.judge_span(session, selection, first, first + SPAN - 1).judged)
        session.commit()


def commit_each(chunks: Iterator[Any]) -> None:
    """Commit after every chunk, as the engine does."""
    for _chunk in chunks:
        db.session.commit()


def sizes(folder: Path, run: Assessment, made: Publication) -> dict[str, int]:
    """Bytes of what a month leaves, and how many issues there are."""
    home = folder / "home"
    stored = {"members": run.members_sha256, "rule_members": run.rule_members_sha256, "results": made.sha256}
    found = {
        name: (home / "files" / digest[:2] / digest).stat().st_size
        for name, digest in stored.items()
        if digest
    }
    found |= {
        "database": (home / "lamplighter.db").stat().st_size,
        "package": (folder / "package.zip").stat().st_size,
    }
    return found | {"issues": db.session.scalar(select(func.count()).select_from(Issue)) or 0}


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Keep the CPU seconds of some work, of this process and of children that have ended."""
    began = cpu_seconds()
    yield
    SPENT[name] = round(cpu_seconds() - began, 2)


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


if __name__ == "__main__":
    main()
