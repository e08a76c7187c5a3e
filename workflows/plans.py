"""Planning: what a step or a list would work on is read once and stored as items before any of it is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any

from sqlalchemy import delete, insert, or_
from sqlalchemy.orm import Session

from models import StepItem
from workflows.claims import hold
from workflows.held import Held
from workflows.sessions import reading, writing
from workflows.steps import CHUNK, Planned

ITEMS = StepItem.__table__


def plan(held: Held, read: Callable[[Session], Planned], *, begin: int) -> Held:
    """Read what is to be done, write it as items from the position `begin` on, and say that it is planned."""
    with TemporaryFile("w+", encoding="utf-8") as spool:
        with reading(held.scope, actor_id=held.owner_id) as session:
            planned = read(session)
            number = _spool(planned.items, spool)
            result = {**held.result, "planned": dict(planned.summary)}
        spool.seek(0)
        _store(held, spool, begin)
    with writing() as session:
        total = begin + number - 1 if number else held.items_total
        hold(session, held.step_id, held.token, held.limits, planned=True, items_total=total, result=result)
    return held.with_result(result, items_total=total)


def _spool(items: Iterable[Mapping[str, Any]], spool: IO[str]) -> int:
    number = 0
    for item in items:
        spool.write(json.dumps(dict(item), ensure_ascii=False) + "\n")
        number += 1
    return number


def _store(held: Held, spool: IO[str], begin: int) -> None:
    """Write the items in chunks; they count only when planning is over, so a plan cut short is made again."""
    _clear(held)
    while rows := [_item(held, place, line) for place, line in enumerate(islice(spool, CHUNK), begin)]:
        with writing() as session:
            hold(session, held.step_id, held.token, held.limits)
            session.execute(insert(ITEMS), rows)
        begin += len(rows)


def _item(held: Held, place: int, line: str) -> dict[str, Any]:
    payload = json.loads(line)
    return {
        "step_id": held.step_id,
        "position": place,
        "item": held.item_of(payload),
        "payload": payload,
        "state": "ready",
        "result": {},
        "error": "",
    }


def _clear(held: Held) -> None:
    """Forget what a plan cut short has left, and inside an each what had failed: it is planned anew."""
    left = ITEMS.c.position > held.items_total
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits)
        gone = or_(left, ITEMS.c.state == "failed") if held.turn and held.node.get("step") else left
        session.execute(delete(ITEMS).where(ITEMS.c.step_id == held.step_id, gone))
