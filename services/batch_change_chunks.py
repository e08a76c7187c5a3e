"""One chunk of a batch change's lines: submitted as proposals, applied or refused, taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import BatchChange, BatchChangeLine, Contact, Customer
from models.clock import utcnow
from models.contacts import latest_confirmations
from models.scope import ALL, working_as
from quality.number_upgrades import UPGRADES
from services import batch_changes, contacts, undo
from services.batch_change_lists import stored_list
from services.batch_change_plans import conflict_of
from services.cleanups import KEPT
from services.contacts import Draft
from services.undo_rows import Undoing, Version

LINES = BatchChangeLine.__table__
CONTACTS = Contact.__table__
CUSTOMERS = Customer.__table__
OF_IMPORT = ("batch_id", "batch_row")
TOLD = tuple(name for name in KEPT if name not in ("kind", "value", "extension", "unit_id", *OF_IMPORT))


def submit_chunk(session: Session, change_id: int, first: int, last: int) -> dict[str, int]:
    """Record the planned lines of a span as proposals; a policy may settle some at once."""
    change = session.get_one(BatchChange, change_id)
    with _acting(session, change.proposer_id):
        lines = _lines(session, change_id, first, last)
        standing = _contacts(session, [line.contact_id for line in lines if line.contact_id])
        homes = _homes(session, [line.customer_id for line in lines])
        fit = [line for line in lines if not line.contact_id or _is_current(standing.get(line.contact_id))]
        drafts = [_draft(change, line, standing.get(line.contact_id), homes) for line in fit]
        done = contacts.record(session, drafts)
        for line, key in zip(fit, done.ids, strict=True):
            state = "applied" if key in done.settled else "waiting"
            _set(session, [line.id], state=state, version_id=key)
        fitting = {line.id for line in fit}
        _set(session, [one.id for one in lines if one.id not in fitting], state="gone", conflict="changed_since")
        batch_changes.count_chunk(session, change_id)
    return {"proposed": len(done.waiting), "settled": len(done.settled)}


def apply_chunk(session: Session, change_id: int, first: int, last: int) -> dict[str, int]:
    """Settle the approved lines of a span and refuse the refused ones; what has changed since is left as it is."""
    change = session.get_one(BatchChange, change_id)
    with _acting(session, change.approver_id):
        lines = _lines(session, change_id, first, last)
        versions = _contacts(session, [line.version_id for line in lines])
        waiting = [line for line in lines if versions[line.version_id].state == "proposed"]
        _follow(session, [line for line in lines if line not in waiting], versions)
        refused = [line for line in waiting if line.state == "refusing"]
        approved = [line for line in waiting if line.state == "approved"]
        reasons = _overtaken(session, change, approved)
        fit = [line for line in approved if not reasons[line.id]]
        contacts.settle(session, [line.version_id for line in fit], action="proposal.approved")
        _set(session, [line.id for line in fit], state="applied")
        _let_go(session, [line for line in approved if reasons[line.id]], reasons)
        _refuse(session, change, refused)
        batch_changes.count_chunk(session, change_id)
    return {"applied": len(fit), "refused": len(refused), "gone": len(approved) - len(fit)}


def undo_chunk(session: Session, change_id: int, first: int, last: int) -> dict[str, int]:
    """Take the lines of a span back: what was overwritten stands again unless it went on; what waits is withdrawn."""
    change = session.get_one(BatchChange, change_id)
    with _acting(session, session.info.get("actor_id")):
        lines = _lines(session, change_id, first, last)
        versions = _contacts(session, [line.version_id for line in lines])
        before = _contacts(session, [line.contact_id for line in lines if line.contact_id])
        rows = [_undoing(line, versions[line.version_id], before.get(line.contact_id)) for line in lines]
        back = [row for row in rows if row.outcome != "kept"]
        undo.take_back(session, back, evidence=f"batch_change:{change.id}")
        _set(session, [row.key for row in back], state="restored")
        _set(session, [row.key for row in rows if row.outcome == "kept"], state="kept", conflict="changed_since")
        batch_changes.count_chunk(session, change_id)
    return {"restored": len(back), "kept": len(rows) - len(back)}


@contextmanager
def _acting(session: Session, staff_id: int | None) -> Iterator[None]:
    """Write in the name of whoever decided, on rows that were chosen within that person's reach."""
    before = session.info.get("actor_id")
    session.info["actor_id"] = staff_id
    try:
        with working_as(session, ALL):
            yield
    finally:
        session.info["actor_id"] = before


def _lines(session: Session, change_id: int, first: int, last: int) -> Sequence[Any]:
    change = session.get_one(BatchChange, change_id)
    states = batch_changes.OPEN_LINES.get(change.state, ())
    query = select(LINES).where(LINES.c.change_id == change_id, LINES.c.id.between(first, last))
    return session.execute(query.where(LINES.c.state.in_(states)).order_by(LINES.c.id)).all()


