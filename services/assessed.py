"""What an assessment looks at: every required item of every customer that was open at the cut-off, as it stood then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from models import Contact, CustomerVersion, RequiredField, Unit
from models.clock import ZONE, period_days
from quality.measures import Due, Member, Recorded, bits_of
from services.calendar import Calendar, calendar

CHUNK = 2000
SETTLED = ("current", "superseded", "stopped")
BEST = {"valid": 0, "repairable": 1, "suspect": 2, "invalid": 3, "missing": 4}


@dataclass(frozen=True)
class Frame:
    """What holds for a whole run: its days, its cut-off, what classes require, deadlines, the calendar."""

    first: date
    last: date
    cutoff: datetime
    required: dict[str, list[str]]
    deadlines: dict[int, int]
    calendar: Calendar


@dataclass(frozen=True)
class Page:
    """One chunk of customers that were open at the cut-off, and the last customer that was looked at."""

    rows: Sequence[Any]
    last_id: int


def members_of(session: Session, period: str, unit_id: int, cutoff: datetime) -> Iterator[Member]:
    """Every member of a run, in the order of customers and kinds; a few queries a chunk of customers."""
    frame = _frame(session, period, unit_id, cutoff)
    page = _customers(session, frame, 0)
    while page.last_id:
        values, firsts = _values(session, [row.customer_id for row in page.rows], frame)
        for row in page.rows:
            yield from _members(row, frame, values, firsts)
        page = _customers(session, frame, page.last_id)


def _frame(session: Session, period: str, unit_id: int, cutoff: datetime) -> Frame:
    first, last = period_days(period)
    required: dict[str, list[str]] = {}
    for row in session.scalars(
        select(RequiredField).order_by(RequiredField.customer_class, RequiredField.kind)
    ):
        required.setdefault(row.customer_class, []).append(row.kind)
    path = session.scalars(select(Unit.path).where(Unit.id == unit_id)).one()
    units = session.execute(select(Unit.id, Unit.deadline_days).where(Unit.path.startswith(path)))
    return Frame(
        first, last, cutoff, required, {row.id: row.deadline_days for row in units}, calendar(session)
    )


def _customers(session: Session, frame: Frame, after: int) -> Page:
    """The next chunk of customers as they stood at the cut-off: the earliest version that had not ended by then."""
    version, day = CustomerVersion, min(frame.cutoff.astimezone(ZONE).date(), frame.last)
    page = select(version.customer_id).where(
        version.customer_id > after, version.unit_id.in_(list(frame.deadlines))
    )
    ids = session.scalars(page.distinct().order_by(version.customer_id).limit(CHUNK)).all()
    not_ended = or_(version.valid_until.is_(None), version.valid_until > frame.cutoff)
    then = (
        select(func.min(version.id))
        .where(version.customer_id.in_(ids), not_ended)
        .group_by(version.customer_id)
    )
    columns = (
        version.customer_id,
        version.unit_id,
        version.customer_class,
        version.manager_id,
        version.opened_on,
    )
    query = select(*columns, version.closed_on).where(version.id.in_(then)).order_by(version.customer_id)
    rows = [row for row in session.execute(query) if row.unit_id in frame.deadlines and _is_open(row, day)]
    return Page(rows, ids[-1] if ids else 0)


def _is_open(row: Any, day: date) -> bool:
    return (row.opened_on is None or row.opened_on <= day) and (row.closed_on is None or row.closed_on > day)


def _values(
    session: Session, customer_ids: Sequence[int], frame: Frame
) -> tuple[dict[tuple[int, str], Recorded], dict[tuple[int, str], tuple[datetime | None, bool]]]:
    """Per customer and kind: the value that stood at the cut-off, and the first moment one was recorded (and dated)."""
    rows = session.execute(
        select(
            Contact.customer_id,
            Contact.kind,
            Contact.verdict,
            Contact.recorder_id,
            Contact.recorded_at,
            Contact.current_until,
            Contact.preferred,
        )  # fmt: skip
        .where(Contact.customer_id.in_(customer_ids), Contact.state.in_(SETTLED))
        .where(or_(Contact.recorded_at.is_(None), Contact.recorded_at <= frame.cutoff))
        .order_by(Contact.customer_id, Contact.kind, Contact.preferred.desc(), _rank(), Contact.id.desc())
    )
    values: dict[tuple[int, str], Recorded] = {}
    firsts: dict[tuple[int, str], tuple[datetime | None, bool]] = {}
    for row in rows:
        key = (row.customer_id, row.kind)
        if row.current_until is None or row.current_until > frame.cutoff:
            values.setdefault(key, Recorded(row.verdict, row.recorder_id))
        if row.verdict != "missing":
            firsts[key] = _earlier(firsts.get(key), row.recorded_at)
    return values, firsts


def _rank() -> Any:
    return case(BEST, value=Contact.verdict, else_=9)


def _earlier(
    known: tuple[datetime | None, bool] | None, moment: datetime | None
) -> tuple[datetime | None, bool]:
    if known is None:
        return moment, moment is not None
    first, is_dated = known
    if moment is None:
        return first, False
    return (moment if first is None else min(first, moment)), is_dated


def _members(row: Any, frame: Frame, values: dict[Any, Recorded], firsts: dict[Any, Any]) -> Iterator[Member]:
    is_new = row.opened_on is not None and frame.first <= row.opened_on <= frame.last
    due_day = _due_day(row, frame)
    for kind in frame.required.get(row.customer_class, ()):
        value = values.get((row.customer_id, kind))
        is_recorded = value is not None and value.verdict != "missing"
        person = value.recorder_id if value is not None and is_recorded else row.manager_id
        due = _due(due_day, firsts.get((row.customer_id, kind)))
        cohort = "new" if is_new else "existing"
        yield Member(
            row.customer_id, kind, row.unit_id, person, cohort, row.customer_class, bits_of(value, due)
        )


def _due_day(row: Any, frame: Frame) -> date | None:
    """The day by which a customer's items are due, if it lies in the period and is not ahead."""
    if row.opened_on is None:
        return None
    day = frame.calendar.after(row.opened_on, frame.deadlines[row.unit_id])
    return day if frame.first <= day <= min(frame.last, frame.cutoff.astimezone(ZONE).date()) else None


def _due(day: date | None, first: tuple[datetime | None, bool] | None) -> Due | None:
    if day is None:
        return None
    if first is None:
        return Due(day, None)
    moment, is_dated = first
    return Due(day, moment.astimezone(ZONE).date() if moment else None, is_dated)
