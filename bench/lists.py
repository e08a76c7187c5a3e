"""How fast the customer list answers, beside a stock Flask-Admin view of the same table.

    python bench/lists.py [--rows 200000] [--home DIR] [--actions 40] [--peer 3]

Builds a data file of its own (SQLite, or LAMPLIGHTER_DATABASE_URL with an empty database), or uses the one that an
earlier run left in DIR. Asks for pages as staff do, at random, and prints medians and 95th percentiles in milliseconds;
then whole pages, product and peer in turn, and the ratios of their medians.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import random
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flask import Flask  # noqa: E402 - the checkout is not an installed package
from flask_admin import Admin  # noqa: E402
from flask_admin.contrib.sqla import ModelView  # noqa: E402
from flask_babel import Babel  # noqa: E402
from itsdangerous import URLSafeTimedSerializer  # noqa: E402
from sqlalchemy import func, select, text  # noqa: E402
from sqlalchemy.orm import Session  # noqa: E402

from bench import customers as made  # noqa: E402
from models import Customer, Role, SearchRow, Staff, Unit, db  # noqa: E402
from models.clock import utcnow  # noqa: E402
from models.people import root_unit  # noqa: E402
from models.scope import ALL, Scope, working_as  # noqa: E402
from services import accounts, customer_pages, upgrades  # noqa: E402
from services.customer_pages import Wanted  # noqa: E402
from services.search_texts import CLASS_BITS, REACH_BITS, VERDICT_BITS  # noqa: E402

SORTS = (("account_no", False), ("opened_on", True), ("changed_at", True))
BITS = (
    CLASS_BITS["high_voltage"], CLASS_BITS["low_voltage_business"], VERDICT_BITS["mobile", "suspect"],
    VERDICT_BITS["mobile", "none"], VERDICT_BITS["supply_address", "invalid"], REACH_BITS["sms"], REACH_BITS["none"],
)  # fmt: skip
Asked = tuple[str, Scope, Wanted]


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--actions", type=int, default=40)
    parser.add_argument("--peer", type=int, default=3)
    args = parser.parse_args()
    folder = args.home or Path(tempfile.mkdtemp(prefix="lamplighter-bench-"))
    folder.mkdir(exist_ok=True)
    os.environ["LAMPLIGHTER_HOME"] = str(folder)
    logging.disable(logging.WARNING)
    try:
        figures = measure(args)
        sys.stdout.write(json.dumps(figures, ensure_ascii=False, indent=1) + "\n")
    finally:
        if not args.home:
            shutil.rmtree(folder)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Build what is not there, then ask."""
    make = importlib.import_module("app")
    app = make.create_app()
    with app.app_context():
        upgrades.make_ready(app)
        session = db.session()
        session.info["scope"] = ALL
        began = time.perf_counter()
        if session.scalar(select(SearchRow.customer_id).limit(1)) is None:
            made.fill(session, args.rows)
        built = time.perf_counter() - began
        session.commit()
        figures: dict[str, Any] = {"rows": session.scalar(select(func.max(Customer.id)))}
        figures |= {"built_s": round(built), "units": session.scalar(select(func.count()).select_from(Unit))}
        figures["sql_ms"] = pages(session, args.actions)
    if args.peer:
        web = make.create_web()
        with web.app_context():
            db.session().info["scope"] = ALL
            figures["page_ms"] = beside_peer(web, db.session(), args.peer)
    return figures


def pages(session: Session, number: int) -> dict[str, Any]:
    """Medians and 95th percentiles of what staff ask for, by kind of question, everything from question to ids."""
    times: dict[str, list[float]] = {}
    slowest: dict[str, tuple[float, str]] = {}
    chance = random.Random(2)  # noqa: S311 questions, not secrets
    for _ in range(number):
        for kind, scope, wanted in questions(session, chance):
            with working_as(session, scope):
                took = asked_of(session, lambda wanted=wanted: customer_pages.page(session, wanted))
            times.setdefault(kind, []).append(took)
            slowest[kind] = max(
                slowest.get(kind, (0.0, "")), (round(took, 1), f"{scope.path} {told(wanted)}")
            )
            session.rollback()
    every = [took for found in times.values() for took in found]
    return {kind: summary(found) | {"worst": slowest[kind]} for kind, found in times.items()} | {
        "all": summary(every)
    }


