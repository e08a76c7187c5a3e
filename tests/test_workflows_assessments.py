"""The assessment carried by the engine: counted, kept, and its issues followed chunk by chunk."""

from __future__ import annotations

from datetime import datetime

import pytest
from factories import make_customer, make_staff, make_unit
from sqlalchemy import select

from models import Assessment, CustomerVersion, Issue, RuleResult
from models.clock import ZONE, move_to, utcnow
from services import issues
from workflows import engine, runs
from workflows import issues as steps


@pytest.fixture
def bureau(session):
    """A station with customers without any contact, and who may assess it."""
    move_to(session, datetime(2026, 11, 20, 12, tzinfo=ZONE))
    unit = make_unit(session)
    for _number in range(3):
        row = make_customer(session, unit)
        facts = {"customer_class": row.customer_class, "opened_on": row.opened_on, "valid_from": utcnow()}
        session.add(CustomerVersion(customer_id=row.id, unit_id=unit.id, **facts))
    return session, unit, make_staff(session, "data_steward")


def carried(session, unit, staff, **options):
    values = {"assess.period": "2026-11", "assess.unit": unit.code, **options}
    run = runs.start(session, "assessment", values, staff)
    session.commit()
    engine.drain()
    session.expire_all()
    return run


def test_an_assessment_opens_its_issues_in_chunks(bureau, monkeypatch):
    session, unit, staff = bureau
    monkeypatch.setattr(issues, "CHUNK", 2)
    run = carried(session, unit, staff)
    assert run.state == "done"
    kept = session.scalars(select(Assessment)).one()
    found = session.scalars(select(Issue)).all()
    assert {(one.state, one.opened_run_id) for one in found} == {("open", kept.id)}
    failing = list(issues.failing(session, kept))
    assert len(found) == len(failing) > 3 and session.scalars(select(RuleResult)).first() is not None


def test_a_chunk_may_be_written_twice(bureau):
    session, unit, staff = bureau
    carried(session, unit, staff)
    run_id = session.scalars(select(Assessment.id)).one()
    items = list(steps.plan_follow_issues(session, steps.Options(), {"run": {"assessment_id": run_id}}).items)
    for call in steps.follow_issues(steps.Options(), {}, items).calls:
        call.service(session, **call.kwargs)
    assert {one.times for one in session.scalars(select(Issue))} == {1}
    assert not list(steps.plan_follow_issues(session, steps.Options(), {"run": {}}).items)


def test_a_run_that_meets_nothing_fails_with_its_reason_unless_allowed(session):
    staff, unit = make_staff(session, "data_steward"), make_unit(session)
    run = carried(session, unit, staff)
    assert run.state == "failed" and "手机已录入" in run.message
    assert carried(session, unit, staff, **{"assess.allow_empty": "true"}).state == "done"
