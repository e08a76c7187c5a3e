"""Planning: what a step or a list would work on is read once and stored as items before any of it is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any

from sqlalchemy import ColumnElement, delete, insert, literal_column, or_
from sqlalchemy.orm import Session

from models import StepItem
from workflows.claims import hold
from workflows.held import Held
from workflows.sessions import reading, writing
from workflows.steps import CHUNK, Item, Planned

ITEMS = StepItem.__table__
NEW = insert(ITEMS).values(
    state=literal_column("'ready'"), result=literal_column("'{}'"), error=literal_column("''")
)


def plan(held: Held, read: Callable[[Session], Planned], *, begin: int) -> Held:
    """Read what is to be done, write it as items from the position `begin` on, and say that it is planned.

    The items count only when planning is over: one cut short is made again.
    """
    with TemporaryFile("w+", encoding="utf-8") as spool:
        with reading(held.scope, actor_id=held.owner_id) as session:
            planned = read(session)
            number = _spool(planned.items, spool, held.item_of())
            result = {**held.result, "planned": dict(planned.summary)}
        spool.seek(0)
        total = begin + number - 1 if number else held.items_total
        values = {"planned": True, "items_total": total, "result": result}
        _store(held, spool, begin, [{}] * (-(-number // CHUNK) - 1) + [values])
    return held.with_result(result, items_total=total)


def _spool(items: Iterable[Item], spool: IO[str], item_of: Callable[[dict[str, Any]], int | None]) -> int:
    """Put the items aside, a chunk a line, each with the item of a list that it is for; how many they are."""
    number, rest = 0, iter(items)
    while chunk := [(item_of(one), one) for one in map(dict, islice(rest, CHUNK))]:
        spool.write(json.dumps(chunk, ensure_ascii=False) + "\n")
        number += len(chunk)
    return number


def _store(held: Held, spool: IO[str], begin: int, written: Sequence[Mapping[str, Any]]) -> None:
    """Write each chunk of items in a transaction; the first also forgets what is left over, the last ends the plan."""
    for number, values in enumerate(written):
        line = spool.readline()
        with writing() as session:
            hold(session, held.step_id, held.token, held.limits, **values)
            if number == 0:
                session.execute(delete(ITEMS).where(ITEMS.c.step_id == held.step_id, _left_over(held)))
            if line:
                first = begin + number * CHUNK
                rows = [_row(held, first + place, *one) for place, one in enumerate(json.loads(line))]
                session.execute(NEW, rows)


def _row(held: Held, position: int, item: int | None, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "step_id": held.step_id,
        "position": position,
        "item": item,
        "payload": payload,
    }


def _left_over(held: Held) -> ColumnElement[bool]:
    """What a plan cut short has left, and inside an each what had failed: it is planned anew."""
    left = ITEMS.c.position > held.items_total
    return or_(left, ITEMS.c.state == "failed") if held.turn and "step" in held.node else left
