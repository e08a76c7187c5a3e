"""Conditions of branches and waits: a small tree of comparisons over facts, evaluated here and never by `eval`.

{all|any: [...]}, {not: {...}}, or {field, op, value}. A field with a dot is a result of an earlier node or of the run
(`freeze.recipients`, `run.campaign_id`); without a dot it is a live fact of `workflows.facts.FACTS`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.words import N_, Said
from services import Refused

Condition = Mapping[str, Any]
Find = Callable[[str], Any]

ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
OPS = {
    "eq": N_("等于"),
    "ne": N_("不等于"),
    "lt": N_("小于"),
    "le": N_("不大于"),
    "gt": N_("大于"),
    "ge": N_("不小于"),
    "in": N_("属于"),
    "empty": N_("为空"),
    "filled": N_("不为空"),
}
UNARY = ("empty", "filled")
JOINTS = {"all": N_("，并且"), "any": N_("，或者")}


@dataclass(frozen=True)
class Words:
    """How a condition is put into words: a field's name, a value shown beside it, and the translation of our own."""

    name: Callable[[str], str]
    value: Callable[[str, Any], str]
    say: Callable[[str], str] = str


def holds(condition: Condition, find: Find) -> bool:
    """Whether a condition is true; `find` gives the value of a field, None where there is none."""
    if "all" in condition:
        return all(holds(part, find) for part in condition["all"])
    if "any" in condition:
        return any(holds(part, find) for part in condition["any"])
    if "not" in condition:
        return not holds(condition["not"], find)
    return _compare(condition["op"], find(condition["field"]), condition.get("value"), condition["field"])


def fields(condition: Condition) -> Iterator[str]:
    """The names of all fields a condition asks for."""
    for joint in JOINTS:
        for part in condition.get(joint, ()):
            yield from fields(part)
    if "not" in condition:
        yield from fields(condition["not"])
    if "field" in condition:
        yield condition["field"]


def faults(condition: Any) -> Iterator[str]:
    """What is wrong with the form of a condition, in words."""
    if not isinstance(condition, Mapping):
        yield N_("条件要写成 { field = …, op = …, value = … }，或者 all、any、not")
        return
    joints = [name for name in (*JOINTS, "not", "field") if name in condition]
    if len(joints) != 1:
        yield N_("一个条件只能有 all、any、not、field 中的一个")
        return
    if joints[0] == "field":
        yield from _comparison_faults(condition)
        return
    parts = [condition["not"]] if joints[0] == "not" else condition[joints[0]]
    if not isinstance(parts, list) or not parts:
        yield Said("%(joint)s 后面要有一个或多个条件", joint=joints[0])
        return
    for part in parts:
        yield from faults(part)


def sentence(condition: Condition, words: Words) -> str:
    """A condition as a sentence."""
    for joint, word in JOINTS.items():
        if joint in condition:
            return words.say(word).join(_inner(part, words) for part in condition[joint])
    if "not" in condition:
        return words.say(N_("不满足：%(condition)s")) % {"condition": sentence(condition["not"], words)}
    name, op = words.name(condition["field"]), words.say(OPS[condition["op"]])
    if condition["op"] in UNARY:
        return f"{name}{op}"
    return f"{name}{op} {words.value(condition['field'], condition['value'])}"


def _compare(op: str, found: Any, value: Any, field: str) -> bool:
    if op in UNARY:
        return (found in (None, "", [], {})) == (op == "empty")
    if op in ("eq", "ne"):
        return bool(found == value) == (op == "eq")
    if op == "in":
        return found in value
    if found is None:
        return False
    try:
        return ORDER[op](found, value)
    except TypeError as error:
        message = Said(
            "条件中的「%(field)s」是 %(found)s，不能和 %(value)s 比较大小。请在流程定义中改正这个条件。",
            field=field, found=repr(found), value=repr(value),
        )
        raise Refused(message) from error


def _comparison_faults(condition: Condition) -> Iterator[str]:
    op = condition.get("op")
    if not isinstance(condition["field"], str):
        yield N_("field 要写字段名")
    if op not in OPS:
        yield Said("不认识的比较「%(op)s」，可用：%(known)s", op=op, known="、".join(OPS))
    elif op not in UNARY and "value" not in condition:
        yield Said("字段「%(field)s」的比较缺少 value", field=condition["field"])
    elif op == "in" and not isinstance(condition["value"], list):
        yield Said("字段「%(field)s」用 in 时，value 要写成列表", field=condition["field"])


def _inner(part: Condition, words: Words) -> str:
    text = sentence(part, words)
    return f"（{text}）" if any(joint in part for joint in JOINTS) else text
