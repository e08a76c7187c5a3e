"""Delegations (委托代办): while a person is away another sees and decides their tasks in their name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload

from models import Delegation, Staff, Unit
from models.clock import today, utcnow
from services import Refused, people, traces

LONGEST = timedelta(days=366)
LISTED = 500


@dataclass(frozen=True)
class Away:
    """Who stands in for a person, from which day until which, both included."""

    to_id: int
    since: date
    until: date
    reason: str = ""


def delegate(session: Session, staff: Staff, away: Away) -> Delegation:
    """Let another decide a person's tasks for some days; what that one was given by others is not passed on."""
    to = session.scalar(_stand_ins(session, staff).where(Staff.id == away.to_id))
    if to is None:
        raise Refused("请选择一位在用账号的同事作为代办人：本单位或上下级单位的，不能选自己。")
    if away.until < away.since or away.until < today(session) or away.until - away.since > LONGEST:
        raise Refused("委托的日期不对：结束日期不能早于开始日期和今天，最长一年。请改正。")
    if session.scalar(_of(staff, away.since, away.until)) is not None:
        raise Refused("这几天您已经委托过代办人。请先结束原来的委托，再新建。")
    row = Delegation(from_id=staff.id, to_id=to.id, since=away.since, until=away.until)
    row.reason, row.created_at = away.reason.strip()[:200], utcnow()
    session.add(row)
    traces.record(session, "delegation.created", row, details={"to": to.id, "until": str(away.until)})
    return row


def end(session: Session, row: Delegation, staff: Staff) -> None:
    """End a delegation at once: only whoever gave it may."""
    if row.from_id != staff.id:
        raise Refused("只有委托人本人能结束委托。")
    if row.ended_at is not None:
        raise Refused("这项委托已经结束。")
    row.ended_at = utcnow()
    traces.record(session, "delegation.ended", row, details={"to": row.to_id})


def stand_ins(session: Session, staff: Staff) -> Sequence[Staff]:
    """Who may stand in for a person: able to decide tasks, of the same unit or one above or below it."""
    near = _stand_ins(session, staff).order_by(Staff.unit_id != staff.unit_id, Unit.path, Staff.name)
    return session.scalars(near.options(joinedload(Staff.unit)).limit(LISTED)).unique().all()


def principals(session: Session, staff: Staff) -> Sequence[Staff]:
    """In whose name a person may decide today besides their own."""
    query = select(Delegation).where(Delegation.to_id == staff.id, Delegation.ended_at.is_(None))
    rows = session.scalars(query.options(joinedload(Delegation.principal))).all()
    if not rows:
        return ()
    day = today(session)
    found = {row.from_id: row.principal for row in rows if row.since <= day <= row.until}
    return [principal for principal in found.values() if principal.active]


def of_person(session: Session, staff: Staff) -> Sequence[Delegation]:
    """What a person has given to others and was given, as far as it is not over; the newest first."""
    query = select(Delegation).where(
        or_(Delegation.from_id == staff.id, Delegation.to_id == staff.id),
        Delegation.ended_at.is_(None),
        Delegation.until >= today(session),
    )
    both = (joinedload(Delegation.principal), joinedload(Delegation.delegate))
    return session.scalars(query.options(*both).order_by(Delegation.id.desc())).all()


def _stand_ins(session: Session, staff: Staff) -> Select[tuple[Staff]]:
    query = select(Staff).join(Unit, Unit.id == Staff.unit_id)
    able = (Staff.active, Staff.username != people.SHELL, Staff.id != staff.id)
    near = people.along_the_line(session, staff.unit_id)
    return query.where(*able, near, people.holding(session, "tasks.edit"))


def _of(staff: Staff, since: date, until: date) -> Select[tuple[int]]:
    query = select(Delegation.id).where(Delegation.from_id == staff.id, Delegation.ended_at.is_(None))
    return query.where(Delegation.since <= until, Delegation.until >= since).limit(1)
