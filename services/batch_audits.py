"""Acceptance of a batch by sampling (批次验收, GB/T 2828.1): drawn by tokens, judged like any audit, taken or returned.

Returning changes no value by itself: the batch is undone, or its proposals are refused, by a click of whoever may.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from models import AuditItem, BatchAudit, Contact, ImportBatch, Staff
from models.bulk import insert_rows
from models.clock import now
from quality import acceptance, sampling
from quality.acceptance import Lot, Plan, Standing
from services import Refused, traces
from services.audit_items import item_row
from services.audits import REVIEW
from services.people import require

RUN = "samples.run"
STANDING = ("current", "proposed", "superseded")


@dataclass(frozen=True)
class Offer:
    """The plan of a batch at one AQL, with the severity it follows and how many values there are."""

    severity: str
    number: int
    plan: Plan


def standing(session: Session, batch: ImportBatch) -> Standing:
    """Where the earlier batches of the same unit and person leave this one; refused where sampling has stopped."""
    found = acceptance.next_standing(history(session, batch))
    if found.severity == "stopped":
        raise Refused("这一来源加严检验已累计五批退回，暂停按抽样验收。请先整改来源，再逐条核对这一批。")
    return found


def plan_for(session: Session, batch: ImportBatch, aql: float, *, reduced: bool = False) -> Offer:
    """The plan of a batch; `reduced` asks for reduced inspection, which the sender's score must allow."""
    if aql not in acceptance.AQLS:
        raise Refused("没有这个接收质量限（AQL）。请从列表中选择。")
    found = standing(session, batch)
    if reduced and not found.may_reduce:
        raise Refused(
            "这一来源的转移得分是 %(score)s，达到 %(least)s 才能放宽检验。请按正常检验或加严检验抽取。",
            score=found.score,
            least=acceptance.MAY_REDUCE,
        )
    number = session.scalar(select(func.count()).select_from(Contact).where(*_values(batch))) or 0
    if number < 2:
        raise Refused("这一批不到两个值，请逐条核对，不用抽样验收。")
    severity = "reduced" if reduced else "normal" if found.severity == "reduced" else found.severity
    return Offer(severity, number, acceptance.plan_for(number, aql, inspection=severity))


def history(session: Session, batch: ImportBatch) -> list[Lot]:
    """The earlier batches of the same unit and person with what they came to, oldest first."""
    columns = (BatchAudit.inspection, BatchAudit.accepts, BatchAudit.wrong)
    query = select(*columns).join(ImportBatch, ImportBatch.id == BatchAudit.batch_id)
    query = query.where(ImportBatch.unit_id == batch.unit_id, ImportBatch.recorder_id == batch.recorder_id)
    query = query.where(BatchAudit.state != "open", ImportBatch.id != batch.id)
    rows = session.execute(query.order_by(BatchAudit.decided_at, BatchAudit.id)).tuples()
    return [Lot(*row) for row in rows]


def draw(
    session: Session, batch: ImportBatch, aql: float, *, staff: Staff, reduced: bool = False
) -> BatchAudit:
    """Draw the values of a batch that are to be checked: the first by HMAC-SHA256(key, `batch|<batch>|<value>`).

    The seed is kept with the plan, key = sha256 of `<seed>|<batch>`; a batch is drawn from once. `reduced` is the
    decision for reduced inspection of whoever answers for the sender (9.3.3.1).
    """
    require(staff, RUN)
    if session.scalar(select(BatchAudit.id).where(BatchAudit.batch_id == batch.id)) is not None:
        raise Refused("这一批已经抽过样。请打开原来的验收记录。")
    if batch.state != "done":
        raise Refused("只有已完成导入的批次才能抽样验收。")
    offer = plan_for(session, batch, aql, reduced=reduced)
    plan, facts = offer.plan, {"population": offer.number, "inspection": offer.severity}
    audit = BatchAudit(batch_id=batch.id, unit_id=batch.unit_id, aql=aql, **facts)
    audit.letter, audit.size, audit.accepts, audit.rejects = (
        plan.letter,
        plan.size,
        plan.accepts,
        plan.rejects,
    )
    audit.seed, audit.state, audit.staff_id, audit.created_at = (
        secrets.token_hex(32),
        "open",
        staff.id,
        now(session),
    )
    session.add(audit)
    session.flush()
    _make_items(session, audit, batch)
    shown = {"batch": batch.id, "letter": plan.letter, "size": plan.size, "seed": audit.seed}
    shown |= {"accepts": plan.accepts, "inspection": offer.severity}
    traces.record(session, "batch_audit.drawn", audit, details=shown)
    return audit


def items_of(session: Session, audit: BatchAudit) -> Sequence[AuditItem]:
    """The values drawn from a batch, in the order of the draw."""
    query = select(AuditItem).where(AuditItem.batch_audit_id == audit.id).order_by(AuditItem.id)
    people = (AuditItem.auditor, AuditItem.audited_by, AuditItem.checked_by, AuditItem.customer)
    return session.scalars(query.options(*(joinedload(one) for one in people))).all()


def wrong_in(items: Sequence[AuditItem]) -> int:
    """How many do not conform: whatever has a verdict other than right, what nobody could verify included."""
    return sum(item.verdict not in ("", "right") for item in items)


def decide(session: Session, audit: BatchAudit, *, staff: Staff) -> bool:
    """Accept or return a batch, once every value has a verdict that a second person checked; True where accepted."""
    require(staff, REVIEW)
    items = items_of(session, audit)
    waiting = sum(item.checked_by_id is None for item in items)
    if audit.state != "open":
        raise Refused("这一批已有验收结论。")
    if waiting:
        raise Refused("还有 %(number)s 项没有结论或没有复核，不能下验收结论。", number=waiting)
    audit.wrong = wrong_in(items)
    audit.state = "accepted" if audit.wrong <= audit.accepts else "returned"
    audit.decided_by_id, audit.decided_at = staff.id, now(session)
    traces.record(session, "batch_audit.decided", audit, details={"wrong": audit.wrong, "state": audit.state})
    return audit.state == "accepted"


def _make_items(session: Session, audit: BatchAudit, batch: ImportBatch) -> None:
    """Items for the first values by their tokens; ids are streamed, only the drawn ones are loaded."""
    key = sampling.draw_key(audit.seed, str(batch.id))
    ids = session.scalars(select(Contact.id).where(*_values(batch)).execution_options(yield_per=5000))
    drawn = heapq.nsmallest(audit.size, ids, key=lambda one: sampling.token(key, f"batch|{batch.id}|{one}"))
    found = {row.id: row for row in session.scalars(select(Contact).where(Contact.id.in_(drawn)))}
    rows = [item_row(found[one], found[one].unit_id, batch_audit_id=audit.id) for one in drawn]
    insert_rows(session, AuditItem.__table__, rows)


def _values(batch: ImportBatch) -> tuple[ColumnElement[bool], ...]:
    return (Contact.batch_id == batch.id, Contact.verdict != "missing", Contact.state.in_(STANDING))
