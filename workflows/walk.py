"""The tree of nodes and the way through it: pure functions of the tree and a path.

A path names a node by its places: `3` is the third node, `3.yes.1` the first of its yes arm. What comes next depends
on the path and, at a branch, on the arm alone, so a run needs no other memory of where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Node = Mapping[str, Any]
Tree = Sequence[Node]

KINDS = ("step", "branch", "wait", "person")
ARMS = ("yes", "no")


@dataclass(frozen=True)
class Placed:
    """A node with its place: `number` counts from 1 in reading order, `depth` from 0."""

    path: str
    node: Node
    number: int
    depth: int

    @property
    def arm(self) -> str:
        """The arm it begins, if it is the first node of one."""
        parts = self.path.split(".")
        return parts[-2] if len(parts) > 1 and parts[-1] == "1" else ""


def kind_of(node: Node) -> str:
    """Which kind of node it is; a node is of exactly one kind (checked when it was loaded)."""
    return next(kind for kind in KINDS if kind in node)


def placed(tree: Tree) -> list[Placed]:
    """All nodes in reading order."""
    return [
        Placed(path, node, number, path.count(".") // 2)
        for number, (path, node) in enumerate(_nodes(tree), start=1)
    ]


def first(tree: Tree) -> str | None:
    """The path where a run begins; None in an empty tree."""
    return "1" if tree else None


def after(tree: Tree, path: str, arm: str = "") -> str | None:
    """The path that follows a finished node (at a branch: down the chosen arm); None at the end."""
    if arm and node_at(tree, path).get(arm):
        return f"{path}.{arm}.1"
    while True:
        above, _dot, place = path.rpartition(".")
        if int(place) < len(_siblings(tree, above)):
            return f"{above}.{int(place) + 1}" if above else str(int(place) + 1)
        if not above:
            return None
        path = above.rpartition(".")[0]


def node_at(tree: Tree, path: str) -> Node:
    """The node at a path."""
    above, _dot, place = path.rpartition(".")
    return _siblings(tree, above)[int(place) - 1]


def by_id(tree: Tree, node_id: str) -> Node | None:
    """The node with an id."""
    return next((node for _path, node in _nodes(tree) if node.get("id") == node_id), None)


def _siblings(tree: Tree, above: str) -> Tree:
    """The list that a path without its last place leads to: the tree itself, or one arm of a branch."""
    if not above:
        return tree
    parent, _dot, arm = above.rpartition(".")
    siblings: Tree = node_at(tree, parent)[arm]
    return siblings


def _nodes(tree: Tree, above: str = "") -> Iterator[tuple[str, Node]]:
    for place, node in enumerate(tree, start=1):
        path = f"{above}{place}"
        yield path, node
        for arm in ARMS:
            yield from _nodes(node.get(arm) or (), f"{path}.{arm}.")
