"""What people decide about issues: check again after mending, clear, waive, take a waiver back; never one's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Issue, Reason, Rule, Staff
from models.clock import now, period_of, today, utcnow
from models.issues import PENDING
from models.people import root_unit
from models.rules import rules_at
from models.scope import ALL, working_as
from services import Refused, traces
from services.assessed import frame_of, items_for
from services.people import require
from services.rules import judges, needing

REASONS = "waived"
MOST = 1000


def recheck(session: Session, issue_ids: Collection[int], *, staff: Staff) -> tuple[int, int]:
    """Judge the records of some issues as they stand now: returns how many are mended, and how many still fail."""
    require(staff, "issues.edit")
    rows = _picked(session, issue_ids, (*PENDING, "fixed"))
    wrong = still_wrong(session, rows)
    mended = [row for row in rows if row.id not in wrong]
    _change(session, [row for row in mended if row.state != "fixed"], "fixed", "issue.fixed")
    failing_again = [row for row in rows if row.id in wrong and row.state == "fixed"]
    _change(session, failing_again, "open", "issue.reopened")
    return len(mended), len(wrong)


def clear(session: Session, issue_ids: Collection[int], *, staff: Staff) -> int:
    """Take mended issues off the list after checking them once more (销号); returns how many."""
    require(staff, "issues.approve")
    rows = _picked(session, issue_ids, (*PENDING, "fixed"))
    _refuse_own(rows, staff)
    wrong = still_wrong(session, rows)
    if wrong:
        raise Refused(
            "没有销号：%(number)s 条复核后仍有问题。请先整改，或取消勾选它们后再销号。", number=len(wrong)
        )
    _change(session, rows, "cleared", "issue.cleared", staff=staff)
    return len(rows)


def waive(session: Session, issue_ids: Collection[int], reason: str, *, staff: Staff, note: str = "") -> int:
    """Leave issues out of the assessment with a reason (免考核), from the next run on; returns how many."""
    require(staff, "issues.approve")
    known = session.scalar(select(Reason.id).where(Reason.list == REASONS, Reason.code == reason))
    if known is None:
        raise Refused("请选择免考核的原因。")
    rows = _picked(session, issue_ids, PENDING)
    _refuse_own(rows, staff)
    for row in rows:
        row.waived_reason, row.note = reason, note.strip()[:200]
    _change(session, rows, "waived", "issue.waived", staff=staff)
    return len(rows)


def reinstate(session: Session, issue_ids: Collection[int], *, staff: Staff) -> int:
    """Take waivers back: the issues are open again and count from the next run on."""
    require(staff, "issues.approve")
    rows = _picked(session, issue_ids, ("waived",))
    for row in rows:
        row.waived_reason = row.note = ""
    _change(session, rows, "open", "issue.reopened", staff=staff)
    return len(rows)


def still_wrong(session: Session, rows: Sequence[Issue]) -> set[int]:
    """The issues among these whose records fail their rule now; a rule that no longer holds finds nothing wrong."""
    if not rows:
        return set()
    codes = {row.rule_code for row in rows}
    frame = frame_of(session, period_of(today(session)), root_unit(session).id, now(session))
    rules = [rule for rule in rules_at(session, frame.day) if rule.code in codes]
    customers = {row.customer_id for row in rows}
    failing: set[tuple[int, str, str]] = set()
    with working_as(session, ALL):  # a number may stand on customers that the asking person does not see
        judging = judges(session, frame, rules, customers=customers)
        for item in items_for(session, needing(frame, rules), customers):
            member = judging.judge(item)
            if member is not None:
                wrong = member.failed | member.exempt
                failing |= {(item.customer_id, item.record.kind, code) for code in _codes(rules, wrong)}
    return {row.id for row in rows if (row.customer_id, row.kind, row.rule_code) in failing}


def _codes(rules: Sequence[Rule], bits: int) -> Iterable[str]:
    return (rule.code for at, rule in enumerate(rules) if bits >> at & 1)


def _picked(session: Session, issue_ids: Collection[int], states: tuple[str, ...]) -> Sequence[Issue]:
    """The picked issues in the session's scope, all in one of the states."""
    if not 0 < len(issue_ids) <= MOST:
        raise Refused("请先勾选要处理的问题，一次最多 %(most)s 条。", most=MOST)
    query = select(Issue).where(Issue.id.in_(issue_ids)).order_by(Issue.id).with_for_update()
    rows = session.scalars(query).all()
    if len(rows) < len(set(issue_ids)) or any(row.state not in states for row in rows):
        raise Refused("没有处理：选中的问题里有的状态已经改变，或不适用这项操作。请刷新后重选。")
    return rows


def _refuse_own(rows: Sequence[Issue], staff: Staff) -> None:
    if any(row.owner_id == staff.id for row in rows):
        raise Refused("没有处理：其中有您自己负责整改的问题，要由别人复核或免除。请取消勾选后再试。")


def _change(
    session: Session,
    rows: Sequence[Issue],
    state: str,
    action: str,
    *,
    staff: Staff | None = None,
) -> None:
    for row in rows:
        row.state, row.changed_at = state, utcnow()
        row.decided_by_id = staff.id if staff is not None else None
    session.flush()
    told = [
        traces.entry(session, action, row, details={"rule": row.rule_code, "kind": row.kind} | _reason(row))
        for row in rows
    ]
    traces.record_all(session, told)


def _reason(row: Issue) -> dict[str, str]:
    return {"reason": row.waived_reason} if row.waived_reason else {}
