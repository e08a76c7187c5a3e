"""Acceptance of batches: the plan of the standard, a draw by tokens, four eyes, and a severity with a memory."""

import pytest
from factories import draft_of, make_contacts, make_customer, make_staff
from sqlalchemy import select

from models import AuditItem, Contact, ImportBatch
from models.clock import now, utcnow
from quality.sampling import draw_key, token
from services import Refused, audits, batch_audits
from services.audits import Finding


@pytest.fixture
def steward(session):
    return make_staff(session, "data_steward")


@pytest.fixture
def auditors(session):
    return make_staff(session, "auditor"), make_staff(session, "auditor")


def make_batch(session, steward, values=8):
    batch = ImportBatch(unit_id=steward.unit_id, recorder_id=steward.id, file_name="x.csv", state="done")
    batch.created_at = utcnow()
    session.add(batch)
    session.flush()
    customer = make_customer(session)
    facts = {"batch_id": batch.id, "recorder_id": steward.id}
    make_contacts(session, [draft_of(session, customer, **facts) for _place in range(values)])
    return batch


def judge(session, audit, auditors, wrong=0, verdict="wrong"):
    found = batch_audits.items_of(session, audit)
    findings = {
        item.id: Finding("call", verdict if place < wrong else "right") for place, item in enumerate(found)
    }
    audits.key(session, findings, staff=auditors[0])
    audits.check(session, list(findings), staff=auditors[1])
    return batch_audits.decide(session, audit, staff=auditors[1])


def test_plan_and_draw_follow_the_standard(session, steward, auditors):
    batch = make_batch(session, steward)
    audit = batch_audits.draw(session, batch, 6.5, staff=auditors[0])
    assert (audit.population, audit.letter, audit.size, audit.accepts, audit.rejects) == (8, "A", 2, 0, 1)
    key, ids = draw_key(audit.seed, str(batch.id)), session.scalars(select(Contact.id)).all()
    expected = sorted(ids, key=lambda one: token(key, f"batch|{batch.id}|{one}"))[:2]
    assert session.scalars(select(AuditItem.contact_id).order_by(AuditItem.id)).all() == expected


@pytest.mark.parametrize(
    ("wrong", "verdict", "accepted"), [(0, "wrong", True), (1, "wrong", False), (1, "unverifiable", False)]
)
def test_batch_is_accepted_or_returned(session, steward, auditors, wrong, verdict, accepted):
    audit = batch_audits.draw(session, make_batch(session, steward), 6.5, staff=auditors[0])
    assert judge(session, audit, auditors, wrong, verdict) is accepted
    assert (audit.state, audit.wrong) == ("accepted" if accepted else "returned", wrong)
    with pytest.raises(Refused, match="已有验收结论"):
        batch_audits.decide(session, audit, staff=auditors[1])


def test_whoever_brought_the_batch_does_not_judge_it(session, steward, auditors):
    batch = make_batch(session, steward)
    audit = batch_audits.draw(session, batch, 6.5, staff=auditors[0])
    steward.roles = auditors[0].roles
    item = batch_audits.items_of(session, audit)[0]
    with pytest.raises(Refused, match="不能由本人核查"):
        audits.key(session, {item.id: Finding("call", "right")}, staff=steward)


def test_no_conclusion_before_all_is_checked(session, steward, auditors):
    audit = batch_audits.draw(session, make_batch(session, steward), 6.5, staff=auditors[0])
    with pytest.raises(Refused, match="还有 2 项"):
        batch_audits.decide(session, audit, staff=auditors[1])


@pytest.mark.parametrize(
    ("change", "aql", "why"),
    [({"state": "running"}, 6.5, "已完成导入"), ({}, 3.0, "接收质量限"), ({}, 6.5, "不到两个值")],
)
def test_draw_is_refused(session, steward, auditors, change, aql, why):
    batch = make_batch(session, steward, values=1)
    for name, value in change.items():
        setattr(batch, name, value)
    with pytest.raises(Refused, match=why):
        batch_audits.draw(session, batch, aql, staff=auditors[0])


def test_second_draw_is_refused(session, steward, auditors):
    batch = make_batch(session, steward)
    batch_audits.draw(session, batch, 6.5, staff=auditors[0])
    with pytest.raises(Refused, match="已经抽过样"):
        batch_audits.draw(session, batch, 6.5, staff=auditors[0])


def settle(session, audit, state):
    audit.state, audit.decided_at = state, now(session)
    audit.wrong = 0 if state == "accepted" else audit.rejects
    session.flush()


@pytest.mark.parametrize(("history", "severity"), [("+-+-", "tightened"), ("+-", "normal"), ("", "normal")])
def test_severity_remembers_the_senders_batches(session, steward, auditors, history, severity):
    for mark in history:
        audit = batch_audits.draw(session, make_batch(session, steward, values=2), 6.5, staff=auditors[0])
        settle(session, audit, "accepted" if mark == "+" else "returned")
    offer = batch_audits.plan_for(session, make_batch(session, steward, values=8), 6.5)
    assert (offer.severity, offer.number) == (severity, 8)
    assert offer.plan.letter == {"normal": "A", "tightened": "B"}[severity]


def test_stopped_sender_is_refused(session, steward, auditors):
    for _place in range(7):
        audit = batch_audits.draw(session, make_batch(session, steward, values=2), 6.5, staff=auditors[0])
        settle(session, audit, "returned")
    with pytest.raises(Refused, match="暂停按抽样验收"):
        batch_audits.plan_for(session, make_batch(session, steward), 6.5)


@pytest.mark.slow
def test_reduced_inspection_is_chosen_once_the_score_allows_it(session, steward, auditors):
    for _place in range(15):
        batch = make_batch(session, steward, values=2)
        with pytest.raises(Refused, match="转移得分"):
            batch_audits.plan_for(session, batch, 6.5, reduced=True)
        settle(session, batch_audits.draw(session, batch, 6.5, staff=auditors[0]), "accepted")
    audit = batch_audits.draw(
        session, make_batch(session, steward, values=60), 6.5, staff=auditors[0], reduced=True
    )
    assert (audit.inspection, audit.letter, audit.size, audit.accepts) == ("reduced", "E", 5, 1)
    settle(session, audit, "returned")
    following = make_batch(session, steward)
    assert batch_audits.standing(session, following).severity == "normal"
    with pytest.raises(Refused, match="得分是 0"):
        batch_audits.plan_for(session, following, 6.5, reduced=True)
