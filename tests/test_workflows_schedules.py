"""Schedules started by the clock: each slot once; what was missed is counted, skipped or caught up once."""

from datetime import datetime, timedelta

import pytest
from factories import make_staff
from sqlalchemy import event, select

from models import Holiday, Run, Schedule, ScheduleSlot, Task, Workflow, db
from models.clock import ZONE, move_to
from services import Refused
from services import schedules as kept
from services.schedules import Written
from services.workflows import Definition, publish
from workflows import clock, schedules

MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=ZONE)
HOURLY = {"every": "cron", "cron": "0 * * * *"}
NODES = [{"id": "wait", "wait": {"days": 1}}]


def at(session, moment):
    move_to(session, moment)
    session.commit()
    session.expire_all()


def made(session, shell, rule=None, **facts):
    at(session, MONDAY)
    publish(session, Definition("test", "试验", "", "workflows.start", NODES, ""), shell)
    row = schedules.save(session, Written("每周", "test", rule or {"every": "week"}, {}, **facts), shell)
    session.commit()
    return row


def slots(session):
    session.expire_all()
    return [
        (row.slot_at.astimezone(ZONE), row.state)
        for row in session.scalars(select(ScheduleSlot).order_by(ScheduleSlot.slot_at))
    ]


def runs_of(session):
    return session.scalars(select(Run).where(Run.workflow_key == "test")).all()


def test_a_slot_starts_its_workflow_once(session, shell):
    row = made(session, shell)
    assert schedules.start_due() == 0
    at(session, MONDAY + timedelta(hours=1, seconds=2))
    assert (schedules.start_due(), schedules.start_due()) == (1, 0)
    assert slots(session) == [(MONDAY.replace(hour=8), "started")]
    (run,) = runs_of(session)
    assert (run.owner_id, run.unit_id, row.next_at) == (
        shell.id,
        shell.unit_id,
        MONDAY.replace(hour=8, day=30),
    )
    assert (row.missed_count, row.caught_up_count) == (0, 0)


def test_two_clocks_start_it_once(session, shell, monkeypatch):
    row = made(session, shell)
    at(session, MONDAY + timedelta(hours=1))
    found = []
    real = kept.due

    def both_see_it(reading):
        found.append(real(reading))
        if len(found) == 1:
            assert schedules.start_due() == 1  # the other clock, between looking and taking
        return found[0]

    monkeypatch.setattr(kept, "due", both_see_it)
    assert schedules.start_due() == 0
    assert (found[0], len(runs_of(session)), len(slots(session))) == ([row.id], 1, 1)


@pytest.mark.parametrize(
    ("facts", "started", "missed", "caught_up", "last"),
    [
        ({"missed": "skip"}, 0, 24, 0, "missed"),
        ({"missed": "once", "grace_minutes": 60}, 1, 24, 1, "caught_up"),
        ({"missed": "once", "grace_minutes": 15}, 0, 24, 0, "missed"),
    ],
)
def test_a_machine_asleep_for_a_day_skips_or_catches_up_once(
    session, shell, facts, started, missed, caught_up, last
):
    row = made(session, shell, HOURLY, **facts)
    at(session, MONDAY + timedelta(days=1, minutes=30))
    assert schedules.start_due() == started == len(runs_of(session))
    session.expire_all()
    assert (row.missed_count, row.caught_up_count) == (missed, caught_up)
    found = slots(session)
    assert (len(found), found[-1]) == (24, (MONDAY + timedelta(days=1), last))
    assert {state for _at, state in found[:-1]} == {"missed"}
    assert row.next_at == MONDAY + timedelta(days=1, hours=1) and schedules.start_due() == 0


def test_a_slot_found_in_time_covers_the_gap_before_it(session, shell):
    row = made(session, shell, HOURLY, missed="once")
    at(session, MONDAY + timedelta(hours=3, minutes=1))
    assert schedules.start_due() == 1
    assert [state for _at, state in slots(session)] == ["missed", "missed", "started"]
    assert (row.missed_count, row.caught_up_count) == (2, 0)


def test_a_clock_put_back_starts_no_slot_twice(session, shell):
    row = made(session, shell)
    at(session, MONDAY + timedelta(hours=1))
    assert schedules.start_due() == 1
    at(session, MONDAY)
    kept.switch(session, row, enabled=True)
    at(session, MONDAY + timedelta(hours=1))
    assert (schedules.start_due(), len(runs_of(session))) == (0, 1)


def test_what_cannot_start_is_told_once_and_tried_at_the_next_slot(session, shell):
    row = made(session, shell, HOURLY)
    session.scalars(select(Workflow).where(Workflow.key == "test")).one().enabled = False
    for hour in (1, 2):
        at(session, MONDAY + timedelta(hours=hour))
        assert schedules.start_due() == 0
    told = session.scalars(select(Task).where(Task.kind == kept.TROUBLE)).one()
    assert (told.staff_id, told.link) == (
        shell.id,
        f"/admin/schedules/{row.id}",
    ) and "已停用" in told.details["message"]
    assert [state for _at, state in slots(session)] == ["refused", "refused"] and runs_of(session) == []


