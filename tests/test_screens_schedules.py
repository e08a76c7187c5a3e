"""Schedules on their page: made in two steps, looked at before, changed, stopped, followed."""

from datetime import datetime, timedelta

import pytest
from browsing import browse
from factories import make_staff, make_unit
from sqlalchemy import select

from models import Event, Run, Schedule
from models.clock import ZONE, move_to, utcnow
from services.workflows import Definition, publish
from workflows import schedules

FORM = {
    "workflow": "test", "name": "每周核对", "rule:every": "week", "rule:weekdays": "1", "rule:at": "08:00",
    "rule:off_days": "run", "rule:day": "1", "rule:workday": "-1", "rule:number": "7", "rule:first": "",
    "rule:cron": "", "missed": "once", "grace_hours": "12", "wait.days": "3",
}  # fmt: skip


@pytest.fixture
def specialist(app, session):
    move_to(session, datetime(2026, 11, 20, 12, 0, tzinfo=ZONE))
    nodes = [{"id": "wait", "wait": {"days": 1, "asked": True}}]
    publish(session, Definition("test", "联系信息核对", "", "workflows.start", nodes, ""), None)
    return browse(app, session, make_staff(session, "service_specialist"))


def test_a_schedule_is_made_in_two_steps_and_looked_at_before(session, specialist):
    assert "还没有定时计划" in specialist.get("/admin/schedules/").text
    assert '<option value="test">' in specialist.get("/admin/schedules/new").text
    assert "rule:weekdays" in specialist.get("/admin/schedules/new?workflow=test").text
    seen = specialist.post("/admin/schedules/new", FORM | {"preview": "1"}).text
    assert "每周一 8:00" in seen and "2026-11-23 08:00" in seen and "2026-12-21 08:00" in seen
    assert session.scalars(select(Schedule)).all() == []
    answer = specialist.post("/admin/schedules/new", FORM)
    row = session.scalars(select(Schedule)).one()
    assert (answer.status_code, answer.location) == (303, f"/admin/schedules/{row.id}")
    assert (row.options, row.missed, row.grace_minutes) == ({"wait.days": "3"}, "once", 720)
    assert "2026-11-23 08:00" in specialist.get(answer.location).text


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(session, specialist):
    unticked = {name: value for name, value in FORM.items() if name != "rule:weekdays"}
    answer = specialist.post("/admin/schedules/new", unticked | {"name": "我的名字"})
    assert answer.status_code == 422 and "请至少选一个周几" in answer.text and "我的名字" in answer.text
    wrong = specialist.post("/admin/schedules/new", FORM | {"wait.days": "x"})
    assert wrong.status_code == 422 and "等待天数" in wrong.text
    assert session.scalars(select(Schedule)).all() == []


def test_a_schedule_is_changed_stopped_and_deleted(session, specialist):
    specialist.post("/admin/schedules/new", FORM)
    row = session.scalars(select(Schedule)).one()
    assert 'value="每周核对"' in specialist.get(f"/admin/schedules/{row.id}/edit").text
    specialist.post(f"/admin/schedules/{row.id}/edit", FORM | {"name": "改名", "rule:weekdays": "3"})
    specialist.post(f"/admin/schedules/{row.id}/switch", {"enabled": ""})
    session.expire_all()
    assert (row.name, row.rule["weekdays"], row.next_at) == ("改名", ["3"], None)
    assert "已停止" in specialist.get("/admin/schedules/").text
    specialist.post(f"/admin/schedules/{row.id}/delete")
    session.expire_all()
    assert session.scalars(select(Schedule)).all() == []


def test_the_list_says_what_was_missed_and_caught_up(session, specialist):
    specialist.post("/admin/schedules/new", FORM | {"rule:weekdays": ["5", "6", "7"]})
    move_to(session, datetime(2026, 11, 22, 9, 0, tzinfo=ZONE))
    session.commit()
    assert schedules.start_due() == 1
    assert "错过 2 次，补跑 1 次" in specialist.get("/admin/schedules/").text
    row = session.scalars(select(Schedule)).one()
    run = session.scalars(select(Run)).one()
    shown = specialist.get(f"/admin/schedules/{row.id}").text
    assert f"/admin/runs/{run.id}" in shown and "已补跑" in shown and "2026-11-27 08:00" in shown
    move_to(session, datetime(2026, 11, 22, 9, 0, tzinfo=ZONE) + timedelta(minutes=1))


def test_a_schedule_starts_by_hand_too(session, specialist):
    specialist.post("/admin/schedules/new", FORM)
    row = session.scalars(select(Schedule)).one()
    answer = specialist.post(f"/admin/schedules/{row.id}/start")
    assert answer.location == f"/admin/runs/{session.scalars(select(Run.id)).one()}"


def test_nobody_sees_or_changes_schedules_of_another_unit(app, session, specialist):
    specialist.post("/admin/schedules/new", FORM)
    row = session.scalars(select(Schedule)).one()
    other = browse(app, session, make_staff(session, "service_specialist", make_unit(session)))
    assert "每周核对" not in other.get("/admin/schedules/").text
    assert other.get(f"/admin/schedules/{row.id}").status_code == 404
    assert other.post(f"/admin/schedules/{row.id}/delete").status_code == 404
    assert session.scalars(select(Schedule.id)).all() == [row.id]


def test_who_may_only_look_changes_nothing(app, session, specialist):
    specialist.post("/admin/schedules/new", FORM)
    row = session.scalars(select(Schedule)).one()
    auditor = browse(app, session, make_staff(session, "auditor"))
    assert "新建定时计划" not in auditor.get("/admin/schedules/").text
    assert auditor.get(f"/admin/schedules/{row.id}").status_code == 200
    for path in ("new", f"{row.id}/edit", f"{row.id}/switch", f"{row.id}/start", f"{row.id}/delete"):
        assert auditor.post(f"/admin/schedules/{path}", FORM).status_code == 403


def test_events_that_came_to_nothing_stand_under_what_needs_somebody(app, session, specialist):
    here, far = make_unit(session), make_unit(session)
    facts = {"name": "import_finished", "at": utcnow(), "attempts": 5, "error": "KeyError"}
    rows = [Event(unit_id=unit.id, **facts) for unit in (here, far, far)]
    session.add_all(rows)
    session.commit()
    page = specialist.get("/admin/attention/").text
    assert page.count("详情在日志里") == 3 and "导入完成" in page
    near = browse(app, session, make_staff(session, "data_steward", here))
    assert near.get("/admin/attention/").text.count("KeyError") == 1
    specialist.post("/admin/attention/events", {"rowid": [str(rows[0].id)], "again": "yes"})
    specialist.post("/admin/attention/events", {"rowid": [str(rows[1].id)], "again": "no"})
    session.expire_all()
    assert [(row.attempts, row.handled_at is None) for row in rows] == [(0, True), (5, False), (5, True)]
