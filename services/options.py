"""Options as forms show them and as they are checked: fields of a pydantic model, and what is wrong in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from models.words import N_, Said

KINDS = {"integer": "number", "number": "number", "boolean": "bool", "array": "choices"}
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


def split(model: type[BaseModel], options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with texts such as `a,b` taken apart where a list is wanted, and empty texts left out."""
    shapes = model.model_json_schema().get("properties", {})
    return {
        name: value.split(",")
        if _shape(shapes.get(name, {})).get("type") == "array" and isinstance(value, str)
        else value
        for name, value in options.items()
        if value != ""
    }


def questions_of(model: type[BaseModel], given: Mapping[str, Any], *, prefix: str = "") -> Iterator[Question]:
    """The fields of a model that a form asks for, filled with what is given or with their defaults."""
    shapes = model.model_json_schema().get("properties", {})
    for name, one in model.model_fields.items():
        if is_asked(one):
            default = None if one.is_required() else one.get_default(call_default_factory=True)
            yield _question(prefix + name, one, _shape(shapes[name]), given.get(name, default))


def is_asked(one: Any) -> bool:
    """Whether a form asks for a field."""
    return bool((one.json_schema_extra or {}).get("asked"))


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


def _fault(model: type[BaseModel], error: Any) -> Fault:
    name = str(error["loc"][0]) if error["loc"] else ""
    one = model.model_fields.get(name)
    label = (one.title if one is not None else "") or name
    text = (
        Said(EXPLAINED[error["type"]], **error.get("ctx", {})) if error["type"] in EXPLAINED else error["msg"]
    )
    return Fault(name, Said("「%(label)s」%(fault)s", label=label, fault=text))
