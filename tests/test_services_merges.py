"""Merging accounts and taking it back: a choice per field, two persons, nothing lost, everything as before."""

import itertools
from datetime import date

import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models import Consent, Contact, ContactCount, Customer, CustomerMerge, CustomerVersion
from models.clock import now, today
from models.scope import Scope, set_scope
from services import Refused, contacts, customers, merges, reach, timelines
from services.contacts import Finding, confirm
from services.counts import recount

KINDS = ("mobile", "email", "postal_address")
FACTS = [column for columns in merges.FACTS.values() for column in columns]
QUIET = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
numbers = itertools.count(1)


def two(session, kept=(), merged=(), unit=None, **facts):
    first, second = (
        make_customer(session, unit, **facts),
        make_customer(session, unit, name="张三丰", meter_book="B2"),
    )
    for row, values in ((first, kept), (second, merged)):
        for kind, value in values:
            make_contact(session, row, kind, raw=value, value=value)
    return first, second


def merge(session, shell, first, second, choices=()):
    row = merges.propose(session, (first.id, second.id), dict(choices), staff=shell, evidence="工单 7")
    merges.approve(session, row, staff=make_staff(session, "data_steward"))
    return row


def stands(session, *ids):
    """Everything about some customers that others read: facts, current values, reach, what measures see."""
    session.expire_all()
    rows = session.scalars(select(Customer).where(Customer.id.in_(ids)).order_by(Customer.id)).all()
    query = select(Contact).where(Contact.customer_id.in_(ids), Contact.state == "current")
    names = ("customer_id", *merges.REPEATED)
    values = sorted(repr([getattr(row, name) for name in names]) for row in session.scalars(query))
    versions = select(CustomerVersion).where(
        CustomerVersion.customer_id.in_(ids), CustomerVersion.valid_until.is_(None)
    )
    measured = sorted((row.customer_id, row.unit_id, row.closed_on) for row in session.scalars(versions))
    columns = (*FACTS, "reach", "closed_on", "merged_into_id", "legal_hold", "unit_id")
    return [[getattr(row, name) for name in columns] for row in rows], values, measured


def counted(session):
    names = ("unit_id", "kind", "verdict", "number")
    return sorted(
        tuple(getattr(row, n) for n in names) for row in session.scalars(select(ContactCount)) if row.number
    )


values = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(["a", "b", "c"])), max_size=5)
chosen = st.fixed_dictionaries(
    {name: st.sampled_from(["kept", "merged"]) for name in merges.FACTS}
    | {kind: st.sampled_from(["kept", "merged", "both"]) for kind in KINDS}
)


@pytest.mark.slow
@QUIET
@given(kept=values, merged=values, choices=chosen, hold=st.booleans(), refused=st.booleans())
def test_what_is_merged_and_taken_back_is_as_before(session, shell, kept, merged, choices, hold, refused):
    first, second = two(session, kept, merged, id_hash="h", id_last4="1234", id_verdict="valid")
    customers.change(
        session, {key: {"opened_on": date(2021, 5, key % 28 + 1)} for key in (first.id, second.id)}
    )
    second.legal_hold = hold
    if refused:
        facts = {
            "unit_id": second.unit_id,
            "source": "visit",
            "since": now(session),
            "customer_id": second.id,
        }
        session.add(Consent(purpose="business", channel="sms", granted=False, **facts))
        reach.keep(session, [second.id])
    before, tally = stands(session, first.id, second.id), counted(session)
    row = merge(session, shell, first, second, choices)
    assert merges.unmerge(session, row, staff=shell) == []
    assert stands(session, first.id, second.id) == before
    assert counted(session) == tally
    assert sum(reach.recount(session)) == 0


def test_merging_takes_what_was_chosen_and_closes_the_other(session, shell):
    first, second = two(
        session, [("mobile", "+8613911112222")], [("mobile", "+8613911113333"), ("email", "a@b.cn")]
    )
    row = merge(session, shell, first, second, {"name": "merged", "mobile": "merged", "email": "both"})
    rows = merges.current_values(session, [first.id])
    assert {(one.kind, one.value, one.source) for one in rows} == {
        ("mobile", "+8613911113333", "merge"), ("email", "a@b.cn", "merge")
    }  # fmt: skip
    assert (first.name, second.merged_into_id, second.closed_on) == ("张三丰", first.id, today(session))
    assert set(reach.channels_in(first.reach)) == {"sms", "call", "email"}
    assert (row.state, merges.absorbed(session, first.id)) == ("merged", [second.id])


