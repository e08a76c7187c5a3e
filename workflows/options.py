"""Options of steps: what the start form asks, what was given put into the tree, and what is wrong in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from models.words import N_, Said
from services import Refused
from services.options import Fault, Question, is_asked, option_faults, questions_of, split
from workflows import STEPS
from workflows.kinds import model_of, settings_of
from workflows.option_upgrades import upgraded
from workflows.walk import Node, Tree, by_id, kind_of, placed

DAYS = N_("最多等待天数")


def asked_without_default(model: type[BaseModel]) -> set[str]:
    """The options that can only be given when a run is started."""
    return {name for name, one in model.model_fields.items() if is_asked(one) and one.is_required()}


def questions(tree: Tree) -> list[Question]:
    """What the start form of a workflow asks, in reading order."""
    return [question for place in placed(tree) for question in _of_node(place.node)]


def with_values(tree: Tree, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The run's own copy of a tree, with the given values (`node.option`) put in and everything checked."""
    own = upgraded(tree).tree
    for name, value in values.items():
        _put(own, name, value)
    found = [fault.text for place in placed(own) for fault in _settle(place.node)]
    if found:
        raise Refused("没有发起，请改正：%(listed)s。", listed=Said.joined(found, joint="；"))
    return own


def from_text(text: str) -> Any:
    """A value as a command line gives it: JSON where it is a list or an object, else the text itself."""
    if text[:1] not in ("[", "{"):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused("「%(text)s」不是正确的 JSON。", text=text) from error


def _put(tree: Tree, name: str, value: Any) -> None:
    node_id, _dot, option = name.partition(".")
    node = by_id(tree, node_id)
    place: Any = None
    if node is not None and "step" in node:
        place = node.setdefault("options", {})  # type: ignore[attr-defined]
    elif node is not None and "wait" in node and option == "days":
        place = node["wait"]
    if place is None or not option:
        raise Refused("流程里没有选项「%(name)s」。选项要写成 节点.选项，例如 select.limit=500。", name=name)
    place[option] = value


def _settle(node: Any) -> Iterator[Fault]:
    """Check what a node is set to and write it as its model reads it; a step's with their defaults, so that a later
    default changes no run."""
    model = model_of(node)
    if model is None or "branch" in node:
        return
    given = split(model, settings_of(node))
    found = option_faults(model, given)
    yield from found
    if not found:
        settings = model.model_validate(given)
        if "step" in node:
            node["options"] = settings.model_dump(mode="json")
        else:
            node[kind_of(node)] = settings.model_dump(mode="json", exclude_unset=True)


def _of_node(node: Node) -> Iterator[Question]:
    if "wait" in node and node["wait"].get("asked") and "days" in node["wait"]:
        yield Question(f"{node['id']}.days", DAYS, "number", node["wait"]["days"], True)
    kind = STEPS.get(node.get("step", ""))
    if kind is None:
        return
    yield from questions_of(kind.options, node.get("options", {}), prefix=f"{node['id']}.")