def _contacts(session: Session, ids: Sequence[int]) -> dict[int, Any]:
    return {row.id: row for row in session.execute(select(CONTACTS).where(CONTACTS.c.id.in_(ids)))} if ids else {}


def _homes(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """Where customers belong now: a value goes with its customer."""
    query = select(CUSTOMERS.c.id, CUSTOMERS.c.unit_id).where(CUSTOMERS.c.id.in_(ids))
    return {row.id: row.unit_id for row in session.execute(query)}


def _is_current(row: Any) -> bool:
    return row is not None and row.state == "current"


def _draft(change: BatchChange, line: Any, standing: Any, homes: Mapping[int, int]) -> Draft:
    """The new version of a line: who recorded the old value, and when, stays; a clean-up stays with its import."""
    is_cleanup = change.kind == "cleanup"
    names = (*TOLD, *OF_IMPORT) if is_cleanup else TOLD
    kept = {name: getattr(standing, name) for name in names} if standing is not None else {"preferred": True}
    told = {"recorder_id": change.proposer_id, "recorded_at": change.submitted_at} if standing is None else {}
    facts = {"customer_id": line.customer_id} | told | kept
    return Draft(
        unit_id=homes[line.customer_id], kind=line.kind, raw=line.raw, value=line.value, extension=line.extension,
        verdict=line.verdict, reasons=line.reasons, source="cleanup" if is_cleanup else "third_party",
        evidence=f"batch_change:{change.id}", replaces_id=line.contact_id, **facts,
    )  # fmt: skip


def _overtaken(session: Session, change: BatchChange, lines: Sequence[Any]) -> dict[int, str]:
    """Why an approved line is not to be applied any more, by line; empty where it still fits."""
    standing = _contacts(session, [line.contact_id for line in lines if line.contact_id])
    known = latest_confirmations(session, sorted({line.customer_id for line in lines})) if lines else {}
    found: dict[int, str] = {}
    for line in lines:
        row = standing.get(line.contact_id)
        if row is None:
            found[line.id] = ""
            continue
        one = known.get((row.customer_id, row.kind, row.value))
        at = one.at if one is not None and one.result == "confirmed" and change.kind != "cleanup" else None
        since = None if change.kind == "cleanup" else _since(change, line)
        found[line.id] = conflict_of(row, since, at) if _is_current(row) else "changed_since"
    return found


def _since(change: BatchChange, line: Any) -> Any:
    """From when a line holds: the day of its rule, of its list's row, or of the whole list."""
    if change.kind == "number_upgrade":
        return next((rule.since for rule in UPGRADES if rule.key == line.cause), change.effective_on)
    entries = {entry.row: entry.since for entry in stored_list(change.sha256, change.kind)}
    return change.effective_on if not entries.get(line.list_row) else date.fromisoformat(entries[line.list_row])


def _follow(session: Session, lines: Sequence[Any], versions: Mapping[int, Any]) -> None:
    """Lines whose proposals were decided one by one elsewhere."""
    for states, state in ((("current", "superseded", "stopped"), "applied"), (("refused",), "refused")):
        _set(session, [one.id for one in lines if versions[one.version_id].state in states], state=state)
    ids = [one.id for one in lines if versions[one.version_id].state == "withdrawn"]
    _set(session, ids, state="gone", conflict="changed_since")


def _let_go(session: Session, lines: Sequence[Any], reasons: Mapping[int, str]) -> None:
    contacts.end(session, [line.version_id for line in lines], "withdrawn", action="contact.withdrawn")
    for reason in sorted({reasons[line.id] for line in lines}):
        _set(session, [line.id for line in lines if reasons[line.id] == reason], state="gone", conflict=reason)


def _refuse(session: Session, change: BatchChange, lines: Sequence[Any]) -> None:
    ids = [line.version_id for line in lines]
    contacts.end(session, ids, "refused", action="proposal.refused")
    decided = {"refused_reason": change.options.get("refused_reason", ""), "decided_by_id": change.approver_id}
    session.execute(update(CONTACTS).where(CONTACTS.c.id.in_(ids)).values(decided_at=utcnow(), **decided))
    _set(session, [line.id for line in lines], state="refused")


def _undoing(line: Any, version: Any, before: Any) -> Undoing:
    if version.state == "current":
        own = Version(current=version, before=before)
    elif version.state == "proposed":
        own = Version(waiting=version)
    else:
        return Undoing(line.id, 0, line.customer_id, "kept", "changed_since")
    return Undoing(line.id, 0, line.customer_id, "restored", "", (own,))


def _set(session: Session, ids: Sequence[int], **values: Any) -> None:
    if ids:
        session.execute(update(LINES).where(LINES.c.id.in_(ids)).values(**values))
