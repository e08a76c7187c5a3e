"""The ledger of score entries: points arise when a version is current and confirmed; contra entries take them back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from models import BoardRevision, Competition, Confirmation, Contact, Customer, DivisionUnit, ScoreEntry, Unit
from models.clock import now
from models.competitions import Division
from models.scope import ALL, working_as


def score(session: Session, contact_ids: Sequence[int]) -> int:
    """Write the entries that these versions earn in every open competition; returns how many are new.

    An entry goes to whoever obtained the fact (`credited_id` of the confirmation) and to the customer's unit now. One
    customer, kind and value earns once per competition, unless its entry was reversed.
    """
    open_ones = _open_competitions(session)
    if not open_ones or not contact_ids:
        return 0
    with working_as(session, ALL):
        facts = _confirmed_facts(session, contact_ids)
        return sum(_score_in(session, competition, facts) for competition in open_ones)


def reverse(session: Session, condition: ColumnElement[bool], *, evidence: str) -> int:
    """Write a contra entry for every entry that fits and is not reversed yet; returns how many."""
    contra = aliased(ScoreEntry)
    undone = select(contra.id).where(contra.reverses_id == ScoreEntry.id).exists()
    with working_as(session, ALL):
        entries = session.scalars(
            select(ScoreEntry)
            .where(condition, ScoreEntry.reverses_id.is_(None), ~undone)
            .order_by(ScoreEntry.id)
        ).all()
        moment = now(session)
        if entries:
            session.execute(insert(ScoreEntry), [_contra(entry, evidence, moment) for entry in entries])
        for competition_id in sorted({entry.competition_id for entry in entries}):
            move_board(session, competition_id)
    return len(entries)


def move_board(session: Session, competition_id: int) -> None:
    """Move the revision that open boards poll."""
    session.execute(
        update(BoardRevision)
        .where(BoardRevision.competition_id == competition_id)
        .values(number=BoardRevision.number + 1)
    )


def _open_competitions(session: Session) -> Sequence[Competition]:
    day = now(session).date()
    query = select(Competition).where(Competition.state == "open", Competition.starts_on <= day)
    return session.scalars(query.where(Competition.ends_on >= day)).all()


def _confirmed_facts(session: Session, contact_ids: Sequence[int]) -> Sequence[Any]:
    """Current versions whose latest confirmation says confirmed, with that confirmation and the customer's unit."""
    newer = aliased(Confirmation)
    same = (
        (newer.customer_id == Contact.customer_id)
        & (newer.kind == Contact.kind)
        & (newer.value == Contact.value)
    )
    latest = select(func.max(newer.id)).where(same).correlate(Contact).scalar_subquery()
    return session.execute(
        select(Contact, Confirmation, Customer.unit_id, Unit.path)
        .select_from(Contact)
        .join(Confirmation, Confirmation.id == latest)
        .join(Customer, Customer.id == Contact.customer_id)
        .join(Unit, Unit.id == Customer.unit_id)
        .where(Contact.id.in_(contact_ids), Contact.state == "current", Contact.value != "")
        .where(Confirmation.result == "confirmed")
    ).all()


def _score_in(session: Session, competition: Competition, facts: Sequence[Any]) -> int:
    taking_part = _paths_taking_part(session, competition.id)
    counted = [
        row for row in facts if competition.points.get(row.Contact.kind) and row.path.startswith(taking_part)
    ]
    keys = [_fact_key(row.Contact) for row in counted]
    standing = _standing_entries(session, competition.id, keys)
    rows: dict[str, dict[str, Any]] = {}
    moment = now(session)
    for key, row in zip(keys, counted, strict=True):
        active, reversals = standing.get(key, (False, 0))
        if not active and key not in rows:
            rows[key] = _entry(competition, row, f"{key}:{reversals}", moment)
    if rows:
        session.execute(insert(ScoreEntry), list(rows.values()))
        move_board(session, competition.id)
    return len(rows)


def _paths_taking_part(session: Session, competition_id: int) -> tuple[str, ...]:
    query = select(Unit.path).join(DivisionUnit, DivisionUnit.unit_id == Unit.id)
    query = query.join(Division, Division.id == DivisionUnit.division_id)
    return tuple(session.scalars(query.where(Division.competition_id == competition_id)))


def _standing_entries(
    session: Session, competition_id: int, keys: Sequence[str]
) -> dict[str, tuple[bool, int]]:
    """For each fact that has entries: whether one of them stands, and how many were reversed."""
    contra = aliased(ScoreEntry)
    prefix = func.substr(ScoreEntry.fact_key, 1, 32)
    query = (
        select(prefix, func.count(ScoreEntry.id), func.count(contra.id))
        .outerjoin(contra, contra.reverses_id == ScoreEntry.id)
        .where(
            ScoreEntry.competition_id == competition_id, ScoreEntry.reverses_id.is_(None), prefix.in_(keys)
        )
        .group_by(prefix)
    )
    return {key: (number > reversed_, reversed_) for key, number, reversed_ in session.execute(query)}


def _fact_key(contact: Contact) -> str:
    text = f"{contact.customer_id}|{contact.kind}|{contact.value}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _entry(competition: Competition, row: Any, fact_key: str, moment: datetime) -> dict[str, Any]:
    return {
        "competition_id": competition.id,
        "unit_id": row.unit_id,
        "staff_id": row.Confirmation.credited_id,
        "kind": row.Contact.kind,
        "points": float(competition.points[row.Contact.kind]),
        "fact_key": fact_key,
        "contact_id": row.Contact.id,
        "confirmation_id": row.Confirmation.id,
        "evidence": row.Confirmation.evidence,
        "at": moment,
    }


def _contra(entry: ScoreEntry, evidence: str, moment: datetime) -> dict[str, Any]:
    names = ("competition_id", "unit_id", "staff_id", "kind", "contact_id", "confirmation_id")
    return {name: getattr(entry, name) for name in names} | {
        "points": -entry.points,
        "fact_key": f"-{entry.id}",
        "evidence": evidence,
        "reverses_id": entry.id,
        "at": moment,
    }
