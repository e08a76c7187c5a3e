"""Verdicts that follow what is shared: a value is judged again when its number became, or ceased to be, one of many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact
from services import rejudging, shared_numbers
from services.changes import changing
from services.rejudging import Judged

CHUNK = 500
CONTACTS = Contact.__table__


def spans(session: Session) -> Iterator[list[int]]:
    """The versions whose verdict does not fit what is shared now, in chunks."""
    ids = shared_numbers.misjudged(session)
    return (ids[place : place + CHUNK] for place in range(0, len(ids), CHUNK))


def judged(session: Session, contact_ids: Sequence[int]) -> list[Judged]:
    """What of some versions today's rules judge otherwise; a verdict only, never another value. Only reads."""
    query = select(*(CONTACTS.c[name] for name in rejudging.LOOKED_AT)).where(CONTACTS.c.id.in_(contact_ids))
    found = rejudging.judge_rows(session, session.execute(query.order_by(CONTACTS.c.id)).all())
    return [one for one in found.judged if not one.value]


def write(session: Session, found: Sequence[Judged]) -> int:
    """Write such verdicts, with the counts that follow from them; returns how many changed."""
    ids = [one.id for one in found]
    customers = session.scalars(select(CONTACTS.c.customer_id).where(CONTACTS.c.id.in_(ids)).distinct()).all()
    if not customers:
        return 0
    with changing(session, customers):
        return rejudging.write(session, found)
