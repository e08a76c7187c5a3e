"""Which channels reach a customer now (可达渠道): a usable value behind the channel, and no opt-out from it.

What works stands on the customer as a sum of bits, kept as contacts, findings and consents change: a filter or a rate
reads one column. `recount` proves it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, ScalarSelect, case, exists, func, literal, select, update
from sqlalchemy.orm import Session

from models import Confirmation, Consent, Contact, Customer
from models.bulk import update_stored
from models.contacts import GOOD
from models.search import note

# channel: the kinds of which one usable value makes it work
CHANNELS: dict[str, tuple[str, ...]] = {
    "sms": ("mobile",),
    "call": ("mobile", "landline"),
    "wechat": ("wechat",),
    "email": ("email",),
    "letter": ("postal_address", "supply_address"),
}
BITS = {"letter": 1, "sms": 2, "call": 4, "email": 8, "wechat": 16}  # stored: never renumbered
EVERY = sum(BITS.values())
BITS_OF_KIND = {
    kind: sum(BITS[name] for name, kinds in CHANNELS.items() if kind in kinds)
    for kind in {kind for kinds in CHANNELS.values() for kind in kinds}
}
ANY = "any"
CHUNK = 10_000
CUSTOMERS = Customer.__table__


@dataclass(frozen=True)
class Rate:
    """One unit's open customers, and how many of them each channel reaches; `any` counts those with at least one."""

    unit_id: int
    customers: int
    reached: Mapping[str, int]


def reached_by(channel: str) -> ColumnElement[bool]:
    """The condition on customers that a channel works for them; `any`: that at least one does."""
    bits = EVERY if channel == ANY else BITS[channel]
    return Customer.reach.bitwise_and(bits) != 0


def unreachable() -> ColumnElement[bool]:
    """The condition on customers that no channel works for them."""
    return Customer.reach == 0


def channels_in(reach: int) -> tuple[str, ...]:
    """The channels behind a customer's `reach`, in the order of the table."""
    return tuple(channel for channel in CHANNELS if reach & BITS[channel])


def channels_of(session: Session, customer_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The channels that work for each of a few customers, in the order of the table."""
    rows = session.execute(select(Customer.id, Customer.reach).where(Customer.id.in_(customer_ids)))
    return {row.id: channels_in(row.reach) for row in rows}


def rates(session: Session) -> list[Rate]:
    """How many open customers each unit has, and how many of them each channel, or any of them, reaches."""
    query = select(Customer.unit_id, Customer.reach, func.count().label("number"))
    query = query.where(Customer.closed_on.is_(None)).group_by(Customer.unit_id, Customer.reach)
    units: dict[int, list[tuple[int, int]]] = {}
    for row in session.execute(query.order_by(Customer.unit_id)):
        units.setdefault(row.unit_id, []).append((row.reach, row.number))
    return [Rate(key, sum(n for _reach, n in found), _reached(found)) for key, found in units.items()]


@cache
def standing() -> ColumnElement[int]:
    """What `reach` must be, from contacts, findings and consents: for an UPDATE or a SELECT of customers."""
    return _values().bitwise_and(literal(EVERY) - _refusals())


def keep(session: Session, customer_ids: Collection[int]) -> None:
    """Count the reach of a chunk of customers anew, after something that it depends on has changed."""
    if not customer_ids:
        return
    session.flush()
    keys = sorted(customer_ids)
    session.execute(update(CUSTOMERS).where(CUSTOMERS.c.id.in_(keys)).values(reach=standing()))
    note(session, keys)
    forget(session)


def enter(session: Session, values: Iterable[Any]) -> None:
    """Keep the reach of new customers, who have these values and nothing else."""
    found: dict[int, int] = {}
    for value in values:
        if value.verdict in GOOD:
            found[value.customer_id] = found.get(value.customer_id, 0) | BITS_OF_KIND.get(value.kind, 0)
    update_stored(session, CUSTOMERS, ("id", "reach"), list(found.items()))


def forget(session: Session) -> None:
    """Let customers that the session holds read their reach again when asked for it."""
    for row in [one for one in session.identity_map.values() if isinstance(one, Customer)]:
        session.expire(row, ["reach", "changed_at"])


def spans(session: Session) -> Iterator[tuple[int, int]]:
    """All customers in spans of keys, for counting anew."""
    last = session.scalar(select(func.max(CUSTOMERS.c.id))) or 0
    return ((first, first + CHUNK - 1) for first in range(1, last + 1, CHUNK))


def wrong(session: Session, first: int, last: int) -> Sequence[int]:
    """The customers of a span whose reach is not what it must be; none, unless something wrote past this house."""
    span = CUSTOMERS.c.id.between(first, last)
    return session.scalars(select(CUSTOMERS.c.id).where(span, CUSTOMERS.c.reach != standing())).all()


def recount(session: Session) -> Iterator[int]:
    """Count everybody's reach anew in spans of keys; yields how many were wrong in each, the caller commits it."""
    for first, last in spans(session):
        found = wrong(session, first, last)
        keep(session, found)
        yield len(found)


def _reached(found: Sequence[tuple[int, int]]) -> dict[str, int]:
    bits = {**{name: BITS[name] for name in CHANNELS}, ANY: EVERY}
    return {name: sum(number for reach, number in found if reach & bit) for name, bit in bits.items()}


def _values() -> ColumnElement[int]:
    """The bits of the channels behind which a usable value stands."""
    contact = Contact.__table__.alias()
    flags = [func.max(case((contact.c.kind.in_(CHANNELS[name]), bit), else_=0)) for name, bit in BITS.items()]
    good = select(sum(flags[1:], start=flags[0])).where(
        contact.c.customer_id == CUSTOMERS.c.id,
        contact.c.state == "current",
        contact.c.verdict.in_(GOOD),
        ~_refuted(contact.c),
    )
    return _number(good.correlate(CUSTOMERS).scalar_subquery())


def _refusals() -> ColumnElement[int]:
    """The bits of the channels on which the latest word, for any purpose, was no."""
    consent, newer = Consent.__table__.alias(), Consent.__table__.alias()
    later = exists().where(
        newer.c.customer_id == consent.c.customer_id,
        newer.c.purpose == consent.c.purpose,
        newer.c.channel == consent.c.channel,
        newer.c.id > consent.c.id,
    )
    flags = [func.max(case((consent.c.channel == name, bit), else_=0)) for name, bit in BITS.items()]
    said_no = select(sum(flags[1:], start=flags[0])).where(
        consent.c.customer_id == CUSTOMERS.c.id, consent.c.granted.is_(False), ~later
    )
    return _number(said_no.correlate(CUSTOMERS).scalar_subquery())


def _refuted(contact: object) -> ColumnElement[bool]:
    """Whether the latest finding about a value is that it is wrong."""
    found, newer = Confirmation.__table__.alias(), Confirmation.__table__.alias()
    names = ("customer_id", "kind", "value")
    later = exists().where(*(newer.c[name] == found.c[name] for name in names), newer.c.id > found.c.id)
    same = [found.c[name] == getattr(contact, name) for name in names]
    return exists().where(*same, found.c.result == "refuted", ~later)


def _number(bits: ScalarSelect[int]) -> ColumnElement[int]:
    return func.coalesce(bits, 0, type_=Integer)
