"""Changing a tree: nodes inserted, moved, copied, deleted, set. Each gives a new tree and leaves the old one as it was.

A node is named by its id. A place is named by the node above and its arm (none: the tree itself) and by how many nodes
of that arm stand before it; as text `anybody/yes/2`, or `//0` for the very beginning.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.words import N_, NODE_KINDS
from services import Refused
from workflows import STEPS
from workflows.walk import (
    KINDS,
    LANE,
    MOST_DEPTH,
    Node,
    Tree,
    arm_list,
    arms,
    by_id,
    is_deep,
    kind_of,
    placed,
)

Nodes = list[dict[str, Any]]
PLACE = re.compile(r"([a-z0-9_]{0,40})/([a-z]{0,6}\d{0,2})/(\d{1,4})")
MOST_NODES = 300
LANE_TITLES = (N_("第一路"), N_("第二路"))
NEW: dict[str, Mapping[str, Any]] = {
    "branch": {"branch": {"all": []}, "yes": [], "no": []},
    "wait": {"wait": {"days": 7}},
    "person": {"person": {"title": N_("请确认"), "choices": [{"code": "done", "label": N_("已办理")}]}},
    "each": {"each": {"list": "recipients"}, "do": []},
    "parallel": {"parallel": {}, "lanes": [{"title": title, "nodes": []} for title in LANE_TITLES]},
}


@dataclass(frozen=True)
class Place:
    """Where a node stands, or is to stand."""

    above: str = ""
    arm: str = ""
    at: int = 0

    def __str__(self) -> str:
        return f"{self.above}/{self.arm}/{self.at}"


def read_place(text: str) -> Place:
    """A place from its text."""
    match = PLACE.fullmatch(text)
    if match is None:
        raise Refused("没有说明放到哪里。请从流程中选一个位置。")
    return Place(match[1], match[2], int(match[3]))


def new_node(tree: Tree, key: str) -> dict[str, Any]:
    """A node of a kind, or of a step by its key, with an id that the tree does not have yet."""
    if key not in NEW and key not in STEPS:
        raise Refused("没有步骤「%(key)s」。请从步骤清单中选择。", key=key)
    settings = copy.deepcopy(dict(NEW[key])) if key in NEW else {"step": key, **_version_of(key)}
    return {"id": fresh_id(tree, key), **settings}


def _version_of(key: str) -> dict[str, int]:
    """The version of a step's options, where it is not the first."""
    return {"options_version": STEPS[key].version} if STEPS[key].version > 1 else {}


def fresh_id(tree: Tree, base: str, taken: Sequence[str] = ()) -> str:
    """An id that no node of the tree has, made from a word."""
    known = {str(place.node.get("id")) for place in placed(tree)} | {"run", "start", "item", "each", *taken}
    base = base[:34]
    number = 2
    name = base
    while name in known:
        name, number = f"{base}_{number}", number + 1
    return name


def place_of(tree: Tree, node_id: str) -> Place:
    """Where a node stands."""
    for above, arm, nodes in _lists(tree):
        for at, node in enumerate(nodes):
            if node.get("id") == node_id:
                return Place(above, arm, at)
    raise _gone(node_id)


def places(tree: Tree) -> list[Place]:
    """Every place where a node could stand, in reading order of what is above it."""
    return [Place(above, arm, at) for above, arm, nodes in _lists(tree) for at in range(len(nodes) + 1)]


def insert(tree: Tree, place: Place, node: Node) -> Nodes:
    """Put a node in at a place."""
    own = _own(tree)
    siblings = _siblings(own, place)
    siblings.insert(min(place.at, len(siblings)), copy.deepcopy(dict(node)))
    return _checked(own)


def delete(tree: Tree, node_id: str) -> Nodes:
    """Take a node out, with everything in its arms."""
    own = _own(tree)
    place = place_of(own, node_id)
    del _siblings(own, place)[place.at]
    return own