def told(wanted: Wanted) -> str:
    """What was asked for, without what is usual."""
    plain = Wanted()
    return ", ".join(f"{k}={v}" for k, v in wanted.__dict__.items() if v != getattr(plain, k))


def summary(times: list[float]) -> dict[str, Any]:
    """Of milliseconds."""
    ordered = sorted(times)
    return {
        "n": len(ordered),
        "median": round(statistics.median(ordered), 1),
        "p95": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 1),
    }


def questions(session: Session, chance: random.Random) -> Iterator[Asked]:
    """One of each kind of question, about a random customer and a random unit above it."""
    last = session.scalar(select(func.max(SearchRow.customer_id))) or 1
    key = chance.randint(1, last)
    row = session.execute(select(SearchRow).where(SearchRow.customer_id == key)).scalar_one()
    path = session.scalar(select(Unit.path).where(Unit.id == row.unit_id)) or "/"
    above = [int(part) for part in path.strip("/").split("/")]
    sort, descending = chance.choice(SORTS)
    plain = Wanted(sort=sort, descending=descending)
    inside = Scope("/" + "/".join(map(str, above[: chance.randint(2, len(above))])) + "/")
    unit = replace(plain, unit_id=chance.choice(above[1:]))
    facet = plain.having(chance.choice(BITS))
    yield "first page", ALL, plain
    yield "first page of a unit", inside, plain
    yield "deep page", ALL, replace(plain, **{chance.choice(("after", "before")): key})
    yield "deep page of a unit", inside, replace(plain, after=key)
    yield "filter by unit", ALL, unit
    yield "one filter", ALL, facet
    yield "one filter, deep", ALL, replace(facet, after=key)
    yield "unit and filter", ALL, unit.having(chance.choice(BITS))
    yield "unit and two filters", inside, facet.having(chance.choice(BITS))
    yield "manager", ALL, replace(facet, manager_id=row.manager_id)
    yield "own customers", Scope(path, row.manager_id or 0, own=True), plain
    for kind, typed in fragments(row.text, chance):
        yield kind, ALL, replace(plain, text=typed)
        yield f"{kind}, unit and filter", inside, replace(facet, text=typed)


def fragments(searched: str, chance: random.Random) -> Iterator[tuple[str, str]]:
    """What somebody types who looks for this customer."""
    lines = searched.split("\n")
    account, name, address = lines[0], lines[1], max(lines[2:], key=len)
    phone = next((line for line in lines[2:] if line.isdigit()), account)
    yield "whole number", chance.choice((account, phone))
    digits, size = chance.choice((account, phone)), chance.randint(4, 8)
    begin = chance.randint(0, len(digits) - size)
    yield "part of a number", digits[begin : begin + size]
    yield "name", name[-2:] if chance.random() < 0.5 else name
    begin, size = chance.randint(0, len(address) - 8), chance.randint(2, 8)
    yield "part of an address", address[begin : begin + size]
    yield "two words", f"{address[8:11]} {name}"
    yield "not there", f"{name}{chance.randrange(100)}"


