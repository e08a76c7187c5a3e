"""What an audit looks at: the required values of drawn customers, frozen with the version that stood at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, or_, select
from sqlalchemy.orm import Session

from models import AuditItem, Contact, Customer, RequiredField, Sample, SampledCustomer
from models.bulk import insert_rows
from quality.verdicts import MISSING

CHUNK = 500
SETTLED = ("current", "superseded", "stopped")
BEST = {"valid": 0, "repairable": 1, "suspect": 2, "invalid": 3, "missing": 4}
LONGEST = 400


def make_items(session: Session, sample: Sample, drawn: Sequence[SampledCustomer]) -> int:
    """One item for each required kind with a recorded value of the drawn customers, as it stood at the deadline."""
    number = 0
    for place in range(0, len(drawn), CHUNK):
        rows = _items(session, sample.deadline, drawn[place : place + CHUNK])
        insert_rows(session, AuditItem.__table__, rows)
        number += len(rows)
    return number


def _items(session: Session, deadline: datetime, drawn: Sequence[SampledCustomer]) -> list[dict[str, Any]]:
    required: dict[str, set[str]] = {}
    for row in session.scalars(select(RequiredField)):
        required.setdefault(row.customer_class, set()).add(row.kind)
    sampled = {row.customer_id: row for row in drawn}
    columns = (Customer.id, Customer.customer_class)
    classes = dict(session.execute(select(*columns).where(Customer.id.in_(sampled))).tuples().all())
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for value in _standing(session, list(sampled), deadline):
        if value.kind in required.get(classes[value.customer_id], ()):
            home = sampled[value.customer_id]
            item = item_row(value, home.unit_id, sampled_id=home.id)
            found.setdefault((value.customer_id, value.kind), item)
    order = {row.customer_id: place for place, row in enumerate(drawn)}
    return [found[where] for where in sorted(found, key=lambda where: (order[where[0]], where[1]))]


def _standing(session: Session, customer_ids: Sequence[int], moment: datetime) -> Iterable[Contact]:
    """The recorded values that stood at a moment, the one that counts first: preferred, best verdict, newest."""
    query = select(Contact).where(Contact.customer_id.in_(customer_ids), Contact.state.in_(SETTLED))
    query = query.where(or_(Contact.recorded_at.is_(None), Contact.recorded_at <= moment))
    query = query.where(or_(Contact.current_until.is_(None), Contact.current_until > moment))
    query = query.where(Contact.verdict != MISSING)
    rank = case(BEST, value=Contact.verdict, else_=9)
    return session.scalars(query.order_by(Contact.preferred.desc(), rank, Contact.id.desc()))


def item_row(value: Contact, unit_id: int, **origin: int) -> dict[str, Any]:
    """One item of a recorded value: of `sampled_id`, or of `batch_audit_id`."""
    return origin | {
        "customer_id": value.customer_id,
        "unit_id": unit_id,
        "kind": value.kind,
        "contact_id": value.id,
        "value": (value.value or value.raw)[:LONGEST],
        "recorder_id": value.recorder_id,
        "proposer_id": value.proposer_id,
    }
