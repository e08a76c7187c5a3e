"""What an assessment looks at: every customer that was open at the cut-off, and each record as it stood then."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from models import Confirmation, Contact, Customer, CustomerVersion, RequiredField, Unit
from models.clock import ZONE, period_days
from quality.measures import Due, Member, Recorded, bits_of
from quality.rules import Record
from quality.verdicts import MISSING
from services.calendar import Calendar, calendar

CHUNK = 2000
SETTLED = ("current", "superseded", "stopped")
BEST = {"valid": 0, "repairable": 1, "suspect": 2, "invalid": 3, "missing": 4}
IDENTITY = "id_number"  # judged with the customer, no contact kind

Firsts = dict[tuple[int, str], tuple[datetime | None, bool]]
Values = dict[int, dict[str, Any]]


@dataclass(frozen=True)
class Frame:
    """What holds for a whole run: its days, its cut-off, what classes require, deadlines, the calendar.

    `confirmations` and `identity` say whether any rule asks for them.
    """

    first: date
    last: date
    cutoff: datetime
    required: dict[str, list[str]]
    deadlines: dict[int, int]
    calendar: Calendar
    confirmations: bool = False
    identity: bool = False

    @property
    def day(self) -> date:
        """The business day of the cut-off."""
        return min(self.cutoff.astimezone(ZONE).date(), self.last)


class Item(NamedTuple):
    """One record that a run looks at: a required item, or another value that stood at the cut-off; whose it is."""

    customer_id: int
    unit_id: int
    staff_id: int | None
    cohort: str
    customer_class: str
    recorder_id: int | None
    value: str
    record: Record


@dataclass(frozen=True)
class Page:
    """One chunk of customers that were open at the cut-off, and the last customer that was looked at."""

    rows: Sequence[Any]
    last_id: int


@dataclass(frozen=True)
class Standing:
    """What was recorded of a chunk of customers: the value that counts for each kind, and when it all began."""

    values: Values
    firsts: Firsts
    confirmed: dict[tuple[int, str, str], date]
    identities: dict[int, str]
    day: date


def items_of(session: Session, frame: Frame) -> Iterator[Item]:
    """Every record of a run, in the order of customers and kinds; a few queries a chunk of customers."""
    page = _customers(session, frame, 0)
    while page.last_id:
        yield from _items(session, frame, page.rows)
        page = _customers(session, frame, page.last_id)


def items_for(session: Session, frame: Frame, customer_ids: Collection[int]) -> Iterator[Item]:
    """The records of some customers only: what a check after mending looks at."""
    yield from _items(session, frame, _as_they_stood(session, frame, sorted(customer_ids)))


def member_of(item: Item) -> Member | None:
    """What an item adds to the measures; None where nothing requires it."""
    record = item.record
    if not record.is_required:
        return None
    value = Recorded(record.verdict, item.recorder_id)
    bits = bits_of(value, record.due)
    return Member(
        item.customer_id, record.kind, item.unit_id, item.staff_id, item.cohort, item.customer_class, bits
    )


def frame_of(session: Session, period: str, unit_id: int, cutoff: datetime) -> Frame:
    """The frame of a run of a month over a unit with all below it."""
    first, last = period_days(period)
    required: dict[str, list[str]] = {}
    for row in session.scalars(
        select(RequiredField).order_by(RequiredField.customer_class, RequiredField.kind)
    ):
        required.setdefault(row.customer_class, []).append(row.kind)
    path = session.scalars(select(Unit.path).where(Unit.id == unit_id)).one()
    units = session.execute(select(Unit.id, Unit.deadline_days).where(Unit.path.startswith(path)))
    deadlines = {row.id: row.deadline_days for row in units}
    return Frame(first, last, cutoff, required, deadlines, calendar(session))


def _customers(session: Session, frame: Frame, after: int) -> Page:
    """The next chunk of customers of the run's units."""
    version = CustomerVersion
    page = select(version.customer_id).where(
        version.customer_id > after, version.unit_id.in_(list(frame.deadlines))
    )
    ids = session.scalars(page.distinct().order_by(version.customer_id).limit(CHUNK)).all()
    return Page(_as_they_stood(session, frame, ids), ids[-1] if ids else 0)


def _as_they_stood(session: Session, frame: Frame, ids: Sequence[int]) -> Sequence[Any]:
    """Customers as they stood at the cut-off: the earliest version that had not ended by then."""
    version = CustomerVersion
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
    return [
        row for row in session.execute(query) if row.unit_id in frame.deadlines and _is_open(row, frame.day)
    ]


def _is_open(row: Any, day: date) -> bool:
    return (row.opened_on is None or row.opened_on <= day) and (row.closed_on is None or row.closed_on > day)


