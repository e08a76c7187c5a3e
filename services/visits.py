"""Visits: made by rule from failures, assigned by territory, their results recorded, given back with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import case, insert, select, update
from sqlalchemy.orm import Session

from models import Customer, Reason, Staff, Visit, VisitAttempt
from models.clock import now, today, utcnow
from models.scope import ALL, working_as
from paper.codes import new_token, normalise_token, parse_code
from services import Refused, answers, contacts, outcomes, territories, traces
from services.answers import Answer, Applied, Origin
from services.contacts import Finding

OPEN = ("open", "assigned", "accepted", "not_met")
UNASSIGNED = ("open", "given_back")
MAX_ATTEMPTS = 3
DUE_DAYS = 14


@dataclass(frozen=True)
class Need:
    """Why a door is to be gone to. `letter_id` makes the visit unique: one failed letter, one visit."""

    customer_id: int
    unit_id: int
    origin: str
    reason: str = ""
    campaign_id: int | None = None
    letter_id: int | None = None
    run_id: int | None = None
    due_on: date | None = None


@dataclass(frozen=True)
class Report:
    """What a visitor brings back: a result of the list `visit_result`, and either answers or a note why not."""

    result: str
    answers: tuple[Answer, ...] = ()
    relation: str = ""
    note: str = ""
    form_key: str | None = None


def make_visits(session: Session, needs: Sequence[Need]) -> list[int]:
    """Make and assign a chunk of visits; a customer with an open visit of the same campaign gets no second one."""
    fresh = _without_open(session, needs)
    if not fresh:
        return []
    customers = {row.id: row for row in _customers(session, [need.customer_id for need in fresh])}
    walking = territories.walkers(session)
    due = today(session) + timedelta(days=DUE_DAYS)
    rows = [
        _visit(need, customers[need.customer_id], due, staff_id=walking.choose(customers[need.customer_id]))
        for need in fresh
    ]
    ids = list(session.scalars(insert(Visit).returning(Visit.id, sort_by_parameter_order=True), rows))
    traces.record_all(session, [_trace(session, key, row) for key, row in zip(ids, rows, strict=True)])
    return ids


def assign(session: Session, visit_ids: Sequence[int], *, staff_id: int) -> int:
    """Give visits to one person, given-back ones too; returns how many. Visits that ended stay as they are."""
    query = update(Visit).where(Visit.id.in_(visit_ids), Visit.state.in_((*OPEN, "given_back")))
    # what was given as the reason for giving back has done its work when somebody else goes
    hint = case((Visit.state == "given_back", ""), else_=Visit.hint)
    values = {
        "staff_id": staff_id,
        "state": "assigned",
        "assigned_at": utcnow(),
        "walk_list_id": None,
        "hint": hint,
    }
    return session.execute(query.values(**values)).rowcount  # type: ignore[attr-defined,no-any-return]


def assign_open(session: Session, visit_ids: Sequence[int]) -> int:
    """Assign by territory what has nobody yet; returns how many found somebody."""
    rows = session.scalars(select(Visit).where(Visit.id.in_(visit_ids), Visit.state.in_(UNASSIGNED))).all()
    walking = territories.walkers(session)
    customers = {row.id: row for row in _customers(session, [row.customer_id for row in rows])}
    for row in rows:
        row.staff_id = walking.choose(customers[row.customer_id])
        if row.staff_id is not None:
            row.hint = "" if row.state == "given_back" else row.hint
            row.state, row.assigned_at = "assigned", utcnow()
    return sum(row.staff_id is not None for row in rows)


def accept(session: Session, visit: Visit) -> None:
    """Sign for a visit (签收)."""
    if visit.state != "assigned":
        raise Refused("这项走访任务已签收或已结束，请刷新列表。")
    visit.state = "accepted"
    traces.record(session, "visit.accepted", visit)


def give_back(session: Session, visit: Visit, *, reason: str) -> None:
    """Give a visit back with a reason; it waits for the station head to assign it anew."""
    _must_be_open(visit)
    if not reason.strip():
        raise Refused("退回走访任务要写明原因，方便所长重新安排。")
    traces.record(session, "visit.given_back", visit, details={"staff": visit.staff_id})
    visit.state, visit.hint = "given_back", reason.strip()[:120]
    visit.staff_id, visit.walk_list_id = None, None


def record_visit(session: Session, visit: Visit, report: Report, *, staff: Staff) -> Applied:
    """Record one time at the door, in the visitor's name: reached and answers, or not reached and why.

    The same `form_key` twice records once. A face-to-face answer confirms; one by proxy does not.
    """
    if report.form_key and _is_recorded(session, report.form_key):
        return Applied()
    _must_be_open(visit)
    consequences = _consequences(session, report)
    with working_as(session, ALL):
        customer = session.get_one(Customer, visit.customer_id)
        _write_attempt(session, visit, report, staff)
        applied = answers.apply_answers(
            session, customer, report.answers, _origin(visit, report, consequences)
        )
        if consequences.get("refutes_address"):
            _refute_address(session, visit, report.result)
        _close_or_come_again(session, visit, report, consequences)
        if visit.campaign_id is not None and visit.ended_at is not None:
            outcomes.decide(session, visit.campaign_id, [visit.customer_id], str(consequences["outcome"]))
        traces.record(session, f"visit.{report.result}", visit, details={"attempt": visit.attempts})
    return applied


def close_open(session: Session, visit_ids: Sequence[int]) -> int:
    """Cancel what is still open when a round ends; returns how many."""
    query = update(Visit).where(Visit.id.in_(visit_ids), Visit.state.in_(OPEN + ("given_back",)))
    return session.execute(query.values(state="cancelled", ended_at=utcnow())).rowcount  # type: ignore[attr-defined,no-any-return]


def visit_by_code(session: Session, text: str) -> Visit:
    """The visit that a scanned or typed code means, if the session may see it."""
    code = parse_code(text)
    token = code.token if code and code.kind in ("", "V") else normalise_token(text)
    found = session.scalar(select(Visit).where(Visit.token == token)) if token else None
    if found is None:
        raise Refused("没有这个走访任务码，或不在您的任务里。请对照走访清单重新扫描或输入。")
    return found


def _without_open(session: Session, needs: Sequence[Need]) -> list[Need]:
    ids = [need.customer_id for need in needs]
    with working_as(session, ALL):
        rows = session.execute(
            select(Visit.customer_id, Visit.campaign_id, Visit.letter_id, Visit.state).where(
                Visit.customer_id.in_(ids)
            )
        ).all()
    waiting = {(row.customer_id, row.campaign_id) for row in rows if row.state in OPEN}
    letters = {row.letter_id for row in rows if row.letter_id is not None}
    fresh: dict[tuple[int, int | None], Need] = {}
    for need in needs:
        if (need.customer_id, need.campaign_id) not in waiting and need.letter_id not in letters:
            fresh.setdefault((need.customer_id, need.campaign_id), need)
    return list(fresh.values())


def _customers(session: Session, ids: Sequence[int]) -> Sequence[Customer]:
    with working_as(session, ALL):
        return session.scalars(select(Customer).where(Customer.id.in_(ids))).all()


def _visit(need: Need, customer: Customer, due: date, *, staff_id: int | None) -> dict[str, Any]:
    return asdict(need) | {
        "due_on": need.due_on or due,
        "staff_id": staff_id,
        "state": "assigned" if staff_id else "open",
        "assigned_at": utcnow() if staff_id else None,
        "token": new_token(),
        "hint": customer.sensitivity if customer.sensitivity != "normal" else "",
        "created_at": utcnow(),
    }


def _trace(session: Session, visit_id: int, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": utcnow(),
        "actor_id": traces.actor_id(session),
        "action": "visit.made",
        "object": Visit.__tablename__,
        "object_id": visit_id,
        "customer_id": row["customer_id"],
        "unit_id": row["unit_id"],
        "details": {"origin": row["origin"], "reason": row["reason"]},
    }


def _must_be_open(visit: Visit) -> None:
    if visit.state not in OPEN or visit.ended_at is not None:
        raise Refused("这项走访任务已经结束或取消，不能再录入结果。请刷新列表。")


def _is_recorded(session: Session, form_key: str) -> bool:
    return session.scalar(select(VisitAttempt.id).where(VisitAttempt.form_key == form_key)) is not None


def _consequences(session: Session, report: Report) -> dict[str, Any]:
    reason = session.scalar(select(Reason).where(Reason.list == "visit_result", Reason.code == report.result))
    if reason is None:
        raise Refused("走访结果「%(result)s」不在清单里。请从走访结果中选择一项。", result=report.result)
    if report.answers and not reason.consequences.get("reached"):
        raise Refused("结果为“%(label)s”时不能同时填写客户的答复。请只保留其中一种。", label=reason.label)
    return reason.consequences


def _write_attempt(session: Session, visit: Visit, report: Report, staff: Staff) -> None:
    given = [{"kind": answer.kind, "reply": answer.reply} for answer in report.answers]
    attempt = VisitAttempt(
        visit_id=visit.id,
        customer_id=visit.customer_id,
        unit_id=visit.unit_id,
        staff_id=staff.id,
        at=now(session),
        result=report.result,
        note=report.note,
        answers={"given": given, "relation": report.relation},
        form_key=report.form_key,
    )
    session.add(attempt)
    visit.attempts += 1
    session.flush()


def _origin(visit: Visit, report: Report, consequences: dict[str, Any]) -> Origin:
    return Origin(
        source="visit",
        method="visit" if consequences.get("confirms") else "",
        evidence=f"visit:{visit.token}",
        recorder_id=visit.staff_id,
        credited_id=visit.staff_id,
        relation=report.relation,
    )


def _refute_address(session: Session, visit: Visit, result: str) -> None:
    """The door that was gone to is wrong: its address cannot be used any more."""
    rows = contacts.usable(session, [visit.customer_id], ["supply_address"])[:1]
    evidence = f"visit:{visit.token}"
    contacts.confirm(
        session, [Finding(row.id, "refuted", "visit", result, evidence, visit.staff_id) for row in rows]
    )


def _close_or_come_again(
    session: Session, visit: Visit, report: Report, consequences: dict[str, Any]
) -> None:
    visit.result = report.result
    again = consequences.get("retry_after_days")
    if again and visit.attempts < MAX_ATTEMPTS:
        visit.state, visit.next_on, visit.walk_list_id = (
            "not_met",
            today(session) + timedelta(days=int(again)),
            None,
        )
        return
    visit.state = "done" if consequences.get("reached") else "not_met"
    visit.next_on, visit.ended_at = None, now(session)
