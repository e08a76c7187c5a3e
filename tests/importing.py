"""What tests of imports share: a file from rows, brought in whole, and the state it leaves."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, Customer, ImportBatch, Staff
from models.people import root_unit
from services import import_errors, import_spools, imports
from services.imports import Plan
from services.tables import open_table


def write_csv(path: Path, rows: Sequence[dict[str, str]], *, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    """A customer file of these rows, with the headings of all of them."""
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, headings, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def bring_in(session: Session, path: Path, mode: str = "update", **facts: Any) -> ImportBatch:
    """Import a file to its end, as a command does."""
    recorder = facts.get("recorder") or session.scalars(select(Staff).where(Staff.username == "shell")).one()
    plan = Plan(mode, facts.get("unit") or root_unit(session), facts.get("mapping", {}))
    table = open_table(path, plan.mapping)
    batch = imports.start_batch(session, path.name, plan, recorder=recorder)
    session.commit()
    for _progress in imports.import_file(session, batch, table):
        session.commit()
    session.refresh(batch)
    imports.finish(session, batch, import_errors.write(session, batch, import_spools.spool_path(batch.id)))
    session.commit()
    imports.forget(session, batch)
    session.commit()
    return batch


def figures(batch: ImportBatch) -> dict[str, int]:
    """How the rows of a batch ended, without what is nought."""
    return {name: getattr(batch, name) for name in imports.OUTCOMES if getattr(batch, name)}


def values(session: Session, kind: str, *, state: str = "current", account: str | None = None) -> list[str]:
    """The values of a kind in a state, preferred first."""
    query = select(Contact.value, Contact.raw).join(Customer, Customer.id == Contact.customer_id)
    query = query.where(Contact.kind == kind, Contact.state == state)
    query = query.where(Customer.account_no == account) if account else query
    rows = session.execute(query.order_by(Contact.preferred.desc(), Contact.id)).all()
    return [row.value or row.raw for row in rows]


def state_of(session: Session) -> dict[str, Any]:
    """What staff see: open customers with their facts, and their current and waiting values."""
    facts = ("account_no", "unit_id", "name", "usage_class", "customer_class", "manager_id", "opened_on", "meter_book")
    columns = (Customer.id, *(getattr(Customer, name) for name in facts))
    customers = session.execute(select(*columns).where(Customer.closed_on.is_(None)))
    contacts = session.execute(
        select(Contact.customer_id, Contact.kind, Contact.value, Contact.raw, Contact.state, Contact.preferred)
        .where(Contact.state.in_(("current", "proposed")))
    )
    found: dict[str, Any] = {}
    by_id = {}
    for row in customers:
        by_id[row.id] = row.account_no
        found[row.account_no] = {"facts": tuple(row[1:]), "contacts": []}
    for row in contacts:
        if row.customer_id in by_id:
            found[by_id[row.customer_id]]["contacts"].append(tuple(row[1:]))
    for one in found.values():
        one["contacts"].sort()
    return found
