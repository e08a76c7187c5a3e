"""A definition as TOML text that reads back exactly: what `definitions.read` takes, written by hand-set rules.

Nodes and their arms stand as arrays of tables, indented by depth; options, conditions and all else on one line each.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from services import Refused
from services.workflows import Definition

BARE = re.compile(r"[A-Za-z0-9_-]+")
NOT_WRITTEN = ("tree", "source")
INDENT = "  "


def written(definition: Definition) -> str:
    """The TOML text of a definition; what has the value of its default and is empty is left out."""
    head = [
        f"{field.name} = {_value(getattr(definition, field.name))}\n"
        for field in fields(definition)
        if field.name not in NOT_WRITTEN and getattr(definition, field.name) not in ("", None)
    ]
    nodes = (_table(node, "nodes", 0) for node in definition.tree)
    return "".join((*head, *nodes))


def _table(table: Mapping[str, Any], name: str, depth: int) -> str:
    """One table of an array: its own values first, then the arrays of tables below it."""
    inner = {key: value for key, value in table.items() if _is_tables(value)}
    margin = INDENT * depth
    own = [f"{margin}{_key(key)} = {_value(value)}\n" for key, value in table.items() if key not in inner]
    below = (_table(part, f"{name}.{_key(key)}", depth + 1) for key, value in inner.items() for part in value)
    return "".join((f"\n{margin}[[{name}]]\n", *own, *below))


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, Mapping) for part in value)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_pairs(value)) + " }" if value else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(part) for part in value) + "]"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    raise Refused(
        "流程定义里有 TOML 写不出的值（%(value)s）。请在设计页把这一项填好或删去，再导出。", value=repr(value)
    )


def _pairs(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{_key(key)} = {_value(value)}"


def _key(key: str) -> str:
    return key if BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, except that TOML also wants DEL escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