def move(tree: Tree, node_id: str, place: Place) -> Nodes:
    """Move a node to a place, named as the tree is before."""
    node = _found(tree, node_id)
    if place.above and by_id([node], place.above) is not None:
        raise Refused("不能把一个节点移到它自己里面。请选别的位置。")
    before = place_of(tree, node_id)
    same = (before.above, before.arm) == (place.above, place.arm)
    at = place.at - 1 if same and before.at < place.at else place.at
    return insert(delete(tree, node_id), Place(place.above, place.arm, at), node)


def shift(tree: Tree, node_id: str, *, by: int) -> Nodes:
    """Move a node up (-1) or down (1); at the edge of an arm it leaves it, to before or behind the node above."""
    place = place_of(tree, node_id)
    length = len(_siblings(_own(tree), place))
    if 0 <= place.at + by < length:
        target = Place(place.above, place.arm, place.at + (by if by < 0 else by + 1))
        return move(tree, node_id, target)
    if not place.above:
        raise Refused("已经在最前面了。") if by < 0 else Refused("已经在最后面了。")
    above = place_of(tree, place.above)
    return move(tree, node_id, Place(above.above, above.arm, above.at + (0 if by < 0 else 1)))


def duplicate(tree: Tree, node_id: str, *, as_id: str = "") -> Nodes:
    """Copy a node with everything in its arms, right behind it; inside the copy nodes refer to each other."""
    node = _found(tree, node_id)
    place = place_of(tree, node_id)
    return insert(tree, Place(place.above, place.arm, place.at + 1), _copied(tree, node, as_id))


def put(tree: Tree, node_id: str, settings: Mapping[str, Any]) -> Nodes:
    """Set what a node says besides its id and its arms: its kind's settings and the common keys."""
    own = _own(tree)
    node: Any = _found(own, node_id)
    kept = {"id", *_arm_keys(node)}
    for name in [name for name in node if name not in kept]:
        del node[name]
    node.update(copy.deepcopy(dict(settings)))
    return own


def set_lanes(tree: Tree, node_id: str, titles: Sequence[str]) -> Nodes:
    """Name the lanes of a parallel; more of them add empty ones, fewer drop the last, if they are empty."""
    own = _own(tree)
    node: Any = _found(own, node_id)
    lanes = node.get("lanes", [])
    for lane in lanes[len(titles) :]:
        if lane.get("nodes"):
            raise Refused("支路「%(lane)s」里还有步骤。请先移走或删除它们。", lane=lane.get("title", ""))
    kept = [lane.get("nodes", []) for lane in lanes] + [[] for _more in titles]
    node["lanes"] = [{"title": title, "nodes": nodes} for title, nodes in zip(titles, kept, strict=False)]
    return own


def arrange(tree: Tree, shape: Any) -> Nodes:
    """The tree in another shape: what nodes say is taken from the tree, only their order and nesting from `shape`.

    A shape is a list of `{id, arms: {arm: shape}}`; a node that is new says its `key`, a copy of another its `copy_of`.
    """
    if is_deep(shape):
        raise Refused("支路最多套 %(most)s 层。请把里面的做成另一个流程。", most=MOST_DEPTH)
    used: set[str] = set()
    return _checked(_arranged(tree, shape, used))


def label_of(node: Node) -> str:
    """What a node is called, as a Chinese source string: its title, the task's, or its step's."""
    person = node.get("person")
    if node.get("title") or isinstance(person, Mapping):
        return str(node.get("title") or person.get("title", ""))  # type: ignore[union-attr]
    kind = STEPS.get(str(node.get("step", "")))
    return kind.label if kind is not None else str(node.get("step") or NODE_KINDS[kind_of(node)])


def _arranged(tree: Tree, shape: Any, used: set[str]) -> Nodes:
    if not isinstance(shape, list):
        raise Refused("流程图传来的内容不完整，没有保存。请刷新页面再试。")
    return [_arranged_node(tree, one, used) for one in shape]


