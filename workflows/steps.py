"""What a step is: two halves, typed options, and what they hand to the engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

from sqlalchemy.orm import Session

from models.options import Options, asked
from workflows.forecasts import NEVER_MADE, Forecaster

__all__ = [
    "CHUNK",
    "Call",
    "Effects",
    "Fact",
    "Facts",
    "Item",
    "ListKind",
    "Options",
    "Planned",
    "Send",
    "Start",
    "StepKind",
    "asked",
]

CHUNK = 1000

Facts = Mapping[str, Mapping[str, Any]]
Item = Mapping[str, Any]


@dataclass(frozen=True)
class Planned:
    """What a step would do: its items as plain JSON objects (a list or a generator), and counts in words' terms."""

    items: Iterable[Item] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A service to be called with the engine's session first; a dict it returns is merged into the step's result."""

    service: Callable[..., Any]
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Send:
    """Something that leaves the house through a driver of `channels.DRIVERS`, at most once for its `key`.

    `about`: where it is a message to a customer, what its row in `messages` says; the payload is then not stored.
    """

    channel: str
    key: str
    payload: Mapping[str, Any]
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Start:
    """Another workflow to be started with `node.option` values, by the engine, in the run's owner's name."""

    workflow: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Effects:
    """What the engine is to write for one chunk, in one transaction.

    `results`: one dict an item, or none at all; a result with `error` marks its item failed, the others go on.
    `sends`: one an item, sent between two transactions (`sending` before, the outcome after); with sends, `calls` are
    made only when every send of the chunk went out, so such a step works in chunks of one.
    `summary` and what calls return are merged into the step's result: numbers add up over chunks, except names that end
    in `_id` or that the step declares in `sets`; lists are joined; anything else is replaced.
    """

    calls: Sequence[Call] = ()
    results: Sequence[Mapping[str, Any]] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    sends: Sequence[Send] = ()
    starts: Sequence[Start] = ()


@dataclass(frozen=True)
class StepKind:
    """One registered step. `results` names what its result holds, for conditions and for the run's page.

    `version` counts the shapes of its options: when it grows, `upgrade(options, from_version)` gives the options of an
    older definition in the new shape; what it leaves out is told to whoever opens the definition. What the designer
    says of it stands in `workflows.palette`.

    plan(session, options, facts) -> Planned: reads only.
    do(options, facts, items) -> Effects: no session, outside any transaction; never called without items.
    `facts[<its own node>]` holds, while it runs, `planned` and what earlier chunks have merged.
    `sets`: names of its result that are also put into `facts["run"]` for all later nodes.
    `makes`, `forecast`: what a trial run shows of it (`workflows.forecasts`); without either planned items are counted.
    `over`: what it can be done for inside an each (`ListKind.of`: customer, unit, staff …). Its plan then reads
    `facts["each"]["items"]` instead of all there is, and hands on the `item` of each (its number) with what it plans.
    """

    label: str
    plan: Callable[[Session, Any, Facts], Planned]
    do: Callable[[Any, Facts, Sequence[Item]], Effects]
    options: type[Options] = Options
    queue: Literal["now", "bulk"] = "bulk"
    chunk: int = CHUNK
    results: Mapping[str, str] = field(default_factory=dict)
    sets: tuple[str, ...] = ()
    makes: str = NEVER_MADE
    forecast: Forecaster | None = None
    over: tuple[str, ...] = ()
    version: int = 1
    upgrade: Callable[[dict[str, Any], int], dict[str, Any]] | None = None


@dataclass(frozen=True)
class ListKind:
    """A list that an each may work through. `of`: what an item is; `fields`: what conditions may ask of one (`item.…`).

    find(session, facts, of) -> plain JSON objects: reads only; a generator is fine. `of` is the each's own setting.
    Inside another list it is read again for items that come by later (`facts["each"]["items"]`); `key` names the field
    by which an item is known again then, empty: all that it says. What it lists for different items must differ.
    """

    label: str
    of: str
    find: Callable[[Session, Facts, str | None], Iterable[Item]]
    fields: Mapping[str, str] = field(default_factory=dict)
    key: str = ""

    def identity(self, item: Item) -> str:
        """By what an item is known again when the list is read once more."""
        named = item[self.key] if self.key else item
        text = json.dumps(named, ensure_ascii=False, sort_keys=True, default=str)
        return blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Fact:
    """A live number or text that conditions may ask for: found by a query, never stored."""

    label: str
    find: Callable[[Session, Facts], Any]
