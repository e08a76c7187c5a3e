"""How fast the figures of this moment are read from the kept counts, against the full query over the records.

    python bench/assessing.py [--rows 200000] [--rounds 5]

Fills a new SQLite home with customers (20 units, 400 people, 20 years of opening months) and their contacts, counts
them once into a set, and then reads the figures of all units and of one unit's people in turn with the full query over
the same records: both give the same numbers, or it stops. Then it records new values in chunks of a thousand, with and
without the upkeep of the counts in turn. Prints one JSON object: milliseconds, ratios of CPU time, what keeping costs,
and how long counting everybody takes.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import select, text  # noqa: E402 - the checkout is not an installed package

from models import Contact, Customer, Staff, Unit, db  # noqa: E402
from models.clock import utcnow  # noqa: E402
from models.people import root_unit  # noqa: E402
from models.scope import ALL, set_scope  # noqa: E402
from services import changes, contacts, count_checks, count_sets, live_figures, upgrades  # noqa: E402
from services.contacts import Draft  # noqa: E402

UNITS, PEOPLE, MONTHS = 20, 20, 240
MONTH = "2026-11"
KINDS = ("mobile", "supply_address", "person")
VERDICTS = ("valid",) * 6 + ("repairable", "repairable", "suspect", "invalid")
BATCH = 5000
FULL = """
SELECT coalesce(substr(c.opened_on, 1, 7), '') = :month AS is_new, c.{key}, count(*),
    sum(coalesce(b.verdict, 'missing') <> 'missing'),
    sum(b.verdict IN ('valid', 'repairable')), sum(b.verdict = 'valid')
FROM customers c JOIN required_fields r ON r.customer_class = c.customer_class
LEFT JOIN contacts b ON b.id = (
    SELECT v.id FROM contacts v WHERE v.customer_id = c.id AND v.kind = r.kind AND v.state = 'current'
    ORDER BY v.preferred DESC, CASE v.verdict WHEN 'valid' THEN 0 WHEN 'repairable' THEN 1 WHEN 'suspect' THEN 2
        WHEN 'invalid' THEN 3 ELSE 4 END, v.id DESC LIMIT 1)
WHERE c.closed_on IS NULL GROUP BY 1, 2
"""


def main() -> None:
    """Print the figures."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=200_000)
    asked.add_argument("--rounds", type=int, default=5)
    args = asked.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lamplighter-bench-"))
    try:
        os.environ["LAMPLIGHTER_HOME"] = str(folder / "home")
        app = importlib.import_module("app").create_app()
        app.app_context().push()
        upgrades.make_ready(app)
        set_scope(db.session(), ALL)
        unit_ids = fill(args.rows)
        counted = cpu_of(count_everybody)
        figures = {"rows": args.rows, "count_seconds_per_million": round(counted / args.rows * 1e6, 1)}
        figures |= reading(unit_ids, args.rounds) | writing(args.rounds)
        found = count_checks.check(db.session())
        sys.stdout.write(json.dumps(figures | {"differences": found.number if found else None}) + "\n")
    finally:
        shutil.rmtree(folder)


def fill(rows: int) -> list[int]:
    """Units, people, customers and contacts, straight into the tables; returns the units."""
    session, root = db.session(), root_unit(db.session())
    unit_ids, people = [], {}
    for place in range(UNITS):
        unit = Unit(code=f"B{place}", name=f"第{place}所", kind="supply_station", parent_id=root.id, path="")
        session.add(unit)
        session.flush()
        unit.path = f"{root.path}{unit.id}/"
        unit_ids.append(unit.id)
        stamps = {"unit_id": unit.id, "created_at": utcnow()}
        staff = [
            Staff(username=f"p{place}_{n}", name="员工", fs_uniquifier=f"{place}-{n}", **stamps)
            for n in range(PEOPLE)
        ]
        session.add_all(staff)
        session.flush()
        people[unit.id] = [one.id for one in staff]
    session.commit()
    dice = random.Random(1)  # noqa: S311 test data
    for first in range(1, rows + 1, BATCH):
        made = [customer(key, dice, unit_ids, people) for key in range(first, min(first + BATCH, rows + 1))]
        values = [value for row in made for value in values_of(row, dice)]
        with db.engine.begin() as connection:
            connection.execute(Customer.__table__.insert(), made)
            connection.execute(Contact.__table__.insert(), values)
    return unit_ids


