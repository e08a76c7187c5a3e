"""How an option says what a form calls it and how it asks: options of steps and nodes, parameters of rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """Base of all options: unknown names are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def asked(label: str, default: Any = ..., *, labels: Mapping[str, str] | None = None, **more: Any) -> Any:
    """An option that a form asks for; `labels` are the Chinese words of a Literal's values.

    `help`: a sentence below the field. `choices`: a list of `services.choices.CHOICES` that its values come from, or
    one that the screen of the tree brings. `shown_if`: other options with the values for which it is shown (True or
    False: with any, with none). `form`: how it is asked where its type does not say so (`condition`, `long`).
    Whatever else is given limits the value (`ge`, `max_length` …).
    """
    form = {name: more.pop(name) for name in ("help", "choices", "shown_if", "form") if name in more}
    return Field(
        default, title=label, json_schema_extra={"asked": True, "labels": dict(labels or {}), **form}, **more
    )
