"""The nodes that are not steps. Each is claimed and finished as a step is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from models.clock import end_of_day, now, today, utcnow
from models.words import Said
from services import Refused
from services.conditions import Condition, holds
from workflows.held import Held, Parked, find_field, hold_run
from workflows.kinds import Each
from workflows.lists import LISTS
from workflows.plans import plan, unseen
from workflows.sessions import reading, writing
from workflows.steps import Facts, ListKind, Planned
from workflows.transitions import finish, open_lanes, open_turns, rest
from workflows.turns import joined

ITEM = "item."
AT_ONCE, NEVER = timedelta(0), timedelta(days=36500)
ARMS = {True: "yes", False: "no"}


def do_branch(held: Held) -> Held | None:
    """Choose the arm and go down it; an empty arm leads on. Inside an each every item goes its own way."""
    with reading(held.scope, actor_id=held.owner_id) as session:
        arms = _split(session, held) if held.turn else {}
        arm = "" if held.turn else ARMS[_holds(session, held.node["branch"], held.facts)]
    result = {"split": joined(held.result, arms)} if held.turn else {"arm": arm}
    with writing() as session:
        run = hold_run(session, held)
        return finish(session, run, held, result, arm=arm)


def do_wait(held: Held) -> Held | None:
    """Go on when the condition holds or the time is over; else leave the step waiting for the clock."""
    wait = held.node["wait"]
    with reading(held.scope, actor_id=held.owner_id) as session:
        due_at = held.due_at or due(session, wait, held.facts)
        met = is_met(session, wait, held.facts)
        late = due_at is not None and now(session) >= due_at
    with writing() as session:
        run = hold_run(session, held)
        if met or late:
            return finish(session, run, held, {"met": met, "late": late and not met})
        rest(session, run, held, due_at=due_at, ask_at=utcnow() + (AT_ONCE if "when" in wait else NEVER))
        return None


def do_parallel(held: Held) -> Held | None:
    """Go down all lanes at once."""
    with writing() as session:
        run = hold_run(session, held)
        return open_lanes(session, run, held)


def do_each(held: Held) -> Held | None:
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
    going = held if held.planned else _list(held, kind, settings)
    with writing() as session:
        run = hold_run(session, held)
        return open_turns(session, run, going, at_once=settings.at_once, size=settings.size)


def _list(held: Held, kind: ListKind, settings: Each) -> Held:
    """Read the list and store it behind what it holds already. Inside another list it is read again for items that come
    later: then only what it does not hold yet is new."""
    full = max(-(-held.items_total // settings.size), int(held.result.get("opened", 0)))
    of = settings.of or settings.segment
    if not held.turn:
        return plan(held, lambda session: Planned(kind.find(session, held.facts, of)), begin=1)

    def read(session: Session) -> Planned:
        found = kind.find(session, held.facts, of) if held.standing else ()
        return Planned(unseen(session, held, found, kind.identity))

    return plan(held, read, begin=full * settings.size + 1, named=kind.identity)


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
    condition = held.node["branch"]

    def find(field: str) -> Any:
        if field not in asked:
            asked[field] = find_field(session, held.facts, field)
        return asked[field]

    for item in held.run_facts["each"]["items"]:

        def find_for_item(field: str, item: Mapping[str, Any] = item) -> Any:
            return item.get(field.removeprefix(ITEM)) if field.startswith(ITEM) else find(field)

        arms[ARMS[holds(condition, find_for_item)]].append(item["item"])
    return arms


def _holds(session: Session, condition: Condition, facts: Facts) -> bool:
    return holds(condition, lambda field: find_field(session, facts, field))
