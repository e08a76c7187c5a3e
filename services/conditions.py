"""Conditions: a small tree of comparisons, written by forms and evaluated here (of segments: as SQL), never by `eval`.

{all|any: [...]}, {not: {...}}, or {field, op, value}. In workflows a field with a dot is a result of an earlier node or
of the run (`freeze.recipients`, `run.campaign_id`); without a dot it is a live fact of `workflows.facts.FACTS`. What
may be asked for in one place is a list of `ConditionField`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
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
COMPARED = ("eq", "ne", "lt", "le", "gt", "ge")
OPS_OF: dict[str, tuple[str, ...]] = {
    "number": (*COMPARED, "empty", "filled"),
    "date": (*COMPARED, "empty", "filled"),
    "text": ("eq", "ne", "empty", "filled"),
    "bool": ("eq",),
    "choice": ("eq", "ne", "in"),
}


@dataclass(frozen=True)
class ConditionField:
    """Something a condition may ask for: its label, its type (a key of OPS_OF), and the values of a choice.

    `group` names what it belongs to, for lists of many.
    """

    name: str
    label: str
    type: str = "number"
    labels: Mapping[str, str] = field(default_factory=dict)
    group: str = ""


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


def values(condition: Condition, name: str) -> Iterator[Any]:
    """Every value that a condition compares one field with."""
    for part in (*condition.get("all", ()), *condition.get("any", ())):
        yield from values(part, name)
    if "not" in condition:
        yield from values(condition["not"], name)
    if condition.get("field") == name:
        given = condition.get("value")
        yield from given if isinstance(given, list) else [given]


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


def line_fault(condition: Condition, known: Mapping[str, ConditionField]) -> str:
    """What is wrong with one comparison where only `known` may be asked for, in words; empty when nothing is."""
    asked = known.get(str(condition.get("field")))
    if asked is None:
        return (
            N_("请选择要比较的内容") if not condition.get("field") else N_("前面已经没有这项内容，请重新选择")
        )
    op, value = condition.get("op"), condition.get("value")
    if op not in OPS_OF[asked.type]:
        return N_("请选择怎样比较")
    if op in UNARY:
        return ""
    values = value if op == "in" else [value]
    if not isinstance(values, list) or not values:
        return N_("请至少选一项")
    return next((fault for one in values if (fault := _value_fault(asked, one))), "")


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
            field=field,
            found=repr(found),
            value=repr(value),
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


def _value_fault(asked: ConditionField, value: Any) -> str:
    if asked.type == "bool":
        return "" if isinstance(value, bool) else N_("请选择是或否")
    if asked.type == "choice":
        return "" if str(value) in asked.labels else N_("请从列出的值中选择")
    if asked.type == "date":
        return "" if _is_day(value) else N_("请填日期，例如 2026-11-21")
    if asked.type == "number":
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if is_number else N_("请填数字")
    return "" if isinstance(value, str) and value else N_("请填文字")


def _is_day(value: Any) -> bool:
    try:
        return bool(date.fromisoformat(str(value)))
    except ValueError:
        return False