def _items(session: Session, frame: Frame, rows: Sequence[Any]) -> Iterator[Item]:
    ids = [row.customer_id for row in rows]
    values, firsts = _values(session, ids, frame)
    confirmed = _confirmed(session, ids, frame) if frame.confirmations else {}
    identities = _identities(session, ids) if frame.identity else {}
    standing = Standing(values, firsts, confirmed, identities, frame.day)
    for row in rows:
        yield from _of_customer(row, frame, standing)


def _values(session: Session, customer_ids: Sequence[int], frame: Frame) -> tuple[Values, Firsts]:
    """Per customer and kind: the value that stood at the cut-off, and the first moment one was recorded (and dated)."""
    rows = session.execute(
        select(
            Contact.customer_id,
            Contact.kind,
            Contact.verdict,
            Contact.recorder_id,
            Contact.recorded_at,
            Contact.current_until,
            Contact.id,
            Contact.value,
            Contact.reasons,
        )  # fmt: skip
        .where(Contact.customer_id.in_(customer_ids), Contact.state.in_(SETTLED))
        .where(or_(Contact.recorded_at.is_(None), Contact.recorded_at <= frame.cutoff))
        .order_by(Contact.customer_id, Contact.kind, Contact.preferred.desc(), _rank(), Contact.id.desc())
    )
    values: Values = {}
    firsts: Firsts = {}
    for row in rows:
        if row.current_until is None or row.current_until > frame.cutoff:
            values.setdefault(row.customer_id, {}).setdefault(row.kind, row)
        if row.verdict != MISSING:
            key = (row.customer_id, row.kind)
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


def _confirmed(session: Session, ids: Sequence[int], frame: Frame) -> dict[tuple[int, str, str], date]:
    """The day each value was confirmed, where that was the last that was found about it by the cut-off."""
    found: dict[tuple[int, str, str], date] = {}
    columns = (Confirmation.customer_id, Confirmation.kind, Confirmation.value, Confirmation.result)
    query = select(*columns, Confirmation.at).where(Confirmation.customer_id.in_(ids))
    for row in session.execute(query.where(Confirmation.at <= frame.cutoff).order_by(Confirmation.id)):
        key = (row.customer_id, row.kind, row.value)
        if row.result == "confirmed":
            found[key] = row.at.astimezone(ZONE).date()
        else:
            found.pop(key, None)
    return found


def _identities(session: Session, ids: Sequence[int]) -> dict[int, str]:
    rows = session.execute(select(Customer.id, Customer.id_verdict).where(Customer.id.in_(ids)))
    return {row.id: row.id_verdict for row in rows}


def _of_customer(row: Any, frame: Frame, standing: Standing) -> Iterator[Item]:
    is_new = row.opened_on is not None and frame.first <= row.opened_on <= frame.last
    values, due_day = standing.values.get(row.customer_id, {}), _due_day(row, frame)
    required = frame.required.get(row.customer_class, [])
    others = sorted(kind for kind in values if kind not in required)
    for kind in (*required, *others):
        value = values.get(kind)
        is_required = kind in required
        due = _due(due_day, standing.firsts.get((row.customer_id, kind))) if is_required else None
        record = _record(kind, value, standing, is_required=is_required, due=due)
        yield _item(row, value, record, "new" if is_new else "existing")
    if frame.identity:
        record = Record(IDENTITY, standing.identities.get(row.customer_id, MISSING), day=frame.day)
        yield _item(row, None, record, "new" if is_new else "existing")


def _record(kind: str, value: Any, standing: Standing, *, is_required: bool, due: Due | None) -> Record:
    if value is None:
        return Record(kind, is_required=is_required, due=due, day=standing.day)
    reasons = tuple(value.reasons.split(";")) if value.reasons else ()
    confirmed = standing.confirmed.get((value.customer_id, kind, value.value)) if standing.confirmed else None
    return Record(kind, value.verdict, reasons, is_required, due, confirmed, standing.day, value.id)


def _item(row: Any, value: Any, record: Record, cohort: str) -> Item:
    """An item with who answers for it: whoever recorded the value; for what is missing the account manager."""
    recorder = value.recorder_id if value is not None else None
    person = recorder if value is not None and record.verdict != MISSING else row.manager_id
    return Item(
        row.customer_id,
        row.unit_id,
        person,
        cohort,
        row.customer_class,
        recorder,
        value.value if value is not None else "",
        record,
    )


def _due_day(row: Any, frame: Frame) -> date | None:
    """The day by which a customer's items are due, if it lies in the period and is not ahead."""
    if row.opened_on is None:
        return None
    day = frame.calendar.after(row.opened_on, frame.deadlines[row.unit_id])
    return day if frame.first <= day <= frame.day else None


def _due(day: date | None, first: tuple[datetime | None, bool] | None) -> Due | None:
    if day is None:
        return None
    if first is None:
        return Due(day, None)
    moment, is_dated = first
    return Due(day, moment.astimezone(ZONE).date() if moment else None, is_dated)
