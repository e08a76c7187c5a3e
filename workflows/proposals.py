"""The step that settles proposals of chosen sources and verdicts in the name of the run's owner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, Staff
from models.clock import utcnow
from models.words import N_, SOURCES, VERDICTS
from services import Refused, proposals
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked

AT_ONCE = 200  # one transaction; whatever policies hold back refuses its whole chunk, with the reason

Source = Literal[
    "cleanup", "import", "returned_form", "visit", "third_party", "hotline", "counter", "self_service"
]
Verdict = Literal["valid", "repairable", "suspect", "invalid"]


class SettleProposals(Options):
    """Which proposals are decided, and how."""

    decision: Literal["approve", "refuse"] = asked(
        N_("怎么办理"), "approve", labels={"approve": N_("审核通过"), "refuse": N_("驳回")}
    )
    reason: str = asked(N_("驳回原因"), "", choices="proposal_reasons", shown_if={"decision": "refuse"})
    sources: tuple[Source, ...] = asked(N_("哪些来源"), ("cleanup",), labels=SOURCES, min_length=1)
    verdicts: tuple[Verdict, ...] = asked(N_("哪些判定"), ("valid",), labels=VERDICTS, min_length=1)
    kinds: tuple[str, ...] = asked(N_("哪些信息"), (), choices="kinds", help=N_("不选为全部。"))
    waited_days: int = asked(
        N_("至少等了多少天"),
        0,
        ge=0,
        le=3660,
        help=N_("流程负责人自己提出的不会由他办理；自动审核规则另有要求的也不办理。"),
    )
    most: int = asked(N_("一次最多办理多少条"), 10_000, ge=1, le=1_000_000)


def plan_settle_proposals(session: Session, options: SettleProposals, facts: Facts) -> Planned:
    """The proposals that fit, without those the owner has put in; a chunk an item."""
    owner = facts["run"].get("owner_id")
    query = select(Contact.id, Contact.recorder_id, Contact.proposer_id).where(
        Contact.state == "proposed",
        Contact.source.in_(options.sources),
        Contact.verdict.in_(options.verdicts),
        Contact.created_at <= utcnow() - timedelta(days=options.waited_days),
    )
    if options.kinds:
        query = query.where(Contact.kind.in_(options.kinds))
    rows = session.execute(query.order_by(Contact.id).limit(options.most)).all()
    ids = [row.id for row in rows if owner not in (row.recorder_id, row.proposer_id)]
    chunks = [ids[place : place + AT_ONCE] for place in range(0, len(ids), AT_ONCE)]
    return Planned(
        [{"contact_ids": chunk} for chunk in chunks], {"proposals": len(ids), "own": len(rows) - len(ids)}
    )


def settle_proposals(options: SettleProposals, facts: Facts, items: Sequence[Item]) -> Effects:
    """Decide one chunk in the owner's name."""
    (item,) = items
    given = {"decision": options.decision, "reason": options.reason, "staff_id": facts["run"]["owner_id"]}
    return Effects(calls=[Call(decide, {"contact_ids": item["contact_ids"], **given})])


def decide(
    session: Session, contact_ids: Sequence[int], *, decision: str, reason: str, staff_id: int
) -> dict[str, Any]:
    """Approve or refuse those of a chunk that still wait; what is held back stays, and is counted with the reason."""
    waiting = select(Contact.id).where(Contact.id.in_(contact_ids), Contact.state == "proposed")
    ids = session.scalars(waiting.order_by(Contact.id)).all()
    staff = session.get_one(Staff, staff_id)
    if not ids:
        return {}
    try:
        with session.begin_nested():
            if decision == "approve":
                return {"approved": proposals.approve(session, ids, staff=staff)}
            return {"refused": proposals.refuse(session, ids, staff=staff, reason=reason)}
    except Refused as refusal:
        return {"held": len(ids), "why": str(refusal)}
