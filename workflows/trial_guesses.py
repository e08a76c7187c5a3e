"""What a trial assumes of the future: taken from the last comparable run, changeable, each with where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Run, Step
from workflows.assumptions import ASSUMPTIONS, comparable_run
from workflows.walk import Node

EVEN = 0.5


@dataclass(frozen=True)
class Guess:
    """One assumption: an entry of ASSUMPTIONS, or `node.yes` of a branch and `node.choice` of a person."""

    name: str
    value: float
    source: Literal["run", "fallback", "hand"]
    unit: str = "share"


@dataclass
class Guesses:
    """All assumptions a trial has made so far, by name in the order in which they were needed."""

    session: Session
    run: Run | None
    by_hand: Mapping[str, float]
    used: dict[str, Guess] = field(default_factory=dict)

    def assumed(self, name: str) -> float:
        """The value of an entry of ASSUMPTIONS."""
        known = ASSUMPTIONS[name]
        return self._value(name, known.fallback, lambda run: known.find(self.session, run), known.unit)

    def yes_share(self, node: Node) -> float:
        """How likely a branch goes down its yes arm when nothing known decides it."""
        name, node_id = f"{node['id']}.yes", str(node["id"])
        return self._value(name, EVEN, lambda run: _arm_share(_results(self.session, run, node_id)))

    def choices(self, node: Node) -> dict[str, float]:
        """How likely each choice of a person is; without a comparable run the first one is taken for sure.

        What was changed by hand holds, the other choices share what is left.
        """
        node_id, codes = str(node["id"]), [str(choice["code"]) for choice in node["person"].get("choices", ())]
        if len(codes) <= 1:
            return dict.fromkeys(codes, 1.0)
        last = _results(self.session, self.run, node_id) if self.run is not None else []
        for at, code in enumerate(codes):
            self._value(f"{node_id}.{code}", float(at == 0), partial(_chosen, last, code))
        names = [f"{node_id}.{code}" for code in codes]
        for name, value in _whole([self.used[name] for name in names]).items():
            self.used[name] = replace(self.used[name], value=value)
        return {code: self.used[name].value for code, name in zip(codes, names, strict=True)}

    def plain(self) -> list[dict[str, Any]]:
        """All of them as JSON."""
        return [asdict(guess) for guess in self.used.values()]

    def _value(
        self, name: str, fallback: float, find: Callable[[Run], float | None], unit: str = "share"
    ) -> float:
        if name not in self.used:
            self.used[name] = self._guess(name, fallback, find, unit)
        return self.used[name].value

    def _guess(self, name: str, fallback: float, find: Callable[[Run], float | None], unit: str) -> Guess:
        if name in self.by_hand:
            return Guess(name, self.by_hand[name], "hand", unit)
        found = find(self.run) if self.run is not None else None
        return Guess(name, fallback, "fallback", unit) if found is None else Guess(name, found, "run", unit)


def guesses(session: Session, workflow_key: str, unit_id: int, by_hand: Mapping[str, float]) -> Guesses:
    """The assumptions of a trial of one workflow, none made yet."""
    return Guesses(session, comparable_run(session, workflow_key, unit_id), by_hand)


def _whole(guesses: Sequence[Guess]) -> dict[str, float]:
    """Shares that add up to one: those set by hand first, the rest in proportion, evenly where all the rest is 0."""
    fixed = {one.name: one.value for one in guesses if one.source == "hand"}
    free = {one.name: one.value for one in guesses if one.source != "hand"}
    left = max(1.0 - sum(fixed.values()), 0.0)
    if not free or left == 0.0:
        whole = sum(fixed.values()) or 1.0
        return {name: value / whole for name, value in fixed.items()} | dict.fromkeys(free, 0.0)
    known = sum(free.values())
    return fixed | {name: left * (value / known if known else 1 / len(free)) for name, value in free.items()}


def _results(session: Session, run: Run, node_id: str) -> list[Mapping[str, Any]]:
    """What a node came to in a run, once for each time it ended."""
    query = select(Step.result).where(Step.run_id == run.id, Step.node == node_id, Step.state == "done")
    return [dict(result or {}) for result in session.scalars(query)]


def _arm_share(results: Sequence[Mapping[str, Any]]) -> float | None:
    taken = [result["arm"] for result in results if "arm" in result]
    return sum(arm == "yes" for arm in taken) / len(taken) if taken else None


def _chosen(results: Sequence[Mapping[str, Any]], code: str, _run: Run) -> float | None:
    taken = [result["choice"] for result in results if "choice" in result]
    return sum(choice == code for choice in taken) / len(taken) if taken else None