def customer(
    key: int, dice: random.Random, unit_ids: list[int], people: dict[int, list[int]]
) -> dict[str, Any]:
    """One customer; the account manager records its values."""
    unit_id, month = dice.choice(unit_ids), dice.randrange(MONTHS)
    day = date(2026 - (month + 1) // 12, 12 - (month + 1) % 12, 3)
    stamps = {"created_at": utcnow(), "changed_at": utcnow()}
    facts = {
        "customer_class": dice.choice(("low_voltage_residential", "low_voltage_business", "high_voltage"))
    }
    whose = {"unit_id": unit_id, "manager_id": dice.choice(people[unit_id])}
    return {
        "id": key,
        "account_no": f"{key:010}",
        "name": "客户",
        "opened_on": day,
        **whose,
        **facts,
        **stamps,
    }


def values_of(row: dict[str, Any], dice: random.Random) -> Iterator[dict[str, Any]]:
    """Its current values; some are missing."""
    for kind in KINDS:
        if dice.random() < 0.9:
            text_ = f"{kind}{row['id']}"
            how = {
                "raw": text_,
                "value": text_,
                "verdict": dice.choice(VERDICTS),
                "source": "import",
                "state": "current",
            }
            whose = {"customer_id": row["id"], "unit_id": row["unit_id"], "recorder_id": row["manager_id"]}
            yield {"kind": kind, **how, **whose, "created_at": utcnow()}


def count_everybody() -> None:
    """Build a set of counts and put it in place, a transaction a span."""
    session = db.session()
    row = count_sets.plan(session, "recounted")
    count_sets.begin(session, row.id)
    session.commit()
    for _first, last in count_sets.spans(session):
        count_sets.hold(session, row.id)
        count_sets.take(session, row.id, last)
        session.commit()
    count_sets.swap(session, row.id)
    session.commit()


def reading(unit_ids: list[int], rounds: int) -> dict[str, Any]:
    """The kept counts and the full query in turn: all units, and the people of one."""
    session, kept, people, full = db.session(), [], [], []
    for _round in range(rounds):
        for _again in range(20):
            kept.append(timed(lambda: live_figures.by_unit(session, unit_ids, MONTH)))
            people.append(timed(lambda: live_figures.by_person(session, unit_ids[:1], MONTH)))
        full.append(timed(lambda: session.execute(text(FULL.format(key="unit_id")), {"month": MONTH}).all()))
    prove(unit_ids)
    return {
        "units_ms": round(statistics.median(kept) * 1e3, 3),
        "people_of_a_unit_ms": round(statistics.median(people) * 1e3, 3),
        "full_query_ms": round(statistics.median(full) * 1e3, 1),
        "ratio_read": round(statistics.median(full) / statistics.median(kept)),
    }


def prove(unit_ids: list[int]) -> None:
    """Stop where the kept counts and the full query differ."""
    session = db.session()
    sums: dict[int, list[int]] = {}
    for _is_new, key, *numbers in session.execute(text(FULL.format(key="unit_id")), {"month": MONTH}):
        sums[key] = [a + int(b) for a, b in zip(sums.get(key, [0] * 4), numbers, strict=True)]
    rows = [row for row in live_figures.by_unit(session, unit_ids, MONTH) if row.opened != MONTH]
    kept = {row.key: [row.required, row.recorded, row.good, row.valid] for row in rows}
    if kept != sums:
        sys.exit("the kept counts differ from the full query")


def writing(rounds: int) -> dict[str, Any]:
    """New values for a thousand customers at a time, with and without the upkeep of the counts in turn."""
    session, spent = db.session(), {True: 0.0, False: 0.0}
    ids = session.scalars(select(Customer.id).order_by(Customer.id).limit(2000 * rounds)).all()
    session.rollback()
    for place in range(0, len(ids), 1000):
        is_kept = place // 1000 % 2 == 0
        with as_usual() if is_kept else uncounted():
            spent[is_kept] += cpu_of(lambda at=place: change(ids[at : at + 1000]))
    count_everybody()
    return {"write_ratio": round(spent[True] / spent[False], 3)}


def change(ids: list[int]) -> None:
    """Each customer's mobile is replaced."""
    session = db.session()
    query = select(Contact.customer_id, Contact.unit_id, Contact.id).where(Contact.customer_id.in_(ids))
    rows = session.execute(query.where(Contact.kind == "mobile", Contact.state == "current")).all()
    facts = {"kind": "mobile", "verdict": "valid", "source": "import"}
    drafts = [
        Draft(customer_id=c, unit_id=u, raw=f"n{c}", value=f"n{c}", replaces_id=key, **facts)
        for c, u, key in rows
    ]
    done = contacts.record(session, drafts)
    contacts.settle(session, sorted(done.waiting))
    session.commit()


@contextmanager
def as_usual() -> Iterator[None]:
    """The product as it is."""
    yield


@contextmanager
def uncounted() -> Iterator[None]:
    """The product without its counts: everything else of a change stays."""
    real = changes.counts
    nothing = SimpleNamespace(**vars(real))
    nothing.tally = lambda *_args: real.Tally()
    nothing.add_tally = lambda *_args: None
    changes.counts = nothing
    try:
        yield
    finally:
        changes.counts = real


def timed(work: Callable[[], object]) -> float:
    """CPU seconds of one call in this process: others on the machine do not count."""
    began = time.process_time()
    work()
    return time.process_time() - began


cpu_of = timed


if __name__ == "__main__":
    main()
