"""Chosen filters of a list: what may be asked of it by its address, as codes and numbers, never personal data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup, escape

Choices = Sequence[tuple[str, Any]]


@dataclass(frozen=True)
class Filter:
    """One filter: its name in the address, what is offered, and what it does to the query.

    `choices` is a list, or a function without arguments that returns one (units in scope); None makes it a day.
    An unknown value is ignored.
    """

    key: str
    label: Any
    choices: Choices | Callable[[], Choices] | None
    apply: Callable[[Any, str], Any]
    is_tab: bool = False  # the page shows it as tabs of its own

    @property
    def is_day(self) -> bool:
        """Whether a day is typed instead of a choice made."""
        return self.choices is None

    def offered(self) -> list[tuple[str, Any]]:
        """The choices as they are now."""
        found = self.choices() if callable(self.choices) else self.choices or ()
        return [(str(value), label) for value, label in found]

    def options(self, chosen: str | None) -> Markup:
        """The choices as HTML: there may be hundreds, and a template takes several times as long for each."""
        marks = {chosen: "selected"}
        found = [
            f'<option value="{escape(value)}" {marks.get(value, "")}>{escape(label)}</option>'
            for value, label in self.offered()
        ]
        return Markup("".join(found))  # noqa: S704 each part is escaped above

    def told(self, value: str) -> Any:
        """What a chosen value says."""
        return dict(self.offered()).get(value, value) if not self.is_day else value

    def accepts(self, value: str) -> bool:
        """Whether an address may say this."""
        if self.is_day:
            return is_day(value)
        return value in {code for code, _label in self.offered()}


def chosen(filters: Sequence[Filter], values: Mapping[str, str]) -> dict[str, str]:
    """The filters that an address really sets, by key."""
    given = {entry.key: values.get(entry.key, "") for entry in filters}
    return {
        entry.key: given[entry.key]
        for entry in filters
        if given[entry.key] and entry.accepts(given[entry.key])
    }


def narrowed(query: Any, filters: Sequence[Filter], values: Mapping[str, str]) -> Any:
    """The query with every filter applied that is set."""
    for entry in filters:
        if entry.key in values:
            query = entry.apply(query, values[entry.key])
    return query


def is_day(text: str) -> bool:
    """Whether a text is a day as `2026-11-21`."""
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def equals(key: str, label: Any, choices: Choices | Callable[[], Choices], column: Any) -> Filter:
    """The common filter: a column equals the chosen code."""
    return Filter(key, label, choices, lambda query, value: query.where(column == value))
