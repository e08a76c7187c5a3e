"""Chosen filters of a list: what may be asked of it by its address, as codes and numbers, never personal data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Choices = Sequence[tuple[str, Any]]


@dataclass(frozen=True)
class Filter:
    """One filter: its name in the address, what is offered, and what it does to the query.

    `choices` is a list, or a function without arguments that returns one (units in scope). An unknown value is ignored.
    """

    key: str
    label: Any
    choices: Choices | Callable[[], Choices]
    apply: Callable[[Any, str], Any]

    def offered(self) -> list[tuple[str, Any]]:
        """The choices as they are now."""
        found = self.choices() if callable(self.choices) else self.choices
        return [(str(value), label) for value, label in found]


def chosen(filters: Sequence[Filter], values: Mapping[str, str]) -> dict[str, str]:
    """The filters that an address really sets, by key."""
    found = {}
    for entry in filters:
        value = values.get(entry.key, "")
        if value and value in {code for code, _label in entry.offered()}:
            found[entry.key] = value
    return found


def narrowed(query: Any, filters: Sequence[Filter], values: Mapping[str, str]) -> Any:
    """The query with every filter applied that is set."""
    for entry in filters:
        if entry.key in values:
            query = entry.apply(query, values[entry.key])
    return query
