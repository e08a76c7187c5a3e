from datetime import timedelta

import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import Campaign, Confirmation, Contact, Leave, Recipient, Territory, Visit, VisitAttempt
from models.clock import today, utcnow
from services import Refused, visits
from services.answers import Answer
from services.visits import Need, Report


@pytest.fixture
def unit(session):
    """A supply station."""
    return make_unit(session)


def need(customer, **facts):
    return Need(customer.id, customer.unit_id, "undelivered", **facts)


def made(session, customer, **facts):
    ids = visits.make_visits(session, [need(customer, **facts)])
    return session.get_one(Visit, ids[0])


def campaign_with(session, customer):
    row = Campaign(code="k", name="核对", unit_id=customer.unit_id, state="running", created_at=utcnow())
    session.add(row)
    session.flush()
    session.add(Recipient(campaign_id=row.id, customer_id=customer.id, unit_id=customer.unit_id))
    session.flush()
    return row


def test_visit_goes_to_own_manager_then_book_then_fewest_doors(session, unit):
    own, book, idle = (make_staff(session, "account_manager", unit) for _ in range(3))
    session.add(Territory(unit_id=unit.id, kind="meter_book", code="B1", staff_id=book.id))
    customers = [
        make_customer(session, unit, manager_id=own.id, meter_book="B1"),
        make_customer(session, unit, meter_book="B1"),
        make_customer(session, unit),
    ]
    ids = visits.make_visits(session, [need(customer) for customer in customers])
    assert [session.get_one(Visit, key).staff_id for key in ids] == [own.id, book.id, idle.id]


def test_nobody_on_leave_gets_a_door(session, unit):
    away, here = make_staff(session, "account_manager", unit), make_staff(session, "account_manager", unit)
    session.add(Leave(staff_id=away.id, starts_on=today(session), ends_on=today(session)))
    session.flush()
    assert made(session, make_customer(session, unit, manager_id=away.id)).staff_id == here.id


def test_visit_waits_open_when_nobody_can_walk(session, unit):
    visit = made(session, make_customer(session, unit))
    assert (visit.state, visit.staff_id) == ("open", None)
    manager = make_staff(session, "account_manager", unit)
    assert visits.assign_open(session, [visit.id]) == 1
    assert (visit.state, visit.staff_id) == ("assigned", manager.id)


def test_one_open_visit_a_customer_and_campaign(session, unit):
    customer = make_customer(session, unit)
    assert len(visits.make_visits(session, [need(customer), need(customer)])) == 1
    assert visits.make_visits(session, [need(customer)]) == []


def test_meeting_the_customer_confirms_old_and_new_values(session, unit):
    manager, customer = make_staff(session, "account_manager", unit), make_customer(session, unit)
    old = make_contact(session, customer, "email", raw="a@b.cn", value="a@b.cn")
    campaign = campaign_with(session, customer)
    visit = made(session, customer, campaign_id=campaign.id)
    answers = (Answer("email", "same"), Answer("mobile", "new", "13800002222"))
    applied = visits.record_visit(session, visit, Report("verified", answers, relation="self"), staff=manager)
    assert applied.same == (old.id,) and len(applied.settled) == 1
    new = session.get_one(Contact, applied.settled[0])
    assert (new.state, new.source, new.recorder_id) == ("current", "visit", manager.id)
    credited = set(
        session.execute(select(Confirmation.contact_id, Confirmation.credited_id, Confirmation.method))
    )
    assert credited == {(old.id, manager.id, "visit"), (new.id, manager.id, "visit")}
    assert session.scalars(select(Recipient.outcome)).one() == "visited"
    assert visit.state == "done"


def test_an_answer_by_proxy_confirms_nothing(session, unit):
    manager, customer = make_staff(session, "account_manager", unit), make_customer(session, unit)
    make_contact(session, customer)
    visits.record_visit(
        session, made(session, customer), Report("by_proxy", (Answer("mobile", "same"),)), staff=manager
    )
    assert session.scalars(select(Confirmation)).all() == []


def test_not_met_comes_again_and_ends_after_three_times(session, unit):
    manager, customer = make_staff(session, "account_manager", unit), make_customer(session, unit)
    campaign = campaign_with(session, customer)
    visit = made(session, customer, campaign_id=campaign.id)
    visits.record_visit(session, visit, Report("not_met"), staff=manager)
    assert (visit.state, visit.next_on, visit.ended_at) == (
        "not_met",
        today(session) + timedelta(days=3),
        None,
    )
    for _time in range(2):
        visits.record_visit(session, visit, Report("not_met"), staff=manager)
    assert visit.ended_at is not None and visit.attempts == 3
    assert session.scalars(select(Recipient.outcome)).one() == "not_reached"
    with pytest.raises(Refused, match="已经结束"):
        visits.record_visit(session, visit, Report("not_met"), staff=manager)


def test_a_door_that_does_not_exist_refutes_the_address(session, unit):
    manager, customer = make_staff(session, "account_manager", unit), make_customer(session, unit)
    address = make_contact(session, customer, "supply_address", raw="x", value="广东省佛山市禅城区汾江路1号")
    visits.record_visit(session, made(session, customer), Report("no_such_address"), staff=manager)
    found = session.scalars(select(Confirmation)).one()
    assert (found.contact_id, found.result, found.reason) == (address.id, "refuted", "no_such_address")


def test_answers_and_a_closed_door_are_refused_together(session, unit):
    manager, customer = make_staff(session, "account_manager", unit), make_customer(session, unit)
    report = Report("not_met", (Answer("mobile", "same"),))
    with pytest.raises(Refused, match="只保留"):
        visits.record_visit(session, made(session, customer), report, staff=manager)


def test_the_same_form_sent_twice_is_recorded_once(session, unit):
    manager, customer = make_staff(session, "account_manager", unit), make_customer(session, unit)
    visit = made(session, customer)
    for _time in range(2):
        visits.record_visit(session, visit, Report("not_met", form_key="k1"), staff=manager)
    assert len(session.scalars(select(VisitAttempt)).all()) == 1


def test_given_back_visit_needs_a_reason_and_leaves_the_person(session, unit):
    make_staff(session, "account_manager", unit)
    visit = made(session, make_customer(session, unit))
    with pytest.raises(Refused, match="原因"):
        visits.give_back(session, visit, reason=" ")
    visits.give_back(session, visit, reason="道路封闭")
    assert (visit.state, visit.staff_id) == ("given_back", None)


def test_a_given_back_visit_is_assigned_anew(session, unit):
    first, second = make_staff(session, "account_manager", unit), make_staff(session, "account_manager", unit)
    visit = made(session, make_customer(session, unit, manager_id=first.id))
    visits.give_back(session, visit, reason="道路封闭")
    assert visits.assign(session, [visit.id], staff_id=second.id) == 1
    session.refresh(visit)
    assert (visit.state, visit.staff_id, visit.hint) == ("assigned", second.id, "")
    visits.give_back(session, visit, reason="狗")
    assert visits.assign_open(session, [visit.id]) == 1
    assert (visit.state, visit.staff_id, visit.hint) == ("assigned", first.id, "")
