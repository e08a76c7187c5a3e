"""Schedules (定时计划) as rows: made, changed, stopped; what became of each slot; the next one always in the row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session, joinedload

from models import Schedule, ScheduleSlot, Setting, Staff, Task
from models.clock import now, utcnow
from models.words import MISSED_POLICIES, Said
from services import Refused, calendar, people, schedule_rules, tasks, traces, workflow_access, workflows
from services.options import option_faults
from services.schedule_rules import When

ON_TIME = timedelta(minutes=5)  # a slot that is found later than this was missed
MOST = 1000  # slots of one gap that are looked at
KEPT = 100  # slots of one schedule that are kept
LONGEST_GRACE = 30 * 24 * 60
TROUBLE, CALENDAR_SEEN = "schedule_refused", "schedules_calendar"


@dataclass(frozen=True)
class Written:
    """A schedule as a form brings it; `options` are `node.option` values for the workflow's start form."""

    name: str
    workflow_key: str
    rule: Mapping[str, Any]
    options: Mapping[str, Any]
    missed: str = "skip"
    grace_minutes: int = 720


@dataclass(frozen=True)
class Passed:
    """What has come due of one schedule: the slot to start now, if any, as what, and the slots that were missed."""

    start: datetime | None
    state: str
    missed: Sequence[datetime]


@dataclass(frozen=True)
class Came:
    """What became of a slot: its state, the run it started, or why it started none."""

    state: str
    run_id: int | None = None
    message: str = ""


def save(session: Session, written: Written, staff: Staff, row: Schedule | None = None) -> Schedule:
    """Keep a new schedule, or change one; its runs are started as whoever saved it last, who must be allowed to."""
    rule = _checked(session, written, staff)
    if row is None:
        row = Schedule(created_at=utcnow())
        session.add(row)
    row.name, row.workflow_key, row.options = (
        written.name.strip()[:120],
        written.workflow_key,
        dict(written.options),
    )
    row.rule, row.missed, row.grace_minutes = (
        schedule_rules.as_row(rule),
        written.missed,
        written.grace_minutes,
    )
    row.run_as_id = staff.id
    row.next_at = _after(session, rule, now(session))
    if row.next_at is None:
        raise Refused("没有保存：三年内没有一天符合这个规则。请改正后再保存。")
    traces.record(session, "schedule.saved", row, details={"workflow": row.workflow_key})
    return row


def switch(session: Session, row: Schedule, *, enabled: bool) -> None:
    """Stop a schedule, or let it go on from now: what passed while it was stopped is not missed."""
    row.next_at = _after(session, When(**row.rule), now(session)) if enabled else None
    traces.record(session, "schedule.switched", row, details={"enabled": enabled})


def remove(session: Session, row: Schedule) -> None:
    """Forget a schedule with its slots; the runs that it started stay."""
    traces.record(session, "schedule.removed", row, details={"workflow": row.workflow_key})
    session.delete(row)
    session.flush()


def find(session: Session, key: int) -> Schedule | None:
    """A schedule that runs in the name of somebody within the session's scope."""
    return session.scalar(select(Schedule).where(Schedule.id == key, _in_reach(session)))


def listed(session: Session) -> Sequence[Schedule]:
    """The schedules of people within the session's scope, the next to start first, stopped ones last."""
    query = select(Schedule).where(_in_reach(session)).options(joinedload(Schedule.run_as))
    return session.scalars(query.order_by(Schedule.next_at.is_(None), Schedule.next_at, Schedule.id)).all()


def due(session: Session) -> Sequence[int]:
    """The schedules whose next slot has come."""
    query = select(Schedule.id).where(Schedule.next_at <= now(session)).order_by(Schedule.next_at)
    return session.scalars(query.limit(MOST)).all()


def take_due(session: Session, schedule_id: int) -> tuple[Schedule, Passed] | None:
    """Take what has come due of a schedule and move it on to its next slot; None where another clock was first.

    A slot that the calendar has since taken away (a holiday entered later) starts nothing and was not missed.
    """
    row = session.get(Schedule, schedule_id, with_for_update=True, populate_existing=True)
    moment = now(session)
    if row is None or row.next_at is None or row.next_at > moment:
        return None
    rule, known = When(**row.rule), calendar.calendar(session)
    slots = schedule_rules.between(rule, row.next_at, moment, known, most=MOST)
    passed = _passed(row, _fresh(session, row, slots), moment)
    row.next_at = schedule_rules.next_slot(rule, moment, known)
    row.missed_count += len(passed.missed)
    keep_slots(session, row, [slot for slot in passed.missed if slot != passed.start], Came("missed"))
    return row, passed


def reckon_anew(session: Session) -> int:
    """Reckon the next slots again after the calendar of holidays has changed; what has come due stays due."""
    moment, known = now(session), calendar.calendar(session)
    rows = session.scalars(select(Schedule).where(Schedule.next_at > moment).with_for_update()).all()
    moved = 0
    for row in rows:
        then = schedule_rules.next_slot(When(**row.rule), moment, known) or row.next_at
        moved += then != row.next_at
        row.next_at = then
    return moved


