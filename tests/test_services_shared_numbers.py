"""Numbers on too many customers: what is counted, who may have one on many, and stopping it where it is wrong."""

from datetime import datetime, timedelta

import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from importing import bring_in, write_csv
from sqlalchemy import event, func, select, update

from models import Contact, Customer, NumberAllowance, Run, SharedNumber
from models.clock import ZONE, move_to, today
from models.scope import Scope, set_scope
from services import Refused, count_checks, counts, reach, shared_numbers, shared_verdicts
from services.judging import contexts
from services.shared_numbers import Allowance
from workflows import clock_runs, engine, runs

NUMBER = "+8613800138999"


def shared_by(session, residential, *, others=0, closed=0, value=NUMBER):
    """Customers that all have one number; the first contact of each."""
    kinds = [{}] * residential + [{"customer_class": "low_voltage_commercial"}] * others
    kinds += [{"closed_on": today(session)}] * closed
    raw = value.removeprefix("+86")
    rows = [make_contact(session, make_customer(session, **facts), raw=raw, value=value) for facts in kinds]
    shared_numbers.count(session)
    return rows


def number(session):
    return session.scalars(select(SharedNumber)).one()


@pytest.mark.parametrize(
    ("residential", "others", "closed", "shared"),
    [(3, 0, 0, False), (4, 0, 0, True), (3, 5, 0, False), (3, 0, 4, False), (4, 9, 0, True)],
)
def test_only_residential_open_customers_count(session, shell, residential, others, closed, shared):
    shared_by(session, residential, others=others, closed=closed)
    assert (shared_numbers.shared_values(session) == {NUMBER}) is shared


def test_two_values_of_one_customer_count_once(session, shell):
    customer = make_customer(session)
    for _time in range(5):
        make_contact(session, customer, value=NUMBER)
    assert shared_numbers.count(session) == 0


def test_a_number_keeps_its_key_and_goes_when_it_is_no_longer_shared(session, shell):
    rows = shared_by(session, 5)
    key = number(session).id
    for row in rows[:2]:
        row.state = "stopped"
        shared_numbers.count(session)
    assert session.scalar(select(func.count()).select_from(SharedNumber)) == 0
    rows[0].state = rows[1].state = "current"
    rows[2].state = "stopped"
    shared_numbers.count(session)
    assert number(session).customers == 4
    rows[2].state = "current"
    before = number(session).id
    shared_numbers.count(session)
    assert (number(session).id, key > 0) == (before, True)


def test_an_allowance_holds_until_its_day_or_until_it_is_ended(session, shell):
    shared_by(session, 4)
    row = shared_numbers.allow(session, number(session), Allowance("landlord", "租赁合同"), staff=shell)
    assert shared_numbers.shared_values(session) == frozenset()
    with pytest.raises(Refused):
        shared_numbers.allow(session, number(session), Allowance("agent", "x"), staff=shell)
    row.until = today(session) - timedelta(days=1)
    assert shared_numbers.shared_values(session) == {NUMBER}
    row.until = today(session)
    assert shared_numbers.shared_values(session) == frozenset()
    shared_numbers.end_allowance(session, number(session), staff=shell)
    assert shared_numbers.shared_values(session) == {NUMBER}


@pytest.mark.parametrize("wrong", [Allowance("nobody", "x"), Allowance("agent", "  ")])
def test_an_allowance_says_whose_and_why(session, shell, wrong):
    shared_by(session, 4)
    with pytest.raises(Refused):
        shared_numbers.allow(session, number(session), wrong, staff=shell)
    assert session.scalar(select(func.count()).select_from(NumberAllowance)) == 0


def test_what_is_counted_reaches_the_judge(session, shell, root):
    shared_by(session, 4)
    assert contexts(session)[root.id].shared == {NUMBER}


def test_the_limit_is_a_setting(session, shell):
    shared_by(session, 4)
    shared_numbers.set_limit(session, 4, staff=shell)
    assert shared_numbers.shared_values(session) == frozenset()
    with pytest.raises(Refused):
        shared_numbers.set_limit(session, 0, staff=shell)


def test_stopping_waits_for_a_person_and_is_not_asked_twice(session, shell):
    rows = shared_by(session, 4)
    ids = [row.id for row in rows[:2]]
    assert shared_numbers.propose_stop(session, number(session), ids, staff=shell, evidence="录音 1") == 2
    waiting = session.scalars(select(Contact).where(Contact.state == "proposed")).all()
    assert {row.replaces_id for row in waiting} == set(ids)
    with pytest.raises(Refused):
        shared_numbers.propose_stop(session, number(session), ids, staff=shell, evidence="录音 1")


