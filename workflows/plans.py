"""Planning: what a step or a list would work on is read once and stored as items before any of it is done."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from tempfile import TemporaryFile
from typing import IO, Any

from sqlalchemy import Select, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from models import StepItem
from models.bulk import insert_stored
from workflows.claims import hold
from workflows.held import Held
from workflows.sessions import reading, writing
from workflows.steps import CHUNK, Item, Planned

ITEMS = StepItem.__table__
COLUMNS = ("step_id", "position", "item", "identity", "payload", "state", "result", "error")
LEFT_OVER = delete(ITEMS).where(
    ITEMS.c.step_id == bindparam("step"), ITEMS.c.position > bindparam("last")
)

Named = Callable[[Item], str | None]
Row = dict[str, Any]


@dataclass(frozen=True)
class Few:
    """What was planned where it is little: its rows, not written yet, and the step's result from here on."""

    rows: Sequence[Row]
    result: Mapping[str, Any]


def plan_few(held: Held, read: Callable[[Session], Planned], *, most: int) -> Held | Few:
    """Read what a step is to do, for the first time; where it is more than that many items it is written at once."""
    row_of = _row_of(held, lambda item: None)
    with ExitStack() as kept:
        with reading(held.scope, actor_id=held.owner_id) as session:
            planned = read(session)
            items = iter(planned.items)
            first = [row_of(one) for one in islice(items, most + 1)]
            result = {**held.result, "planned": dict(planned.summary)}
            if len(first) <= most:
                return Few(json.loads(json.dumps(first)), result)
            spool = kept.enter_context(TemporaryFile("w+", encoding="utf-8"))
            number = _spool(chain(first, map(row_of, items)), spool)
        return _stored(held, spool, result, begin=1, number=number)


def store_few(held: Held, few: Few) -> Held:
    """Write down what is to be done after all, before anything of it is done."""
    with TemporaryFile("w+", encoding="utf-8") as spool:
        number = _spool(few.rows, spool)
        return _stored(held, spool, few.result, begin=1, number=number)


def write_done(session: Session, held: Held, few: Few, *, marked: Sequence[Row]) -> None:
    """Write what was planned together with what came of it: a row for each, or all done where nothing is said of them.
    What was planned for a done item is never kept."""
    _clear(session, held)
    numbered = [{**row, "position": place} for place, row in enumerate(few.rows, 1)]
    if marked:
        rows = [{**row, **came} for row, came in zip(numbered, marked, strict=True)]
        session.execute(
            insert(ITEMS), [row | ({"payload": {}} if row["state"] == "done" else {}) for row in rows]
        )
    else:
        done = [(held.step_id, row["position"], row["item"], None, "{}", "done", "{}", "") for row in numbered]
        insert_stored(session, ITEMS, COLUMNS, done)


def plan(
    held: Held, read: Callable[[Session], Planned], *, begin: int, named: Named = lambda item: None
) -> Held:
    """Read what is to be done, write it as items from the position `begin` on, and say that it is planned.

    The items count only when planning is over: one cut short is made again. `named`: by what an item is known again.
    """
    with TemporaryFile("w+", encoding="utf-8") as spool:
        with reading(held.scope, actor_id=held.owner_id) as session:
            planned = read(session)
            number = _spool(map(_row_of(held, named), planned.items), spool)
            result = {**held.result, "planned": dict(planned.summary)} if "step" in held.node else held.result
        return _stored(held, spool, result, begin=begin, number=number)


def _stored(held: Held, spool: IO[str], result: Mapping[str, Any], *, begin: int, number: int) -> Held:
    """Write what was put aside, and say that it is planned."""
    spool.seek(0)
    total = begin + number - 1 if number else held.items_total
    values = {"planned": True, "items_total": total, "result": result}
    _store(held, spool, begin, [{}] * (-(-number // CHUNK) - 1) + [values])
    return held.with_result(result, items_total=total)


def _spool(rows: Iterable[Row], spool: IO[str]) -> int:
    """Put the rows aside, a chunk a line, each as its item, its identity and its payload as it is stored; how many."""
    number, rest = 0, iter(rows)
    while chunk := list(islice(rest, CHUNK)):
        stored = [(row["item"], row["identity"], json.dumps(row["payload"])) for row in chunk]
        spool.write(json.dumps(stored) + "\n")
        number += len(chunk)
    return number


def _store(held: Held, spool: IO[str], begin: int, written: Sequence[Mapping[str, Any]]) -> None:
    """Write each chunk of items in a transaction; the first also forgets what is left over, the last ends the plan."""
    for number, values in enumerate(written):
        line = spool.readline()
        with writing() as session:
            hold(session, held.step_id, held.token, held.limits, **values)
            if number == 0:
                _clear(session, held)
            if line:
                placed = enumerate(json.loads(line), begin + number * CHUNK)
                rows = [(held.step_id, place, *row, "ready", "{}", "") for place, row in placed]
                insert_stored(session, ITEMS, COLUMNS, rows)


def _row_of(held: Held, named: Named) -> Callable[[Item], Row]:
    """Makes the row of an item: with the item of a list that it is for, and by what it is known again."""
    item_of = held.item_of()

    def row_of(item: Item) -> Row:
        payload = dict(item)
        return {
            "step_id": held.step_id,
            "item": item_of(payload),
            "identity": named(item),
            "payload": payload,
        }

    return row_of


def not_planned(session: Session, held: Held) -> list[Mapping[str, Any]]:
    """The items of the list that the step has not planned for on an earlier pass, or failed with altogether."""
    standing: list[Mapping[str, Any]] = held.run_facts["each"]["items"]
    if not held.items_total:
        return standing
    known = set(session.scalars(_planned_for(held)))
    return [item for item in standing if item["item"] not in known]


def unseen(
    session: Session, held: Held, found: Iterable[Item], named: Callable[[Item], str]
) -> Iterator[Item]:
    """What a list does not hold yet, each as often as it is found more often than it stands there."""
    here = (ITEMS.c.step_id == held.step_id, ITEMS.c.position <= held.items_total)
    seen = Counter(session.scalars(select(ITEMS.c.identity).where(*here))) if held.items_total else Counter()
    for item in found:
        name = named(item)
        if seen[name]:
            seen[name] -= 1
        else:
            yield item


def _planned_for(held: Held) -> Select[tuple[int | None]]:
    within = ITEMS.c.position <= held.items_total
    here = (ITEMS.c.step_id == held.step_id, within, ITEMS.c.state != "failed", ITEMS.c.item.is_not(None))
    return select(ITEMS.c.item).where(*here).distinct()


def _clear(session: Session, held: Held) -> None:
    """Forget what a plan cut short has left. Inside an each what failed of the items that come by is planned anew, or
    where other rows of the same item did not, tried again as it was planned."""
    rows = ITEMS.c.step_id == held.step_id
    session.execute(LEFT_OVER, {"step": held.step_id, "last": held.items_total})
    if not held.standing or "step" not in held.node or not held.items_total:
        return
    failed = (rows, ITEMS.c.state == "failed", ITEMS.c.item.in_(held.standing))
    session.execute(delete(ITEMS).where(*failed, ITEMS.c.item.not_in(_planned_for(held))))
    session.execute(update(ITEMS).where(*failed).values(state="ready", error=""))
