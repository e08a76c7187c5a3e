"""Taking back the last form that a person keyed: values, confirmations, points, preferences, letter and outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models import (
    Confirmation,
    Consent,
    Contact,
    Customer,
    Keying,
    KeyJob,
    Letter,
    Recipient,
    ScoreEntry,
    Sheet,
    Staff,
    Task,
    Visit,
)
from models.clock import now
from models.scope import ALL, working_as
from services import Refused, contacts, form_ticks, letters, outcomes, reach, returns, scores, traces
from services.contacts import Draft, Finding
from services.key_fields import FORM
from services.key_rules import FIELD_QUEUES
from services.people import require

WITHDRAWN = "withdrawn"


def undo_last_return(session: Session, *, staff: Staff) -> Keying:
    """Take back the newest form that this person keyed and that still stands; pressing again goes one further back."""
    require(staff, "returns.key")
    found = returns.recent_keyings(session, staff, limit=1)
    if not found:
        raise Refused("没有可以撤销的录入：您还没有录入过回函，或都已撤销。")
    take_back(session, found[0])
    return found[0]


def take_back(session: Session, keying: Keying) -> None:
    """Take one keyed form back, whatever it had changed."""
    with working_as(session, ALL):
        if not keying.duplicate:
            _take_back(session, keying)
        _return_sheets(session, keying)
        keying.undone_at = now(session)
        traces.record(session, "return.undone", keying, details={"letter": keying.letter_id})


def _return_sheets(session: Session, keying: Keying) -> None:
    """Sheets that rested on this keying wait for a word on them again; what was keyed from them stays keyed."""
    sheets = session.scalars(select(Sheet).where(Sheet.keying_id == keying.id, Sheet.state == "keyed")).all()
    jobs = KeyJob.sheet_id.in_([sheet.id for sheet in sheets])
    keyed = set(session.scalars(select(KeyJob.sheet_id).where(jobs, KeyJob.queue.in_(FIELD_QUEUES))))
    for sheet in sheets:
        sheet.keying_id, sheet.state = None, "to_key" if sheet.id in keyed else "review"
    words = update(KeyJob).where(jobs, KeyJob.field == FORM, KeyJob.value != "")
    session.execute(words.values(state="open", answer="", value="", keyed_by_id=None))


def _take_back(session: Session, keying: Keying) -> None:
    letter = session.get_one(Letter, keying.letter_id)
    customer = session.get_one(Customer, keying.customer_id)
    results = keying.results
    withdraw_findings(session, letters.evidence_of(letter), customer.id, since=keying.keyed_at)
    _restore_values(session, [*results["settled"], *results["waiting"]])
    form_ticks.restore_preferences(session, customer, results["preferences_before"])
    session.execute(delete(Consent).where(Consent.id.in_(results["consents"])))
    reach.keep(session, [customer.id])
    _cancel_task(session, results["task_id"])
    _cancel_task(session, results.get("unreadable_task"))
    for letter_id, state, posted_at in results["letters_before"]:
        _restore_letter(session.get_one(Letter, letter_id), state, posted_at)
    reopen_visits(session, results["visits_closed"])
    keying.undone_at = now(session)
    outcomes.replay(session, session.get_one(Recipient, letter.recipient_id))


def withdraw_findings(session: Session, evidence: str, customer_id: int, *, since: datetime) -> None:
    """Take findings back: what was known of a value before is said again, or nothing; points go by contra entries."""
    query = select(Confirmation).where(
        Confirmation.customer_id == customer_id, Confirmation.evidence == evidence
    )
    rows = session.scalars(query.where(Confirmation.at >= since, Confirmation.result != WITHDRAWN)).all()
    scores.reverse(
        session, ScoreEntry.confirmation_id.in_([row.id for row in rows]), evidence=f"undo:{evidence}"
    )
    contacts.confirm(session, [_as_before(session, row) for row in rows])


def reopen_visits(session: Session, closed: Sequence[Sequence[Any]]) -> None:
    """Visits that an answer had made needless wait again as they did."""
    for visit_id, state in closed:
        visit = session.get_one(Visit, visit_id)
        if visit.state == "cancelled":
            visit.state, visit.ended_at = state, None


def _as_before(session: Session, row: Confirmation) -> Finding:
    earlier = select(Confirmation).where(
        Confirmation.customer_id == row.customer_id,
        Confirmation.kind == row.kind,
        Confirmation.value == row.value,
        Confirmation.id < row.id,
    )
    found = session.scalars(earlier.order_by(Confirmation.id.desc()).limit(1)).one_or_none()
    if found is None:
        return Finding(row.contact_id, WITHDRAWN, row.method, evidence=row.evidence)
    return Finding(
        row.contact_id, found.result, found.method, found.reason, found.evidence, found.credited_id
    )


def _restore_values(session: Session, contact_ids: Sequence[int]) -> None:
    """Waiting versions are withdrawn; current ones give way to a repetition of what they replaced, or stop."""
    rows = session.scalars(select(Contact).where(Contact.id.in_(contact_ids))).all()
    contacts.end(
        session, [row.id for row in rows if row.state == "proposed"], WITHDRAWN, action="return.undone"
    )
    current = [row for row in rows if row.state == "current"]
    contacts.end(
        session, [row.id for row in current if row.replaces_id is None], "stopped", action="return.undone"
    )
    replaced = {row.id: row.replaces_id for row in current if row.replaces_id is not None}
    before = {
        row.id: row for row in session.scalars(select(Contact).where(Contact.id.in_(replaced.values())))
    }
    drafts = [_repeated(before[old], new) for new, old in replaced.items()]
    contacts.record(session, drafts, action="return.undone")


def _repeated(row: Contact, replaces_id: int) -> Draft:
    names = (
        "customer_id",
        "unit_id",
        "kind",
        "raw",
        "value",
        "verdict",
        "reasons",
        "extension",
        "purpose",
        "relation",
    )
    kept = {
        name: getattr(row, name)
        for name in (*names, "preferred", "field", "recorder_id", "recorded_at", "due_at")
    }
    return Draft(**kept, source="undo", evidence=row.evidence, replaces_id=replaces_id)


def _cancel_task(session: Session, task_id: int | None) -> None:
    task = session.get(Task, task_id) if task_id else None
    if task is not None and task.state == "open":
        task.state, task.done_at = "cancelled", now(session)


def _restore_letter(letter: Letter, state: str, posted_at: str | None) -> None:
    letter.state, letter.answered_at = state, None
    letter.posted_at = datetime.fromisoformat(posted_at) if posted_at else None