def test_nothing_starts_in_the_name_of_somebody_who_left(session, shell):
    row = made(session, shell)
    row.run_as = make_staff(session, "data_steward", active=False)
    at(session, MONDAY + timedelta(hours=1))
    assert schedules.start_due() == 0
    assert [state for _at, state in slots(session)] == ["refused"]
    told = session.scalars(select(Task).where(Task.kind == kept.TROUBLE)).one()
    assert (told.staff_id, told.permission) == (None, "schedules.edit")


def test_a_holiday_entered_later_takes_the_slot_away(session, shell):
    row = made(session, shell, {"every": "workday"})
    session.add(Holiday(day=MONDAY.date(), kind="holiday", name="放假"))
    at(session, MONDAY + timedelta(hours=1))
    assert (schedules.start_due(), slots(session), row.missed_count) == (0, [], 0)
    assert row.next_at == MONDAY.replace(hour=8, day=24)


def test_a_holiday_that_moves_a_slot_earlier_loses_none(session, shell):
    row = made(session, shell, {"every": "week", "weekdays": ["3"], "off_days": "before"})
    assert schedules.follow_calendar() == 0
    session.add(Holiday(day=MONDAY.date() + timedelta(days=2), kind="holiday", name="临时"))
    session.commit()
    assert (schedules.follow_calendar(), schedules.follow_calendar()) == (1, 0)
    session.refresh(row)
    assert row.next_at == MONDAY.replace(hour=8) + timedelta(days=1)
    at(session, MONDAY.replace(hour=8, minute=1) + timedelta(days=1))
    assert schedules.start_due() == 1


def test_a_schedule_that_cannot_be_read_keeps_no_other_from_its_time(session, shell):
    broken = made(session, shell)
    schedules.save(session, Written("另一个", "test", {"every": "week"}, {}), shell)
    broken.rule, broken.next_at = {"every": "moon"}, MONDAY
    at(session, MONDAY + timedelta(hours=1))
    assert (schedules.start_due(), len(runs_of(session)), broken.next_at) == (1, 1, MONDAY)


def test_a_stopped_schedule_misses_nothing(session, shell):
    row = made(session, shell, HOURLY)
    kept.switch(session, row, enabled=False)
    at(session, MONDAY + timedelta(hours=5))
    assert (schedules.start_due(), row.next_at) == (0, None)
    kept.switch(session, row, enabled=True)
    assert (row.missed_count, row.next_at) == (0, MONDAY + timedelta(hours=6))


def test_who_may_not_start_a_workflow_cannot_schedule_it(session, shell):
    made(session, shell)
    with pytest.raises(Refused, match="不能发起流程"):
        schedules.save(
            session, Written("我的", "test", {"every": "week"}, {}), make_staff(session, "meter_reader")
        )


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        ({"name": " "}, "起个名字"),
        ({"rule": {"every": "cron", "cron": "0 8 30 2 *"}}, "没有一天符合"),
        ({"rule": {"every": "week", "weekdays": []}}, "至少选一个周几"),
        ({"missed": "always"}, "错过以后"),
        ({"grace_minutes": 0}, "宽限时间"),
        ({"options": {"no.such": "1"}}, "没有选项"),
        ({"workflow_key": "none"}, "没有叫「none」的流程"),
    ],
)
def test_a_schedule_with_a_fault_is_not_kept(session, shell, facts, fault):
    made(session, shell)
    usual = {"name": "我的", "workflow_key": "test", "rule": {"every": "week"}, "options": {}}
    with pytest.raises(Refused, match=fault):
        schedules.save(session, Written(**usual | facts), shell)


def test_an_idle_tick_asks_one_indexed_question(session, shell):
    rows = [made(session, shell)]
    session.add_all(
        Schedule(name=f"计划 {number}", workflow_key="test", rule=rows[0].rule, run_as_id=shell.id, created_at=MONDAY,
                 next_at=MONDAY + timedelta(days=number))
        for number in range(1, 200)
    )  # fmt: skip
    session.commit()
    asked = []
    listener = lambda _c, _cursor, statement, *_more: asked.append(statement)  # noqa: E731
    event.listen(db.engine, "before_cursor_execute", listener)
    try:
        assert schedules.start_due() == 0
    finally:
        event.remove(db.engine, "before_cursor_execute", listener)
    assert len([one for one in asked if "FROM schedules" in one]) == 1
    assert len([one for one in asked if one.startswith("SELECT")]) == 2  # the other is what time it is
    if db.engine.dialect.name == "sqlite":
        plan = session.connection().exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT id FROM schedules WHERE next_at <= '2026-11-23' ORDER BY next_at"
        )
        assert "ix_schedules_next_at" in str(plan.all())


def test_the_clock_does_it():
    assert "start_schedules" in {duty.name for duty in clock.all_duties(clock.Times())}
