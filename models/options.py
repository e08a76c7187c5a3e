"""How an option says what a form calls it: options of steps, parameters of rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """Base of all options: unknown names are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def asked(label: str, default: Any = ..., *, labels: Mapping[str, str] | None = None, **limits: Any) -> Any:
    """An option that a form asks for; `labels` are the Chinese words of a Literal's values."""
    return Field(
        default, title=label, json_schema_extra={"asked": True, "labels": dict(labels or {})}, **limits
    )
