"""What looking across all customers costs: shared numbers, duplicates, reach, yield.

    python bench/duplicates.py [--rows 200000]

Builds a data file of its own (SQLite, or LAMPLIGHTER_DATABASE_URL with an empty database) and prints seconds, and
seconds of CPU, of each look.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import func, select, text  # noqa: E402 - the checkout is not an installed package
from sqlalchemy.orm import Session  # noqa: E402

from bench import customers as made  # noqa: E402
from models import DuplicatePair, SharedNumber, db  # noqa: E402
from models.clock import today  # noqa: E402
from models.scope import ALL  # noqa: E402
from services import duplicates, reach, shared_numbers, upgrades, yields  # noqa: E402
from services.yields import Asked  # noqa: E402


def main() -> None:
    """Print the seconds as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as home:
        os.environ["LAMPLIGHTER_HOME"] = home
        app = importlib.import_module("app").create_app()
        with app.app_context():
            upgrades.make_ready(app)
            session = db.session()
            session.info["scope"] = ALL
            made.fill(session, args.rows)
            plant(session)
            session.commit()
            found = measure(session)
    sys.stdout.write(json.dumps({"rows": args.rows} | found, indent=1) + "\n")


def plant(session: Session) -> None:
    """Let every fiftieth customer repeat the one before it, and one in a hundred have a number with nine others."""
    again = (
        "(SELECT MIN(c.value) FROM contacts c"
        " WHERE c.customer_id = contacts.customer_id - 1 AND c.kind = contacts.kind)"
    )
    doubled = "customer_id % 50 = 0 AND kind IN ('mobile', 'supply_address')"
    name = "(SELECT c.name FROM customers c WHERE c.id = customers.id - 1)"
    many = "'+861390000' || CAST(1000 + customer_id / 1000 AS VARCHAR)"
    for statement in (
        f"UPDATE contacts SET value = {again} WHERE {doubled} AND {again} IS NOT NULL",  # noqa: S608 made-up data
        f"UPDATE customers SET name = {name} WHERE id % 50 = 0",  # noqa: S608
        f"UPDATE contacts SET value = {many} WHERE customer_id % 97 = 0 AND kind = 'mobile'",  # noqa: S608
    ):
        session.execute(text(statement))


def measure(session: Session) -> dict[str, Any]:
    """Seconds of each look, and how much it found."""
    day = today(session)
    asked = Asked(day - timedelta(days=3650), day)
    found: dict[str, Any] = {}
    for name, look in (
        ("reach_recount", lambda: sum(reach.recount(session))),
        ("reach_rates", lambda: len(reach.rates(session))),
        ("shared_count", lambda: shared_numbers.count(session)),
        ("shared_values", lambda: len(shared_numbers.shared_values(session))),
        ("duplicates_first", lambda: sum(1 for _ in _committed(session))),
        ("duplicates_again", lambda: sum(1 for _ in _committed(session))),
        ("yields", lambda: sum(row.gained for row in yields.yields(session, asked))),
    ):
        found[name] = _timed(session, look)
    for table in (SharedNumber, DuplicatePair):
        found[table.__tablename__] = session.scalar(select(func.count()).select_from(table))
    found["each"] = "seconds, seconds of CPU in this process, result"
    return found


def _committed(session: Session) -> Any:
    for number in duplicates.find(session):
        session.commit()
        yield number


def _timed(session: Session, look: Callable[[], int]) -> list[float]:
    session.execute(text("SELECT 1"))
    began, busy = time.perf_counter(), time.process_time()
    result = look()
    took, used = time.perf_counter() - began, time.process_time() - busy
    session.commit()
    return [round(took, 3), round(used, 3), result]


if __name__ == "__main__":
    main()
