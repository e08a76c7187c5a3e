"""Repairs inside lists that have ended: what failed or was passed over is marked, and their turns go through it again.

Only items change here, in a few statements however long the lists are. The lists open their turns by and by, and a turn
goes where one of its items has missed something (`turns.Missed`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Text,
    bindparam,
    case,
    cast,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from models import Run, Step, StepItem
from workflows import turns
from workflows.turns import Missed
from workflows.walk import container

ITEMS, STEPS = StepItem.__table__, Step.__table__
READ_AT_ONCE = 500

Place = tuple[str, str]  # of a list: its path and the turn it stands in
Marks = dict[int, Missed]  # by position


@dataclass(frozen=True)
class Lists:
    """The lists of a run that have ended, with those inside them: their steps by where they are."""

    run: Run
    ids: Mapping[Place, int]

    def around(self, path: str, turn: str) -> tuple[int, int]:
        """The list that a node in a turn stands in: its step, and the first position of that turn."""
        outer = container(path)
        return self.ids[outer, turns.outer(turn)], turns.positions(turn, turns.size_of(self.run, outer))[0]


def try_again(session: Session, run: Run, *, anew: bool) -> list[Step]:
    """Mark in the lists that have ended what failed and where nodes were passed over; the lists to go through again."""
    lists = _ended(session, run)
    if not lists.ids:
        return []
    marks = _passed_over(session, lists)
    for step_ids in _some(lists.ids.values()):
        failed = (ITEMS.c.step_id.in_(step_ids), ITEMS.c.state == "failed")
        session.execute(update(ITEMS).where(*failed).values(state="ready", error=""))
    _mark(session, marks)
    stirred = _stir(session, lists)
    if anew:
        _plan_anew(session, lists)
    outermost = select(Step).where(Step.id.in_([lists.ids[place] for place in stirred if not place[1]]))
    return list(session.scalars(outermost.execution_options(populate_existing=True)))


def move(session: Session, run: Run, moved: Mapping[str, str]) -> None:
    """Let items that are tried again do so at the new places of their nodes."""
    lists = select(Step.id).where(Step.run_id == run.id, Step.kind == "each")
    text = cast(ITEMS.c.result, Text)
    here = (ITEMS.c.step_id.in_(lists), ITEMS.c.state.in_(("failed", "ready")), text != turns.NOTHING)
    known: dict[str, Any] = {}
    for row in session.scalars(select(text).where(*here).distinct()):
        known[row] = json.dumps(_moved(Missed.read(json.loads(row)), moved).row())
    if known:
        then = cast(case(known, value=text), JSON) if _has_json(session) else case(known, value=text)
        session.execute(update(ITEMS).where(*here).values(result=type_coerce(then, JSON)))


def _moved(missed: Missed, moved: Mapping[str, str]) -> Missed:
    only = tuple(moved[path] for path in missed.only)
    return Missed(moved.get(missed.at, ""), only, tuple(moved[path] for path in missed.into))


def _ended(session: Session, run: Run) -> Lists:
    """The outermost lists that have ended with something left to do in them, and all those inside them."""
    ended = (Step.run_id == run.id, Step.kind == "each", Step.planned)
    outermost = (*ended, Step.turn == "", Step.state.in_(("done", "skipped")))
    paths = session.scalars(select(Step.path).where(*outermost)).all()
    if not paths:
        return Lists(run, {})
    query = select(Step.path, Step.turn, Step.id).where(*ended, _within(paths))
    return Lists(run, {(row.path, row.turn): row.id for row in session.execute(query)})


def _within(paths: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(or_(Step.path == path, Step.path.startswith(f"{path}.")) for path in paths))


def _passed_over(session: Session, lists: Lists) -> dict[int, Marks]:
    """By list and position: the nodes that are still to be done for an item."""
    marks: dict[int, Marks] = defaultdict(dict)
    query = select(Step.path, Step.turn, Step.result).where(
        Step.run_id == lists.run.id, Step.turn != "", turns.has_left(), Step.state.in_(("done", "skipped"))
    )
    for row in session.execute(query.execution_options(yield_per=READ_AT_ONCE)):
        if (container(row.path), turns.outer(row.turn)) not in lists.ids:
            continue
        step_id, _first = lists.around(row.path, row.turn)
        for position in row.result["left"]:
            known = marks[step_id].get(position, Missed())
            marks[step_id][position] = replace(known, only=(*known.only, row.path))
    return marks


def _stir(session: Session, lists: Lists) -> set[Place]:
    """The lists with something to try again; an item of the list around one leads its turn there, from within out."""
    ready = select(ITEMS.c.step_id).where(ITEMS.c.state == "ready").distinct()
    found = {
        row
        for ids in _some(lists.ids.values())
        for row in session.scalars(ready.where(ITEMS.c.step_id.in_(ids)))
    }
    stirred = {place for place, step_id in lists.ids.items() if step_id in found}
    deepest = max((turn.count(".") + 1 if turn else 0 for _path, turn in stirred), default=0)
    for depth in range(deepest, 0, -1):
        here = [place for place in stirred if place[1] and place[1].count(".") + 1 == depth]
        marks: dict[int, Marks] = defaultdict(dict)
        for path, turn in here:
            step_id, first = lists.around(path, turn)
            known = marks[step_id].get(first, Missed())
            marks[step_id][first] = replace(known, into=(*known.into, path))
            stirred.add((container(path), turns.outer(turn)))
        _mark(session, marks)
    return stirred


def _mark(session: Session, marks: Mapping[int, Marks]) -> None:
    """Write the marks beside what the items bear already, and count those that had gone through as not done."""
    item = (ITEMS.c.step_id == bindparam("list"), ITEMS.c.position == bindparam("place"))
    write = update(ITEMS).where(*item).values(state="ready", result=bindparam("missed"))
    for step_id, more in marks.items():
        rows, done = [], 0
        for positions in _some(more):
            query = select(ITEMS.c.position, ITEMS.c.state, ITEMS.c.result).where(ITEMS.c.step_id == step_id)
            for row in session.execute(query.where(ITEMS.c.position.in_(positions))):
                before, now = Missed.read(row.result), more[row.position]
                both = replace(before, only=before.only + now.only, into=before.into + now.into)
                rows.append({"list": step_id, "place": row.position, "missed": both.row()})
                done += row.state == "done"
        session.connection().execute(write, rows)
        count = update(STEPS).where(STEPS.c.id == step_id)
        session.execute(count.values(items_done=STEPS.c.items_done - done))


def _plan_anew(session: Session, lists: Lists) -> None:
    """Forget the plans of passed-over steps in turns of which nothing is done yet."""
    paths = [path for path, turn in lists.ids if not turn]
    here = (Step.run_id == lists.run.id, Step.turn != "", Step.kind == "step", _within(paths))
    untouched = update(Step).where(*here, Step.items_done == 0, turns.has_left())
    session.execute(untouched.values(items_total=0), execution_options={"synchronize_session": False})


def _some(ids: Iterable[int]) -> Iterator[list[int]]:
    """As many at a time as one statement may name."""
    every = list(ids)
    yield from (every[at : at + READ_AT_ONCE] for at in range(0, len(every), READ_AT_ONCE))


def _has_json(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
