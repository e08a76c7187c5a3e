"""Events (事件): something that happened, as a row written with the change itself; and what starts when it happens."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from models import Event, EventStart, EventSubscription, Run, Staff, Task, Unit
from models.clock import now, utcnow
from models.words import N_
from services import Refused, people, traces, workflow_access, workflows
from services.conditions import holds

RUN = "run_id"  # in session.info: the run whose step writes; what it causes is one level deeper
NAMED = re.compile(r"\{[^{}]*\}")
KEPT_DAYS = 90
LISTED, OVERDUE = 200, 500
ATTEMPTS = 5  # times that an event is tried before it waits for a person


@dataclass(frozen=True)
class EventKind:
    """One kind of event: its label, what its facts are called, and the list of reasons it may be narrowed by."""

    label: str
    facts: Mapping[str, str] = field(default_factory=dict)
    reasons: str = ""


CUSTOMERS = N_("客户（清单）")
REASON = N_("原因代码")
EVENTS: dict[str, EventKind] = {
    "import_finished": EventKind(N_("导入完成"), {"batch_id": N_("导入批次编号")}),
    "letter_undelivered": EventKind(
        N_("函件被退回"),
        {"campaign_id": N_("核对活动编号"), "customer_ids": CUSTOMERS, "reason": REASON},
        reasons="undelivered",
    ),
    "assessment_locked": EventKind(
        N_("评价发布并锁定"), {"assessment_id": N_("评价编号"), "period": N_("月份")}
    ),
    "proposal_refused": EventKind(
        N_("变更申请被驳回"), {"customer_ids": CUSTOMERS, "reason": REASON}, reasons="proposal_refused"
    ),
    "task_overdue": EventKind(N_("待办超过期限"), {"task_id": N_("待办编号")}),
}


EXAMPLES = {
    "batch_id": 1,
    "campaign_id": 1,
    "assessment_id": 1,
    "task_id": 1,
    "period": "2026-11",
    "reason": "other",
}


@dataclass(frozen=True)
class Written:
    """A subscription as a form brings it; option values may name facts of the event in braces: `{batch_id}`."""

    name: str
    event: str
    workflow_key: str
    options: Mapping[str, Any]
    unit_id: int
    reason: str = ""


def happened(session: Session, name: str, unit_id: int, facts: Mapping[str, Any]) -> None:
    """Write that something happened in a unit, in the transaction of the change; facts name rows by id."""
    run = session.get(Run, session.info[RUN]) if RUN in session.info else None
    cause = {"cause": run.id} if run is not None else {}
    depth = run.depth + 1 if run is not None else 0
    session.add(Event(name=name, unit_id=unit_id, facts={**facts, **cause}, depth=depth, at=utcnow()))


def happened_to(
    session: Session, name: str, rows: Iterable[tuple[int, int]], facts: Mapping[str, Any] | None = None
) -> None:
    """The same of a chunk of customers, given as (unit, customer): one event a unit, with their ids."""
    units: dict[int, list[int]] = {}
    for unit_id, customer_id in rows:
        units.setdefault(unit_id, []).append(customer_id)
    for unit_id, found in sorted(units.items()):
        happened(session, name, unit_id, {**(facts or {}), "customer_ids": sorted(set(found))})


def note_overdue(session: Session) -> int:
    """Write an event for each open task whose due moment has passed, once for each due moment; returns how many."""
    moment = now(session)
    untold = or_(Task.overdue_at.is_(None), Task.overdue_at != Task.due_at)
    query = select(Task.id, Task.unit_id).where(Task.state == "open", Task.due_at <= moment, untold)
    rows = session.execute(query.order_by(Task.id).limit(OVERDUE)).all()
    for row in rows:
        happened(session, "task_overdue", row.unit_id, {"task_id": row.id})
    told = update(Task.__table__).where(Task.__table__.c.id.in_([row.id for row in rows]))
    session.execute(told.values(overdue_at=Task.__table__.c.due_at))
    return len(rows)


def waiting(session: Session) -> Sequence[int]:
    """The events that nobody has acted on yet, the oldest first; one that could not be acted on rests for a while."""
    query = select(Event.id, Event.attempts, Event.tried_at).where(Event.handled_at.is_(None))
    rows = session.execute(query.where(Event.attempts < ATTEMPTS).order_by(Event.id).limit(LISTED)).all()
    moment = utcnow()
    return [row.id for row in rows if row.tried_at is None or row.tried_at + _pause(row.attempts) <= moment]


def note_failure(session: Session, event_id: int, error: str) -> None:
    """Count that an event could not be acted on; after some attempts it waits for a person."""
    rows = Event.__table__
    here = update(rows).where(rows.c.id == event_id, rows.c.handled_at.is_(None))
    session.execute(here.values(attempts=rows.c.attempts + 1, tried_at=utcnow(), error=error[:500]))


def given_up(session: Session, *, limit: int = LISTED) -> Sequence[Event]:
    """The events of units within the session's scope that could not be acted on, the newest first."""
    stuck = _given_up(session).options(joinedload(Event.unit)).order_by(Event.id.desc())
    return session.scalars(stuck.limit(limit)).all()


