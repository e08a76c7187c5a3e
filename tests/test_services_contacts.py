from datetime import timedelta

import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import func, select

from models import (
    BoardRevision,
    Competition,
    Confirmation,
    Contact,
    ContactCount,
    Division,
    DivisionUnit,
    ScoreEntry,
    Trace,
)
from models.clock import today, utcnow
from services import Refused, contacts, proposals, scores
from services.contacts import Draft, Finding


def draft(customer, value="+8613900001111", **facts):
    base = {"kind": "mobile", "raw": value, "verdict": "valid", "source": "import"}
    return Draft(customer_id=customer.id, unit_id=customer.unit_id, value=value, **{**base, **facts})


def states(session, customer):
    query = select(Contact.value, Contact.state).where(Contact.customer_id == customer.id).order_by(Contact.id)
    return [tuple(row) for row in session.execute(query)]


def counts(session):
    rows = session.execute(select(ContactCount.kind, ContactCount.verdict, ContactCount.number))
    return {(kind, verdict): number for kind, verdict, number in rows if number}


def open_competition(session, unit, **points):
    day = today(session)
    period = {"starts_on": day, "ends_on": day + timedelta(days=9)}
    row = Competition(code="c1", name="竞赛", unit_id=unit.id, points=points, **period)
    row.state, row.created_at = "open", utcnow()
    row.divisions = [Division(name="A 组", members=[DivisionUnit(unit_id=unit.id)])]
    session.add(row)
    session.flush()
    session.add(BoardRevision(competition_id=row.id, code=row.code, number=0))
    session.flush()
    return row


def test_first_imported_value_becomes_current_whatever_its_verdict(session):
    customer = make_customer(session)
    done = contacts.record(session, [draft(customer, "123", verdict="invalid")])
    assert done.settled == set(done.ids)
    assert counts(session) == {("mobile", "invalid"): 1}


def test_worse_import_waits_and_better_replaces(session):
    customer = make_customer(session)
    old = make_contact(session, customer)
    bad = contacts.record(session, [draft(customer, "+86138", verdict="invalid", replaces_id=old.id)])
    good = contacts.record(session, [draft(customer, replaces_id=old.id)])
    assert bad.waiting and good.settled
    assert states(session, customer) == [
        ("+8613800001111", "superseded"),
        ("+86138", "proposed"),
        ("+8613900001111", "current"),
    ]
    assert counts(session) == {("mobile", "valid"): 1}


def test_what_replaces_a_confirmed_value_waits(session):
    customer = make_customer(session)
    old = make_contact(session, customer)
    contacts.confirm(session, [Finding(old.id, "confirmed", "visit")])
    done = contacts.record(session, [draft(customer, source="returned_form", replaces_id=old.id)])
    assert done.waiting == set(done.ids)


def test_nobody_approves_their_own(session):
    customer, steward = make_customer(session), make_staff(session, "data_steward")
    done = contacts.record(session, [draft(customer, source="self_service", recorder_id=steward.id)])
    with pytest.raises(Refused, match="自己"):
        proposals.approve(session, done.ids, staff=steward)
    other = make_staff(session, "data_steward")
    assert proposals.approve(session, done.ids, staff=other) == 1
    assert states(session, customer) == [("+8613900001111", "current")]


def test_nobody_approves_what_they_brought_in_for_others(session):
    customer, steward = make_customer(session), make_staff(session, "data_steward")
    session.info["actor_id"] = steward.id
    done = contacts.record(session, [draft(customer, source="cleanup")])
    with pytest.raises(Refused, match="自己"):
        proposals.approve(session, done.ids, staff=steward)


def test_what_settles_without_replacing_is_written_current_at_once(session, shell):
    customer = make_customer(session)
    done = contacts.record(session, [draft(customer), draft(customer, kind="email", source="cleanup")])
    settled, waiting = session.scalars(select(Contact).where(Contact.id.in_(done.ids)).order_by(Contact.id))
    assert (settled.state, settled.decided_by_id, waiting.state, waiting.decided_at) == (
        "current",
        shell.id,
        "proposed",
        None,
    )
    assert settled.current_from is not None and waiting.current_from is None