def _arranged_node(tree: Tree, shape: Any, used: set[str]) -> dict[str, Any]:
    if not isinstance(shape, dict) or not isinstance(shape.get("arms", {}), dict):
        raise Refused("流程图传来的内容不完整，没有保存。请刷新页面再试。")
    name = str(shape.get("id", ""))
    if name in used or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        raise Refused("流程图传来的内容不完整，没有保存。请刷新页面再试。")
    used.add(name)
    node = _shaped(tree, shape, name)
    for arm, _nodes in arms(node):
        arm_list(node, arm)[:] = _arranged(tree, shape.get("arms", {}).get(arm, []), used)
    return node


def _shaped(tree: Tree, shape: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The node that one part of a shape means: the tree's own, a copy of one, or a new one."""
    known = by_id(tree, name)
    if known is None and shape.get("copy_of"):
        known = _found(tree, str(shape["copy_of"]))
    node = copy.deepcopy(dict(known)) if known is not None else new_node(tree, str(shape.get("key", "")))
    return {**node, "id": name}


def _copied(tree: Tree, node: Node, as_id: str) -> dict[str, Any]:
    names: dict[str, str] = {}
    for place in placed([node]):
        old = str(place.node.get("id"))
        base = re.sub(r"_\d+$", "", old)
        names[old] = fresh_id(tree, base, tuple(names.values()))
    names[str(node["id"])] = as_id or names[str(node["id"])]
    own = copy.deepcopy(dict(node))
    for place in placed([own]):
        place.node["id"] = names[str(place.node.get("id"))]  # type: ignore[index]
    renamed: dict[str, Any] = _renamed(own, names)
    return renamed


def _renamed(value: Any, names: Mapping[str, str], key: str = "") -> Any:
    """The same with references to renamed nodes following them: fields of conditions, days, lists, persons, links."""
    if isinstance(value, dict):
        return {name: _renamed(inner, names, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, names, key) for inner in value]
    if not isinstance(value, str):
        return value
    head, dot, rest = value.partition(".")
    if key in ("field", "until", "of") and dot:
        return f"{names.get(head, head)}.{rest}"
    if key == "link":
        return re.sub(r"\{(\w+)\.", lambda found: "{" + names.get(found[1], found[1]) + ".", value)
    return names.get(value, value) if key == "not_by" else value


def _lists(tree: Tree, above: str = "", arm: str = "") -> Iterator[tuple[str, str, Tree]]:
    """Every list of nodes with the node and the arm it belongs to."""
    yield above, arm, tree
    for node in tree:
        for name, nodes in arms(node):
            yield from _lists(nodes, str(node.get("id")), name)


def _siblings(own: Nodes, place: Place) -> Nodes:
    if not place.above:
        return own
    above: Any = _found(own, place.above)
    if place.arm not in [name for name, _nodes in arms(above)]:
        raise Refused("「%(node)s」没有这条支路。请刷新页面再选位置。", node=label_of(above))
    return arm_list(above, place.arm)


def _arm_keys(node: Node) -> tuple[str, ...]:
    """The keys of a node that hold other nodes."""
    lists = {"lanes" if name.startswith(LANE) else name for name, _nodes in arms(node)}
    return tuple(lists | ({"failed"} & set(node)))


def _own(tree: Tree) -> Nodes:
    return copy.deepcopy([dict(node) for node in tree])


def _found(tree: Tree, node_id: str) -> Node:
    found = by_id(tree, node_id)
    if found is None:
        raise _gone(node_id)
    return found


def _gone(node_id: str) -> Refused:
    return Refused("流程里没有节点「%(node)s」，可能刚被删除。请刷新页面。", node=node_id)


def _checked(tree: Nodes) -> Nodes:
    """Refuse what nobody could read any more."""
    found = placed(tree)
    if len(found) > MOST_NODES:
        raise Refused("一个流程最多 %(most)s 个节点。请把一部分做成另一个流程。", most=MOST_NODES)
    if any(place.depth > MOST_DEPTH for place in found):
        raise Refused("支路最多套 %(most)s 层。请把里面的做成另一个流程。", most=MOST_DEPTH)
    if any(len([kind for kind in KINDS if kind in place.node]) != 1 for place in found):
        raise Refused("流程图传来的内容不完整，没有保存。请刷新页面再试。")
    return tree
