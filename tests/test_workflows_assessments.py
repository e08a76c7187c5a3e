"""The assessment carried by the engine: counted, kept, and its issues followed chunk by chunk."""

from __future__ import annotations

from datetime import datetime

import pytest
from factories import make_customer, make_staff, make_unit
from sqlalchemy import select

from models import Assessment, CustomerVersion, Issue, Publication, Report, RuleResult, Task
from models.clock import ZONE, move_to, utcnow
from services import files, issues, publication_checks
from workflows import engine, runs
from workflows import issues as steps
from workflows.tasks import decide_task


@pytest.fixture
def bureau(session):
    """A station with customers without any contact, and who may assess it."""
    move_to(session, datetime(2026, 11, 20, 12, tzinfo=ZONE))
    unit = make_unit(session)
    for _number in range(3):
        row = make_customer(session, unit)
        facts = {"customer_class": row.customer_class, "opened_on": row.opened_on, "valid_from": utcnow()}
        session.add(CustomerVersion(customer_id=row.id, unit_id=unit.id, **facts))
    return session, unit, make_staff(session, "data_steward", unit)


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


def published(session, unit, staff, head, **options):
    """A run that assesses, is decided on by the head, and ends."""
    values = {"assess.period": "2026-11", "assess.unit": unit.code, **options}
    run = runs.start(session, "publish_month", values, staff)
    session.commit()
    engine.drain()
    task = session.scalars(select(Task).where(Task.state == "open", Task.run_id == run.id)).one()
    decide_task(session, task, head, "agree")
    session.commit()
    engine.drain()
    session.expire_all()
    return run


@pytest.mark.slow
def test_a_month_is_assessed_published_by_another_and_reported(bureau):
    session, unit, staff = bureau
    head = make_staff(session, "department_head", unit)
    run = published(session, unit, staff, head)
    made = session.scalars(select(Publication)).one()
    assert run.state == "done" and run.facts["publish"]["number"] == made.number
    assert made.published_by_id == head.id and made.assessment.state == "locked"
    report = session.scalars(select(Report)).one()
    assert (report.unit_id, report.period, report.is_draft) == (unit.id, "2026-11", False)


@pytest.mark.slow
def test_publishing_a_month_again_needs_the_reason_of_the_correction(bureau):
    session, unit, staff = bureau
    head = make_staff(session, "department_head", unit)
    published(session, unit, staff, head)
    failed = published(session, unit, staff, head)
    assert failed.state == "failed" and len(session.scalars(select(Publication)).all()) == 1
    mended = published(session, unit, staff, head, **{"publish.reason": "漏导一批"})
    assert mended.state == "done" and len(session.scalars(select(Publication)).all()) == 2


@pytest.mark.slow
def test_a_changed_file_of_a_publication_is_found_at_night(bureau, shell):
    session, unit, staff = bureau
    published(session, unit, staff, make_staff(session, "department_head", unit))
    made = session.scalars(select(Publication)).one()
    looked = publication_checks.last_look(session, made)
    assert looked.ok and publication_checks.is_untouched(made, looked)
    path = files.location(made.sha256)
    path.write_bytes(path.read_bytes().replace(b'"customers":3', b'"customers":4'))
    assert not publication_checks.is_untouched(made, looked) and publication_checks.wrong(session) == []
    run = runs.start(session, "check_counts", {}, shell)
    session.commit()
    engine.drain()
    session.expire_all()
    assert run.facts["published"] == {"looked": 1, "wrong": 1, "planned": {}}
    assert publication_checks.wrong(session) == [made.number]
    assert publication_checks.shown(session, made)["customers"] == 3
