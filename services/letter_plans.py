"""What stands on a letter, by value: recipients with what is on record and the address to use, as plans of letters."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Campaign, Contact, Customer, Recipient, Unit
from models.contacts import USABLE
from models.scope import ALL, working_as
from paper.codes import CROCKFORD, new_token
from paper.letters import Recorded
from services import contacts, presorting, public_address
from services.campaigns import NOBODY

REPLY_TOKEN = 16
SERIAL_WIDTH = 5
OUTAGE = "outage"
POSTAL = ("postal_address", "supply_address")

Plan = dict[str, Any]


def load(session: Session, recipient_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Recipients in the given order, each with customer, unit, recorded contacts and the address to use."""
    query = (
        select(Recipient, Customer, Unit.name.label("unit"))
        .join(Customer, Customer.id == Recipient.customer_id)
        .join(Unit, Unit.id == Customer.unit_id)
        .where(Recipient.id.in_(recipient_ids))
    )
    public = public_address.current(session)
    with working_as(session, ALL):
        found = {row.Recipient.id: row for row in session.execute(query)}
        customers = [row.Customer.id for row in found.values()]
        recorded, addresses = _recorded(session, customers), _addresses(session, customers)
        postcodes = presorting.postcodes(session, customers)
    return [
        {
            "recipient": found[key].Recipient,
            "customer": found[key].Customer,
            "unit": found[key].unit,
            "contacts": recorded.get(found[key].Customer.id, {}),
            "address": addresses.get(found[key].Customer.id),
            "postcode": postcodes.get(found[key].Customer.id, ""),
            "public": public,
        }
        for key in recipient_ids
    ]


def _addresses(session: Session, customer_ids: Sequence[int]) -> dict[int, Contact]:
    """Where a letter goes now: the preferred usable postal address, else the usable supply address."""
    usable = contacts.usable(session, customer_ids, POSTAL)
    found: dict[int, Contact] = {}
    for row in sorted(usable, key=lambda row: POSTAL.index(row.kind)):
        found.setdefault(row.customer_id, row)
    return found


def _recorded(session: Session, customer_ids: Sequence[int]) -> dict[int, dict[str, Contact]]:
    """What the form shows as on record: the preferred, else the oldest readable value of each kind.

    A person and a mobile of purpose `outage` have places of their own on the form.
    """
    rows = session.scalars(
        select(Contact)
        .where(Contact.customer_id.in_(customer_ids), Contact.state == "current", Contact.verdict.in_(USABLE))
        .order_by(Contact.customer_id, Contact.preferred.desc(), Contact.id)
    )
    found: dict[int, dict[str, Contact]] = {}
    for row in rows:
        place = (
            f"{OUTAGE}_{row.kind}" if row.purpose == OUTAGE and row.kind in ("person", "mobile") else row.kind
        )
        found.setdefault(row.customer_id, {}).setdefault(place, row)
    return found


def plan_of(campaign: Campaign, row: Mapping[str, Any], *, serial: int, form_version: int, day: date) -> Plan:
    """One letter to a loaded recipient, the first copy, with tokens of its own."""
    recipient, customer, recorded = row["recipient"], row["customer"], row["contacts"]
    reply_token = "".join(secrets.choice(CROCKFORD) for _ in range(REPLY_TOKEN))
    online = {"reply_url": public_address.reply_url(row["public"], reply_token)} if row["public"] else {}
    return {
        "recipient_id": recipient.id,
        "customer_id": customer.id,
        "unit_id": customer.unit_id,
        "address_id": row["address"].id,
        "serial": serial,
        "copy": 1,
        "token": new_token(),
        "reply_token": reply_token,
        "form_version": form_version,
        "versions": {place: contact.id for place, contact in recorded.items()},
        "facts": _facts(campaign, row, serial=serial, day=day) | online,
    }


def _facts(campaign: Campaign, row: Mapping[str, Any], *, serial: int, day: date) -> dict[str, Any]:
    customer, recorded = row["customer"], row["contacts"]
    texts = {place: contact.value or contact.raw for place, contact in recorded.items()}
    return {
        "serial": f"{campaign.code}-{serial:0{SERIAL_WIDTH}}",
        "address": row["address"].value or row["address"].raw,
        "addressee": customer.name or NOBODY,
        "account_no": customer.account_no,
        "name": customer.name,
        "unit": row["unit"],
        "supply_address": texts.get("supply_address", ""),
        "postcode": row["postcode"],
        "sent_on": day.isoformat(),
        "reply_by": (campaign.reply_by or day).isoformat(),
        "recorded": {name: texts.get(name, "") for name in Recorded.__dataclass_fields__},
    }
