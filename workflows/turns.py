"""Turns (批): the chunks in which an each works through its list, and which items of a chunk stand at which node.

Items go through the nodes in reading order. One stands at a node unless it has failed or took another arm at a branch.
One that is tried again stands only where it missed something (`Missed`). A turn `3` is the third chunk, `3.2` the
second of an each inside it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, cast, func, select, update
from sqlalchemy.orm import Session

from models import Run, Step, StepItem
from workflows.kinds import Each
from workflows.results import decoded
from workflows.step_rows import AT, IN_RUN
from workflows.steps import Facts
from workflows.walk import container, node_at, placed, ways_to

ITEMS, STEPS = StepItem.__table__, Step.__table__
NOTHING = "{}"
IN_TURN = (IN_RUN, STEPS.c.path.in_(bindparam("paths", expanding=True)), STEPS.c.turn == bindparam("turn"))
SPLITS = select(STEPS.c.path, STEPS.c.result).where(*IN_TURN)
MADE = select(STEPS.c.node, STEPS.c.result).where(*IN_TURN, STEPS.c.state.in_(("done", "skipped")))
IN_LIST = (ITEMS.c.step_id == bindparam("list"), ITEMS.c.position.between(bindparam("begin"), bindparam("end")))
PAYLOADS = select(ITEMS.c.position, cast(ITEMS.c.payload, Text)).where(*IN_LIST).order_by(ITEMS.c.position)
UNDER_WAY = (
    select(ITEMS.c.position, cast(ITEMS.c.result, Text))
    .where(*IN_LIST, ITEMS.c.state == "ready")
    .order_by(ITEMS.c.position)
)
ENDED = update(ITEMS).where(*IN_LIST, ITEMS.c.state == "ready")


@dataclass(frozen=True)
class Missed:
    """Where an item that is tried again goes: on from the node `at`, to the nodes `only` and what is below them; with
    it, though it does not stand there itself, its turn goes into the lists `into`, in which something is tried again.
    """

    at: str = ""
    only: tuple[str, ...] = ()
    into: tuple[str, ...] = ()

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Missed:
        """As the item's row says it."""
        return cls(str(row.get("at", "")), tuple(row.get("only", ())), tuple(row.get("into", ())))

    def row(self) -> dict[str, Any]:
        """As it stands in the item's row."""
        found = {"at": self.at, "only": list(self.only), "into": list(self.into)}
        return {name: value for name, value in found.items() if value}

    def stands(self, path: str, numbers: Mapping[str, int]) -> bool:
        """Whether the item stands at a node, as far as its arms lead there."""
        behind = bool(self.at) and numbers[self.at] <= numbers[path]
        return behind or any(path == one or path.startswith(f"{one}.") for one in self.only)


@dataclass(frozen=True)
class Portion:
    """The items of one turn that are under way: what each has missed before, and which arm it took where."""

    each_id: int
    path: str
    turn: str
    numbers: Mapping[str, int]
    items: Sequence[int]
    missed: Mapping[int, Missed]
    arms: Mapping[tuple[str, str], frozenset[int]]

    def standing(self, path: str) -> list[int]:
        """The items that stand at a node, by their numbers in the list."""
        found = self.items
        if self.missed:
            everywhere = {item for item in found if item not in self.missed}
            some = {item for item, missed in self.missed.items() if missed.stands(path, self.numbers)}
            found = [item for item in found if item in everywhere or item in some]
        for way in ways_to(path):
            here = self.arms.get(way, frozenset())
            found = [item for item in found if item in here]
        return list(found)

    def first(self) -> str | None:
        """The first node to which the turn has to go; None when no item of it is under way."""
        return self._next(list(self.numbers))

    def after(self, path: str) -> str | None:
        """The next node to which the turn has to go; None when it is over."""
        rest = list(self.numbers)
        return self._next(rest[rest.index(path) + 1 :])

    def _next(self, paths: Sequence[str]) -> str | None:
        into = {path for missed in self.missed.values() for path in missed.into}
        return next((path for path in paths if path in into or self.standing(path)), None)


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
    each_id = session.scalars(AT, {"run": run.id, "path": path, "turn": outer(turn)}).one()
    numbers = {place.path: place.number for place in placed(run.tree) if container(place.path) == path}
    begin, end = positions(turn, size_of(run, path))
    here = {"list": each_id, "begin": begin, "end": end}
    found = dict(session.execute(UNDER_WAY, here).tuples().all())
    missed = {position: Missed.read(json.loads(text)) for position, text in found.items() if text != NOTHING}
    return Portion(each_id, path, turn, numbers, list(found), missed, _arms(session, run, numbers, turn))


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


