"""Who holds which sheet: one person at a time, for as long as they key; whoever goes away gives it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from models import KeyJob, Sheet, Staff
from models.clock import now, start_of_day, utcnow
from models.return_words import KEY_QUEUES
from services import Refused
from services.key_rules import LEADER
from services.people import require

LEASE = timedelta(minutes=10)
PERMISSIONS = {queue: "returns.lead" if queue == "leader" else "returns.key" for queue in KEY_QUEUES}
TRIES = 20
HOUR, LEAST = timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True)
class Pace:
    """How a person gets on: fields keyed today, and in the last hour as fields an hour."""

    today: int = 0
    an_hour: int = 0


def take(session: Session, staff: Staff, queue: str) -> Sequence[KeyJob]:
    """The open fields of one sheet, held for this person from now on; none where the queue has nothing for them.

    A sheet in hand comes first. No two people ever hold fields of the same sheet, in whichever queue.
    """
    if queue not in PERMISSIONS:
        raise Refused("没有这个录入队列。")
    require(staff, PERMISSIONS[queue])
    for _attempt in range(TRIES):
        sheet_id = _in_hand(session, staff, queue) or session.scalar(_free(staff, queue))
        if sheet_id is None:
            return []
        if _hold(session, sheet_id, staff, queue):
            return held(session, staff, queue)
    return []


def held(session: Session, staff: Staff, queue: str) -> Sequence[KeyJob]:
    """The fields that a person holds of a queue, in the order of the paper."""
    query = select(KeyJob).where(KeyJob.held_by_id == staff.id, KeyJob.state == "open", KeyJob.queue == queue)
    query = query.where(KeyJob.held_until >= utcnow()).order_by(KeyJob.sheet_id, KeyJob.id)
    return session.scalars(query.execution_options(populate_existing=True)).all()


def lock(session: Session, job: KeyJob) -> Sheet:
    """The sheet of a job, with both as they are now and nobody else writing on it until the commit."""
    sheet = session.get_one(Sheet, job.sheet_id, with_for_update=True, populate_existing=True)
    session.refresh(job)
    return sheet


def renew(session: Session, sheet_id: int, staff: Staff) -> None:
    """Hold what one has of a sheet a while longer."""
    query = update(KeyJob).where(KeyJob.sheet_id == sheet_id, KeyJob.held_by_id == staff.id)
    session.execute(query.values(held_until=utcnow() + LEASE))


def release(session: Session, staff: Staff) -> int:
    """Give back whatever a person holds, as when the page is closed; returns how many fields."""
    query = update(KeyJob).where(KeyJob.held_by_id == staff.id, KeyJob.state == "open")
    return session.execute(query.values(held_by_id=None, held_until=None)).rowcount  # type: ignore[attr-defined,no-any-return]


def is_held_by_another(session: Session, sheet_id: int, staff: Staff) -> bool:
    """Whether somebody else has this sheet in hand."""
    return bool(session.scalar(select(exists().where(*_others(KeyJob, sheet_id, staff)))))


def remaining(session: Session) -> dict[str, int]:
    """How many fields wait in each queue, as far as the session's scope reaches."""
    query = select(KeyJob.queue, func.count()).where(KeyJob.state == "open").group_by(KeyJob.queue)
    found = {queue: number for queue, number in session.execute(query)}
    return {queue: found.get(queue, 0) for queue in KEY_QUEUES}


def pace(session: Session, staff: Staff) -> Pace:
    """How fast a person keys: of the last hour, or of what has passed since its first field."""
    moment = now(session)
    mine = select(func.count(), func.min(KeyJob.keyed_at)).where(KeyJob.keyed_by_id == staff.id)
    lately, since = session.execute(mine.where(KeyJob.keyed_at > moment - HOUR)).one()
    today = session.execute(mine.where(KeyJob.keyed_at >= start_of_day(moment.date()))).one()[0]
    if not lately:
        return Pace(today)
    return Pace(today, round(lately * HOUR / max(moment - since, LEAST)))


def _in_hand(session: Session, staff: Staff, queue: str) -> int | None:
    found = held(session, staff, queue)
    return found[0].sheet_id if found else None


def _free(staff: Staff, queue: str) -> Any:
    """The sheet of the queue's first field that this person may key; PostgreSQL passes over sheets being taken."""
    query = select(Sheet.id).join(KeyJob, KeyJob.sheet_id == Sheet.id)
    query = query.where(KeyJob.queue == queue, KeyJob.state == "open", _may(KeyJob, staff))
    query = query.where(~exists().where(*_others(aliased(KeyJob), Sheet.id, staff)).correlate(Sheet))
    query = query.order_by(KeyJob.turn, KeyJob.id).limit(1)
    return query.with_for_update(of=Sheet, skip_locked=True)


def _hold(session: Session, sheet_id: int, staff: Staff, queue: str) -> bool:
    """Hold the fields of a locked sheet, unless somebody was faster; what was read before the lock may be old."""
    query = update(KeyJob).where(KeyJob.sheet_id == sheet_id, KeyJob.queue == queue, KeyJob.state == "open")
    query = query.where(_may(KeyJob, staff), ~exists().where(*_others(aliased(KeyJob), sheet_id, staff)))
    query = query.values(held_by_id=staff.id, held_until=utcnow() + LEASE)
    done = session.execute(query.execution_options(synchronize_session=False))
    return bool(done.rowcount)  # type: ignore[attr-defined]


def _others(jobs: Any, sheet_id: Any, staff: Staff) -> tuple[ColumnElement[bool], ...]:
    return (
        jobs.sheet_id == sheet_id,
        jobs.state == "open",
        jobs.held_by_id != staff.id,
        jobs.held_until >= utcnow(),
    )


def _may(jobs: Any, staff: Staff) -> ColumnElement[bool]:
    """A later turn waits for the earlier ones, and is not for whoever keyed one of them; the leader's word is."""
    earlier = aliased(KeyJob)
    by_me = and_(earlier.keyed_by_id == staff.id, jobs.turn < LEADER)
    before = exists().where(
        earlier.sheet_id == jobs.sheet_id,
        earlier.field == jobs.field,
        earlier.turn < jobs.turn,
        or_(earlier.state == "open", by_me),
    )
    return ~before
