"""The form of a task: what its node asks for, and the answers checked and written as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services import Refused

LONGEST = 500


def checked(fields: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> dict[str, Any]:
    """The answers to a task's fields by their codes; what was left empty and need not be given is left out."""
    found: dict[str, Any] = {}
    for field in fields:
        text = str(given.get(field["code"]) or "").strip()
        if text:
            found[field["code"]] = _value(field, text)
        elif field.get("required"):
            raise Refused("请填写「%(label)s」。", label=field["label"])
    return found


def options_of(field: Mapping[str, Any]) -> list[str]:
    """What a field of kind choice offers: its words, parted by commas."""
    return [
        word.strip() for word in str(field.get("options", "")).replace("，", ",").split(",") if word.strip()
    ]


def _value(field: Mapping[str, Any], text: str) -> Any:
    label, kind = field["label"], field.get("kind", "text")
    if kind == "number":
        return _number(label, text)
    if kind == "date":
        return _day(label, text)
    if kind == "choice" and text not in options_of(field):
        raise Refused("「%(label)s」请从列出的选项里选。", label=label)
    if len(text) > LONGEST:
        raise Refused("「%(label)s」最多 %(most)s 个字。", label=label, most=LONGEST)
    return text


def _number(label: str, text: str) -> int | float:
    try:
        number = float(text)
    except ValueError as error:
        raise Refused("「%(label)s」要填数字。", label=label) from error
    if abs(number) > 1e15 or number != number:
        raise Refused("「%(label)s」要填数字。", label=label)
    return int(number) if number.is_integer() else number


def _day(label: str, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise Refused("「%(label)s」要填日期，例如 2026-11-21。", label=label) from error
