"""A trial on its way: what it knows so far, what a node may ask it, and what holds only inside an arm or an each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from services.calendar import Calendar
from workflows.forecasts import NotYet, Would
from workflows.trial_chances import choice_facts, narrowed, share_seen
from workflows.trial_guesses import Guesses
from workflows.trial_items import Items, customers_in
from workflows.trial_rows import read
from workflows.walk import Node


class Unmade(dict[str, Any]):
    """Facts of a run that never was: what is not there says so, and is never mistaken for nothing."""

    def __missing__(self, name: str) -> Any:
        raise NotYet(name)


@dataclass
class Journey:
    """A trial on its way: what it knows so far, the day it has come to, and the spools of nodes behind it."""

    session: Session
    folder: Path
    calendar: Calendar
    guesses: Guesses
    facts: Unmade
    day: date
    shares: dict[str, float] = field(default_factory=dict)
    spools: dict[str, Path] = field(default_factory=dict)
    nodes: list[dict[str, Any]] = field(default_factory=list)
    chances: dict[str, dict[str, float]] = field(default_factory=dict)
    items: Items | None = None
    only: set[int] | None = None


@dataclass(frozen=True)
class Looking:
    """What a forecast at one path may ask."""

    journey: Journey
    path: str

    def rows(self, what: str) -> Iterator[Would]:
        """What nodes before would have made and this one can come to see."""
        for path, file in list(self.journey.spools.items()):
            share = share_seen(self.journey.shares, path, self.path)
            if share > 0:
                made = (row for row in read(file, what) if not row.exclusion and self._is_standing(row))
                yield from (replace(row, share=row.share * share) for row in made)

    def assumed(self, name: str) -> float:
        """One assumption."""
        return self.journey.guesses.assumed(name)

    def _is_standing(self, row: Would) -> bool:
        """Inside an each, only what belongs to its items is there."""
        return self.journey.only is None or row.customer_id in self.journey.only


@contextmanager
def standing(journey: Journey, items: Items | None) -> Iterator[None]:
    """Inside an arm, or an each, only these items are at hand."""
    if items is None or items is journey.items:
        yield
        return
    before = journey.items, journey.only, {name: journey.facts.get(name) for name in ("each", "item")}
    journey.items, journey.only = items, customers_in(items)
    journey.facts["each"] = Unmade({"items": items})
    journey.facts["item"] = Unmade(items[0] if len(items) == 1 else {})
    yield
    journey.items, journey.only, facts = before
    for name, known in facts.items():
        if known is None:
            del journey.facts[name]
        else:
            journey.facts[name] = known


@contextmanager
def taken(journey: Journey, node: Node, arm: str) -> Iterator[None]:
    """Inside an arm that a person's choice leads to, what was chosen is known, or at least less open."""
    found = narrowed(node.get("branch") or {}, arm, journey.chances)
    if found is None:
        yield
        return
    person, chances = found
    before = journey.chances[person]
    choose(journey, person, chances)
    yield
    choose(journey, person, before)


def choose(journey: Journey, person: str, chances: Mapping[str, float]) -> None:
    """Let a person's choice be as likely as this from here on."""
    journey.chances[person] = dict(chances)
    journey.facts[person] = Unmade(choice_facts(chances))


def find(journey: Journey, name: str) -> Any:
    """What is known of a field: results of nodes; what conditions ask the database for is the future's."""
    node_id, dot, part = name.partition(".")
    return journey.facts.get(node_id, {}).get(part) if dot else None
