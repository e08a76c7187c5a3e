"""Conditions as forms: groups of lines, posted and shown again; used by branches and waits, and by segments.

A group is posted as `<prefix>.joint` and its parts as `<prefix>.0`, `<prefix>.1` …: each a group again, or a line with
`.field`, `.op` and `.value`. What was typed stays as it was typed until it makes a condition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from services.conditions import OPS, OPS_OF, UNARY, ConditionField, line_fault

Form = MultiDict[str, str]
JOINTS = {
    "all": _l("全部满足"),
    "any": _l("任意一条满足"),
    "not_all": _l("没有全部满足"),
    "not_any": _l("一条也不满足"),
}
DEEPEST = 3
MOST_PARTS = 30
BLANK: dict[str, Any] = {"field": "", "op": "eq", "value": ""}


@dataclass(frozen=True)
class Line:
    """One comparison as a form shows it."""

    prefix: str
    field: str
    op: str
    value: Any
    type: str
    ops: Mapping[str, str]
    labels: Mapping[str, str]
    fault: str


@dataclass(frozen=True)
class Group:
    """Lines and groups that belong together; `depth` counts from 0."""

    prefix: str
    joint: str
    parts: Sequence[Line | Group]
    depth: int
    known: Mapping[str, Sequence[ConditionField]] = field(default_factory=dict)

    @property
    def joints(self) -> Mapping[str, str]:
        """How parts may belong together."""
        return {code: str(label) for code, label in JOINTS.items()}

    @property
    def may_nest(self) -> bool:
        """Whether a group may be put inside."""
        return self.depth < DEEPEST - 1


def typed(form: Form, prefix: str, depth: int = 0) -> dict[str, Any]:
    """What was posted: a group with its parts, values as texts."""
    parts: list[dict[str, Any]] = []
    for number in _numbers(form, prefix):
        inner = f"{prefix}.{number}"
        if f"{inner}.joint" in form and depth < DEEPEST - 1:
            parts.append(typed(form, inner, depth + 1))
        elif f"{inner}.field" in form:
            parts.append(_typed_line(form, inner))
    joint = form.get(f"{prefix}.joint", "all")
    return {"joint": joint if joint in JOINTS else "all", "parts": parts}


def of_condition(condition: Any) -> dict[str, Any]:
    """A stored condition as a group; a single comparison becomes a group of one line."""
    if not isinstance(condition, Mapping) or not condition:
        return {"joint": "all", "parts": []}
    part = _part_of(condition)
    return part if "joint" in part else {"joint": "all", "parts": [part]}


def as_condition(group: Mapping[str, Any], known: Mapping[str, ConditionField]) -> Any:
    """The condition that a group makes; None without any line."""
    parts = [
        as_condition(part, known) if "joint" in part else _comparison(part, known) for part in group["parts"]
    ]
    parts = [part for part in parts if part is not None]
    if not parts:
        return None
    joint = group["joint"].removeprefix("not_")
    inner = parts[0] if len(parts) == 1 else {joint: parts}
    return {"not": inner} if group["joint"].startswith("not_") else inner


def acted(group: dict[str, Any], prefix: str, act: str) -> dict[str, Any]:
    """The group after a button: `add:when.1`, `group:when`, `remove:when.0`."""
    what, _colon, where = act.partition(":")
    if where != prefix and not where.startswith(f"{prefix}."):
        return group
    path = [int(part) for part in where.removeprefix(prefix).strip(".").split(".") if part.isdecimal()]
    if what == "remove" and path:
        parts = _at(group, path[:-1])["parts"]
        del parts[path[-1] : path[-1] + 1]
    elif what in ("add", "group") and len(_at(group, path)["parts"]) < MOST_PARTS:
        new = dict(BLANK) if what == "add" else {"joint": "any", "parts": [dict(BLANK)]}
        _at(group, path)["parts"].append(new)
    return group


def shown(
    group: Mapping[str, Any], prefix: str, known: Mapping[str, ConditionField], *, checked: bool
) -> Group:
    """A group as a template shows it; with `checked` each line says what is wrong with it."""
    return _shown(group, prefix, known, checked, 0)


def has_faults(group: Mapping[str, Any], known: Mapping[str, ConditionField]) -> bool:
    """Whether any line of a group is not complete."""
    return any(
        has_faults(part, known) if "joint" in part else bool(line_fault(_comparison(part, known), known))
        for part in group["parts"]
    )


def _shown(
    group: Mapping[str, Any], prefix: str, known: Mapping[str, ConditionField], checked: bool, depth: int
) -> Group:
    parts: list[Line | Group] = []
    for number, part in enumerate(group["parts"]):
        inner = f"{prefix}.{number}"
        is_group = "joint" in part
        parts.append(
            _shown(part, inner, known, checked, depth + 1) if is_group else _line(part, inner, known, checked)
        )
    return Group(prefix, group["joint"], parts, depth, _grouped(known))


def _grouped(known: Mapping[str, ConditionField]) -> dict[str, list[ConditionField]]:
    found: dict[str, list[ConditionField]] = {}
    for one in known.values():
        found.setdefault(one.group, []).append(one)
    return found


def _line(part: Mapping[str, Any], prefix: str, known: Mapping[str, ConditionField], checked: bool) -> Line:
    asked = known.get(part["field"])
    kind = asked.type if asked is not None else "text"
    names = OPS_OF[kind]
    op = part["op"] if part["op"] in names else names[0]
    fault = line_fault(_comparison(part, known), known) if checked else ""
    return Line(
        prefix,
        part["field"],
        op,
        part["value"],
        kind if op not in UNARY else "none",
        {name: _(OPS[name]) for name in names},
        asked.labels if asked is not None else {},
        _(fault) if fault else "",
    )


def _comparison(part: Mapping[str, Any], known: Mapping[str, ConditionField]) -> dict[str, Any]:
    asked = known.get(part["field"])
    names = OPS_OF[asked.type] if asked is not None else tuple(OPS)
    op = part["op"] if part["op"] in names else names[0]
    line: dict[str, Any] = {"field": part["field"], "op": op}
    if op in UNARY:
        return line
    values = [
        _value(one, asked) for one in (part["value"] if isinstance(part["value"], list) else [part["value"]])
    ]
    return {**line, "value": values if op == "in" else (values[0] if values else "")}


def _value(text: Any, asked: ConditionField | None) -> Any:
    """A typed text as the type of its field wants it; what does not fit stays a text and is a fault."""
    if asked is None or not isinstance(text, str):
        return text
    if asked.type == "bool" and text in ("true", "false"):
        return text == "true"
    if asked.type == "number" and re.fullmatch(r"-?\d{1,15}", text.strip()):
        return int(text)
    if asked.type == "number" and re.fullmatch(r"-?\d{1,15}\.\d{1,10}", text.strip()):
        return float(text)
    return text.strip()


def _part_of(condition: Mapping[str, Any]) -> dict[str, Any]:
    for joint in ("all", "any"):
        if joint in condition:
            return {"joint": joint, "parts": [_part_of(part) for part in condition[joint]]}
    if "not" in condition:
        inner = _part_of(condition["not"])
        if "joint" in inner and not inner["joint"].startswith("not_"):
            return {**inner, "joint": f"not_{inner['joint']}"}
        return {"joint": "not_all", "parts": [inner]}
    value = condition.get("value", "")
    return {
        "field": str(condition.get("field", "")),
        "op": str(condition.get("op", "eq")),
        "value": [_text(one) for one in value] if isinstance(value, list) else _text(value),
    }


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _typed_line(form: Form, prefix: str) -> dict[str, Any]:
    op = form.get(f"{prefix}.op", "eq")
    values = form.getlist(f"{prefix}.value")
    return {
        "field": form.get(f"{prefix}.field", ""),
        "op": op,
        "value": values if op == "in" else (values[0] if values else ""),
    }


def _numbers(form: Form, prefix: str) -> list[int]:
    pattern = re.compile(rf"{re.escape(prefix)}\.(\d{{1,3}})\.")
    return sorted({int(found[1]) for name in form if (found := pattern.match(name))})


def _at(group: dict[str, Any], path: Sequence[int]) -> dict[str, Any]:
    for number in path:
        parts = group["parts"]
        if number >= len(parts) or "joint" not in parts[number]:
            return group
        group = parts[number]
    return group
