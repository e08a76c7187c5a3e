"""The rows that lists and search read, proved against what they repeat: filled where missing, mended where wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Customer, SearchRow, Setting
from models.bulk import stored
from models.clock import ZONE, utcnow
from services import search
from services.search_texts import grams

CHUNK = 5_000
PROOF = "search_proof"
NIGHT = 1  # o'clock
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
    for first in range(1, _last(session) + 1, CHUNK):
        yield _wrong(session, first, first + CHUNK - 1)


def mend(session: Session) -> Iterator[int]:
    """Write anew what differs; yields how many rows of each span were wrong, the caller commits it."""
    for wrong in differences(session):
        _rewrite(session, wrong)
        yield len(wrong)


def last_proof(session: Session) -> dict[str, Any]:
    """How the last nightly proof stands: its day, how far it is, how many rows were wrong, whether it has ended."""
    row = session.get(Setting, PROOF)
    return dict(row.value) if row is not None else {}


def is_due(session: Session) -> bool:
    """Whether tonight's proof is still to be done: it begins after one o'clock."""
    moment, proof = utcnow().astimezone(ZONE), last_proof(session)
    if not proof.get("ended", True):
        return True
    return proof.get("day") != moment.date().isoformat() and moment.hour >= NIGHT


@dataclass(frozen=True)
class Proved:
    """One span of tonight's proof: how the proof stands with it, and which customers' rows were wrong in it."""

    proof: Mapping[str, Any]
    wrong: Sequence[int]


def prove_next(session: Session) -> Proved:
    """Prove the next span of tonight's proof; reads only."""
    proof = last_proof(session)
    if proof.get("ended", True):
        proof = {"day": utcnow().astimezone(ZONE).date().isoformat(), "place": 0, "wrong": 0}
    first, last = proof["place"] + 1, proof["place"] + CHUNK
    wrong = _wrong(session, first, last)
    proof |= {"place": last, "wrong": proof["wrong"] + len(wrong), "ended": last >= _last(session)}
    return Proved(proof, wrong)


def keep_proved(session: Session, proved: Proved) -> None:
    """Write the rows that were wrong anew, as they should be by now, and how the proof stands."""
    _rewrite(session, proved.wrong)
    session.merge(Setting(key=PROOF, value=dict(proved.proof)))


def _last(session: Session) -> int:
    return max(
        session.scalar(select(func.max(column))) or 0 for column in (CUSTOMERS.c.id, ROWS.c.customer_id)
    )


def _rewrite(session: Session, wrong: Sequence[int]) -> None:
    if wrong:
        search.refresh(session, wrong)
        texts = select(ROWS.c.customer_id, ROWS.c.text).where(ROWS.c.customer_id.in_(wrong))
        search.index(session, {}, {row.customer_id: row.text for row in session.execute(texts)})


def _wrong(session: Session, first: int, last: int) -> list[int]:
    ids = session.scalars(select(CUSTOMERS.c.id).where(CUSTOMERS.c.id.between(first, last))).all()
    should = {row[0]: row for row in search.rows_of(session, ids)}
    rows = stored(session, ROWS, search.COLUMNS, f"customer_id BETWEEN {first} AND {last}")
    stand = {row[0]: tuple(row) for row in rows}
    wrong = {key for key in should.keys() | stand.keys() if should.get(key) != stand.get(key)}
    texts = {key: row[-1] for key, row in stand.items()}
    return sorted(wrong | _unfound(session, texts))


def _unfound(session: Session, texts: Mapping[int, str]) -> set[int]:
    """Rows that the index of grams does not find, among those whose turn it is tonight."""
    turn = utcnow().toordinal() % TURNS
    asked = {key: grams(text) for key, text in texts.items() if key % TURNS == turn}
    return {key for key, found in asked.items() if found and not _is_found(session, key, found)}


def _is_found(session: Session, customer_id: int, asked: Collection[str]) -> bool:
    found = search.candidates(session, sorted(asked)).subquery()
    return session.scalar(select(found).where(found.c[0] == customer_id)) is not None
