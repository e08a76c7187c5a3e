"""Events start runs: each subscription at most one an event, by the clock, a moment after the change was committed."""

from __future__ import annotations

import logging

from sqlalchemy.orm import Session

from models import Event, EventSubscription, Run, Staff
from services import Refused, events, workflows
from services.events import Written
from workflows import runs
from workflows.options import with_values
from workflows.sessions import reading, writing

log = logging.getLogger(__name__)


def dispatch() -> int:
    """Act on what has happened; returns how many runs were started. While nothing has: one indexed query."""
    with reading() as session:
        waiting = events.waiting(session)
    return sum(_act_on(event_id) for event_id in waiting)


def note_overdue() -> int:
    """Write events of tasks whose time has passed."""
    with writing() as session:
        return events.note_overdue(session)


def forget_old() -> int:
    """Forget events that were handled long ago."""
    with writing() as session:
        return events.remove_old(session)


def save(
    session: Session, written: Written, staff: Staff, row: EventSubscription | None = None
) -> EventSubscription:
    """Keep a subscription whose values the workflow accepts, with example facts of the event put in."""
    _workflow, version = workflows.startable(session, written.workflow_key)
    with_values(version.tree, events.example(written))
    return events.save(session, written, staff, row)


def _act_on(event_id: int) -> int:
    """Start what an event starts, all in one transaction: either it was acted on, or it still waits."""
    try:
        with writing() as session:
            event = events.take(session, event_id)
            if event is None:
                return 0
            return sum(_start(session, one, event) for one in events.subscribers(session, event))
    except Exception as error:  # noqa: BLE001 one event that cannot be acted on now must not keep the others waiting
        log.error("event %s: %s", event_id, type(error).__name__)
        with writing() as session:
            events.note_failure(session, event_id, type(error).__name__)
        return 0


def _start(session: Session, subscription: EventSubscription, event: Event) -> bool:
    session.info["actor_id"] = subscription.run_as_id
    try:
        with session.begin_nested():
            run_id = _run(session, subscription, event)
    except Refused as refusal:
        events.keep_start(session, subscription, event, message=str(refusal.message))
        return False
    events.keep_start(session, subscription, event, run_id=run_id)
    return True


def _run(session: Session, subscription: EventSubscription, event: Event) -> int:
    staff = subscription.run_as
    if not staff.active:
        raise Refused(
            "「%(name)s」已停用，不能再以他的名义发起。请由别人重新保存这个事件触发。", name=staff.name
        )
    cause = session.get(Run, event.facts["cause"]) if "cause" in event.facts else None
    values = events.values_for(subscription.options, event.facts)
    run = runs.start(session, subscription.workflow_key, values, staff, parent=cause)
    known = {name: value for name, value in event.facts.items() if name != "cause"}
    run.facts = {**run.facts, "run": {**run.facts["run"], "event": event.name, **known}}
    return run.id