def end_items(session: Session, run: Run, part: Portion) -> int:
    """Mark what has gone through a turn as done; what was planned for it is forgotten, unless a node was passed over
    that is to be done for it yet. Returns how many."""
    if not part.items:
        return 0
    here = {"list": part.each_id, "begin": part.items[0], "end": part.items[-1]}
    if kept := _passed_over(session, run, part):
        of_kept = ENDED.where(ITEMS.c.position.in_(kept))
        session.execute(of_kept, {**here, "state": "done", "result": {}})
    session.execute(ENDED, {**here, "state": "done", "payload": {}, "result": {}})
    return len(part.items)


def left_behind(
    before: Mapping[str, Any], standing: Collection[int], missed: Iterable[int] = ()
) -> dict[str, Any]:
    """What a node's result says of the items it is still to be done for: those of earlier passes that did not come by
    now, and those it missed now."""
    left = sorted({*before.get("left", ())}.difference(standing).union(missed))
    return {"failed": len(left), "left": left} if left else {}


def next_again(session: Session, each: Step, last: int, size: int) -> int | None:
    """The next turn of a list, behind the last one that was, in which something is tried again."""
    behind = (StepItem.position > last * size, StepItem.position <= each.result["opened"] * size)
    query = select(func.min(StepItem.position)).where(StepItem.step_id == each.id, StepItem.state == "ready")
    position = session.scalar(query.where(*behind))
    return None if position is None else (position - 1) // size + 1


def counts(session: Session, step_id: int) -> dict[str, int]:
    """How many items of a list are in which state."""
    query = select(StepItem.state, func.count()).where(StepItem.step_id == step_id).group_by(StepItem.state)
    return dict(session.execute(query).tuples().all())


def undone(session: Session, step: Step, standing: list[int]) -> list[int]:
    """The items at a node for which it did not do everything."""
    if not step.planned or step.kind != "step":
        return standing
    query = select(StepItem.item).where(StepItem.step_id == step.id, StepItem.state != "done")
    left = set(session.scalars(query.distinct()))
    return [number for number in standing if number in left]


def joined(before: Mapping[str, Any], split: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """The arms that items took at a node, with those of an earlier pass."""
    known = before.get("split", {})
    return {arm: [*known.get(arm, ()), *numbers] for arm, numbers in split.items()}


def _passed_over(session: Session, run: Run, part: Portion) -> set[int]:
    """The items of a turn for which some node of it is still to be done."""
    query = select(Step.result).where(
        Step.run_id == run.id, Step.path.in_(part.numbers), Step.turn == part.turn, has_left()
    )
    return {item for result in session.scalars(query) for item in result["left"]}


def has_left() -> ColumnElement[bool]:
    """Which steps are still to be done for items that have passed them."""
    left: ColumnElement[bool] = Step.result["left"].as_string().is_not(None)
    return left


def _arms(
    session: Session, run: Run, places: Collection[str], turn: str
) -> dict[tuple[str, str], frozenset[int]]:
    forks = {path for place in places for path, _arm in ways_to(place)}
    if not forks:
        return {}
    about = {"run": run.id, "paths": sorted(forks), "turn": turn}
    return {
        (row.path, arm): frozenset(numbers)
        for row in session.execute(SPLITS, about)
        for arm, numbers in row.result.get("split", {}).items()
    }


def _payloads(session: Session, part: Portion) -> Iterable[tuple[int, dict[str, Any]]]:
    if not part.items:
        return ()
    here = {"list": part.each_id, "begin": part.items[0], "end": part.items[-1]}
    rows = session.execute(PAYLOADS, here).all()
    return zip([row[0] for row in rows], decoded([row[1] for row in rows]), strict=True)


def _made(session: Session, run: Run, within: str, turn: str) -> dict[str, Mapping[str, Any]]:
    paths = [place.path for place in placed(run.tree) if container(place.path) == within]
    about = {"run": run.id, "paths": paths, "turn": turn}
    return {row.node: row.result for row in session.execute(MADE, about)}
