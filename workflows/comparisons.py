"""Two versions of a tree compared node by node: what came, went, moved, and which settings changed. Pure.

A node is the same node where it has the same id; a branch that moves takes what is in its arms along without a word.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workflows.walk import Node, Tree, arms

TAKEN_APART = ("options", "wait", "person", "each", "parallel")
Container = tuple[str, str]


@dataclass(frozen=True)
class Setting:
    """One setting of a node before and after, None where it was or is not given; `name` is `wait.days` or `title`."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Change:
    """What became of one node. `node` is the newer one, of a removed one the older; paths where it stood and stands.

    `settings`: what changed in it, for a node that moved too.
    """

    kind: Literal["added", "removed", "moved", "changed"]
    node: Node
    old_path: str = ""
    new_path: str = ""
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True)
class _Place:
    path: str
    node: Node
    container: Container
    order: int


def compare(old: Tree, new: Tree) -> list[Change]:
    """What changed from one tree to another, in the reading order of the newer; what was removed stands at the end."""
    before, after = _places(old), _places(new)
    moved = set(_moved(before, after))
    found = [
        change for name, place in after.items() if (change := _change(before.get(name), place, name in moved))
    ]
    gone = [Change("removed", place.node, place.path) for name, place in before.items() if name not in after]
    return [*found, *gone]


def _change(before: _Place | None, after: _Place, is_moved: bool) -> Change | None:
    if before is None:
        return Change("added", after.node, new_path=after.path)
    settings = tuple(_settings(before.node, after.node))
    if not settings and not is_moved:
        return None
    kind: Literal["moved", "changed"] = "moved" if is_moved else "changed"
    return Change(kind, after.node, before.path, after.path, settings)


def _places(tree: Tree) -> dict[str, _Place]:
    found: dict[str, _Place] = {}
    for place in _walked(tree, "", ("", "")):
        found.setdefault(str(place.node.get("id") or place.path), place)
    return found


def _walked(nodes: Tree, above: str, container: Container) -> Iterator[_Place]:
    for order, node in enumerate(nodes, start=1):
        path = f"{above}{order}"
        yield _Place(path, node, container, order)
        for arm, inside in arms(node):
            yield from _walked(inside, f"{path}.{arm}.", (str(node.get("id") or path), arm))


def _moved(before: Mapping[str, _Place], after: Mapping[str, _Place]) -> Iterator[str]:
    """Nodes that stand under another one now, and the fewest of each list that must have changed places in it."""
    stayed: dict[Container, list[str]] = {}
    for name, place in after.items():
        if name not in before:
            continue
        if before[name].container == place.container:
            stayed.setdefault(place.container, []).append(name)
        else:
            yield name
    for names in stayed.values():
        kept = _longest_rising([before[name].order for name in names])
        yield from (name for at, name in enumerate(names) if at not in kept)


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """The places of a longest rising part of a sequence of different numbers."""
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for at, number in enumerate(numbers):
        place = bisect_left(tails, number)
        previous.append(ends[place - 1] if place else -1)
        tails[place : place + 1] = [number]
        ends[place : place + 1] = [at]
    found, at = set(), ends[-1] if ends else -1
    while at >= 0:
        found.add(at)
        at = previous[at]
    return found


def _settings(old: Node, new: Node) -> Iterator[Setting]:
    before, after = dict(_flat(old)), dict(_flat(new))
    for name in [*after, *(name for name in before if name not in after)]:
        if before.get(name) != after.get(name):
            yield Setting(name, before.get(name), after.get(name))


def _flat(node: Node) -> Iterator[tuple[str, Any]]:
    """A node's own settings by dotted name; what stands in its arms is not among them."""
    for name, value in node.items():
        if name == "lanes":
            yield from ((f"lanes.{at}", lane.get("title", "")) for at, lane in enumerate(value, start=1))
        elif name == "id" or _holds_tables(value):
            continue
        elif name in TAKEN_APART and isinstance(value, Mapping):
            yield from ((f"{name}.{part}", own) for part, own in value.items())
        else:
            yield name, value


def _holds_tables(value: Any) -> bool:
    """Whether a value is an arm, perhaps an empty one, and no setting."""
    return isinstance(value, list) and all(isinstance(part, Mapping) for part in value)
