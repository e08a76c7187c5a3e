from datetime import date, datetime

import pytest
from factories import make_contact, make_staff, make_unit
from sqlalchemy import select, update

from models import ContactCount, CountSet, Customer, QualityCount, Run, Trace
from models.clock import ZONE, move_to, utcnow
from models.counts import ANY_MONTH
from services import assessments, count_checks, count_sets, customers, health, live_figures
from workflows import clock_runs, engine, runs

MONTH = "2026-11"


@pytest.fixture
def bureau(session, shell):
    """A unit with a team below it, on 20 November 2026: old and new customers, some of them with a mobile."""
    move_to(session, datetime(2026, 11, 20, 12, tzinfo=ZONE))
    unit = make_unit(session)
    team, staff = make_unit(session, unit), make_staff(session)
    days = [date(2019, 5, 2), date(2026, 11, 3)]
    facts = [{"unit_id": one.id, "opened_on": day} for one in (unit, team) for day in days]
    rows = [{"account_no": str(n), "manager_id": staff.id, **one} for n, one in enumerate(facts)]
    ids = customers.open_accounts(session, rows)
    for key in ids[1:]:
        row = session.get_one(Customer, key)
        make_contact(session, row, recorder_id=shell.id)
        make_contact(session, row, "person", raw="1", value="", verdict="invalid")
    session.commit()
    return unit, team


def test_counts_that_are_right_are_found_right(session, bureau):
    found = count_checks.check(session)
    assert (found.customers, found.number, found.differences) == (4, 0, ())
    assert found.counts > 4


def test_a_count_that_is_wrong_is_named_told_and_mended(session, shell, bureau):
    unit, _team = bureau
    wrong = update(ContactCount.__table__).where(
        ContactCount.unit_id == unit.id, ContactCount.kind == "mobile"
    )
    session.execute(wrong.values(number=ContactCount.number + 5))
    count_checks.keep_result(session, count_checks.check(session).as_json())
    session.commit()
    one = count_checks.last_result(session)["differences"][0]
    assert one == ["contact_counts", [unit.id, "mobile", "valid"], [6], [1]]
    assert session.scalars(select(Trace.details).where(Trace.action == "counts.differ")).all() == [
        {"number": 1}
    ]
    assert not health.counts().ok and "1" in str(health.counts().advice)
    row = count_sets.plan(session, "recounted")
    runs.start(session, "count_again", {"count.set": row.id}, shell)
    session.commit()
    engine.drain()
    session.expire_all()
    assert health.counts().ok and count_checks.check(session).number == 0


def test_nothing_is_checked_while_a_set_is_being_built(session, bureau):
    session.add(CountSet(state="building", reason="judged", counted_to=0, created_at=utcnow()))
    session.flush()
    assert count_checks.check(session) is None


def test_the_clock_starts_one_check_a_night(session, bureau):
    assert not clock_runs.check_counts()
    move_to(session, datetime(2026, 11, 21, 2, tzinfo=ZONE))
    session.commit()
    assert clock_runs.check_counts() and not clock_runs.check_counts()
    engine.drain()
    session.expire_all()
    assert session.scalars(select(Run.state).where(Run.workflow_key == "check_counts")).all() == ["done"]
    assert count_checks.last_result(session)["number"] == 0


def test_the_figures_of_this_moment_are_those_of_an_assessment(session, bureau):
    unit, team = bureau
    counted = assessments.count(session, assessments.question(session, MONTH, unit))
    found = {(r.level, r.unit_id, r.staff_id, r.cohort, r.measure): r for r in counted.results}
    lines = live_figures.units(session, unit, MONTH)
    assert [line.key for line in lines] == [unit.id, team.id]
    for line in lines:
        for cohort in ("new", "existing", "all"):
            sums, complete = getattr(line, cohort), found["unit", line.key, None, cohort, "completeness"]
            assert (sums.recorded, sums.required) == (complete.numerator, complete.denominator)
            assert (sums.good, sums.valid) == validity(found["unit", line.key, None, cohort, "validity"])
    for line in live_figures.people(session, unit, MONTH):
        complete = found["person", unit.id, line.key, "all", "completeness"] if line.key else None
        assert complete is None or (line.all.recorded, line.all.required) == (
            complete.numerator,
            complete.denominator,
        )


def validity(result):
    return result.numerator, result.extra["valid"]


def test_the_sums_over_all_months_are_kept_beside_them(session, bureau):
    sums = dict.fromkeys((True, False), 0)
    for row in session.scalars(select(QualityCount)):
        sums[row.opened == ANY_MONTH] += row.required
    assert sums[True] == sums[False] > 0
