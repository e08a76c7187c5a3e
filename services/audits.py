"""Audits: drawn values are checked by who did not record them; every finding is kept; a second person checks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from models import AuditEntry, AuditItem, Sample, SampledCustomer, Staff, Unit
from models.bulk import insert_rows
from models.clock import now
from models.quality_words import AUDIT_MODES, AUDIT_VERDICTS
from quality.verdicts import INVALID, MISSING
from services import Refused, contacts, traces
from services.answers import Answer, Origin, drafts_of
from services.judging import judge_in
from services.people import in_scope_units, require

KEY, ASSIGN, REVIEW = "audits.key", "audits.assign", "audits.review"
LONGEST = 400


@dataclass(frozen=True)
class Finding:
    """What one attempt at an item gave. Without a verdict nobody was reached yet and the item stays open.

    `correct` is the right value where the recorded one is wrong; it needs evidence, as any proposal does. `reason` is
    asked for where a verdict is changed.
    """

    mode: str
    verdict: str = ""
    correct: str = ""
    evidence: str = ""
    reason: str = ""


def assign(session: Session, items: Sequence[AuditItem], auditor: Staff, *, staff: Staff) -> int:
    """Give items to one person; refused when any of them is that person's own record."""
    require(staff, ASSIGN)
    _check_open(items)
    for item in items:
        if is_own(item, auditor.id):
            raise Refused(
                "户号 %(account)s 由%(person)s录入、提出或负责，不能由本人核查。请分派给其他人员。",
                account=item.customer.account_no, person=auditor.name,
            )  # fmt: skip
        item.auditor_id = auditor.id
    _trace(session, "audit.assigned", items, {"auditor": auditor.id})
    return len(items)


def share_out(
    session: Session, sample: Sample, auditors: Sequence[Staff], *, staff: Staff
) -> tuple[int, int]:
    """Give the items that nobody has to several people in turn, a customer to one; returns how many, and how many are
    left because each of these people would check an own record."""
    require(staff, ASSIGN)
    if not auditors:
        raise Refused("请至少选择一名核查人员。")
    items = [item for item in items_of(session, sample) if item.auditor_id is None and not item.verdict]
    _check_open(items)
    customers: dict[int, list[AuditItem]] = {}
    for item in items:
        customers.setdefault(item.customer_id, []).append(item)
    turn = 0
    for found in customers.values():
        order = [*auditors[turn % len(auditors) :], *auditors[: turn % len(auditors)]]
        fits = next((one for one in order if not any(is_own(item, one.id) for item in found)), None)
        for item in found:
            item.auditor_id = fits.id if fits else None
        turn += fits is not None
    given = [item for item in items if item.auditor_id is not None]
    _trace(session, "audit.assigned", given, {"auditors": [one.id for one in auditors]})
    return len(given), len(items) - len(given)


def key(session: Session, findings: Mapping[int, Finding], *, staff: Staff) -> int:
    """Write findings by item id, all or none. A changed verdict asks for its reason; the earlier entry stays."""
    require(staff, KEY)
    items = _loaded(session, findings)
    _check_open(items)
    moment = now(session)
    for item in items:
        finding = findings[item.id]
        _check_finding(item, finding, staff)
        _apply(session, item, finding, staff, moment)
    entries = [_entry(item, findings[item.id], staff, moment) for item in items]
    insert_rows(session, AuditEntry.__table__, entries)
    _trace(session, "audit.keyed", items, {"verdicts": sorted({item.verdict for item in items})})
    return len(items)


def check(session: Session, item_ids: Collection[int], *, staff: Staff) -> int:
    """Check verdicts as a second person (复核): not one's own record, and not what one audited oneself."""
    require(staff, REVIEW)
    items, moment = _loaded(session, item_ids), now(session)
    _check_open(items)
    for item in items:
        if not item.verdict:
            raise Refused("户号 %(account)s 还没有核查结论，不能复核。", account=item.customer.account_no)
        if item.audited_by_id == staff.id or is_own(item, staff.id):
            raise Refused(
                "户号 %(account)s 是您自己核查、录入或负责的，请由另一人复核。",
                account=item.customer.account_no,
            )
        item.checked_by_id, item.checked_at = staff.id, moment
    _trace(session, "audit.checked", items, {})
    return len(items)


def close(session: Session, sample: Sample, *, staff: Staff) -> None:
    """End the audit of a sample: every item has a verdict that a second person checked; nothing changes after."""
    require(staff, REVIEW)
    if sample.state != "drawn":
        raise Refused("只有已抽取、还没有结束的样本才能结束核查。")
    if session.scalar(select(Unit.id).where(Unit.id == sample.unit_id, in_scope_units(session))) is None:
        raise Refused("这个样本不是您单位的，请由作出承诺的单位结束核查。")
    waiting = select(func.count()).select_from(AuditItem).join(AuditItem.sampled)
    waiting = waiting.where(SampledCustomer.sample_id == sample.id)
    open_ = session.scalar(waiting.where(AuditItem.verdict == ""))
    unchecked = session.scalar(waiting.where(AuditItem.checked_by_id.is_(None)))
    if unchecked:
        raise Refused(
            "还有 %(open)s 项没有结论、%(unchecked)s 项没有复核，不能结束。", open=open_, unchecked=unchecked
        )
    sample.state, sample.closed_at, sample.closed_by_id = "closed", now(session), staff.id
    traces.record(session, "sample.closed", sample, details={"period": sample.period})


