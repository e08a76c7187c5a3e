"""What a visitor needs at one door: who lives there, where it is, what is recorded, what happened before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import Contact, ContactKind, Customer, Reason, Visit, VisitAttempt
from models.clock import today
from models.scope import ALL, working_as
from services import walk_lists
from services.walk_lists import Door

ASKED = ("person", "mobile", "landline", "postal_address", "email", "wechat")


@dataclass(frozen=True)
class Line:
    """One kind of contact that is asked about, with the recorded value (empty where none is)."""

    kind: str
    label: str
    recorded: str
    verdict: str


@dataclass(frozen=True)
class Attempt:
    """One time somebody was at this door."""

    at: datetime
    result: str
    note: str


@dataclass(frozen=True)
class Sheet:
    """One visit as its visitor sees it; unmasked, because it is this person's task."""

    visit: Visit
    account_no: str
    name: str
    address: str
    sensitivity: str
    why: str
    lines: tuple[Line, ...]
    attempts: tuple[Attempt, ...]


def sheet(session: Session, visit: Visit) -> Sheet:
    """The sheet of a visit that the session may see."""
    with working_as(session, ALL):
        customer = session.get_one(Customer, visit.customer_id)
        (door,) = walk_lists.in_walking_order(session, [visit])
        return Sheet(
            visit=visit,
            account_no=customer.account_no,
            name=customer.name,
            address=door.full,
            sensitivity=customer.sensitivity,
            why=walk_lists.why(session, visit),
            lines=tuple(_lines(session, visit.customer_id)),
            attempts=tuple(_attempts(session, visit.id)),
        )


def own_doors(session: Session) -> list[Door]:
    """The doors that wait for the acting person today or are late, in walking order."""
    due = or_(Visit.next_on.is_(None), Visit.next_on <= today(session))
    query = select(Visit).where(Visit.staff_id == session.info.get("actor_id"), Visit.ended_at.is_(None), due)
    return walk_lists.in_walking_order(
        session, session.scalars(query.where(Visit.state.in_(walk_lists.WAITING))).all()
    )


def results(session: Session) -> Sequence[Reason]:
    """What can be found at a door, in the order of the list."""
    query = select(Reason).where(Reason.list == "visit_result")
    return session.scalars(query.order_by(Reason.position)).all()


def _lines(session: Session, customer_id: int) -> list[Line]:
    current = session.scalars(
        select(Contact)
        .where(Contact.customer_id == customer_id, Contact.state == "current", Contact.purpose == "")
        .order_by(Contact.preferred.desc(), Contact.id)
    ).all()
    first: dict[str, Contact] = {}
    for row in current:
        first.setdefault(row.kind, row)
    kinds = session.scalars(
        select(ContactKind).where(ContactKind.code.in_(ASKED)).order_by(ContactKind.position)
    )
    return [_line(kind, first.get(kind.code)) for kind in kinds]


def _line(kind: ContactKind, row: Contact | None) -> Line:
    if row is None or row.verdict == "missing":
        return Line(kind.code, kind.label, "", "missing")
    return Line(kind.code, kind.label, row.raw or row.value, row.verdict)


def _attempts(session: Session, visit_id: int) -> list[Attempt]:
    labels = {row.code: row.label for row in results(session)}
    rows = session.scalars(
        select(VisitAttempt).where(VisitAttempt.visit_id == visit_id).order_by(VisitAttempt.id)
    )
    return [Attempt(row.at, labels.get(row.result, row.result), row.note) for row in rows]
