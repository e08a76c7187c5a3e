"""Turns (批): the chunks in which an each works through its list, and which items of a chunk stand at which node.

Items go through the nodes in reading order. One stands at a node unless it has failed, took another arm at a branch, or
failed further on before and is tried again. A turn `3` is the third chunk, `3.2` the second of an each inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, bindparam, cast, func, select, update
from sqlalchemy.orm import Session

from models import Run, Step, StepItem
from workflows.kinds import Each
from workflows.results import decoded
from workflows.steps import Facts
from workflows.walk import Placed, container, node_at, placed, ways_to

ITEMS = StepItem.__table__


@dataclass(frozen=True)
class Portion:
    """The items of one turn that are under way: what is known of each, and which arm it took where."""

    each_id: int
    path: str
    turn: str
    places: tuple[Placed, ...]
    items: Sequence[int]
    begin_at: Mapping[int, int]
    arms: Mapping[tuple[str, str], frozenset[int]]

    def standing(self, path: str) -> list[int]:
        """The items that stand at a node, by their numbers in the list."""
        number = next(place.number for place in self.places if place.path == path)
        ways = [self.arms.get(way, frozenset()) for way in ways_to(path)]
        return [
            item
            for item in self.items
            if self.begin_at.get(item, 0) <= number and all(item in way for way in ways)
        ]

    def after(self, path: str) -> str | None:
        """The next node at which any item stands; None when the turn is over."""
        rest = [place.path for place in self.places]
        return next((one for one in rest[rest.index(path) + 1 :] if self.standing(one)), None)


def turn_of(outer: str, number: int) -> str:
    """The name of a list's turn inside the turn that the list stands in."""
    return f"{outer}.{number}" if outer else str(number)


def outer(turn: str) -> str:
    """The turn around a turn; empty for an outermost one."""
    return turn.rpartition(".")[0]


def positions(turn: str, size: int) -> tuple[int, int]:
    """The first and the last position of a turn in its list."""
    number = int(turn.rpartition(".")[2])
    return (number - 1) * size + 1, number * size


def size_of(run: Run, path: str) -> int:
    """How many items a turn of an each has."""
    return Each.model_validate(node_at(run.tree, path)["each"]).size


def portion(session: Session, run: Run, path: str, turn: str) -> Portion:
    """What is under way in one turn of the each at a path."""
    query = select(Step.id).where(Step.run_id == run.id, Step.path == path, Step.turn == outer(turn))
    each_id = session.scalars(query).one()
    places = tuple(place for place in placed(run.tree) if container(place.path) == path)
    numbers = {place.path: place.number for place in places}
    begin, end = positions(turn, size_of(run, path))
    at = StepItem.result["at"].as_string()
    rows = session.execute(
        select(StepItem.position, at)
        .where(StepItem.step_id == each_id, StepItem.position.between(begin, end), StepItem.state == "ready")
        .order_by(StepItem.position)
    ).tuples()
    found = dict(rows.all())
    return Portion(
        each_id,
        path,
        turn,
        places,
        list(found),
        {position: numbers[path] for position, path in found.items() if path},
        _arms(session, run, places, turn),
    )


def facts_in_turn(session: Session, run: Run, path: str, turn: str) -> Facts:
    """What a node inside an each may ask for: the run's facts, what its turn has made, its item or items."""
    facts: dict[str, Mapping[str, Any]] = dict(run.facts)
    within, at = container(path), turn
    while at:
        facts |= _made(session, run, within, at)
        within, at = container(within), outer(at)
    part = portion(session, run, container(path), turn)
    standing = set(part.standing(path))
    items = [
        {**payload, "item": number} for number, payload in _payloads(session, part) if number in standing
    ]
    return facts | {"each": {"items": items}, "item": items[0] if len(items) == 1 else {}}


def fail_items(session: Session, part: Portion, path: str, errors: Mapping[int, str]) -> None:
    """Take items out of a turn: they failed at a node, and are tried again from there on."""
    statement = (
        update(ITEMS)
        .where(
            ITEMS.c.step_id == part.each_id,
            ITEMS.c.position == bindparam("number"),
            ITEMS.c.state == "ready",
        )
        .values(state="failed", error=bindparam("reason"), result={"at": path})
    )
    if errors:
        rows = [{"number": number, "reason": reason} for number, reason in errors.items()]
        session.connection().execute(statement, rows)


def end_items(session: Session, part: Portion) -> int:
    """Mark what has gone through a turn as done; what was planned for it is forgotten. Returns how many."""
    if not part.items:
        return 0
    here = ITEMS.c.position.between(part.items[0], part.items[-1])
    done: Any = session.execute(
        update(ITEMS)
        .where(ITEMS.c.step_id == part.each_id, here, ITEMS.c.state == "ready")
        .values(state="done", payload={}, result={})
    )
    return int(done.rowcount)


def counts(session: Session, step_id: int) -> dict[str, int]:
    """How many items of a list are in which state."""
    query = select(StepItem.state, func.count()).where(StepItem.step_id == step_id).group_by(StepItem.state)
    return dict(session.execute(query).tuples().all())


def undone(session: Session, step: Step, standing: list[int]) -> list[int]:
    """The items at a step for which it did not do everything."""
    if not step.planned:
        return standing
    query = select(StepItem.item).where(StepItem.step_id == step.id, StepItem.state != "done")
    left = set(session.scalars(query.distinct()))
    return [number for number in standing if number in left]


def joined(before: Mapping[str, Any], split: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """The arms that items took at a node, with those of an earlier pass."""
    known = before.get("split", {})
    return {arm: [*known.get(arm, ()), *numbers] for arm, numbers in split.items()}


def _arms(
    session: Session, run: Run, places: tuple[Placed, ...], turn: str
) -> dict[tuple[str, str], frozenset[int]]:
    forks = {path for place in places for path, _arm in ways_to(place.path)}
    if not forks:
        return {}
    query = select(Step.path, Step.result).where(
        Step.run_id == run.id, Step.path.in_(forks), Step.turn == turn
    )
    return {
        (row.path, arm): frozenset(numbers)
        for row in session.execute(query)
        for arm, numbers in row.result.get("split", {}).items()
    }


def _payloads(session: Session, part: Portion) -> Iterable[tuple[int, dict[str, Any]]]:
    if not part.items:
        return ()
    here = StepItem.position.between(part.items[0], part.items[-1])
    query = select(StepItem.position, cast(StepItem.payload, Text)).where(
        StepItem.step_id == part.each_id, here
    )
    rows = session.execute(query.order_by(StepItem.position)).all()
    return zip([row[0] for row in rows], decoded([row[1] for row in rows]), strict=True)


def _made(session: Session, run: Run, within: str, turn: str) -> dict[str, Mapping[str, Any]]:
    paths = [place.path for place in placed(run.tree) if container(place.path) == within]
    query = select(Step.node, Step.result).where(
        Step.run_id == run.id, Step.path.in_(paths), Step.turn == turn, Step.state.in_(("done", "skipped"))
    )
    return {row.node: row.result for row in session.execute(query)}