def items_of(session: Session, sample: Sample) -> Sequence[AuditItem]:
    """Every item of a sample in the order of the draw, with customer and people."""
    query = select(AuditItem).join(AuditItem.sampled)
    query = query.where(SampledCustomer.sample_id == sample.id).order_by(AuditItem.sampled_id, AuditItem.id)
    return session.scalars(query.options(*_with())).all()


def is_own(item: AuditItem, staff_id: int) -> bool:
    """Whether a person recorded or proposed the value, or manages (or managed, when drawn) the customer."""
    managers = {item.customer.manager_id, item.sampled.manager_id if item.sampled else None}
    return staff_id in {item.recorder_id, item.proposer_id, *managers}


def _with() -> tuple[Any, ...]:
    people = (AuditItem.auditor, AuditItem.audited_by, AuditItem.checked_by)
    return (
        joinedload(AuditItem.customer),
        joinedload(AuditItem.sampled).joinedload(SampledCustomer.sample),
        joinedload(AuditItem.batch_audit),
        *(joinedload(person) for person in people),
    )


def _loaded(session: Session, item_ids: Collection[int]) -> Sequence[AuditItem]:
    query = select(AuditItem).where(AuditItem.id.in_(list(item_ids))).order_by(AuditItem.id)
    found = session.scalars(query.options(*_with())).all()
    if len(found) != len(set(item_ids)) or not found:
        raise Refused("有的核查项找不到，可能不在您的单位范围内。请刷新页面后重试。")
    return found


def _check_open(items: Iterable[AuditItem]) -> None:
    closed_sample = any(item.sampled and item.sampled.sample.state == "closed" for item in items)
    if closed_sample or any(item.batch_audit and item.batch_audit.state != "open" for item in items):
        raise Refused("这次核查已经结束，不能再改动。")


def _check_finding(item: AuditItem, finding: Finding, staff: Staff) -> None:
    account = item.customer.account_no
    if is_own(item, staff.id):
        raise Refused("户号 %(account)s 由您录入、提出或负责，不能由本人核查。请换人核查。", account=account)
    if finding.mode not in AUDIT_MODES or (finding.verdict and finding.verdict not in AUDIT_VERDICTS):
        raise Refused("户号 %(account)s 的核查方式或结论不对。请重新选择。", account=account)
    if item.verdict and not finding.verdict:
        raise Refused(
            "户号 %(account)s 已有结论，不能退回未核查。结论有误请改判并写明原因。", account=account
        )
    if item.verdict and item.verdict != finding.verdict and not finding.reason.strip():
        raise Refused("户号 %(account)s 已有结论，改判要写明原因；原来的结论会保留。", account=account)
    if finding.correct.strip() and finding.verdict != "wrong":
        raise Refused("户号 %(account)s 填了正确值，但结论不是“不准确”。请核对后再保存。", account=account)
    if finding.correct.strip() and not finding.evidence.strip():
        raise Refused("户号 %(account)s 填了正确值，请同时填写佐证（录音号、照片号）。", account=account)


def _apply(session: Session, item: AuditItem, finding: Finding, staff: Staff, moment: datetime) -> None:
    item.mode, item.attempts = finding.mode, item.attempts + 1
    item.evidence = finding.evidence.strip()[:200] or item.evidence
    if not finding.verdict:
        return
    if item.correct_id and (finding.correct.strip() or finding.verdict != "wrong"):
        contacts.end(session, [item.correct_id], "withdrawn", action="contact.withdrawn")
        item.correct_id = None
    item.verdict, item.audited_by_id, item.audited_at = finding.verdict, staff.id, moment
    item.checked_by_id = item.checked_at = None
    if finding.correct.strip():
        item.correct_id = _propose(session, item, finding, staff)


def _propose(session: Session, item: AuditItem, finding: Finding, staff: Staff) -> int:
    """The right value that was found, as a proposal in place of the recorded one."""
    text = finding.correct.strip()[:LONGEST]
    verdict = judge_in(session, item.unit_id, item.kind, text)
    if verdict.verdict in (MISSING, INVALID):
        raise Refused("户号 %(account)s 填的正确值不能用。请核对后再填。", account=item.customer.account_no)
    answer = Answer(item.kind, "new", text, contact_id=item.contact_id)
    origin = Origin("audit", evidence=finding.evidence.strip()[:200], recorder_id=staff.id)
    drafts = drafts_of(session, item.customer, answer, verdict=verdict, origin=origin)
    return contacts.record(session, drafts).ids[0]


def _entry(item: AuditItem, finding: Finding, staff: Staff, moment: datetime) -> dict[str, Any]:
    facts = {
        "item_id": item.id,
        "customer_id": item.customer_id,
        "unit_id": item.unit_id,
        "staff_id": staff.id,
    }
    texts = {"reason": finding.reason.strip()[:200], "evidence": finding.evidence.strip()[:200]}
    return facts | texts | {"mode": finding.mode, "verdict": finding.verdict, "at": moment}


def _trace(session: Session, action: str, items: Iterable[AuditItem], details: Mapping[str, Any]) -> None:
    """One trace a customer: which items; never their values."""
    session.flush()
    customers: dict[int, list[AuditItem]] = {}
    for item in items:
        customers.setdefault(item.customer_id, []).append(item)
    rows = [
        traces.entry(session, action, found[0], details={"items": [item.id for item in found], **details})
        for found in customers.values()
    ]
    traces.record_all(session, rows)
