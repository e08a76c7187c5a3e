"""Person nodes: to whom their task goes, until when, when it is reminded of, and what its decision leaves behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Run, Staff, Task
from models.clock import ZONE, now, today
from services import Refused, calendar, people, tasks
from services.calendar import Calendar
from workflows.held import Held, find_field, hold_run
from workflows.kinds import Person
from workflows.sessions import writing
from workflows.steps import Facts
from workflows.task_units import unit_named
from workflows.transitions import finish, rest

TASK_KIND = "workflow"
STARTER = "start"
OPENS, CLOSES = time(8, 30), time(17, 30)


@dataclass(frozen=True)
class To:
    """Who gets a task: one person, several, or whoever has the role or permission in the unit."""

    unit_id: int
    staff_id: int | None = None
    several: tuple[int, ...] = ()
    customer_id: int | None = None


def do_person(held: Held) -> Held | None:
    """Open the task of a person node, or go on with what the person decided."""
    with writing() as session:
        run = hold_run(session, held)
        if "choice" in held.result:
            return finish(session, run, held, held.result)
        task = session.scalar(select(Task).where(Task.step_id == held.step_id))
        if task is None:
            task = _open_task(session, run, held)
        elif task.state != "open":
            open_again(session, task, held.node["person"], staff_id=task.addressee_id)
            task.not_by = _not_by(held.node["person"].get("not_by", ()), held.facts)
        rest(session, run, held, due_at=task.due_at)
        return None


def open_again(session: Session, task: Task, person: Mapping[str, Any], *, staff_id: int | None) -> None:
    """Open the task of a node once more, with a time of its own; what was done with it stays in its history."""
    settings = Person.model_validate(person)
    due_at = due_of(session, settings)
    remind_at = first_reminder(session, settings, due_at)
    tasks.open_again(session, task, staff_id=staff_id, due_at=due_at, remind_at=remind_at)


def due_of(session: Session, person: Person) -> datetime | None:
    """When a task that begins now is due: the end of a working day, or hours from now."""
    if person.due_hours is not None:
        return now(session) + timedelta(hours=person.due_hours)
    if person.due_days is None:
        return None
    return calendar.last_moment(calendar.calendar(session).after(today(session), person.due_days))


def first_reminder(session: Session, person: Person, due_at: datetime | None) -> datetime | None:
    """When a task is first reminded of: within working hours before it is due, else some working days after."""
    if due_at is None:
        return None
    days = calendar.calendar(session)
    if person.remind_hours is None:
        return next_reminder(days, due_at, person.remind_every)
    moment = (due_at - timedelta(hours=person.remind_hours)).astimezone(ZONE)
    if days.is_workday(moment.date()) and moment.time() >= OPENS:
        return min(moment, datetime.combine(moment.date(), CLOSES, ZONE))
    day = moment.date() - timedelta(days=1)
    while not days.is_workday(day):
        day -= timedelta(days=1)
    return datetime.combine(day, CLOSES, ZONE)


def next_reminder(days: Calendar, after: datetime, every: int | None) -> datetime | None:
    """The morning of the working day that lies `every` working days after a moment."""
    if every is None:
        return None
    day = days.after(after.astimezone(ZONE).date(), every)
    return datetime.combine(day, OPENS, ZONE)


def _open_task(session: Session, run: Run, held: Held) -> Task:
    given = held.node["person"]
    person = Person.model_validate(given)
    barred = _not_by(person.not_by, held.facts)
    to = _able(session, person, _to(session, person, run, held.facts, barred), barred)
    due_at = due_of(session, person)
    details = {name: given[name] for name in ("on_timeout", "remind_every") if given.get(name) is not None}
    phrases = {"phrases": [phrase.text for phrase in person.phrases]} if person.phrases else {}
    return tasks.open_task(
        session,
        TASK_KIND,
        person.title,
        unit_id=to.unit_id,
        run_id=run.id,
        step_id=held.step_id,
        customer_id=to.customer_id,
        staff_id=to.staff_id,
        people=to.several,
        starter_id=held.facts["run"].get("started_by"),
        rule=person.rule if to.several else "any",
        permission=person.permission,
        role=person.role if person.to == "role" else "",
        not_by=barred,
        choices=[choice.model_dump() for choice in person.choices],
        fields=[field.model_dump() for field in person.fields],
        details={**details, **phrases},
        link=_link(person.link, held.facts),
        due_at=due_at,
        remind_at=first_reminder(session, person, due_at),
    )


def _to(session: Session, person: Person, run: Run, facts: Facts, barred: list[int]) -> To:
    if person.to == "role":
        unit_id = _unit_of(session, person.unit, run, facts)
        several = _holders(session, person, unit_id, barred) if person.rule != "any" else ()
        return To(unit_id, several=several)
    if person.to == "staff":
        return _named(session, person, run, barred)
    if person.to == "manager":
        return _manager(session, run, facts)
    return To(run.unit_id, staff_id=facts["run"]["started_by"] if person.to == "starter" else run.owner_id)


def _named(session: Session, person: Person, run: Run, barred: list[int]) -> To:
    query = select(Staff.id).where(Staff.username.in_(person.staff), Staff.active, Staff.id.not_in(barred))
    found = tuple(session.scalars(query.order_by(Staff.id)))
    if not found:
        raise _nobody(person)
    return To(run.unit_id, found[0]) if len(found) == 1 else To(run.unit_id, several=found)


def _able(session: Session, person: Person, to: To, barred: list[int]) -> To:
    """Who gets a task, refused for one person who may not decide it: it would wait for ever."""
    if to.staff_id is not None and (to.staff_id in barred or not session.get_one(Staff, to.staff_id).active):
        raise _nobody(person)
    return to


def _nobody(person: Person) -> Refused:
    return Refused(
        "「%(title)s」指定的办理人都不能办理：账号已停用，或办理过前面的环节。请改正流程定义后重试。",
        title=person.title,
    )


def _manager(session: Session, run: Run, facts: Facts) -> To:
    """The account manager of the item's customer; without one who is there, the run's owner."""
    customer = session.get_one(Customer, facts["item"]["customer_id"])
    manager = session.get(Staff, customer.manager_id) if customer.manager_id is not None else None
    staff_id = manager.id if manager is not None and manager.active else run.owner_id
    return To(customer.unit_id, staff_id=staff_id, customer_id=customer.id)


def _holders(session: Session, person: Person, unit_id: int, barred: list[int]) -> tuple[int, ...]:
    """Everybody who may do it in the unit itself, else in the nearest one above that has any."""
    able = people.able_for(session, unit_id, role=person.role, permission=person.permission)
    rows = session.execute(able.add_columns(Staff.unit_id).where(Staff.id.not_in(barred))).all()
    if not rows:
        raise Refused("「%(title)s」没有能办理的人：单位里没有人有这个角色或权限。", title=person.title)
    return tuple(row.id for row in rows if row.unit_id == rows[0].unit_id)


def _unit_of(session: Session, unit: str, run: Run, facts: Facts) -> int:
    named = unit_named(session, unit, run.unit_id)
    return int(find_field(session, facts, unit)) if named is None else named


def _not_by(nodes: Iterable[str], facts: Facts) -> list[int]:
    """Who may not decide again: everybody who decided in earlier nodes, and whoever started the run."""
    found: set[int | None] = set()
    for node in nodes:
        if node == STARTER:
            found.add(facts["run"].get("started_by"))
        else:
            made = facts.get(node, {})
            found |= {made.get("by"), *made.get("persons", ())}
    return sorted(int(staff_id) for staff_id in found if staff_id is not None)


def _link(link: str, facts: Facts) -> str:
    """An address of the task's work; `{run.campaign_id}` and the like are filled in."""
    for node_id, results in facts.items():
        for name, value in results.items():
            link = link.replace(f"{{{node_id}.{name}}}", quote(str(value), safe=""))
    return link
