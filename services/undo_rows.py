"""What an undo finds of each row: its own versions with what stood before them, and whether anything went on since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, aliased

from models import (
    BatchChangeLine,
    BatchRow,
    Confirmation,
    Consent,
    Contact,
    Customer,
    ImportBatch,
    Letter,
    Preference,
    Recipient,
    Task,
    Visit,
)
from services.import_customers import FACTS, as_json

ROWS = BatchRow.__table__
CONTACTS = Contact.__table__
CUSTOMERS = Customer.__table__
REFERRING = (Recipient, Letter, Visit, Task, Preference, Consent, Confirmation)
OWN = ("id", "customer_id", "unit_id", "kind", "raw", "value", "source", "batch_row", "replaces_id", "state")
TOUCHED = ("created", "updated", "proposed")
UNDONE = ("undoing", "undone")


@dataclass(frozen=True)
class Version:
    """One value that a row brought: the version that holds it now, or waits with it, and what it replaced."""

    current: Any = None
    waiting: Any = None
    before: Any = None
    is_overtaken: bool = False


@dataclass(frozen=True)
class Undoing:
    """What is to become of one row: `restored`, `removed` with its customer, or `kept` for a reason."""

    key: int
    number: int
    customer_id: int
    outcome: str
    reason: str = ""
    versions: tuple[Version, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def decide(session: Session, batch_id: int, first: int, last: int) -> list[Undoing]:
    """Look at the touched rows of a span of keys; a row is undone as a whole or left as a whole."""
    query = select(ROWS).where(ROWS.c.batch_id == batch_id, ROWS.c.id.between(first, last))
    rows = session.execute(query.where(ROWS.c.outcome.in_(TOUCHED), ROWS.c.undone == "")).all()
    ids = sorted({row.customer_id for row in rows})
    versions = _versions(session, batch_id, ids)
    now = {row.id: row for row in session.execute(select(CUSTOMERS).where(CUSTOMERS.c.id.in_(ids)))}
    created = [row.customer_id for row in rows if row.outcome == "created"]
    in_use = _in_use(session, batch_id, created)
    later = [_undoing(row, versions, now) for row in rows if row.outcome != "created"]
    in_use |= {row.customer_id for row in later if row.outcome == "kept"}
    return later + [_removal(row, versions, in_use) for row in rows if row.outcome == "created"]


def _undoing(row: Any, versions: Mapping[tuple[int, int], list[Version]], now: Mapping[int, Any]) -> Undoing:
    own = tuple(versions.get((row.customer_id, row.row), ()))
    found = Undoing(row.id, row.row, row.customer_id, "restored", "", own, row.before)
    if any(version.is_overtaken for version in own):
        return _kept(found, "changed_since")
    held = as_json({name: [getattr(now[row.customer_id], name)] for name in (*FACTS, "unit_id")})
    if any(held[name][0] != pair[1] for name, pair in row.before.items()):
        return _kept(found, "facts_changed")
    return found


def _removal(row: Any, versions: Mapping[tuple[int, int], list[Version]], in_use: set[int]) -> Undoing:
    own = tuple(versions.get((row.customer_id, row.row), ()))
    found = Undoing(row.id, row.row, row.customer_id, "removed", "", own)
    if any(version.is_overtaken for version in own):
        return _kept(found, "changed_since")
    return _kept(found, "customer_in_use") if row.customer_id in in_use else found


def _kept(row: Undoing, reason: str) -> Undoing:
    return Undoing(row.key, row.number, row.customer_id, "kept", reason)


def _versions(session: Session, batch_id: int, ids: Sequence[int]) -> dict[tuple[int, int], list[Version]]:
    """The values that the batch brought to these customers, by customer and row number."""
    query = select(*(CONTACTS.c[name] for name in OWN))
    query = query.where(CONTACTS.c.customer_id.in_(ids), CONTACTS.c.batch_id == batch_id)
    rows = session.execute(query.where(CONTACTS.c.source.in_(("import", "undo"))).order_by(CONTACTS.c.id)).all()
    replaced = [row.replaces_id for row in rows if row.source == "import" and row.replaces_id]
    before = {row.id: row for row in session.execute(select(CONTACTS).where(CONTACTS.c.id.in_(replaced)))}
    values: dict[tuple[int, int, str, str], list[Any]] = {}
    for row in rows:
        values.setdefault((row.customer_id, row.batch_row, row.kind, row.value or row.raw), []).append(row)
    found: dict[tuple[int, int], list[Version]] = {}
    for (customer_id, number, _kind, _text), holders in values.items():
        found.setdefault((customer_id, number), []).append(_version(holders, before))
    return found


def _version(holders: Sequence[Any], before: Mapping[int, Any]) -> Version:
    """One value: brought by an import version, and perhaps repeated since by the undo of another batch."""
    brought = holders[0]
    current = next((row for row in holders if row.state == "current"), None)
    waiting = next((row for row in holders if row.state == "proposed"), None)
    is_over = current is None and waiting is None and any(row.state in ("superseded", "stopped") for row in holders)
    return Version(current, waiting, before.get(brought.replaces_id), is_over)


def _in_use(session: Session, batch_id: int, created: Sequence[int]) -> set[int]:
    """The customers that something else refers to: values, letters, visits, rows of another batch that stands …"""
    queries = [select(table.customer_id).where(table.customer_id.in_(created)) for table in REFERRING]
    queries += [_other_values(batch_id, created), _other_rows(batch_id, created)]
    return {int(key) for query in queries if created for key in session.scalars(query) if key is not None}


def _other_values(batch_id: int, created: Sequence[int]) -> Select[Any]:
    undone = select(ImportBatch.id).where(ImportBatch.state.in_(UNDONE), ImportBatch.id != batch_id)
    foreign = or_(Contact.batch_id.is_(None), Contact.batch_id.not_in(undone) & (Contact.batch_id != batch_id))
    cleaned = (Contact.batch_id == batch_id) & (Contact.source == "cleanup") & (Contact.state != "proposed")
    ended: ColumnElement[bool] = Contact.state.in_(("refused", "withdrawn"))
    lines = select(BatchChangeLine.version_id).where(BatchChangeLine.customer_id.in_(created))
    ended |= Contact.id.in_(lines.where(BatchChangeLine.state == "restored"))
    return select(Contact.customer_id).where(Contact.customer_id.in_(created), foreign | cleaned, ~ended)


def _other_rows(batch_id: int, created: Sequence[int]) -> Select[Any]:
    """Rows of other batches that touched these customers and stand, and rows of this one that were left."""
    other = aliased(ImportBatch)
    stands = (BatchRow.batch_id != batch_id) & BatchRow.outcome.in_(TOUCHED) & other.state.not_in(UNDONE)
    left = (BatchRow.batch_id == batch_id) & (BatchRow.undone == "kept")
    query = select(BatchRow.customer_id).join(other, other.id == BatchRow.batch_id)
    return query.where(BatchRow.customer_id.in_(created), stands | left)