def test_a_customer_has_one_trace_however_many_versions_settle(session):
    customer = make_customer(session)
    old = make_contact(session, customer)
    before = session.scalar(select(func.count(Trace.id)))
    many = [draft(customer, f"+86139{number:08}", kind="landline") for number in range(1200)]
    contacts.record(session, [draft(customer, replaces_id=old.id), *many])
    assert session.scalar(select(func.count(Trace.id))) - before == 1


def test_refusal_needs_a_listed_reason(session):
    customer, steward = make_customer(session), make_staff(session, "data_steward")
    done = contacts.record(session, [draft(customer, source="cleanup")])
    with pytest.raises(Refused, match="原因"):
        proposals.refuse(session, done.ids, staff=steward, reason="because")
    proposals.refuse(session, done.ids, staff=steward, reason="no_evidence")
    assert states(session, customer) == [("+8613900001111", "refused")]


def test_dropping_a_value_stops_it(session):
    customer = make_customer(session)
    old = make_contact(session, customer)
    drop = draft(customer, "", verdict="missing", source="cleanup", replaces_id=old.id)
    done = contacts.record(session, [drop])
    contacts.settle(session, sorted(done.ids))
    assert [state for _value, state in states(session, customer)] == ["stopped", "stopped"]
    assert counts(session) == {}


def test_refuted_value_stays_current_but_is_not_usable(session):
    customer = make_customer(session)
    row = make_contact(session, customer)
    assert contacts.usable(session, [customer.id], ["mobile"]) == [row]
    contacts.confirm(session, [Finding(row.id, "refuted", "call", reason="dead_number")])
    assert contacts.usable(session, [customer.id], ["mobile"]) == []
    contacts.confirm(session, [Finding(row.id, "confirmed", "visit")])
    assert contacts.usable(session, [customer.id], ["mobile"]) == [row]


def test_points_arise_when_current_and_confirmed_whichever_comes_last(session):
    unit = make_unit(session)
    competition = open_competition(session, unit, mobile=2)
    manager, customer = make_staff(session, "account_manager", unit), make_customer(session, unit)
    done = contacts.record(session, [draft(customer, source="self_service")])
    contacts.confirm(session, [Finding(done.ids[0], "confirmed", "signed_form", credited_id=manager.id)])
    assert session.scalar(select(func.count(ScoreEntry.id))) == 0
    contacts.settle(session, done.ids)
    entry = session.scalars(select(ScoreEntry)).one()
    assert (entry.points, entry.staff_id, entry.unit_id) == (2, manager.id, unit.id)
    assert session.get(BoardRevision, competition.id).number == 1


def test_a_fact_scores_once_until_reversed(session):
    unit = make_unit(session)
    open_competition(session, unit, mobile=2)
    row = make_contact(session, make_customer(session, unit))
    for _time in range(2):
        contacts.confirm(session, [Finding(row.id, "confirmed", "visit")])
    assert session.scalar(select(func.sum(ScoreEntry.points))) == 2
    assert scores.reverse(session, ScoreEntry.contact_id == row.id, evidence="undo") == 1
    assert scores.reverse(session, ScoreEntry.contact_id == row.id, evidence="undo") == 0
    assert session.scalar(select(func.sum(ScoreEntry.points))) == 0
    contacts.confirm(session, [Finding(row.id, "confirmed", "visit")])
    assert session.scalar(select(func.sum(ScoreEntry.points))) == 2


def test_other_units_do_not_score(session):
    open_competition(session, make_unit(session), mobile=2)
    row = make_contact(session, make_customer(session, make_unit(session)))
    contacts.confirm(session, [Finding(row.id, "confirmed", "visit")])
    assert session.scalar(select(func.count(ScoreEntry.id))) == 0


def test_one_trace_a_customer_and_no_value_in_it(session):
    customer = make_customer(session)
    contacts.record(session, [draft(customer), draft(customer, kind="landline")], action="customer.created")
    trace = session.scalars(select(Trace)).one()
    assert trace.action == "customer.created" and trace.details["kinds"] == ["landline", "mobile"]
    assert "139" not in str(trace.details)


def test_confirmation_keeps_the_value_it_speaks_of(session):
    row = make_contact(session, make_customer(session))
    contacts.confirm(session, [Finding(row.id, "confirmed", "visit")])
    assert session.scalars(select(Confirmation.value)).one() == row.value
