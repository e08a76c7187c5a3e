"""Conditions on customers and their contacts in SQL, which lists, letters and segments share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import aliased

from models import Confirmation, Consent, Customer

SPOILED = ("spoiled", "reprinted")


def refuted(contact: Any) -> ColumnElement[bool]:
    """Whether the latest confirmation of a version's value says that it is wrong."""
    one, newer = aliased(Confirmation), aliased(Confirmation)
    same = (one.customer_id == contact.customer_id, one.kind == contact.kind, one.value == contact.value)
    later = exists().where(
        newer.customer_id == one.customer_id,
        newer.kind == one.kind,
        newer.value == one.value,
        newer.id > one.id,
    )
    return exists().where(*same, one.result == "refuted", ~later)


def opted_out(purpose: str = "business", channel: str = "letter") -> ColumnElement[bool]:
    """The condition on customers that the latest word on a purpose by a channel was no (退订)."""
    consent, newer = aliased(Consent), aliased(Consent)
    same = [getattr(newer, name) == getattr(consent, name) for name in ("customer_id", "purpose", "channel")]
    later = exists().where(*same, newer.id > consent.id)
    mine = (consent.customer_id == Customer.id, consent.purpose == purpose, consent.channel == channel)
    return exists().where(*mine, consent.granted.is_(False), ~later)
