"""Options as forms show them and as they are checked: fields of a pydantic model, and what is wrong in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, get_args

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
    "too_long": N_("最多 %(max_length)s 项"),
    "dict_type": N_("要填完整"),
    "model_type": N_("要填完整"),
}
GONE = N_("「%(label)s」中没有「%(value)s」，请重新选择")


@dataclass(frozen=True)
class Fault:
    """What is wrong with one option: its name, and a sentence that begins with its label."""

    name: str
    text: str


@dataclass(frozen=True)
class Question:
    """One field of a form.

    `kind`: text, long, number, date, bool, choice (one of), choices (any of), rows (a list of `parts`) or condition.
    `source` names the list its values come from; `least`, `most` and `longest` are its limits; `shown_if` says for
    which values of other options it is shown.
    """

    name: str
    label: str
    kind: str
    default: Any
    required: bool
    labels: Mapping[str, str] = field(default_factory=dict)
    help: str = ""
    source: str = ""
    least: float | None = None
    most: float | None = None
    longest: int | None = None
    shown_if: Mapping[str, Any] = field(default_factory=dict)
    parts: Sequence[Question] = ()


def option_faults(model: type[BaseModel], options: Any) -> list[Fault]:
    """What is wrong with a step's options; empty when they are right."""
    try:
        model.model_validate(options)
    except ValidationError as error:
        return [_fault(model, one) for one in error.errors()]
    return []


def split(model: type[BaseModel], options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with texts such as `a,b` taken apart where a list is wanted, and empty texts left out."""
    shapes = _shapes(model)
    return {
        name: value.split(",")
        if isinstance(value, str) and _shape(shapes.get(name, {})).get("type") == "array"
        else value
        for name, value in options.items()
        if value != ""
    }


def questions_of(model: type[BaseModel], given: Mapping[str, Any], *, prefix: str = "") -> Iterator[Question]:
    """The fields of a model that a form asks for, filled with what is given or with their defaults."""
    shapes = _shapes(model)
    for name, one in model.model_fields.items():
        if is_asked(one):
            default = None if one.is_required() else one.get_default(call_default_factory=True)
            yield _question(prefix + name, one, _shape(shapes[name]), given.get(name, default))


@lru_cache(maxsize=256)
def _shapes(model: type[BaseModel]) -> Mapping[str, Any]:
    """The JSON schema of each field; a model's never changes."""
    found: Mapping[str, Any] = model.model_json_schema().get("properties", {})
    return found


def is_asked(one: Any) -> bool:
    """Whether a form asks for a field."""
    return bool((one.json_schema_extra or {}).get("asked"))


def is_shown(question: Question, values: Mapping[str, Any]) -> bool:
    """Whether a field is shown beside these values of the others; of `one|other` either will do."""
    return all(
        any(_fits(values.get(one), wanted) for one in names.split("|"))
        for names, wanted in question.shown_if.items()
    )


def offering(question: Question, offered: Callable[[str, Collection[str]], Mapping[str, str]]) -> Question:
    """A question with the values of its list; what is chosen already stays, even where the list has lost it."""
    parts = tuple(offering(part, offered) for part in question.parts)
    if not question.source:
        return replace(question, parts=parts)
    chosen = question.default if isinstance(question.default, list | tuple) else [question.default]
    gone = {str(code): str(code) for code in chosen if code not in (None, "")}
    labels = dict(offered(question.source, gone))
    return replace(question, labels=labels | {code: gone[code] for code in gone if code not in labels})


def changed_only(model: type[BaseModel], options: Mapping[str, Any]) -> dict[str, Any]:
    """Options without those that say what the default says, so that a later default reaches whoever kept it."""
    defaults = {
        name: one.get_default(call_default_factory=True)
        for name, one in model.model_fields.items()
        if not one.is_required()
    }
    return {
        name: value
        for name, value in options.items()
        if name not in defaults or not _is_same(value, defaults[name])
    }


def list_faults(
    model: type[BaseModel],
    options: Mapping[str, Any],
    offered: Callable[[str, Collection[str]], Mapping[str, str] | None],
) -> Iterator[Fault]:
    """What was chosen from a list that does not have it (any more); lists that `offered` does not know are passed."""
    for question in questions_of(model, options):
        if not question.source or not question.default:
            continue
        chosen = question.default if isinstance(question.default, list | tuple) else [question.default]
        known = offered(question.source, [str(value) for value in chosen])
        for value in chosen:
            if known is not None and str(value) not in known:
                yield Fault(question.name, Said(GONE, label=question.label, value=value))


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool):
        return bool(value) == wanted
    return value == wanted if isinstance(wanted, str) else value in wanted


def _is_same(value: Any, default: Any) -> bool:
    return bool(list(value) == list(default)) if isinstance(default, tuple) else bool(value == default)


def _question(name: str, one: Any, shape: Mapping[str, Any], given: Any) -> Question:
    extra = one.json_schema_extra or {}
    labels = dict(extra.get("labels") or {})
    values = shape.get("enum") or shape.get("items", {}).get("enum") or ()
    source, rows = extra.get("choices", ""), _row_model(one)
    kind = extra.get("form") or ("rows" if rows else _kind(shape, source))
    if kind == "choices" and not values and not source:
        kind, given = "text", ",".join(str(part) for part in given or ())
    return Question(
        name,
        one.title or name,
        kind,
        given,
        one.is_required(),
        labels={str(value): labels.get(str(value), str(value)) for value in values},
        help=extra.get("help", ""),
        source=source,
        least=shape.get("minimum"),
        most=shape.get("maximum"),
        longest=shape.get("maxLength"),
        shown_if=extra.get("shown_if") or {},
        parts=tuple(questions_of(rows, {})) if rows else (),
    )


def _kind(shape: Mapping[str, Any], source: str) -> str:
    if shape.get("format") == "date":
        return "date"
    if shape.get("enum") or (source and shape.get("type") != "array"):
        return "choice"
    return KINDS.get(shape.get("type", ""), "text")


def _row_model(one: Any) -> type[BaseModel] | None:
    """The model of an option's rows, if it is a list of such."""
    inner = [part for part in get_args(one.annotation) if isinstance(part, type)]
    return next((part for part in inner if issubclass(part, BaseModel)), None)


def _shape(shape: Mapping[str, Any]) -> Mapping[str, Any]:
    """An option's JSON schema without the `or null` of one that may be left out."""
    variants = [one for one in shape.get("anyOf", ()) if one.get("type") != "null"]
    return variants[0] if variants else shape


def _fault(model: type[BaseModel], error: Any) -> Fault:
    path = error["loc"]
    one = model.model_fields.get(str(path[0])) if path else None
    label = (one.title if one is not None else "") or (str(path[0]) if path else "")
    rows = _row_model(one) if one is not None else None
    if rows is not None and len(path) > 2:
        inner = rows.model_fields.get(str(path[2]))
        label = (inner.title if inner is not None else "") or str(path[2])
    text = _explained(error)
    said = Said("「%(label)s」%(fault)s", label=label, fault=text) if label else text
    return Fault(".".join(str(part) for part in path), said)


def _explained(error: Any) -> str:
    """A fault that pydantic or a model's own check found, in words; what a check raises is a sentence already."""
    if error["type"] in EXPLAINED:
        return Said(EXPLAINED[error["type"]], **error.get("ctx", {}))
    own = error.get("ctx", {}).get("error")
    return own.args[0] if isinstance(own, ValueError) and own.args else str(error["msg"])