def count_given_up(session: Session, *, most: int) -> int:
    """How many events could not be acted on; of more than `most` so many."""
    stuck = _given_up(session).with_only_columns(Event.id).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(stuck)) or 0


def settle(session: Session, event_ids: Collection[int], *, again: bool) -> int:
    """Try events again that could not be acted on, or let them be; returns how many."""
    chosen = session.scalars(_given_up(session).where(Event.id.in_(event_ids)).order_by(Event.id)).all()
    for event in chosen:
        event.attempts, event.handled_at = (0, None) if again else (event.attempts, utcnow())
        event.tried_at = None
        traces.record(session, "event.retried" if again else "event.dropped", event, details={"event": event.name})
    return len(chosen)


def take(session: Session, event_id: int) -> Event | None:
    """Take an event to act on; None where somebody else was first."""
    rows = Event.__table__
    taken: Any = session.execute(
        update(rows).where(rows.c.id == event_id, rows.c.handled_at.is_(None)).values(handled_at=utcnow())
    )
    return session.get(Event, event_id, populate_existing=True) if taken.rowcount else None


def subscribers(session: Session, event: Event) -> Sequence[EventSubscription]:
    """What starts on an event: enabled, of its kind, in its unit or above, with a reason that fits."""
    here = select(Unit.path).where(Unit.id == event.unit_id).scalar_subquery()
    query = (
        select(EventSubscription)
        .join(Unit, Unit.id == EventSubscription.unit_id)
        .where(EventSubscription.event == event.name, EventSubscription.enabled, here.startswith(Unit.path))
    )
    found = session.scalars(query.order_by(EventSubscription.id)).all()
    return [row for row in found if not row.condition or holds(row.condition, event.facts.get)]


