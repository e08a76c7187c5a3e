"""Which channels reach a customer now (可达渠道): a usable value behind the channel, and no opt-out from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Subquery, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from models import Confirmation, Consent, Contact, Customer
from models.contacts import GOOD
from services.contacts import usable

# channel: the kinds of which one usable value makes it work
CHANNELS: dict[str, tuple[str, ...]] = {
    "sms": ("mobile",),
    "call": ("mobile", "landline"),
    "wechat": ("wechat",),
    "email": ("email",),
    "letter": ("postal_address", "supply_address"),
}
ANY = "any"


@dataclass(frozen=True)
class Rate:
    """One unit's open customers, and how many of them each channel reaches; `any` counts those with at least one."""

    unit_id: int
    customers: int
    reached: Mapping[str, int]


def reached_by(channel: str, purpose: str = "") -> ColumnElement[bool]:
    """The condition on customers that a channel works for them; for every purpose, or for one."""
    return and_(has_usable(CHANNELS[channel]), ~opted_out(channel, purpose))


def unreachable() -> ColumnElement[bool]:
    """The condition on customers that no channel works for them."""
    return ~or_(*(reached_by(channel) for channel in CHANNELS))


def has_usable(kinds: Sequence[str]) -> ColumnElement[bool]:
    """The condition on customers that a current value of some kinds is good and not refuted."""
    contact = aliased(Contact)
    return exists().where(
        contact.customer_id == Customer.id,
        contact.kind.in_(kinds),
        contact.state == "current",
        contact.verdict.in_(GOOD),
        ~_refuted(contact),
    )


def opted_out(channel: str, purpose: str = "") -> ColumnElement[bool]:
    """The condition on customers that the latest word on a channel was no: for this purpose, or for any."""
    consent, newer = aliased(Consent), aliased(Consent)
    later = exists().where(
        newer.customer_id == consent.customer_id,
        newer.purpose == consent.purpose,
        newer.channel == consent.channel,
        newer.id > consent.id,
    )
    said_no = [
        consent.customer_id == Customer.id,
        consent.channel == channel,
        consent.granted.is_(False),
        ~later,
    ]
    return exists().where(
        *said_no, consent.purpose.in_(("", purpose)) if purpose else consent.id.is_not(None)
    )


def channels_of(session: Session, customer_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The channels that work for each of a few customers, in the order of the table."""
    kinds = {kind for needed in CHANNELS.values() for kind in needed}
    has = {(row.customer_id, row.kind) for row in usable(session, customer_ids, kinds)}
    said: dict[tuple[int, str, str], bool] = {}
    for row in session.execute(
        select(Consent.customer_id, Consent.purpose, Consent.channel, Consent.granted)
        .where(Consent.customer_id.in_(customer_ids))
        .order_by(Consent.id)
    ):
        said[row.customer_id, row.purpose, row.channel] = row.granted
    refused = {
        (customer_id, channel) for (customer_id, _purpose, channel), granted in said.items() if not granted
    }
    return {
        key: tuple(
            channel
            for channel, needed in CHANNELS.items()
            if (key, channel) not in refused and any((key, kind) in has for kind in needed)
        )
        for key in customer_ids
    }


def rates(session: Session) -> list[Rate]:
    """How many open customers each unit has, and how many of them each channel, or any of them, reaches.

    Set-based: one pass over the current contacts, one over the refusals, one over the customers.
    """
    values, refusals = _values(), _refusals()
    works = {
        channel: and_(values.c[channel] == 1, func.coalesce(refusals.c[channel], 0) == 0)
        for channel in CHANNELS
    }
    works[ANY] = or_(*works.values())
    counted = [func.sum(case((condition, 1), else_=0)).label(name) for name, condition in works.items()]
    query = select(Customer.unit_id, func.count().label("customers"), *counted)
    query = query.outerjoin(values, values.c.customer_id == Customer.id)
    query = query.outerjoin(refusals, refusals.c.customer_id == Customer.id)
    rows = session.execute(query.where(Customer.closed_on.is_(None)).group_by(Customer.unit_id))
    return [Rate(r.unit_id, r.customers, {name: int(getattr(r, name)) for name in works}) for r in rows]


def _values() -> Subquery:
    """By customer, one flag a channel: whether a usable value stands behind it."""
    flags = [
        func.max(case((Contact.kind.in_(kinds), 1), else_=0)).label(name) for name, kinds in CHANNELS.items()
    ]
    good = select(Contact.customer_id, *flags).where(Contact.state == "current", Contact.verdict.in_(GOOD))
    return good.where(~_refuted(Contact)).group_by(Contact.customer_id).subquery()


def _refusals() -> Subquery:
    """By customer, one flag a channel: whether the latest word on it was no."""
    newer = aliased(Consent)
    later = exists().where(
        newer.customer_id == Consent.customer_id,
        newer.purpose == Consent.purpose,
        newer.channel == Consent.channel,
        newer.id > Consent.id,
    )
    flags = [func.max(case((Consent.channel == name, 1), else_=0)).label(name) for name in CHANNELS]
    latest = select(Consent.customer_id, *flags).where(Consent.granted.is_(False), ~later)
    return latest.group_by(Consent.customer_id).subquery()


def _refuted(contact: type[Contact]) -> ColumnElement[bool]:
    """Whether the latest finding about a value is that it is wrong."""
    found, newer = aliased(Confirmation), aliased(Confirmation)
    same = [
        found.customer_id == contact.customer_id,
        found.kind == contact.kind,
        found.value == contact.value,
    ]
    later = exists().where(
        newer.customer_id == found.customer_id,
        newer.kind == found.kind,
        newer.value == found.value,
        newer.id > found.id,
    )
    return exists().where(*same, found.result == "refuted", ~later)
