"""Results of steps: what chunks, turns and passes have made, put together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def merged(before: Mapping[str, Any], more: Mapping[str, Any], sets: Sequence[str] = ()) -> dict[str, Any]:
    """A step's result with what one chunk adds: numbers add up, lists are joined, ids and all else are replaced."""
    result = dict(before)
    for name, value in more.items():
        old = result.get(name)
        if _counts(name, value, sets) and _counts(name, old, sets):
            result[name] = old + value
        elif isinstance(value, list) and isinstance(old, list):
            result[name] = [*old, *value]
        else:
            result[name] = value
    return result


def decoded(texts: Sequence[str]) -> list[Any]:
    """Many small JSON texts read as one, which costs a fraction of reading each by itself."""
    found: list[Any] = json.loads(f"[{','.join(texts)}]")
    return found


def tried_again(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result without what it says of a failure, for a step that is about to be done again; the items it has
    missed stay named."""
    return {name: value for name, value in result.items() if name not in ("failed", "error", "passed")}


def _counts(name: str, value: Any, sets: Sequence[str]) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and name not in sets and name != "id" and not name.endswith("_id")
