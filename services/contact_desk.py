"""What the counter and the hotline do with one contact: a new value, an end, a finding; each through the one way in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, ContactKind, Customer, Staff
from models.clock import now
from models.words import N_, Said
from quality.verdicts import INVALID, MISSING, REASONS
from services import Refused, contacts, traces
from services.answers import Answer, Origin, drafts_of
from services.contacts import Draft, Finding, Recorded
from services.judging import judge_in
from services.people import require

SOURCES = ("counter", "hotline")
METHODS = ("call", "visit")
LONGEST = 400


@dataclass(frozen=True)
class NewValue:
    """A value that a customer gave at a desk; `replaces_id` is the version it takes the place of, else it is added."""

    kind: str
    text: str
    source: str
    purpose: str = ""
    relation: str = ""
    evidence: str = ""
    replaces_id: int | None = None


def add_value(session: Session, customer: Customer, value: NewValue, *, staff: Staff) -> Recorded:
    """Record a value from the counter or the hotline; the policy settles it or sends it to a person.

    What is missing or unusable is refused here, where the customer can still be asked.
    """
    require(staff, "contacts.edit")
    if value.source not in SOURCES or session.get(ContactKind, value.kind) is None:
        raise Refused("来源渠道或联系信息种类不对，请刷新页面后重新填写。")
    text = value.text.strip()[:LONGEST]
    verdict = judge_in(session, customer.unit_id, value.kind, text)
    if verdict.verdict in (MISSING, INVALID):
        sentences = [REASONS[code] for code in verdict.reasons] or [N_("填的内容不能用。")]
        raise Refused("没有保存：%(why)s请向客户问清楚后再填。", why=Said.joined(sentences, joint=""))
    origin = Origin(
        value.source, evidence=value.evidence.strip()[:200], recorder_id=staff.id, relation=value.relation
    )
    answer = Answer(value.kind, "new", text, value.purpose, contact_id=value.replaces_id)
    found = drafts_of(session, customer, answer, verdict=verdict, origin=origin)
    drafts = [draft if value.replaces_id else draft._replace(replaces_id=None) for draft in found]
    _refuse_known(session, customer, drafts)
    return contacts.record(session, drafts)


def propose_end(session: Session, contact: Contact, *, staff: Staff, source: str, evidence: str) -> Recorded:
    """Propose that a current value is used no longer; it stays in the history."""
    require(staff, "contacts.edit")
    if contact.state != "current":
        raise Refused("这个值已经不是现用的了，请刷新页面。")
    if _waiting_end(session, contact):
        raise Refused("已经有人申请停用这个值，正在等待审核。")
    draft = Draft(
        customer_id=contact.customer_id,
        unit_id=contact.unit_id,
        kind=contact.kind,
        raw="",
        value="",
        verdict=MISSING,
        source=source if source in SOURCES else "counter",
        purpose=contact.purpose,
        evidence=evidence.strip()[:200],
        recorder_id=staff.id,
        recorded_at=now(session),
        replaces_id=contact.id,
    )
    return contacts.record(session, [draft])


def report_finding(session: Session, contact: Contact, finding: Finding, *, staff: Staff) -> None:
    """Write that a value was found right or wrong by a call or face to face; a call names its recording or order."""
    require(staff, "contacts.edit")
    if finding.method not in METHODS or finding.result not in ("confirmed", "refuted"):
        raise Refused("核实方式不对，请刷新页面后重新选择。")
    if not finding.evidence.strip():
        raise Refused("请填写佐证：通话的录音编号或工单号，或者面见的证件核对情况。")
    if contact.state != "current":
        raise Refused("这个值已经不是现用的了，请刷新页面。")
    contacts.confirm(session, [replace(finding, credited_id=staff.id)])


def reveal(
    session: Session, customer: Customer, contact_ids: list[int], *, staff: Staff, purpose: str
) -> None:
    """Write down that somebody looks at plain values of a customer, and what for; none means the name as well."""
    require(staff, "customers.reveal")
    details = {"purpose": purpose, "contacts": contact_ids or "all"}
    traces.record(session, "customer.revealed", customer, customer_id=customer.id, details=details)


def _refuse_known(session: Session, customer: Customer, drafts: list[Draft]) -> None:
    query = select(Contact.kind, Contact.value, Contact.extension, Contact.state).where(
        Contact.customer_id == customer.id, Contact.state.in_(("current", "proposed"))
    )
    known = {(row.kind, row.value, row.extension): row.state for row in session.execute(query)}
    states = {known.get((draft.kind, draft.value, draft.extension)) for draft in drafts if draft.value}
    if states and states <= {"current", "proposed"}:
        word = N_("正在等待审核") if "proposed" in states else N_("已经是现用的")
        raise Refused("客户已有这个值（%(word)s），不用再填。", word=word)


def _waiting_end(session: Session, contact: Contact) -> bool:
    query = select(Contact.id).where(
        Contact.replaces_id == contact.id, Contact.state == "proposed", Contact.raw == ""
    )
    return session.scalar(query.limit(1)) is not None
