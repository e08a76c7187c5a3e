"""Boards (排行榜): the standings of a competition now, as they were, or as they were frozen; and their keys."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import (
    BoardKey,
    BoardRevision,
    Competition,
    Customer,
    Division,
    DivisionUnit,
    ScoreEntry,
    Staff,
    Standing,
    StandingSet,
    Unit,
)
from models.clock import utcnow
from models.scope import ALL, working_as
from quality.standings import Scored, standings

FROZEN = ("frozen", "publicity", "final")


@dataclass(frozen=True)
class Row:
    """One row of a board: facts that count (`numerator`) among the customers one answers for (`denominator`)."""

    division: str
    rank: int
    tied: bool
    code: str
    name: str
    unit_name: str
    score: float
    numerator: int
    denominator: int


@dataclass(frozen=True)
class Competitor:
    """A unit or person of a division before it is ranked."""

    division: str
    code: str
    name: str
    unit_name: str
    score: float
    numerator: int
    denominator: int


def board(session: Session, competition: Competition, kind: str, *, at: datetime | None = None) -> list[Row]:
    """The standings of units or persons: frozen ones once there are, else (or for a moment `at`) out of the ledger."""
    if at is None and competition.state in FROZEN:
        return _stored(session, competition, kind)
    return live(session, competition, kind, at=at)


def live(session: Session, competition: Competition, kind: str, *, at: datetime | None = None) -> list[Row]:
    """The standings out of the ledger, in whatever order its entries were written."""
    with working_as(session, ALL):
        members = _members(session, competition.id)
        sums = _sums(session, competition.id, kind, at)
        found = _units(session, members, sums) if kind == "unit" else _persons(session, members, sums)
    return [
        row for division in dict.fromkeys(one.division for one in found) for row in _ranked(found, division)
    ]


def revision(session: Session, code: str) -> int | None:
    """The number that moves with every change of a competition: one indexed row; None for an unknown code."""
    return session.scalar(select(BoardRevision.number).where(BoardRevision.code == code))


def issue_key(session: Session, competition: Competition, label: str) -> str:
    """A new key that opens this wall screen without a login; shown once, only its hash is kept."""
    key = secrets.token_urlsafe(24)
    row = BoardKey(competition_id=competition.id, label=label, key_hash=_hash(key), created_at=utcnow())
    session.add(row)
    session.flush()
    return key


def revoke_key(session: Session, key: BoardKey) -> None:
    """Close a wall screen's key."""
    key.revoked_at = utcnow()


def opens(session: Session, code: str, key: str) -> bool:
    """Whether a key opens the board with this code."""
    query = select(BoardKey.id).join(Competition, Competition.id == BoardKey.competition_id)
    query = query.where(
        Competition.code == code, BoardKey.key_hash == _hash(key), BoardKey.revoked_at.is_(None)
    )
    return bool(key) and session.scalar(query) is not None


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _stored(session: Session, competition: Competition, kind: str) -> list[Row]:
    newest = select(StandingSet.id).where(StandingSet.competition_id == competition.id)
    newest = newest.order_by(StandingSet.number.desc()).limit(1)
    query = select(Standing).where(Standing.set_id == newest.scalar_subquery(), Standing.board == kind)
    rows = session.scalars(query.order_by(Standing.id)).all()
    names = ("division", "rank", "tied", "code", "name", "unit_name", "score", "numerator", "denominator")
    return [Row(**{name: getattr(row, name) for name in names}) for row in rows]


def _members(session: Session, competition_id: int) -> list[tuple[str, Unit]]:
    query = select(Division.name, Unit).join(DivisionUnit, DivisionUnit.division_id == Division.id)
    query = query.join(Unit, Unit.id == DivisionUnit.unit_id).where(Division.competition_id == competition_id)
    return [(name, unit) for name, unit in session.execute(query.order_by(Division.id, Unit.code))]


def _sums(
    session: Session, competition_id: int, kind: str, at: datetime | None
) -> dict[int, tuple[float, int]]:
    """Points, and facts that count, by the unit of the customer or by person; contra entries take both back."""
    key = ScoreEntry.unit_id if kind == "unit" else ScoreEntry.staff_id
    entry = func.count(ScoreEntry.id) - 2 * func.count(ScoreEntry.reverses_id)
    query = select(key, func.sum(ScoreEntry.points), entry).where(ScoreEntry.competition_id == competition_id)
    if at is not None:
        query = query.where(ScoreEntry.at <= at)
    return {
        who: (float(points), int(facts)) for who, points, facts in session.execute(query.group_by(key)) if who
    }


def _units(
    session: Session, members: Sequence[tuple[str, Unit]], sums: dict[int, tuple[float, int]]
) -> list[Competitor]:
    paths = {row.id: row.path for row in session.execute(select(Unit.id, Unit.path))}
    counted = session.execute(
        select(Customer.unit_id, func.count()).where(Customer.closed_on.is_(None)).group_by(Customer.unit_id)
    )
    customers = {unit_id: number for unit_id, number in counted}
    found = []
    for division, unit in members:
        below = [key for key, path in paths.items() if path.startswith(unit.path)]
        points = sum(sums.get(key, (0.0, 0))[0] for key in below)
        facts = sum(sums.get(key, (0.0, 0))[1] for key in below)
        answered = sum(customers.get(key, 0) for key in below)
        found.append(Competitor(division, unit.code, unit.name, "", points, facts, answered))
    return found


def _persons(
    session: Session, members: Sequence[tuple[str, Unit]], sums: dict[int, tuple[float, int]]
) -> list[Competitor]:
    """Everybody who scored and belongs to a unit that takes part; all ranked together."""
    counted = session.execute(
        select(Customer.manager_id, func.count())
        .where(Customer.manager_id.in_(sums))
        .group_by(Customer.manager_id)
    )
    own: Counter[int] = Counter({key: number for key, number in counted})
    found = []
    taking_part = tuple(unit.path for _division, unit in members)
    for staff, unit in session.execute(select(Staff, Unit).join(Staff.unit).where(Staff.id.in_(sums))):
        if unit.path.startswith(taking_part):
            points, facts = sums[staff.id]
            found.append(Competitor("", staff.username, staff.name, unit.name, points, facts, own[staff.id]))
    return found


def _ranked(competitors: Iterable[Competitor], division: str) -> list[Row]:
    inside = {one.code: one for one in competitors if one.division == division}
    ranked = standings(Scored(one.code, one.name, one.score) for one in inside.values())
    return [_row(inside[place.code], place.rank, tied=place.tied) for place in ranked]


def _row(one: Competitor, rank: int, *, tied: bool) -> Row:
    return Row(rank=rank, tied=tied, **vars(one) | {"score": round(one.score, 2)})
