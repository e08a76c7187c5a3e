"""The rows that lists and search read, proved against what they repeat: filled where missing, mended where wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Customer, SearchRow
from models.clock import utcnow
from services import search
from services.search_texts import grams

CHUNK = 5_000
TURNS = 50  # all rows are compared every night, the grams of one in fifty
CUSTOMERS, ROWS = Customer.__table__, SearchRow.__table__


def fill(session: Session) -> Iterator[int]:
    """Write the rows of customers that have none (an older version's); yields how many, chunk by chunk."""
    place = 0
    missing = select(CUSTOMERS.c.id).outerjoin(ROWS, ROWS.c.customer_id == CUSTOMERS.c.id)
    missing = missing.where(ROWS.c.customer_id.is_(None)).order_by(CUSTOMERS.c.id).limit(search.CHUNK)
    while ids := session.scalars(missing.where(CUSTOMERS.c.id > place)).all():
        search.refresh(session, ids)
        place = ids[-1]
        yield len(ids)


def differences(session: Session) -> Iterator[list[int]]:
    """The customers whose row or grams say something else than their account and values do, span by span."""
    search.keep(session)
    last = session.scalar(select(func.max(CUSTOMERS.c.id))) or 0
    last = max(last, session.scalar(select(func.max(ROWS.c.customer_id))) or 0)
    for first in range(1, last + 1, CHUNK):
        yield _wrong(session, first, first + CHUNK - 1)


def mend(session: Session) -> Iterator[int]:
    """Write anew what differs; yields how many rows of each span were wrong, the caller commits it."""
    for wrong in differences(session):
        if wrong:
            search.refresh(session, wrong)
            texts = select(ROWS.c.customer_id, ROWS.c.text).where(ROWS.c.customer_id.in_(wrong))
            search.index(session, {}, {row.customer_id: row.text for row in session.execute(texts)})
        yield len(wrong)


def _wrong(session: Session, first: int, last: int) -> list[int]:
    ids = session.scalars(select(CUSTOMERS.c.id).where(CUSTOMERS.c.id.between(first, last))).all()
    should = {row["customer_id"]: row for row in search.rows_of(session, ids)}
    query = select(ROWS).where(ROWS.c.customer_id.between(first, last))
    stand = {row.customer_id: row._asdict() for row in session.execute(query)}
    wrong = {key for key in should.keys() | stand.keys() if should.get(key) != stand.get(key)}
    texts = {key: row["text"] for key, row in stand.items()}
    return sorted(wrong | _unfound(session, texts))


def _unfound(session: Session, texts: Mapping[int, str]) -> set[int]:
    """Rows that the index of grams does not find, among those whose turn it is tonight."""
    turn = utcnow().toordinal() % TURNS
    asked = {key: grams(text) for key, text in texts.items() if key % TURNS == turn}
    return {key for key, found in asked.items() if found and not _is_found(session, key, found)}


def _is_found(session: Session, customer_id: int, asked: Collection[str]) -> bool:
    found = search.candidates(session, sorted(asked)).subquery()
    return session.scalar(select(found).where(found.c[0] == customer_id)) is not None
