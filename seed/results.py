"""What the demo reports: the names that other commands take, counts as they stand in the tables, papers, logins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models import (
    Campaign,
    Competition,
    Customer,
    Keying,
    Letter,
    Notice,
    Staff,
    Standing,
    StandingSet,
    Visit,
)
from seed import read_table
from seed.stage import Stage
from workflows.sessions import reading

COUNTED = {
    "customers": "客户",
    "letters": "函件",
    "returned": "回函",
    "applied": "采用",
    "undelivered": "退信",
    "visits": "走访",
    "standings": "名次",
    "notices": "通报和通知单",
}


@dataclass(frozen=True)
class Played:
    """What the loop left behind, as `print`, `standings` and `notices` take it."""

    campaign_id: int
    competition: str
    assessment_id: int
    returned: int


def figures(stage: Stage, played: Played) -> dict[str, Any]:
    """What the command prints."""
    with reading() as session:
        campaign = session.get_one(Campaign, played.campaign_id)
        letters = select(func.count(Letter.id)).where(Letter.campaign_id == campaign.id)
        standings = select(func.count(Standing.id)).join(StandingSet).join(Competition)
        counts = {
            "customers": _count(session, select(func.count(Customer.id))),
            "letters": stage.letters,
            "pages": stage.pages,
            "returned": _count(session, letters.where(Letter.answered_at.is_not(None))),
            "applied": _applied(session, campaign.id),
            "undelivered": _count(session, letters.where(Letter.undelivered_at.is_not(None))),
            "visits": _count(session, select(func.count(Visit.id))),
            "standings": _count(session, standings.where(Competition.code == played.competition)),
            "notices": _count(session, select(func.count(Notice.id)).where(Notice.issued_at.is_not(None))),
        }
        return {
            "campaign": campaign.code,
            "competition": played.competition,
            "assessment": played.assessment_id,
            **counts,
            "artifacts": {name: str(path) for name, path in stage.artifacts.items()},
            "out": str(stage.out),
            "logins": logins(stage, busiest_walkers(session)),
        }


def busiest_walkers(session: Session) -> dict[str, int]:
    """How many doors each account manager had, those that still wait counted ten times: there is most to see."""
    weight = func.sum(case((Visit.ended_at.is_(None), 10), else_=1))
    query = select(Staff.username, weight).join(Visit, Visit.staff_id == Staff.id).group_by(Staff.username)
    return {login: int(doors) for login, doors in session.execute(query)}


def logins(stage: Stage, doors: Mapping[str, int]) -> list[dict[str, str]]:
    """One person of each role to sign in as; where a role walks, whoever has most doors."""
    labels = {row["name"]: row["label"] for row in read_table("roles")}
    units = {unit.code: unit.name for unit in stage.bureau.units}
    staff = sorted(stage.bureau.staff, key=lambda who: doors.get(who.login, 0))
    first = {who.role: who for who in reversed(stage.bureau.staff)} | {
        w.role: w for w in staff if w.login in doors
    }
    return [
        {"login": first[role].login, "role": label, "name": first[role].name, "unit": units[first[role].unit]}
        for role, label in labels.items()
        if role in first
    ]


def _applied(session: Session, campaign_id: int) -> int:
    """Returned forms of which something became current or was found right as recorded."""
    query = select(Keying.results).join(Letter, Letter.id == Keying.letter_id)
    rows = session.scalars(query.where(Letter.campaign_id == campaign_id, Keying.duplicate.is_(False)))
    return sum(bool(row.get("settled") or row.get("same")) for row in rows)


def _count(session: Session, query: Any) -> int:
    return session.scalar(query) or 0