def beside_peer(app: Flask, session: Session, times: int) -> dict[str, Any]:
    """Whole pages, signed in, beside the stock view, in turn; milliseconds and ratios."""
    ours, theirs = signed_in(app, session), stock(app)
    row = session.execute(select(SearchRow).limit(1).offset(7)).scalar_one()
    name = row.text.split("\n")[1]
    found: dict[str, Any] = {}
    for kind, address, peer in (
        ("first page", "/admin/customers/", "/admin/customer/"),
        ("search by name", name, f"/admin/customer/?search={name}"),
        ("search by number", row.account_no[3:10], f"/admin/customer/?search={row.account_no[3:10]}"),
    ):
        mine = address if address.startswith("/") else ours.searched(address)
        ours.get(mine)
        pairs = [(timed(lambda a=mine: ours.get(a)), timed(lambda a=peer: theirs(a))) for _ in range(times)]
        product, stocks = (statistics.median(column) for column in zip(*pairs, strict=True))
        found[kind] = {
            "ours": round(product, 1),
            "stock": round(stocks, 1),
            "ratio": round(stocks / product, 1),
        }
        sys.stderr.write(f"{kind}: {found[kind]}\n")
    return found


class Signed:
    """A signed-in person of the root unit."""

    def __init__(self, client: Any, token: str) -> None:
        self.client, self.token = client, token

    def get(self, address: str) -> None:
        """Open a page; it must be one."""
        answer = self.client.get(address)
        if answer.status_code != 200 or "data-label" not in answer.text:
            raise SystemExit(f"{address}: {answer.status_code}")

    def searched(self, typed: str) -> str:
        """The address of what a search finds."""
        answer = self.client.post("/admin/customers/search", data={"q": typed, "csrf_token": self.token})
        return str(answer.headers["Location"])


def signed_in(app: Flask, session: Session) -> Signed:
    """A browser of a data steward."""
    role = session.scalars(select(Role).where(Role.name == "data_steward")).one()
    key = secrets.token_hex(8)
    staff = Staff(
        username=key, name="测", unit_id=root_unit(session).id, fs_uniquifier=key, active=True, roles=[role]
    )
    session.add(staff)
    session.flush()
    secret, raw = accounts.begin(session, staff), secrets.token_hex(16)
    session.commit()
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie.update(_user_id=key, _fresh=True, secret=secret, seen=utcnow().timestamp(), csrf_token=raw)
    return Signed(client, str(URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps(raw)))


def stock(app: Flask) -> Callable[[str], None]:
    """A Flask-Admin view of the customers as the library makes it: ten columns, search by account number and name."""
    peer = Flask("peer", template_folder=None, static_folder=None)  # not our templates
    peer.config.update(
        SECRET_KEY=secrets.token_hex(16), SQLALCHEMY_DATABASE_URI=app.config["SQLALCHEMY_DATABASE_URI"]
    )
    peer.config["PROPAGATE_EXCEPTIONS"] = True
    db.init_app(peer)
    Babel(peer)  # Flask-Admin asks for it where it is installed
    peer.before_request(lambda: db.session().info.update(scope=ALL))

    class Stock(ModelView):
        column_list = ("account_no", "name", "customer_class", "opened_on", "closed_on", "meter_book",
                       "usage_class", "sensitivity", "changed_at", "reach")  # fmt: skip
        column_searchable_list = ("account_no", "name")
        column_sortable_list = column_list
        page_size = 50
        can_create = can_edit = can_delete = False

    Admin(peer, name="peer").add_view(Stock(Customer, db))
    client = peer.test_client()

    def get(address: str) -> None:
        answer = client.get(address)
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code}")

    return get


def asked_of(session: Session, work: Callable[[], object]) -> float:
    """Milliseconds of CPU of a question to the database, the server's part included where it runs on this machine."""
    if session.get_bind().dialect.name == "sqlite":
        return timed(work)
    server = Path(f"/proc/{session.scalar(text('SELECT pg_backend_pid()'))}/schedstat")
    if not server.exists():
        return timed(work)
    began, here = int(server.read_text().split()[0]), time.process_time()
    work()
    return (int(server.read_text().split()[0]) - began) / 1e6 + (time.process_time() - here) * 1000


def timed(work: Callable[[], object]) -> float:
    """Milliseconds: of CPU where the database works in this process, by the wall where it is a server."""
    clock = time.process_time if db.engine.dialect.name == "sqlite" else time.perf_counter
    began = clock()
    work()
    return (clock() - began) * 1000


if __name__ == "__main__":
    main()
