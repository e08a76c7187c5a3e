"""Second sets of counts (统计集): counted beside the one that is read, span by span, then put in its place at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from models import ContactCount, CountSet, Customer, QualityCount
from models.clock import utcnow
from services import Refused, count_checks, counts, traces

CUSTOMERS = Customer.__table__
SETS = CountSet.__table__
SPAN = 1000
REASONS = ("judged", "recounted")
COUNTS = (ContactCount.__table__, QualityCount.__table__)


def plan(session: Session, reason: str, *, selection: Mapping[str, Any] | None = None) -> CountSet:
    """Write down that everybody is to be counted anew: nothing happens before `begin`."""
    row = CountSet(state="planned", reason=reason, counted_to=0, created_at=utcnow())
    row.staff_id, row.figures = traces.actor_id(session), {"selection": dict(selection or {})}
    session.add(row)
    session.flush()
    return row


def spans(session: Session) -> Iterator[tuple[int, int]]:
    """First and last customer of each span that is counted in one transaction."""
    last = session.scalar(select(func.max(CUSTOMERS.c.id))) or 0
    for first in range(1, last + 1, SPAN):
        yield first, min(first + SPAN - 1, last)


def begin(session: Session, set_id: int) -> None:
    """Begin to count; whatever was being built before is given up. Once begun, it goes on where it stood."""
    counts.lock(session, alone=True)
    row = session.get_one(CountSet, set_id, populate_existing=True)
    if row.state == "building":
        return
    if row.state != "planned":
        raise Refused("这次统计已经结束，不能再开始。请重新发起一次。")
    for other in session.scalars(select(CountSet.id).where(CountSet.state == "building")).all():
        give_up(session, other)
    row.state = "building"
    session.flush()
    traces.record(session, "counts.building", row, details={"reason": row.reason})


def take(session: Session, set_id: int, last: int) -> None:
    """Count the customers that follow the ones counted so far, up to `last`; what was counted already is passed over.

    Begin it under `hold`: nobody changes customers meanwhile.
    """
    counted_to = session.execute(select(SETS.c.counted_to).where(SETS.c.id == set_id)).scalar_one()
    required = counts.required_kinds(session)
    for ids in counts.pages(session, after=counted_to):
        inside = [key for key in ids if key <= last]
        counts.add_tally(session, set_id, counts.tally(session, inside, required))
        if len(inside) < len(ids):
            break
    if last > counted_to:
        session.execute(update(SETS).where(SETS.c.id == set_id).values(counted_to=last))


def hold(session: Session, set_id: int) -> int:
    """Keep changes of customers out until the transaction ends; up to which customer the set has counted."""
    counts.lock(session, alone=True)
    row = session.execute(select(SETS.c.state, SETS.c.counted_to).where(SETS.c.id == set_id)).one()
    if row.state != "building":
        raise Refused("这次统计已被另一次取代，没有继续。请看最近的一次。")
    return int(row.counted_to)


def swap(session: Session, set_id: int) -> None:
    """Let a set take the place of the one that is read; whoever was opened meanwhile is counted first."""
    hold(session, set_id)
    take(session, set_id, session.scalar(select(func.max(CUSTOMERS.c.id))) or 0)
    before = select(SETS.c.id).where(SETS.c.state == "current")
    gone = [0, *session.scalars(before)]
    moment = utcnow()
    session.execute(update(SETS).where(SETS.c.id.in_(gone)).values(state="replaced"))
    session.execute(update(SETS).where(SETS.c.id == set_id).values(state="current", ended_at=moment))
    for table in COUNTS:
        session.execute(delete(table).where(table.c.set_id.in_(gone)))
    session.expire_all()
    traces.record(session, "counts.replaced", session.get_one(CountSet, set_id))
    count_checks.forget(session)


def give_up(session: Session, set_id: int) -> None:
    """Forget a set that was being built."""
    session.execute(update(SETS).where(SETS.c.id == set_id).values(state="given_up", ended_at=utcnow()))
    for table in COUNTS:
        session.execute(delete(table).where(table.c.set_id == set_id))


def add_figures(session: Session, set_id: int, name: str, more: Mapping[str, int]) -> None:
    """Add numbers to a named part of what a set tells of itself."""
    row = session.get_one(CountSet, set_id, populate_existing=True)
    held = dict(row.figures.get(name, {}))
    held.update({key: held.get(key, 0) + number for key, number in more.items()})
    row.figures = {**row.figures, name: held}
    session.flush()
