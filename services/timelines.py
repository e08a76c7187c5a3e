"""What happened with one customer on one line of time: versions, findings, letters, messages, visits, traces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload

from models import Confirmation, Consent, Contact, Letter, Message, Staff, Task, Trace, Visit, VisitAttempt
from services.merges import absorbed

# What a version, a letter, a visit or a confirmation says itself, its trace does not say again.
SAID_ELSEWHERE = ("contact.", "proposal.", "visit.", "return.", "undelivered.", "letter.", "message.")
LIMIT = 40
LETTER_EVENTS = ("posted", "answered", "undelivered")


@dataclass(frozen=True)
class Event:
    """One thing that happened: when, of which kind, in which state or action, by whom; the row says more."""

    at: datetime
    kind: str
    what: str
    who: str
    row: Any
    rows: tuple[Any, ...] = ()


def timeline(
    session: Session, customer_id: int, *, before: datetime | None = None, limit: int = LIMIT
) -> list[Event]:
    """The newest events of a customer before a moment, newest first; those of accounts merged into it among them."""
    found: list[Event] = []
    ids = [customer_id, *absorbed(session, customer_id)]
    for source in (
        _versions,
        _confirmations,
        _letters,
        _messages,
        _attempts,
        _visits,
        _consents,
        _tasks,
        _traces,
    ):
        found += [
            event for event in source(session, ids, before, limit) if before is None or event.at < before
        ]
    return sorted(found, key=lambda event: event.at, reverse=True)[:limit]


def _versions(session: Session, ids: Sequence[int], before: datetime | None, limit: int) -> Iterable[Event]:
    """Versions that came in together, from one source, by one person, into one state, are one event."""
    query = select(Contact).where(Contact.customer_id.in_(ids)).options(joinedload(Contact.recorder))
    together: dict[Any, list[Contact]] = {}
    for row in session.scalars(_newest(query, Contact.created_at, before, limit)):
        key = (row.created_at.replace(microsecond=0), row.source, row.recorder_id, row.state)
        together.setdefault(key, []).append(row)
    return [
        Event(rows[0].created_at, "contact", rows[0].state, _name(rows[0].recorder), rows[0], tuple(rows))
        for rows in together.values()
    ]


def _confirmations(
    session: Session, ids: Sequence[int], before: datetime | None, limit: int
) -> Iterable[Event]:
    query = select(Confirmation, Staff).outerjoin(Staff, Staff.id == Confirmation.staff_id)
    query = query.where(Confirmation.customer_id.in_(ids))
    rows = session.execute(_newest(query, Confirmation.at, before, limit))
    return [Event(row.at, "confirmation", row.result, _name(staff), row) for row, staff in rows]


def _letters(session: Session, ids: Sequence[int], before: datetime | None, limit: int) -> Iterable[Event]:
    query = select(Letter).where(Letter.customer_id.in_(ids)).options(joinedload(Letter.campaign))
    rows = session.scalars(query.order_by(Letter.id.desc()).limit(limit)).all()
    moments = [(row, state, getattr(row, f"{state}_at")) for row in rows for state in LETTER_EVENTS]
    return [Event(at, "letter", state, "", row) for row, state, at in moments if at is not None]


def _messages(session: Session, ids: Sequence[int], before: datetime | None, limit: int) -> Iterable[Event]:
    query = select(Message).where(Message.customer_id.in_(ids))
    rows = session.scalars(_newest(query, Message.created_at, before, limit))
    return [Event(row.created_at, "message", row.state, "", row) for row in rows]


def _attempts(session: Session, ids: Sequence[int], before: datetime | None, limit: int) -> Iterable[Event]:
    query = select(VisitAttempt, Staff).outerjoin(Staff, Staff.id == VisitAttempt.staff_id)
    query = query.where(VisitAttempt.customer_id.in_(ids))
    rows = session.execute(_newest(query, VisitAttempt.at, before, limit))
    return [Event(row.at, "attempt", row.result, _name(staff), row) for row, staff in rows]


def _visits(session: Session, ids: Sequence[int], before: datetime | None, limit: int) -> Iterable[Event]:
    query = select(Visit).where(Visit.customer_id.in_(ids)).options(joinedload(Visit.staff))
    rows = session.scalars(_newest(query, Visit.created_at, before, limit))
    return [Event(row.created_at, "visit", row.state, _name(row.staff), row) for row in rows]


def _consents(session: Session, ids: Sequence[int], before: datetime | None, limit: int) -> Iterable[Event]:
    query = select(Consent).where(Consent.customer_id.in_(ids))
    rows = session.scalars(_newest(query, Consent.since, before, limit))
    return [Event(row.since, "consent", "granted" if row.granted else "refused", "", row) for row in rows]


def _tasks(session: Session, ids: Sequence[int], before: datetime | None, limit: int) -> Iterable[Event]:
    query = select(Task).where(Task.customer_id.in_(ids)).options(joinedload(Task.done_by))
    rows = session.scalars(_newest(query, Task.created_at, before, limit))
    return [Event(row.created_at, "task", row.state, _name(row.done_by), row) for row in rows]


def _traces(session: Session, ids: Sequence[int], before: datetime | None, limit: int) -> Iterable[Event]:
    query = select(Trace).where(Trace.customer_id.in_(ids)).options(joinedload(Trace.actor))
    query = query.where(~or_(*(Trace.action.startswith(head) for head in SAID_ELSEWHERE)))
    rows = session.scalars(_newest(query, Trace.at, before, limit))
    return [Event(row.at, "trace", row.action, _name(row.actor), row) for row in rows]


def _newest(query: Select[Any], moment: Any, before: datetime | None, limit: int) -> Select[Any]:
    if before is not None:
        query = query.where(moment < before)
    return query.order_by(moment.desc()).limit(limit)


def _name(staff: Staff | None) -> str:
    return staff.name if staff is not None else ""
