"""What waits for a person: proposals are approved, or refused with a reason, never by who brought them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Contact, Reason, Staff
from models.clock import utcnow
from services import Refused, batch_changes, contacts, events, policies
from services.people import require

CONTACTS = Contact.__table__


def approve(session: Session, contact_ids: Sequence[int], *, staff: Staff) -> int:
    """Settle proposals; all or none. Refused when one is one's own, decided already, or not to be seen."""
    _check(session, contact_ids, staff)
    _check_policies(session, contact_ids, staff)
    number = contacts.settle(session, contact_ids, action="proposal.approved")
    batch_changes.follow(session, contact_ids, "applied")
    return number


def refuse(session: Session, contact_ids: Sequence[int], *, staff: Staff, reason: str) -> int:
    """Refuse proposals with a reason of the list `proposal_refused`."""
    known = session.scalar(select(Reason.id).where(Reason.list == "proposal_refused", Reason.code == reason))
    if known is None:
        raise Refused("驳回原因「%(reason)s」不在清单里。请从驳回原因中选择一项。", reason=reason)
    _check(session, contact_ids, staff)
    number = contacts.end(session, contact_ids, "refused", action="proposal.refused")
    decided = {"refused_reason": reason, "decided_by_id": staff.id, "decided_at": utcnow()}
    session.execute(update(Contact).where(Contact.id.in_(contact_ids)).values(**decided))
    batch_changes.follow(session, contact_ids, "refused")
    whose = session.execute(select(Contact.unit_id, Contact.customer_id).where(Contact.id.in_(contact_ids)))
    events.happened_to(session, "proposal_refused", whose.tuples(), {"reason": reason})
    return number


def _check(session: Session, contact_ids: Sequence[int], staff: Staff) -> None:
    require(staff, "proposals.approve")
    columns = (Contact.recorder_id, Contact.proposer_id, Contact.state)
    rows = session.execute(select(*columns).where(Contact.id.in_(contact_ids))).all()
    if len(rows) != len(set(contact_ids)):
        raise Refused("有的变更申请找不到，可能不在您的单位范围内。请刷新列表后重试。")
    if any(row.state != "proposed" for row in rows):
        raise Refused("有的变更申请已经处理过。请刷新列表后重试。")
    if any(staff.id in (row.recorder_id, row.proposer_id) for row in rows):
        raise Refused("不能审核自己录入或提出的变更申请，请由其他人员审核。")


def _check_policies(session: Session, contact_ids: Sequence[int], staff: Staff) -> None:
    """Refuse what the policies leave to another role or unit level, or to another day."""
    rows = {row.id: row for row in session.execute(select(CONTACTS).where(CONTACTS.c.id.in_(contact_ids)))}
    meets = policies.met(session, rows)
    facts = {(row.source, row.kind, row.verdict, meets[key]) for key, row in rows.items()}
    held = {fact: policies.check_approver(session, staff, fact) for fact in facts}
    used = [held[row.source, row.kind, row.verdict, meets[key]] for key, row in rows.items()]
    policies.count_approvals(session, staff, [rule for rule in used if rule is not None])