def new_calendar(session: Session) -> str:
    """The mark of the holidays, where they are others than when slots were last reckoned; else empty."""
    known = calendar.calendar(session)
    days = [sorted(day.isoformat() for day in part) for part in (known.holidays, known.workdays)]
    mark = sha256(repr(days).encode()).hexdigest()
    return "" if session.scalar(select(Setting.value).where(Setting.key == CALENDAR_SEEN)) == mark else mark


def follow_calendar(session: Session) -> int:
    """Reckon anew where the holidays have changed; returns how many slots moved."""
    mark = new_calendar(session)
    if not mark:
        return 0
    session.merge(Setting(key=CALENDAR_SEEN, value=mark))
    return reckon_anew(session)


def keep_slots(session: Session, row: Schedule, slots: Iterable[datetime], came: Came) -> None:
    """Write what became of slots; each has one row, so none is started twice."""
    facts = {"schedule_id": row.id, **asdict(came), "at": utcnow()}
    session.add_all(ScheduleSlot(slot_at=slot, **facts) for slot in list(slots)[-KEPT:])
    session.flush()
    old = (
        select(ScheduleSlot.id)
        .where(ScheduleSlot.schedule_id == row.id)
        .order_by(ScheduleSlot.slot_at.desc())
    )
    gone = session.scalars(old.offset(KEPT)).all()
    if gone:
        session.execute(delete(ScheduleSlot).where(ScheduleSlot.id.in_(gone)))


def tell_trouble(session: Session, row: Schedule, message: str) -> None:
    """Tell whoever answers for a schedule that it could not start its workflow, once until they have read it.

    Where that person has left, whoever may change schedules in their unit is told.
    """
    link = f"/admin/schedules/{row.id}"
    told = select(Task.id).where(Task.kind == TROUBLE, Task.link == link, Task.state == "open")
    if session.scalar(told) is not None:
        return
    title = Said("定时计划「%(name)s」没有发起流程", name=row.name)
    whom = {"staff_id": row.run_as_id} if row.run_as.active else {"permission": "schedules.edit"}
    tasks.open_task(
        session, TROUBLE, title, unit_id=row.run_as.unit_id, details={"message": message}, link=link, **whom
    )


def slots_of(session: Session, row: Schedule, *, limit: int = 30) -> Sequence[ScheduleSlot]:
    """The newest slots of a schedule."""
    query = select(ScheduleSlot).where(ScheduleSlot.schedule_id == row.id)
    return session.scalars(query.order_by(ScheduleSlot.slot_at.desc()).limit(limit)).all()


def next_slots(session: Session, rule: When, *, number: int = 5) -> list[datetime]:
    """The next moments of a rule, holidays and make-up workdays looked at."""
    return list(islice(schedule_rules.slots(rule, now(session), calendar.calendar(session)), number))


def _in_reach(session: Session) -> ColumnElement[bool]:
    return Schedule.run_as_id.in_(people.in_scope_staff(session))


def _fresh(session: Session, row: Schedule, slots: Sequence[datetime]) -> Sequence[datetime]:
    """The slots that nothing was written of yet: a clock that was put back comes to some a second time."""
    if not slots:
        return ()
    query = select(ScheduleSlot.slot_at).where(
        ScheduleSlot.schedule_id == row.id, ScheduleSlot.slot_at >= slots[0]
    )
    known = set(session.scalars(query))
    return [slot for slot in slots if slot not in known]


def _passed(row: Schedule, slots: Sequence[datetime], moment: datetime) -> Passed:
    if not slots:
        return Passed(None, "missed", ())
    latest = slots[-1]
    if moment - latest <= ON_TIME:
        return Passed(latest, "started", slots[:-1])
    if row.missed == "once" and moment - latest <= timedelta(minutes=row.grace_minutes):
        return Passed(latest, "caught_up", slots)
    return Passed(None, "missed", slots)


def _after(session: Session, rule: When, moment: datetime) -> datetime | None:
    return schedule_rules.next_slot(rule, moment, calendar.calendar(session))


def _checked(session: Session, written: Written, staff: Staff) -> When:
    """The rule of a schedule that may be kept; refused with every fault otherwise."""
    workflow, _version = workflows.startable(session, written.workflow_key)
    workflow_access.require(staff, workflow, "start")
    if not written.name.strip():
        raise Refused("没有保存：请给定时计划起个名字。")
    if written.missed not in MISSED_POLICIES or not 1 <= written.grace_minutes <= LONGEST_GRACE:
        raise Refused("没有保存：请选择错过以后怎么办，宽限时间填 1 到 %(most)s 分钟。", most=LONGEST_GRACE)
    found = option_faults(When, written.rule)
    if found:
        raise Refused(
            "没有保存：%(faults)s。", faults=Said.joined([fault.text for fault in found], joint="；")
        )
    return When.model_validate(written.rule)
