"""The tree of nodes and the way through it: pure functions of the tree and a path.

A path names a node by its places: `3` is the third node, `3.yes.1` the first of its yes arm, `5.do.2` the second that
an each repeats, `6.lane1.1` the first of a lane, `4.failed.1` the first of what follows a failure. What comes next
depends on the path and the chosen arm alone: a run needs no other memory of where it is. Only here are arms known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Node = Mapping[str, Any]
Tree = Sequence[Node]

KINDS = ("step", "branch", "wait", "person", "each", "parallel")
MOST_DEPTH, DEEPEST = 8, 80  # arms in arms; tables and lists in one another, with the conditions in them
DO, FAILED, LANE = "do", "failed", "lane"
ARMS_OF = {"branch": ("yes", "no"), "each": (DO,)}
PARTS = {"step": ("options",), **ARMS_OF, "parallel": ("lanes",)}


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


def arms(node: Node) -> list[tuple[str, Tree]]:
    """The arms a node has by its kind, empty ones too: yes and no, do, lane1 to laneN, failed (on_failure = branch)."""
    found: list[tuple[str, Tree]] = [
        (arm, node.get(arm) or ())
        for arm in ARMS_OF.get(next((kind for kind in KINDS if kind in node), ""), ())
    ]
    if "parallel" in node:
        found += [
            (f"{LANE}{number}", lane.get("nodes") or ())
            for number, lane in enumerate(node.get("lanes") or (), 1)
        ]
    if FAILED in node or node.get("on_failure") == "branch":
        found.append((FAILED, node.get(FAILED) or ()))
    return found


def arm_of(node: Node, name: str) -> Tree:
    """The nodes of one arm; none when it has no such arm."""
    return next((nodes for arm, nodes in arms(node) if arm == name), ())


def arm_list(node: dict[str, Any], name: str) -> list[Any]:
    """One arm of a node as a list to be changed in place; made where the node does not have it yet."""
    if name.startswith(LANE):
        found: list[Any] = node["lanes"][int(name.removeprefix(LANE)) - 1].setdefault("nodes", [])
        return found
    nodes: list[Any] = node.setdefault(name, [])
    return nodes


def is_deep(data: Any) -> bool:
    """Whether tables and lists lie in one another deeper than any workflow needs; walks of a tree may then recurse."""
    level, depth = [data], 0
    while level and depth <= DEEPEST:
        inside = (part.values() if isinstance(part, Mapping) else part for part in level)
        level = [part for parts in inside for part in parts if isinstance(part, dict | list)]
        depth += 1
    return bool(level)


def is_tree(nodes: Any) -> bool:
    """Whether nodes, arms and lanes are lists of tables all the way down; what stands in them is checked later."""
    return isinstance(nodes, list) and all(isinstance(node, dict) and _has_form(node) for node in nodes)


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
    """The path that follows a finished node, down the chosen arm if there is one; None at the end of `container`."""
    if arm and arm_of(node_at(tree, path), arm):
        return f"{path}.{arm}.1"
    while True:
        above, _dot, place = path.rpartition(".")
        if int(place) < len(_siblings(tree, above)):
            return f"{above}.{int(place) + 1}" if above else str(int(place) + 1)
        path, _dot, arm = above.rpartition(".")
        if not path or _holds(arm):
            return None


def container(path: str) -> str:
    """The path of the each or parallel that a node stands in; empty for the run itself."""
    while path:
        path, _dot, arm = path.rpartition(".")[0].rpartition(".")
        if _holds(arm):
            return path
    return ""


def ways_to(path: str) -> list[tuple[str, str]]:
    """The nodes above a node within its container, nearest first, each with the arm that leads to it."""
    found = []
    while "." in path:
        path, _dot, arm = path.rpartition(".")[0].rpartition(".")
        if _holds(arm):
            break
        found.append((path, arm))
    return found


def node_at(tree: Tree, path: str) -> Node:
    """The node at a path."""
    above, _dot, place = path.rpartition(".")
    return _siblings(tree, above)[int(place) - 1]


def by_id(tree: Tree, node_id: str) -> Node | None:
    """The node with an id."""
    return next((node for _path, node in _nodes(tree) if node.get("id") == node_id), None)


def _siblings(tree: Tree, above: str) -> Tree:
    """The list that a path without its last place leads to: the tree itself, or one arm of a node."""
    if not above:
        return tree
    parent, _dot, arm = above.rpartition(".")
    return arm_of(node_at(tree, parent), arm)


def _holds(arm: str) -> bool:
    """Whether an arm is one that its node waits for: a lane, or what an each repeats."""
    return arm == DO or arm.startswith(LANE)


def _has_form(node: Mapping[str, Any]) -> bool:
    lanes = node.get("lanes", [])
    if not isinstance(lanes, list) or not all(isinstance(lane, dict) for lane in lanes):
        return False
    inside = [node[arm] for arm in ("yes", "no", DO, FAILED) if arm in node]
    return all(is_tree(nodes) for nodes in (*inside, *(lane.get("nodes", []) for lane in lanes)))


def _nodes(tree: Tree, above: str = "") -> Iterator[tuple[str, Node]]:
    for place, node in enumerate(tree, start=1):
        path = f"{above}{place}"
        yield path, node
        for arm, nodes in arms(node):
            yield from _nodes(nodes, f"{path}.{arm}.")