def values_for(options: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the start form, with facts of the event put in."""
    return {name: _put_in(value, facts) for name, value in options.items()}


def example(written: Written) -> dict[str, Any]:
    """The values of the start form with example facts put in, for checking them; refused where a fact is unknown."""
    kind = EVENTS.get(written.event)
    facts = {name: EXAMPLES.get(name, "1") for name in (kind.facts if kind else ())}
    found = values_for(written.options, facts)
    unknown = [text for text in found.values() if isinstance(text, str) and NAMED.search(text)]
    if unknown:
        raise Refused(
            "没有保存：「%(text)s」里花括号中的名称不对，可用的有 %(known)s。",
            text=unknown[0][:60],
            known="、".join("{" + name + "}" for name in facts),
        )
    return found


def keep_start(session: Session, subscription: EventSubscription, event: Event, **came: Any) -> None:
    """Write what an event came to for a subscription (`run_id` or `message`); one row, so it starts at most one run."""
    state = "started" if came.get("run_id") is not None else "refused"
    session.add(
        EventStart(subscription_id=subscription.id, event_id=event.id, state=state, at=utcnow(), **came)
    )


def save(
    session: Session, written: Written, staff: Staff, row: EventSubscription | None = None
) -> EventSubscription:
    """Keep a new subscription, or change one; its runs are started as whoever saved it last."""
    workflow, _version = workflows.startable(session, written.workflow_key)
    workflow_access.require(staff, workflow, "start")
    kind = EVENTS.get(written.event)
    if kind is None or not written.name.strip():
        raise Refused("没有保存：请填写名称，并选择发生什么的时候发起。")
    if row is None:
        row = EventSubscription(created_at=utcnow())
        session.add(row)
    row.name, row.event, row.workflow_key = written.name.strip()[:120], written.event, written.workflow_key
    row.options, row.unit_id, row.run_as_id = dict(written.options), written.unit_id, staff.id
    narrowed = written.reason and kind.reasons
    row.condition = {"field": "reason", "op": "eq", "value": written.reason} if narrowed else {}
    traces.record(session, "event_subscription.saved", row, details={"event": row.event})
    return row


def switch(session: Session, row: EventSubscription, *, enabled: bool) -> None:
    """Stop a subscription, or let it go on; what happened meanwhile starts nothing."""
    row.enabled = enabled
    traces.record(session, "event_subscription.switched", row, details={"enabled": enabled})


def remove(session: Session, row: EventSubscription) -> None:
    """Forget a subscription; the runs that it started stay."""
    traces.record(session, "event_subscription.removed", row, details={"event": row.event})
    session.delete(row)
    session.flush()


def find(session: Session, key: int) -> EventSubscription | None:
    """A subscription that runs in the name of somebody within the session's scope."""
    return session.scalar(select(EventSubscription).where(EventSubscription.id == key, _in_reach(session)))


def listed(session: Session) -> Sequence[EventSubscription]:
    """The subscriptions of people within the session's scope, by name."""
    whole = (joinedload(EventSubscription.run_as), joinedload(EventSubscription.unit))
    query = select(EventSubscription).where(_in_reach(session)).options(*whole)
    return session.scalars(query.order_by(EventSubscription.name)).all()


def starts(session: Session, subscription_id: int, *, limit: int = 30) -> Sequence[Any]:
    """The newest starts of a subscription, each with its event."""
    query = select(EventStart, Event).join(Event, Event.id == EventStart.event_id)
    query = query.where(EventStart.subscription_id == subscription_id)
    return session.execute(query.order_by(EventStart.id.desc()).limit(limit)).all()


def counts(session: Session) -> dict[int, int]:
    """How many runs each subscription has started."""
    query = select(EventStart.subscription_id, func.count()).where(EventStart.state == "started")
    return dict(session.execute(query.group_by(EventStart.subscription_id)).tuples().all())


def remove_old(session: Session) -> int:
    """Forget events that were handled long ago."""
    rows = Event.__table__
    old: Any = utcnow() - timedelta(days=KEPT_DAYS)
    gone: Any = session.execute(delete(rows).where(rows.c.handled_at < old))
    return int(gone.rowcount)


def _in_reach(session: Session) -> ColumnElement[bool]:
    return EventSubscription.run_as_id.in_(people.in_scope_staff(session))


def _pause(attempts: int) -> timedelta:
    return timedelta(seconds=5 * 2**attempts)


def _put_in(value: Any, facts: Mapping[str, Any]) -> Any:
    """A text with `{name}` replaced; one that is nothing but a fact in braces becomes that fact's text."""
    if not isinstance(value, str):
        return value
    for name, fact in facts.items():
        value = value.replace(f"{{{name}}}", str(fact))
    return value


def _given_up(session: Session) -> Select[tuple[Event]]:
    query = select(Event).join(Unit, Unit.id == Event.unit_id).where(people.in_scope_units(session))
    return query.where(Event.handled_at.is_(None), Event.attempts >= ATTEMPTS)