def test_one_sees_numbers_of_ones_own_unit_and_only_its_customers(session, shell):
    mine, other = make_unit(session), make_unit(session)
    for unit in (mine, other, other, other):
        make_contact(session, make_customer(session, unit), value=NUMBER)
    shared_numbers.count(session)
    third = make_unit(session)
    seen = {}
    for unit in (mine, other, third):
        set_scope(session, Scope(path=unit.path))
        seen[unit.id] = (
            bool(session.scalars(select(SharedNumber).where(shared_numbers.in_reach(session))).all()),
            len(shared_numbers.bearers(session, NUMBER)),
        )
    assert seen == {mine.id: (True, 1), other.id: (True, 3), third.id: (False, 0)}


def test_who_shares_what_leaves_out_values_of_one_alone(session, shell):
    rows = shared_by(session, 4)
    ids = [row.customer_id for row in rows]
    make_contact(session, rows[0].customer, "landline", value="+8675783334444")
    make_contact(session, rows[1].customer, "landline", value="+8675783335555")
    make_contact(session, rows[2].customer, "landline", value="+8675783335555")
    assert len(shared_numbers.links(session, ids)) == 4 + 2


def test_a_person_without_the_permission_allows_nothing(session, shell):
    shared_by(session, 4)
    with pytest.raises(Refused):
        clerk = make_staff(session, "clerk")
        shared_numbers.allow(session, number(session), Allowance("landlord", "x"), staff=clerk)


def test_verdicts_follow_what_is_shared(session, shell):
    rows = shared_by(session, 4)
    counts.recount(session)
    assert restated(session) == 4
    session.expire_all()
    assert {(row.verdict, "shared_number" in row.reasons) for row in rows} == {("suspect", True)}
    assert {row.customer.reach for row in rows} == {0}
    assert count_checks.check(session).number == 0
    assert restated(session) == 0
    shared_numbers.allow(session, number(session), Allowance("landlord", "租赁合同"), staff=shell)
    assert restated(session) == 4
    session.expire_all()
    assert {(row.verdict, row.reasons) for row in rows} == {("valid", "")}
    assert count_checks.check(session).number == 0


def test_the_nightly_run_counts_and_judges(session, shell):
    rows = [make_contact(session, make_customer(session), raw="13800138999", value=NUMBER) for _ in range(4)]
    session.execute(update(Customer).where(Customer.id == rows[0].customer_id).values(reach=31))
    run = runs.start(session, "count_shared_numbers", {}, shell)
    session.commit()
    engine.drain()
    session.expire_all()
    figures = {name: run.facts[name] for name in ("count", "verdicts", "reach")}
    assert run.state == "done"
    assert (figures["count"]["numbers"], figures["verdicts"]["changed"]) == (1, 4)
    assert sum(reach.recount(session)) == 0


def test_counting_reads_values_through_their_index(session, shell):
    if session.get_bind().dialect.name != "sqlite":
        return  # PostgreSQL plans by the size of tables, and these are small
    seen: list[str] = []
    event.listen(session.connection(), "before_cursor_execute", lambda *a: seen.append(_plan(a)))
    shared_numbers.counted(session)
    (plan,) = (one for one in seen if one)
    assert plan.count("ix_contacts_value_state") == 2
    assert "SCAN" not in plan.replace("SCAN CONSTANT ROW", "")


def restated(session):
    """How many verdicts change when all that do not fit are judged again, as the nightly run does."""
    chunks = (shared_verdicts.judged(session, ids) for ids in shared_verdicts.spans(session))
    return sum(shared_verdicts.write(session, found) for found in chunks)


def _plan(event_args):
    _connection, cursor, statement, parameters, _context, _many = event_args
    if "HAVING" not in statement:
        return ""
    rows = cursor.connection.execute("EXPLAIN QUERY PLAN " + statement, parameters).fetchall()
    return " ".join(str(row[-1]) for row in rows)


def test_the_clock_starts_one_count_a_night(session, shell):
    assert not clock_runs.count_shared()
    move_to(session, datetime(2026, 11, 21, 2, tzinfo=ZONE))
    session.commit()
    assert clock_runs.count_shared()
    assert not clock_runs.count_shared()
    engine.drain()
    session.expire_all()
    assert session.scalars(select(Run.state).where(Run.workflow_key == "count_shared_numbers")).all() == [
        "done"
    ]


def test_the_clock_counts_again_once_imports_have_ended(session, shell, tmp_path):
    path = write_csv(
        tmp_path / "a.csv", [{"户号": str(at), "户名": "张三", "手机": "13800138999"} for at in range(4)]
    )
    batch = bring_in(session, path)
    session.commit()
    batch.state = "undoing"
    session.commit()
    assert not clock_runs.count_shared()
    batch.state = "done"
    session.commit()
    assert clock_runs.count_shared() and not clock_runs.count_shared()
    engine.drain()
    session.expire_all()
    assert session.scalars(select(Run.workflow_key)).all() == ["count_shared_again"]
    assert (
        len(session.scalars(select(Contact.id).where(Contact.reasons.contains("shared_number"))).all()) == 4
    )
