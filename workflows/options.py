"""Options of steps: what the start form asks, what was given put into the tree, and what is wrong in words."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from models.words import N_, Said
from services import Refused
from workflows import STEPS
from workflows.walk import Node, Tree, by_id, placed

KINDS = {"integer": "number", "number": "number", "boolean": "bool", "array": "choices"}
DAYS = N_("最多等待天数")
EXPLAINED = {
    "missing": N_("必须填写"),
    "extra_forbidden": N_("没有这个选项"),
    "int_parsing": N_("要填整数"),
    "int_type": N_("要填整数"),
    "float_parsing": N_("要填数字"),
    "bool_parsing": N_("要填是或否"),
    "date_from_datetime_parsing": N_("要填日期，例如 2026-11-21"),
    "date_parsing": N_("要填日期，例如 2026-11-21"),
    "date_type": N_("要填日期，例如 2026-11-21"),
    "string_type": N_("要填文字"),
    "string_too_short": N_("太短"),
    "string_pattern_mismatch": N_("格式不对"),
    "greater_than_equal": N_("不能小于 %(ge)s"),
    "less_than_equal": N_("不能大于 %(le)s"),
    "greater_than": N_("要大于 %(gt)s"),
    "less_than": N_("要小于 %(lt)s"),
    "string_too_long": N_("最多 %(max_length)s 个字"),
    "literal_error": N_("只能是 %(expected)s 中的一个"),
    "too_short": N_("至少要选 %(min_length)s 项"),
}


@dataclass(frozen=True)
class Fault:
    """What is wrong with one option: its name, and a sentence that begins with its label."""

    name: str
    text: str


@dataclass(frozen=True)
class Question:
    """One field of a start form. `kind`: text, number, date, bool, choice (one of) or choices (any of)."""

    name: str
    label: str
    kind: str
    default: Any
    required: bool
    labels: Mapping[str, str] = field(default_factory=dict)


def option_faults(model: type[BaseModel], options: Any) -> list[Fault]:
    """What is wrong with a step's options; empty when they are right."""
    try:
        model.model_validate(options)
    except ValidationError as error:
        return [_fault(model, one) for one in error.errors()]
    return []


def asked_without_default(model: type[BaseModel]) -> set[str]:
    """The options that can only be given when a run is started."""
    return {name for name, one in model.model_fields.items() if _is_asked(one) and one.is_required()}


def questions(tree: Tree) -> list[Question]:
    """What the start form of a workflow asks, in reading order."""
    return [question for place in placed(tree) for question in _of_node(place.node)]


def with_values(tree: Tree, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The run's own copy of a tree, with the given values (`node.option`) put in and everything checked."""
    own = copy.deepcopy([dict(node) for node in tree])
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
    """Check a node's options and write them with their defaults, so that a later default changes no run."""
    if "wait" in node and "days" in node["wait"]:
        yield from _settle_days(node)
    kind = STEPS.get(node.get("step", ""))
    if kind is None:
        return
    options = _split(kind.options, node.get("options", {}))
    found = option_faults(kind.options, options)
    yield from found
    if not found:
        node["options"] = kind.options.model_validate(options).model_dump(mode="json")


def _settle_days(node: Any) -> Iterator[Fault]:
    days = str(node["wait"]["days"])
    if days.isdigit() and int(days) <= 3660:
        node["wait"]["days"] = int(days)
    else:
        yield Fault("days", Said("「%(title)s」的等待天数要填 0 到 3660 的整数", title=node.get("title") or node["id"]))


def _split(model: type[BaseModel], options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with texts such as `a,b` taken apart where a list is wanted, and empty texts left out."""
    shapes = model.model_json_schema().get("properties", {})
    return {
        name: value.split(",")
        if _shape(shapes.get(name, {})).get("type") == "array" and isinstance(value, str)
        else value
        for name, value in options.items()
        if value != ""
    }


def _of_node(node: Node) -> Iterator[Question]:
    if "wait" in node and node["wait"].get("asked") and "days" in node["wait"]:
        yield Question(f"{node['id']}.days", DAYS, "number", node["wait"]["days"], True)
    kind = STEPS.get(node.get("step", ""))
    if kind is None:
        return
    shapes = kind.options.model_json_schema().get("properties", {})
    for name, one in kind.options.model_fields.items():
        if _is_asked(one):
            given = node.get("options", {}).get(
                name, None if one.is_required() else one.get_default(call_default_factory=True)
            )
            yield _question(f"{node['id']}.{name}", one, _shape(shapes[name]), given)


def _question(name: str, one: Any, shape: Mapping[str, Any], given: Any) -> Question:
    labels = dict((one.json_schema_extra or {}).get("labels") or {})
    values = shape.get("enum") or shape.get("items", {}).get("enum") or ()
    kind = "choice" if shape.get("enum") else KINDS.get(shape.get("type", ""), "text")
    if shape.get("format") == "date":
        kind = "date"
    if kind == "choices" and not values:
        kind, given = "text", ",".join(str(part) for part in given or ())
    shown = {str(value): labels.get(str(value), str(value)) for value in values}
    return Question(name, one.title or name, kind, given, one.is_required(), shown)


def _shape(shape: Mapping[str, Any]) -> Mapping[str, Any]:
    """An option's JSON schema without the `or null` of one that may be left out."""
    variants = [one for one in shape.get("anyOf", ()) if one.get("type") != "null"]
    return variants[0] if variants else shape


def _is_asked(one: Any) -> bool:
    return bool((one.json_schema_extra or {}).get("asked"))


def _fault(model: type[BaseModel], error: Any) -> Fault:
    name = str(error["loc"][0]) if error["loc"] else ""
    one = model.model_fields.get(name)
    label = (one.title if one is not None else "") or name
    text = Said(EXPLAINED[error["type"]], **error.get("ctx", {})) if error["type"] in EXPLAINED else error["msg"]
    return Fault(name, Said("「%(label)s」%(fault)s", label=label, fault=text))
