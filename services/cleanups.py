"""Clean-ups (数据规范): which values are certain but not clean, and how they are said cleanly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from models import Contact, Unit
from quality import judge
from quality.verdicts import VALID, Context

HARMLESS = {"region_left_out"}  # an address without its own province and city is fine for local mail
KEPT = (
    "customer_id", "unit_id", "kind", "value", "extension", "purpose", "relation", "preferred", "batch_id", "batch_row",
    "field", "recorder_id", "recorded_at", "due_at",
)  # fmt: skip


@dataclass(frozen=True)
class Selection:
    """Which values are looked at: those that one batch brought, or all of a unit and below."""

    batch_id: int | None = None
    unit_id: int | None = None


def repairable(selection: Selection) -> Select[Any]:
    """Current values that are certain but not clean, and for which no clean-up waits yet."""
    waiting = aliased(Contact)
    waits = select(waiting.id).where(
        waiting.replaces_id == Contact.id, waiting.state == "proposed", waiting.source == "cleanup"
    )
    columns = (Contact.id, Contact.reasons, *(getattr(Contact, name) for name in KEPT))
    query = select(*columns).where(Contact.state == "current", Contact.verdict == "repairable", Contact.value != "")
    query = query.where(~waits.exists())
    if selection.batch_id is not None:
        query = query.where(Contact.batch_id == selection.batch_id, Contact.source == "import")
    if selection.unit_id is not None:
        below = select(Unit.path).where(Unit.id == selection.unit_id).scalar_subquery()
        query = query.where(Contact.unit_id.in_(select(Unit.id).where(Unit.path.startswith(below))))
    return query


def clean(row: Any, judged_as: str, context: Context) -> tuple[str, tuple[str, ...]] | None:
    """A value as it is written cleanly, with the reasons that stay; None where nothing certain is to be mended."""
    if set(row.reasons.split(";")) <= HARMLESS:
        return None
    text = written(row.kind, row.value)
    verdict = judge(judged_as or "text", text, context)
    return (text, verdict.reasons) if verdict.verdict == VALID and verdict.value == row.value else None


def written(kind: str, value: str) -> str:
    """A standard value as staff write it: mobiles without the country code."""
    return value.removeprefix("+86") if kind == "mobile" else value
