"""The nodes that are not steps: branch, wait and person. Each is claimed and finished as a step is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from models import Run
from models.clock import end_of_day, now, today
from models.people import root_unit
from services import Refused, calendar, tasks
from services.conditions import Condition, holds
from workflows.claims import hold
from workflows.held import Held, find_field
from workflows.sessions import reading, writing
from workflows.steps import Facts
from workflows.transitions import finish, rest, wait_in

TASK_KIND = "workflow"
STARTER = "start"


def do_branch(held: Held) -> None:
    """Choose the arm and go down it; an empty arm leads on."""
    with reading(held.scope, actor_id=held.owner_id) as session:
        arm = "yes" if _holds(session, held.node["branch"], held.facts) else "no"
    finish(held, {"arm": arm}, arm=arm)


def do_wait(held: Held) -> None:
    """Go on when the condition holds or the time is over; else leave the step waiting for the clock."""
    wait = held.node["wait"]
    with reading(held.scope, actor_id=held.owner_id) as session:
        due_at = held.due_at or due(session, wait, held.facts)
        met = is_met(session, wait, held.facts)
        late = due_at is not None and now(session) >= due_at
    if met or late:
        finish(held, {"met": met, "late": late and not met})
    else:
        rest(held, due_at)


def do_person(held: Held) -> None:
    """Open the task of a person node, or go on with what the person decided."""
    if "choice" in held.result:
        finish(held, held.result)
        return
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits)
        task = _open_task(session, held)
        wait_in(session, held, task.due_at)


def is_met(session: Session, wait: Mapping[str, Any], facts: Facts) -> bool:
    """Whether a wait's condition holds; a wait without one only waits for its time."""
    return "when" in wait and _holds(session, wait["when"], facts)


def due(session: Session, wait: Mapping[str, Any], facts: Facts) -> datetime | None:
    """When a wait is over: the end of the day `days` from now, or of the day that a result names; None: never."""
    if "days" in wait:
        return end_of_day(today(session) + timedelta(days=int(wait["days"])))
    if "until" not in wait:
        return None
    found = find_field(session, facts, wait["until"])
    try:
        day = date.fromisoformat(str(found))
    except ValueError as error:
        raise Refused(
            "等待的日期「%(day)s」没有值，或不是日期（%(found)s）。请检查流程定义。",
            day=wait["until"],
            found=found,
        ) from error
    return end_of_day(day)


def _holds(session: Session, condition: Condition, facts: Facts) -> bool:
    return holds(condition, lambda field: find_field(session, facts, field))


def _open_task(session: Session, held: Held) -> Any:
    person = held.node["person"]
    run = session.get_one(Run, held.run_id)
    days = person.get("due_days")
    day = calendar.calendar(session).after(today(session), days) if days is not None else None
    return tasks.open_task(
        session,
        TASK_KIND,
        person["title"],
        unit_id=_unit_of(session, person, run, held.facts),
        run_id=run.id,
        step_id=held.step_id,
        permission=person.get("permission", ""),
        role=person.get("role", ""),
        not_by=_not_by(person.get("not_by", ()), held.facts),
        choices=list(person.get("choices", ())),
        details={"on_timeout": person["on_timeout"]} if "on_timeout" in person else {},
        link=_link(person.get("link", ""), held.facts),
        due_at=calendar.last_moment(day) if day else None,
    )


def _unit_of(session: Session, person: Mapping[str, Any], run: Run, facts: Facts) -> int:
    unit = person.get("unit", "run")
    if unit == "run":
        return run.unit_id
    return root_unit(session).id if unit == "root" else int(find_field(session, facts, unit))


def _not_by(nodes: Iterable[str], facts: Facts) -> list[int]:
    """Who may not decide again: the persons of earlier nodes, and whoever started the run."""
    found = (
        facts["run"].get("started_by") if node == STARTER else facts.get(node, {}).get("by") for node in nodes
    )
    return sorted({int(staff_id) for staff_id in found if staff_id is not None})


def _link(link: str, facts: Facts) -> str:
    """An address of the task's work; `{run.campaign_id}` and the like are filled in."""
    for node_id, results in facts.items():
        for name, value in results.items():
            link = link.replace(f"{{{node_id}.{name}}}", str(value))
    return link