def test_a_merged_account_leaves_the_denominator(session, shell):
    first, second = two(session)
    customers.change(session, {key: {"opened_on": date(2021, 5, 1)} for key in (first.id, second.id)})
    merge(session, shell, first, second)
    open_now = sum(rate.customers for rate in reach.rates(session))
    assert open_now == 1


def test_events_of_a_merged_account_stay_findable(session, shell):
    first, second = two(session, (), [("email", "a@b.cn")])
    merge(session, shell, first, second, {"email": "kept"})
    assert second.id in {event.row.customer_id for event in timelines.timeline(session, first.id)}


def test_a_value_found_wrong_is_not_taken_over(session, shell):
    first, second = two(session, (), [("email", "a@b.cn")])
    wrong = merges.current_values(session, [second.id])[0]
    confirm(session, [Finding(wrong.id, "refuted", "call")])
    merge(session, shell, first, second)
    assert merges.current_values(session, [first.id]) == []


def test_a_refusal_of_either_holds(session, shell):
    first, second = two(session, [("mobile", "+8613911112222")])
    facts = {"unit_id": second.unit_id, "source": "visit", "since": now(session), "customer_id": second.id}
    session.add(Consent(purpose="business", channel="sms", granted=False, **facts))
    merge(session, shell, first, second)
    assert reach.channels_in(first.reach) == ("call",)


def test_what_changed_since_stays_when_a_merge_is_taken_back(session, shell):
    first, second = two(session, (), [("mobile", "+8613911113333")])
    row = merge(session, shell, first, second, {"meter_book": "merged"})
    brought = merges.current_values(session, [first.id])[0]
    make_contact(session, first, raw="13911114444", value="+8613911114444", replaces_id=brought.id)
    customers.change(session, {first.id: {"meter_book": "B9"}})
    assert merges.unmerge(session, row, staff=shell) == ["meter_book", "mobile"]
    assert [one.value for one in merges.current_values(session, [first.id])] == ["+8613911114444"]
    assert (first.meter_book, second.closed_on, second.merged_into_id) == ("B9", None, None)


def test_counts_of_values_are_right_while_merged(session, shell):
    first, second = two(session, [("mobile", "1")], [("mobile", "2"), ("email", "3")])
    merge(session, shell, first, second, {"mobile": "merged"})
    kept = counted(session)
    recount(session)
    assert counted(session) == kept


@pytest.mark.parametrize("case", ["itself", "closed", "waiting", "own", "no evidence", "bad choice", "twice"])
def test_a_merge_that_must_not_be_is_refused(session, shell, case):
    first, second = two(session, [("mobile", "+8613911112222")])
    pair, choices, evidence = (first.id, second.id), {}, "工单"
    if case == "itself":
        pair = (first.id, first.id)
    if case == "closed":
        customers.change(session, {second.id: {"closed_on": today(session)}})
    if case == "waiting":
        value = merges.current_values(session, [first.id])[0]
        draft = contacts.Draft(
            first.id, first.unit_id, "mobile", "", "", "missing", "counter", replaces_id=value.id
        )
        contacts.record(session, [draft])
    if case == "bad choice":
        choices = {"name": "both"}
    if case == "twice":
        merges.propose(session, pair, {}, staff=shell, evidence="x")
    with pytest.raises(Refused):
        row = merges.propose(
            session, pair, choices, staff=shell, evidence="" if case == "no evidence" else evidence
        )
        merges.approve(session, row, staff=shell)
    assert session.scalars(select(Customer.merged_into_id)).all() == [None, None]


def test_both_accounts_must_be_in_reach(session, shell):
    mine, other = make_unit(session), make_unit(session)
    first, second = make_customer(session, mine), make_customer(session, other)
    clerk = make_staff(session, "clerk", mine)
    set_scope(session, Scope(path=mine.path, staff_id=clerk.id))
    with pytest.raises(Refused):
        merges.propose(session, (first.id, second.id), {}, staff=clerk, evidence="x")


def test_a_refused_merge_changes_nothing(session, shell):
    first, second = two(session)
    row = merges.propose(session, (first.id, second.id), {}, staff=shell, evidence="x")
    merges.refuse(session, row, staff=make_staff(session, "data_steward"))
    assert (row.state, second.closed_on) == ("refused", None)
    with pytest.raises(Refused):
        merges.refuse(session, row, staff=shell)
    assert session.scalars(select(CustomerMerge.state)).all() == ["refused"]
