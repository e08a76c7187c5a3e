"""Customers as accounts: opened, changed and removed, with dated versions of what measures read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from models import (
    Confirmation,
    Consent,
    Contact,
    Customer,
    CustomerVersion,
    Issue,
    Preference,
    Task,
    Visit,
)
from models.bulk import forget, insert_lines, insert_rows, take_ids
from models.clock import now, start_of_day, today, utcnow
from services import counts, traces
from services.changes import changing

CUSTOMERS = Customer.__table__
VERSIONS = CustomerVersion.__table__
MEASURED = ("unit_id", "customer_class", "manager_id", "opened_on", "closed_on")
MOVING = (Contact.__table__, Confirmation.__table__, Preference.__table__, Consent.__table__, Issue.__table__)
OPEN_VISITS = ("open", "assigned", "accepted", "not_met", "given_back")

Facts = Mapping[str, Any]

BLANK: dict[str, Any] = {
    "name": "",
    "usage_class": "",
    "customer_class": "low_voltage_residential",
    "sensitivity": "normal",
    "manager_id": None,
    "transformer_area": "",
    "meter_book": "",
    "meter_no": "",
    "opened_on": None,
    "legal_hold": False,
    "id_hash": "",
    "id_last4": "",
    "id_verdict": "missing",
    "uscc": "",
    "batch_id": None,
}


def open_accounts(session: Session, rows: Sequence[Facts]) -> list[int]:
    """Write new customers with their first version; a row with an `id` opens that removed account again.

    Each row holds every fact that differs from a column's default, at least account_no and unit_id. No trace: the
    caller writes one a customer. Units are the caller's to check.
    """
    with changing(session, [row["id"] for row in rows if "id" in row]) as changes:
        whole = _open_accounts(session, rows)
        again = {row["id"] for row in rows if "id" in row}
        changes.opened(tuple(row[name] for name in counts.FACTS) for row in whole if row["id"] not in again)
    return [row["id"] for row in whole]


def _open_accounts(session: Session, rows: Sequence[Facts]) -> list[dict[str, Any]]:
    """Write new customers and those that come back; all with every fact and their ids."""
    stamps = {"created_at": utcnow(), "changed_at": utcnow()}
    fresh: list[dict[str, Any]] = [{**BLANK, **row, **stamps} for row in rows if "id" not in row]
    for key, row in zip(take_ids(session, CUSTOMERS, len(fresh)), fresh, strict=True):
        row["id"] = key
    insert_rows(session, CUSTOMERS, fresh)
    again = {row["id"]: {**BLANK, **row, "closed_on": None} for row in rows if "id" in row}
    _move(session, {key: row["unit_id"] for key, row in again.items()})
    _write(session, again)
    by_account = {row["account_no"]: row for row in [*fresh, *again.values()]}
    whole = [{"closed_on": None} | by_account[row["account_no"]] for row in rows]
    _add_versions(session, whole, _first_moments(session, whole))
    return whole


def _first_moments(session: Session, rows: Sequence[Facts]) -> list[datetime]:
    """From when the first versions of new customers count: from the opening day."""
    moment = now(session)
    return [min(moment, _start(row["opened_on"])) if row["opened_on"] else moment for row in rows]


@lru_cache(maxsize=20_000)
def _start(day: date) -> datetime:
    return start_of_day(day)


def change(session: Session, changes: Mapping[int, Facts]) -> None:
    """Change facts of a chunk of customers; what measures read is kept as it was until now, and a new unit moves with
    it all that belongs to the customer. One trace a customer names the changed facts, never their values."""
    if changes:
        with changing(session, changes):
            _change(session, changes)


def _change(session: Session, changes: Mapping[int, Facts]) -> None:
    moved = {key: facts["unit_id"] for key, facts in changes.items() if "unit_id" in facts}
    _move(session, moved)
    _write(session, changes)
    measured = [key for key, facts in changes.items() if not facts.keys().isdisjoint(MEASURED)]
    ended = update(VERSIONS).where(VERSIONS.c.customer_id.in_(measured), VERSIONS.c.valid_until.is_(None))
    if measured:
        session.execute(ended.values(valid_until=now(session)))
        query = select(CUSTOMERS.c.id, *(CUSTOMERS.c[name] for name in MEASURED)).where(CUSTOMERS.c.id.in_(measured))
        rows = [dict(row) for row in session.execute(query.order_by(CUSTOMERS.c.id)).mappings()]
        _add_versions(session, rows, [now(session)] * len(rows))
    _trace(session, {key: {"fields": sorted(facts)} for key, facts in changes.items()}, "customer.changed")


def remove(session: Session, customer_ids: Collection[int]) -> None:
    """Close accounts that should never have been opened: no measure sees them; the row stays for its traces."""
    closed = {"closed_on": today(session)}
    with changing(session, customer_ids):
        _write(session, dict.fromkeys(customer_ids, closed))
        session.execute(delete(VERSIONS).where(VERSIONS.c.customer_id.in_(sorted(customer_ids))))
        _trace(session, {key: {} for key in customer_ids}, "customer.removed")


def _write(session: Session, changes: Mapping[int, Facts]) -> None:
    """Update customers, one statement for each set of facts that change together."""
    rows = [{"key": key, "changed_at": utcnow(), **facts} for key, facts in changes.items()]
    for names, group in groupby(sorted(rows, key=sorted), key=sorted):
        values: dict[str, Any] = {name: bindparam(name) for name in names if name not in ("key", "id")}
        statement = update(CUSTOMERS).where(CUSTOMERS.c.id == bindparam("key")).values(values)
        session.connection().execute(statement, [{n: row[n] for n in names if n != "id"} for row in group])
    forget(session, Customer, changes)


def _add_versions(session: Session, rows: Sequence[Facts], moments: Sequence[datetime]) -> None:
    """Write how customers stand, each from its moment on."""
    names = ("id", "customer_id", *MEASURED, "valid_from", "valid_until")
    lines = [
        (key, row["id"], *(row[name] for name in MEASURED), moment, None)
        for key, row, moment in zip(take_ids(session, VERSIONS, len(rows)), rows, moments, strict=True)
    ]
    insert_lines(session, VERSIONS, names, lines)


def _move(session: Session, moved: Mapping[int, int]) -> None:
    """Give customers to other units with what belongs to them; letters, finished visits, scores and traces stay."""
    for unit_id in sorted(set(moved.values())):
        ids = [key for key, target in moved.items() if target == unit_id]
        for table in MOVING:
            session.execute(update(table).where(table.c.customer_id.in_(ids)).values(unit_id=unit_id))
        visits = update(Visit.__table__).where(Visit.customer_id.in_(ids), Visit.state.in_(OPEN_VISITS))
        tasks = update(Task.__table__).where(Task.customer_id.in_(ids), Task.state == "open")
        session.execute(visits.values(unit_id=unit_id))
        session.execute(tasks.values(unit_id=unit_id))


def _trace(session: Session, details: Mapping[int, Mapping[str, Any]], action: str) -> None:
    query = select(CUSTOMERS.c.id, CUSTOMERS.c.unit_id).where(CUSTOMERS.c.id.in_(list(details)))
    base = {"at": utcnow(), "actor_id": traces.actor_id(session), "action": action, "object": "customers"}
    rows = session.execute(query.order_by(CUSTOMERS.c.id)).all()
    traces.record_all(
        session,
        [
            base
            | {"object_id": row.id, "customer_id": row.id, "unit_id": row.unit_id}
            | {"details": dict(details[row.id])}
            for row in rows
        ],
    )
