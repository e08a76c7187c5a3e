"""The nodes that are not steps. Each is claimed and finished as a step is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from models import Run
from models.clock import end_of_day, now, today, utcnow
from models.people import root_unit
from models.words import Said
from services import Refused, calendar, tasks
from services.conditions import Condition, holds
from workflows.claims import hold
from workflows.held import Held, Parked, find_field
from workflows.kinds import Each
from workflows.lists import LISTS
from workflows.plans import plan
from workflows.sessions import reading, writing
from workflows.steps import Facts, Planned
from workflows.transitions import finish, open_lanes, open_turns, rest
from workflows.turns import joined

TASK_KIND = "workflow"
STARTER = "start"
ITEM = "item"
AT_ONCE, NEVER = timedelta(0), timedelta(days=36500)
ARMS = {True: "yes", False: "no"}


def do_branch(held: Held) -> None:
    """Choose the arm and go down it; an empty arm leads on. Inside an each every item goes its own way."""
    with reading(held.scope, actor_id=held.owner_id) as session:
        arms = _split(session, held) if held.turn else {}
        arm = "" if held.turn else ARMS[_holds(session, held.node["branch"], held.facts)]
    result = {"split": joined(held.result, arms)} if held.turn else {"arm": arm}
    with writing() as session:
        finish(session, held, result, arm=arm)


def do_wait(held: Held) -> None:
    """Go on when the condition holds or the time is over; else leave the step waiting for the clock."""
    wait = held.node["wait"]
    with reading(held.scope, actor_id=held.owner_id) as session:
        due_at = held.due_at or due(session, wait, held.facts)
        met = is_met(session, wait, held.facts)
        late = due_at is not None and now(session) >= due_at
    with writing() as session:
        if met or late:
            finish(session, held, {"met": met, "late": late and not met})
        else:
            rest(session, held, due_at, ask_at=utcnow() + (AT_ONCE if "when" in wait else NEVER))


def do_person(held: Held) -> None:
    """Open the task of a person node, or go on with what the person decided."""
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits)
        if "choice" in held.result:
            finish(session, held, held.result)
        else:
            task = _open_task(session, held)
            rest(session, held, task.due_at)


def do_parallel(held: Held) -> None:
    """Go down all lanes at once."""
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits)
        open_lanes(session, held)


def do_each(held: Held) -> None:
    """Store the list once, then begin its first chunks; where each chunk is done the next begins."""
    settings = Each.model_validate(held.node["each"])
    kind = LISTS.get(settings.list)
    if kind is None:
        raise Parked(
            Said(
                "这个版本的程序没有名单「%(list)s」。请升级程序，或改正流程定义，再点“重试”。",
                list=settings.list,
            )
        )
    going = held
    if not held.planned:
        begun = int(held.result.get("opened", 0)) * settings.size
        facts, of = held.facts, settings.of
        going = plan(held, lambda session: Planned(kind.find(session, facts, of)), begin=begun + 1)
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits)
        open_turns(session, going, at_once=settings.at_once, size=settings.size)


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


def _split(session: Session, held: Held) -> dict[str, list[int]]:
    """Which arm each item takes; what is not the item's own is asked for only once."""
    arms: dict[str, list[int]] = {"yes": [], "no": []}
    asked: dict[str, Any] = {}

    def find(field: str) -> Any:
        if field not in asked:
            asked[field] = find_field(session, held.facts, field)
        return asked[field]

    for item in held.run_facts["each"]["items"]:
        own = {f"{ITEM}.{name}": value for name, value in item.items()}
        holding = holds(held.node["branch"], lambda field, own=own: _of_item(own, field, find))  # type: ignore[misc]
        arms[ARMS[holding]].append(item["item"])
    return arms


def _of_item(own: Mapping[str, Any], field: str, find: Callable[[str], Any]) -> Any:
    return own.get(field) if field.startswith(f"{ITEM}.") else find(field)


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
