"""Schedules started by the clock: each slot once, whatever number of clocks run; and checked before they are kept."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy.orm import Session

from models import Schedule, Staff
from services import Refused, schedules, workflows
from services.schedules import Came, Passed, Written
from workflows import runs
from workflows.options import with_values
from workflows.sessions import reading, writing

log = logging.getLogger(__name__)


def start_due() -> int:
    """Start what has come due; returns how many runs were started. While nothing is due: one indexed query."""
    with reading() as session:
        due = schedules.due(session)
    return sum(_act_on(schedule_id) for schedule_id in due)


def follow_calendar() -> int:
    """Move next slots where the holidays have changed; two reads while they have not."""
    with reading() as session:
        if not schedules.new_calendar(session):
            return 0
    with writing() as session:
        return schedules.follow_calendar(session)


def save(session: Session, written: Written, staff: Staff, row: Schedule | None = None) -> Schedule:
    """Keep a schedule whose values the workflow accepts."""
    _workflow, version = workflows.startable(session, written.workflow_key)
    with_values(version.tree, written.options)
    return schedules.save(session, written, staff, row)


def start_now(session: Session, row: Schedule, staff: Staff) -> int:
    """Start a schedule's workflow by hand, apart from its slots; returns the run."""
    return runs.start(session, row.workflow_key, row.options, staff).id


def _act_on(schedule_id: int) -> bool:
    """Start what has come due of one schedule, all in one transaction: either it was acted on, or it is still due."""
    try:
        with writing() as session:
            taken = schedules.take_due(session, schedule_id)
            return taken is not None and _start(session, *taken)
    except Exception as error:  # noqa: BLE001 one schedule that cannot be read now must not keep the others waiting
        log.error("schedule %s: %s", schedule_id, type(error).__name__)
        return False


def _start(session: Session, row: Schedule, passed: Passed) -> bool:
    if passed.start is None:
        return False
    session.info["actor_id"] = row.run_as_id
    try:
        with session.begin_nested():
            run_id = _run(session, row)
    except Refused as refusal:
        _refuse(session, row, passed.start, str(refusal.message))
        return False
    if passed.state == "caught_up":
        row.caught_up_count += 1
    schedules.keep_slots(session, row, [passed.start], Came(passed.state, run_id))
    return True


def _run(session: Session, row: Schedule) -> int:
    if not row.run_as.active:
        raise Refused(
            "「%(name)s」已停用，不能再以他的名义发起。请由别人重新保存这个定时计划。", name=row.run_as.name
        )
    return runs.start(session, row.workflow_key, row.options, row.run_as).id


def _refuse(session: Session, row: Schedule, slot: datetime, message: str) -> None:
    schedules.keep_slots(session, row, [slot], Came("refused", message=message))
    schedules.tell_trouble(session, row, message)
