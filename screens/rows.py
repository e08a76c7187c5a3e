"""Rows of a table on a screen: a key from an address, what changed, and how values are shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import inspect

from screens import looks

Formatter = Callable[[Any, Any, Any, str], Any]


def key_of(table: Any, text: Any) -> Any:
    """A primary key from an address, of the key column's type; None for what cannot be one."""
    column = inspect(table).primary_key[0]
    try:
        if column.type.python_type is int:
            return int(text) if str(text).isascii() and 0 < int(text) < 2**63 else None
        return date.fromisoformat(text) if column.type.python_type is date else str(text)
    except (TypeError, ValueError):
        return None


def subject_of(table: Any) -> str:
    """The subject of a table's traces: its class name in snake_case, singular."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", table.__name__).lower()


def picked(texts: Sequence[str], most: int = 1000) -> list[int]:
    """Row ids that a form brought in, as numbers; what cannot be one is left out."""
    return [int(text) for text in texts[:most] if text.isdecimal() and len(text) < 20 and 0 < int(text) < 2**63]


def changes(model: Any, traced: Sequence[str]) -> Mapping[str, Any]:
    """Which columns of a row are about to change; of the `traced` ones also the values before and after."""
    state = inspect(model)
    histories = {column.key: state.attrs[column.key].history for column in state.mapper.column_attrs}
    moved = {name: found for name, found in histories.items() if found.has_changes()}
    values = {
        name: [_plain(moved[name].deleted), _plain(moved[name].added)] for name in traced if name in moved
    }
    return {"fields": sorted(moved)} | ({"values": values} if values else {})


def as_label(_view: Any, _context: Any, row: Any, name: str) -> str:
    """A column that holds a label of first data, or the bureau's own, which has no English."""
    label = getattr(row, name)
    return _(label) if label else ""


def as_word(words_of: str) -> Formatter:
    """Show a code by its word in a list of models/words.py."""
    return lambda _view, _context, model, name: looks.word(getattr(model, name), words_of)


def as_percent(_view: Any, _context: Any, model: Any, name: str) -> str:
    """Show a rate from 0 to 1 as per cent."""
    return looks.percent(getattr(model, name))


TYPES: dict[type, Callable[..., str]] = {
    type(None): lambda _view, _value, _name: "",
    bool: lambda _view, value, _name: _("是") if value else _("否"),
    datetime: lambda _view, value, _name: looks.moment(value),
    date: lambda _view, value, _name: looks.day(value),
    list: lambda _view, value, _name: _("、").join(str(entry) for entry in value),
}


def _plain(values: Any) -> Any:
    value = values[0] if values else None
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)
