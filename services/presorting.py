"""Presort (分拣): the order in which the post takes letters, so that serials, trays and bundles follow it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, Letter, Recipient, Unit
from models.contacts import GOOD

PREFIX, BUNDLE_PREFIX = 3, 4  # a tray goes to one mail zone, a bundle to one post office
_NUMBERS = re.compile(r"(\d+)")


def waiting_in_order(session: Session, campaign_id: int) -> list[int]:
    """The recipients without a letter: by postcode, then along the streets; those without a postcode last, by unit."""
    listed = select(Recipient.customer_id).where(Recipient.campaign_id == campaign_id)
    found = postcodes(session, listed)
    rows = session.execute(_waiting(campaign_id)).all()
    ordered = sorted(rows, key=lambda row: sort_key(found.get(row.customer_id, ""), row.value, row.path))
    return [row.id for row in ordered]


def sort_key(postcode: str, address: str, unit_path: str = "") -> tuple[Any, ...]:
    """By the six digits, then street and number as a postman counts: 9号 before 12号."""
    parts = _NUMBERS.split(address)
    street = tuple(int(part) if at % 2 else part for at, part in enumerate(parts))
    return (not postcode, postcode, "" if postcode else unit_path, street)


def prefix_of(postcode: str, digits: int = PREFIX) -> str:
    """The beginning of a postcode that decides the tray or the bundle; empty where none is known."""
    return postcode.strip()[:digits]


def _waiting(campaign_id: int) -> Any:
    written = select(Letter.id).where(Letter.recipient_id == Recipient.id).exists()
    return (
        select(Recipient.id, Recipient.customer_id, Unit.path, Contact.value)
        .join(Unit, Unit.id == Recipient.unit_id)
        .join(Contact, Contact.id == Recipient.address_id)
        .where(
            Recipient.campaign_id == campaign_id,
            Recipient.exclusion == "",
            Recipient.outcome.is_(None),
            ~written,
        )
        .order_by(Recipient.id)
    )


def postcodes(session: Session, customers: Any) -> dict[int, str]:
    """The postcode that stands on a letter and sorts it, by customer: the preferred good one, else the oldest.

    One that contradicts the customer's address would send the letter to another province; better none.
    `customers`: their ids, or a query of them.
    """
    query = select(Contact.customer_id, Contact.value).where(
        Contact.customer_id.in_(customers),
        Contact.kind == "postcode",
        Contact.state == "current",
        Contact.verdict.in_(GOOD),
    )
    rows: Sequence[Any] = session.execute(query.order_by(Contact.preferred, Contact.id.desc())).all()
    return {row.customer_id: row.value for row in rows}
