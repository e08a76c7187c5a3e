"""The facts of the sheet on which a batch change is approved, and the sheet as PDF."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import BatchChange, BatchChangeLine, ContactKind, Staff
from models.clock import ZONE, today
from models.quality_words import BATCH_CHANGE_KINDS, CHANGE_CONFLICTS, CHANGE_LINE_STATES
from paper.batch_changes import Acceptance, BatchChangeSheet, Decision, Example, Tally
from quality.acceptance import plan_for
from services import batch_changes, traces
from services.batch_change_kinds import cause_text
from services.people import acting_staff

EXAMPLES = 10
MOST = 30
AQL = 1.5
LINES = BatchChangeLine.__table__


def facts(session: Session, change: BatchChange) -> BatchChangeSheet:
    """What stands on the sheet: the basis, counts, examples in plain text, and who decided."""
    states = batch_changes.counts(session, change, LINES.c.state)
    acting = acting_staff(session)
    fit = sum(number for state, number in states.items() if state not in ("conflict", "left"))
    return BatchChangeSheet(
        number=f"PB-{change.created_at.astimezone(ZONE):%Y}-{change.id:05}",
        kind=BATCH_CHANGE_KINDS[change.kind],
        title=change.title,
        unit=change.unit.name,
        document=change.document,
        file_name=change.file_name,
        effective_on=change.effective_on,
        printed_on=today(session),
        total=fit,
        causes=_causes(session, change),
        conflicts=_conflicts(session, change),
        states=tuple(Tally(CHANGE_LINE_STATES[code], states[code]) for code in CHANGE_LINE_STATES if code in states),
        examples=_examples(session, change),
        decisions=_decisions(change),
        acceptance=_acceptance(fit),
        printed_by=acting.name if acting else "",
        fingerprint=traces.fingerprint(session),
    )


def _causes(session: Session, change: BatchChange) -> tuple[Tally, ...]:
    """The groups without conflicts, the largest first; many small ones as one line."""
    found: dict[str, int] = {}
    for (code, state), number in batch_changes.counts(session, change, LINES.c.cause, LINES.c.state).items():
        if state not in ("conflict", "left"):
            found[code] = found.get(code, 0) + number
    open_rules = batch_changes.unconfirmed(change)
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    notes = dict.fromkeys(open_rules, "未确认")
    shown = [Tally(cause_text(change.kind, code), number, notes.get(code, "")) for code, number in ordered[:MOST]]
    rest = ordered[MOST:]
    return (*shown, Tally(f"其余 {len(rest)} 组", sum(n for _code, n in rest))) if rest else tuple(shown)


def _conflicts(session: Session, change: BatchChange) -> tuple[Tally, ...]:
    found = batch_changes.counts(session, change, LINES.c.conflict)
    return tuple(Tally(CHANGE_CONFLICTS.get(code, code), number) for code, number in found.items() if code)


def _examples(session: Session, change: BatchChange) -> tuple[Example, ...]:
    labels = dict(session.execute(select(ContactKind.code, ContactKind.label)).tuples().all())
    query = select(BatchChangeLine).where(BatchChangeLine.change_id == change.id, BatchChangeLine.conflict == "")
    query = query.options(joinedload(BatchChangeLine.customer), joinedload(BatchChangeLine.contact))
    rows = session.scalars(query.order_by(BatchChangeLine.id).limit(EXAMPLES)).all()
    return tuple(
        Example(row.customer.account_no, labels[row.kind], row.contact.raw if row.contact else "", row.raw)
        for row in rows
    )


def _decisions(change: BatchChange) -> tuple[Decision, ...]:
    return (
        _decision("提出", change.proposer, change.submitted_at),
        _decision("审核", change.approver, change.approved_at),
        _decision("生效", change.approver if change.applied_at else None, change.applied_at),
    )


def _decision(label: str, staff: Staff | None, at: datetime | None) -> Decision:
    return Decision(label, staff.name if staff else "", at.astimezone(ZONE).date() if at else None)


def _acceptance(number: int) -> Acceptance | None:
    """The plan that the batch is accepted by; None where all of it is looked at."""
    if number < 2:
        return None
    plan = plan_for(number, AQL)
    return Acceptance(plan.size, plan.accepts, AQL) if plan.size < number else None
