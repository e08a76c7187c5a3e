"""Clean-ups (数据规范): for values that are certain but not clean, a proposal that says them cleanly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session, aliased

from models import Contact, ContactKind, ImportBatch, Unit
from quality import judge
from quality.verdicts import VALID, Context
from services import contacts
from services.contacts import Draft
from services.judging import contexts

CHUNK = 1000
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


def propose_cleanups(session: Session, selection: Selection) -> Iterator[int]:
    """Propose a clean version for each value that has a certain one; yields how many after each chunk, the caller
    commits. What is proposed already, or says the same when judged again, is passed over."""
    after = 0
    while rows := _next(session, selection, after):
        after = rows[-1].id
        yield propose(session, selection, [row.id for row in rows])


def propose(session: Session, selection: Selection, contact_ids: Sequence[int]) -> int:
    """Propose the clean-ups of one chunk of contacts; returns how many."""
    query = repairable(selection).where(Contact.id.in_(contact_ids))
    known = contexts(session)
    judged_as: dict[str, str] = {row.code: row.judged_as for row in session.scalars(select(ContactKind))}
    rows = session.execute(query).all()
    drafts = [draft for row in rows if (draft := _draft(row, judged_as[row.kind], known[row.unit_id]))]
    done = contacts.record(session, drafts)
    if selection.batch_id is not None:
        batches = ImportBatch.__table__
        added = update(batches).where(batches.c.id == selection.batch_id)
        session.execute(added.values(cleanups=batches.c.cleanups + len(done.ids)))
    return len(done.ids)


def spans(session: Session, selection: Selection) -> Iterator[list[int]]:
    """The contacts that may be cleaned, in chunks of their ids."""
    after = 0
    while rows := _next(session, selection, after):
        after = rows[-1].id
        yield [row.id for row in rows]


def _next(session: Session, selection: Selection, after: int) -> Sequence[Any]:
    query = repairable(selection).where(Contact.id > after).order_by(Contact.id).limit(CHUNK)
    return session.execute(query).all()


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


def _draft(row: Any, judged_as: str, context: Context) -> Draft | None:
    found = clean(row, judged_as, context)
    if found is None:
        return None
    return Draft(
        raw=found[0], verdict=VALID, reasons=";".join(found[1])[:200], source="cleanup", replaces_id=row.id,
        **{name: getattr(row, name) for name in KEPT},
    )  # fmt: skip


def written(kind: str, value: str) -> str:
    """A standard value as staff write it: mobiles without the country code."""
    return value.removeprefix("+86") if kind == "mobile" else value
