from datetime import date, datetime, timedelta

import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import AssessmentResult, CustomerVersion, RequiredField
from models.clock import ZONE, move_to, now, start_of_day, utcnow
from services import Refused, assessments

NOVEMBER = "2026-11"


@pytest.fixture
def bureau(session):
    """A bureau on 20 November 2026 whose residential customers must have a mobile and a supply address."""
    move_to(session, datetime(2026, 11, 20, 12, tzinfo=ZONE))
    session.query(RequiredField).delete()
    for kind in ("mobile", "supply_address"):
        session.add(RequiredField(customer_class="low_voltage_residential", kind=kind))
    unit = make_unit(session, deadline_days=5)
    session.flush()
    return session, unit


def customer(session, unit, opened_on=date(2020, 1, 1), **facts):
    row = make_customer(session, unit, opened_on=opened_on, **facts)
    version = {"customer_class": row.customer_class, "manager_id": row.manager_id, "opened_on": opened_on}
    session.add(CustomerVersion(customer_id=row.id, unit_id=unit.id, valid_from=utcnow(), **version))
    session.flush()
    return row


def figures(session, unit, period=NOVEMBER):
    asked = assessments.question(session, period, unit, allow_empty=True)
    run = assessments.keep(session, assessments.count(session, asked), staff_id=None)
    rows = session.scalars(select(AssessmentResult).where(AssessmentResult.assessment_id == run.id))
    found = {
        (r.level, r.unit_id, r.staff_id, r.cohort, r.measure): (r.numerator, r.denominator) for r in rows
    }
    return run, found


def day(number, month=11):
    return start_of_day(date(2026, month, number)) + timedelta(hours=9)


def test_completeness_counts_required_items_and_an_invalid_value_is_recorded(bureau):
    session, unit = bureau
    one, _two = customer(session, unit), customer(session, unit)
    make_contact(session, one, verdict="invalid", value="", raw="123")
    make_contact(session, one, "supply_address", verdict="valid", raw="x", value="x")
    _run, found = figures(session, unit)
    assert found["unit", unit.id, None, "all", "completeness"] == (2, 4)
    assert found["unit", unit.id, None, "existing", "validity"] == (1, 2)
    assert found["unit", unit.id, None, "new", "completeness"] == (0, 0)


def test_a_missing_value_is_the_managers_and_a_recorded_one_the_recorders(bureau):
    session, unit = bureau
    manager, clerk = make_staff(session, "account_manager", unit), make_staff(session, "clerk", unit)
    row = customer(session, unit, manager_id=manager.id)
    make_contact(session, row, recorder_id=clerk.id)
    _run, found = figures(session, unit)
    assert found["person", unit.id, clerk.id, "all", "completeness"] == (1, 1)
    assert found["person", unit.id, manager.id, "all", "completeness"] == (0, 1)


@pytest.mark.parametrize(
    ("opened", "recorded", "expected"),
    [
        (date(2026, 11, 2), day(9), (1, 2)),  # due Monday 9 November: five working days after
        (date(2026, 11, 2), day(10), (0, 2)),
        (date(2026, 11, 2), None, (0, 1)),  # without a recording date: listed, not counted
        (date(2026, 10, 30), day(6), (1, 2)),  # opened before the period, due in it
        (date(2026, 11, 19), day(19), (0, 0)),  # due after the cut-off
        (date(2020, 1, 1), day(9), (0, 0)),
    ],
)
def test_timeliness_counts_what_fell_due(bureau, opened, recorded, expected):
    session, unit = bureau
    make_contact(session, customer(session, unit, opened), recorded_at=recorded)
    _run, found = figures(session, unit)
    assert found["unit", unit.id, None, "all", "timeliness"] == expected


def test_a_past_month_is_judged_as_it_stood(bureau):
    session, unit = bureau
    row = customer(session, unit)
    make_contact(session, row, recorded_at=day(5))
    _run, october = figures(session, unit, "2026-10")
    assert october["unit", unit.id, None, "all", "completeness"] == (0, 2)
    _run, november = figures(session, unit)
    assert november["unit", unit.id, None, "all", "completeness"] == (1, 2)


def test_customers_opened_later_do_not_count(bureau):
    session, unit = bureau
    customer(session, unit, date(2026, 11, 3))
    _run, october = figures(session, unit, "2026-10")
    assert october["unit", unit.id, None, "all", "completeness"] == (0, 0)


def test_units_include_those_below(bureau):
    session, unit = bureau
    below = make_unit(session, unit)
    customer(session, below)
    _run, found = figures(session, unit)
    assert found["unit", unit.id, None, "all", "completeness"] == (0, 2)
    assert found["unit", below.id, None, "all", "completeness"] == (0, 2)


def test_recounting_the_members_gives_the_same_digits(bureau):
    session, unit = bureau
    row = customer(session, unit)
    make_contact(session, row)
    run, found = figures(session, unit)
    make_contact(session, row, "supply_address", raw="later", value="later")
    again = assessments.recount(session, run)
    assert {
        (r.level, r.unit_id, r.staff_id, r.cohort, r.measure): (r.numerator, r.denominator) for r in again
    } == found


def test_a_fresh_run_on_unchanged_data_equals_the_last(bureau):
    session, unit = bureau
    for _number in range(3):
        make_contact(session, customer(session, unit))
    first, _found = figures(session, unit, "2026-10")
    second, _found = figures(session, unit, "2026-10")
    assert first.members_sha256 == second.members_sha256


def test_a_month_ahead_or_misspelt_is_refused(bureau):
    session, unit = bureau
    for period in ("2026-12", "2026-13", "november"):
        with pytest.raises(Refused):
            assessments.question(session, period, unit)
    assert assessments.question(session, NOVEMBER, unit).cutoff <= now(session)


def test_timeliness_is_counted_the_way_that_is_set_and_a_kept_run_keeps_its_way(bureau):
    session, unit = bureau
    make_contact(session, customer(session, unit, date(2026, 11, 2)), recorded_at=day(9))
    run, due = figures(session, unit)
    assessments.set_timeliness(session, "recorded")
    _later, recorded = figures(session, unit)
    key = ("unit", unit.id, None, "all", "timeliness")
    assert (due[key], recorded[key]) == ((1, 2), (1, 1))
    again = {
        (r.level, r.unit_id, r.staff_id, r.cohort, r.measure): r.denominator
        for r in assessments.recount(session, run)
    }
    assert again[key] == 2
    with pytest.raises(Refused):
        assessments.set_timeliness(session, "other")
