"""Undelivered letters act at once: on the address version, the letter, the balance, the visits; until undone."""

from datetime import timedelta

import pytest
from factories import make_contact, make_customer, make_letter, make_staff
from sqlalchemy import select

from models import Consent, Customer, Reason, Recipient, Trace, Visit
from services import Refused, messages, reach
from services.balances import balance
from services.contacts import usable
from services.customer_tests import opted_out
from services.letters import plan_reprint, write_letters
from services.returns import Form, key_return
from services.segments import Segment, targets
from services.undelivered import record_undelivered, recorded_today, undo_last_undelivered
from workflows.visits import MakeVisits, plan_make_visits

REFUTING = ("unknown_person", "moved", "bad_address", "no_such_number", "demolished")


@pytest.fixture
def clerk(session):
    staff = make_staff(session, "clerk")
    session.info["actor_id"] = staff.id
    return staff


@pytest.fixture
def letter(session):
    return make_letter(session, make_customer(session))


def codes(session):
    return session.scalars(select(Reason.code).where(Reason.list == "undelivered")).all()


@pytest.mark.slow
def test_every_reason_has_its_consequences(session, clerk):
    for code in codes(session):
        letter = make_letter(session, make_customer(session))
        done = record_undelivered(session, letter.token, code, staff=clerk)
        left = usable(session, [letter.customer_id], ["supply_address"])
        assert done.refuted == (code in REFUTING) == (left == []), code
        assert done.next == {"refused": "none", "demolished": "other_channel"}.get(code, "visit"), code
        assert (letter.state, letter.undelivered_reason) == ("undelivered", code)


def test_a_reason_may_stop_letters_until_it_is_taken_back(session, clerk, letter):
    assert record_undelivered(session, letter.token, "refused", staff=clerk).stopped
    assert session.scalars(select(Customer.id).where(opted_out(), Customer.id == letter.customer_id)).all()
    assert not letter.customer.reach & reach.BITS["letter"]
    undo_last_undelivered(session, staff=clerk)
    assert not session.query(Consent).count() and letter.customer.reach & reach.BITS["letter"]


@pytest.mark.slow
def test_a_reason_may_ask_for_another_channel(session, clerk, letter):
    by_door = make_letter(session, make_customer(session), letter.campaign)
    assert record_undelivered(session, letter.token, "demolished", staff=clerk).next == "other_channel"
    record_undelivered(session, by_door.token, "moved", staff=clerk)
    found = [list(ids) for ids in messages.recipients(session, letter.campaign_id, "unanswered")]
    assert found == [[letter.customer_id]]


def test_an_address_rests_for_the_days_of_its_reason(session, clerk, letter):
    segment = Segment(kinds=("mobile",), recent_days=0)
    record_undelivered(session, letter.token, "unclaimed", staff=clerk)
    assert [one.exclusion for rows in targets(session, segment) for one in rows] == ["recent"]
    letter.undelivered_at -= timedelta(days=31)
    session.flush()
    assert [one.exclusion for rows in targets(session, segment) for one in rows] == [""]


def test_only_the_version_it_was_sent_to_is_refuted(session, clerk, letter):
    address = "广州市天河区体育西路1号"
    newer = make_contact(session, letter.customer, "postal_address", raw=address, value=address)
    record_undelivered(session, letter.token, "moved", staff=clerk)
    assert usable(session, [letter.customer_id], ["postal_address", "supply_address"]) == [newer]


def test_the_visit_is_made_once_with_its_reason(session, clerk, letter):
    visit = record_undelivered(session, letter.token, "moved", staff=clerk).visit
    assert (visit.origin, visit.reason, visit.letter_id) == ("undelivered", "moved", letter.id)
    with pytest.raises(Refused, match="已登记过退信"):
        record_undelivered(session, letter.token, "moved", staff=clerk)
    assert session.scalars(select(Visit.id)).all() == [visit.id]


def test_an_answer_before_keeps_what_it_said(session, clerk, letter):
    key_return(session, letter.token, Form(all_same=True), staff=clerk)
    done = record_undelivered(session, letter.token, "moved", staff=clerk)
    assert (done.next, done.refuted, letter.state) == ("answered", False, "answered")
    assert balance(session, letter.campaign_id).answered == 1
    undo_last_undelivered(session, staff=clerk)
    assert (letter.state, letter.undelivered_at) == ("answered", None)


@pytest.mark.parametrize("reason", ["", "lost", "查无此人"])
def test_an_unknown_reason_lists_the_known_ones(session, clerk, letter, reason):
    with pytest.raises(Refused, match="unknown_person"):
        record_undelivered(session, letter.token, reason, staff=clerk)


def test_a_letter_nobody_marked_as_posted_was_posted_after_all(session, clerk, letter):
    letter.state, letter.posted_at = "printed", None
    record_undelivered(session, letter.token, "other", staff=clerk)
    sheet = balance(session, letter.campaign_id)
    assert (sheet.undelivered, sheet.posted, sheet.to_post) == (1, 1, 0) and letter.posted_at is not None


def test_undo_makes_the_address_usable_and_the_visit_needless(session, clerk, letter):
    visit = record_undelivered(session, letter.token, "moved", staff=clerk).visit
    assert recorded_today(session, clerk) == 1
    assert undo_last_undelivered(session, staff=clerk) is letter
    assert (letter.state, letter.undelivered_reason, visit.state) == ("posted", "", "cancelled")
    assert usable(session, [letter.customer_id], ["supply_address"])
    assert session.get_one(Recipient, letter.recipient_id).outcome is None and recorded_today(session, clerk) == 0
    assert record_undelivered(session, letter.token, "other", staff=clerk).visit is not None


def test_undo_goes_back_one_by_one_and_only_one_s_own(session, clerk):
    letters = [make_letter(session, make_customer(session)) for _ in range(2)]
    for letter in letters:
        record_undelivered(session, letter.token, "other", staff=clerk)
    assert [undo_last_undelivered(session, staff=clerk) for _ in range(2)] == letters[::-1]
    with pytest.raises(Refused, match="没有可以撤销"):
        undo_last_undelivered(session, staff=clerk)


def test_undo_is_refused_when_somebody_was_at_the_door(session, clerk, letter):
    record_undelivered(session, letter.token, "other", staff=clerk).visit.attempts = 1
    with pytest.raises(Refused, match="已经有走访结果"):
        undo_last_undelivered(session, staff=clerk)


def test_an_old_copy_that_comes_back_leaves_the_new_one_open(session, clerk, letter):
    address = "广东省佛山市禅城区祖庙路2号"
    make_contact(session, letter.customer, "postal_address", raw=address, value=address)
    plan = plan_reprint(session, letter, form_version=1)
    run = {"form_version_id": letter.form_version_id, "print_run_id": letter.print_run_id}
    write_letters(session, letter.campaign_id, [plan], **run)
    record_undelivered(session, letter.token, "moved", staff=clerk)
    assert balance(session, letter.campaign_id).open == 1 and letter.state == "reprinted"
    assert [row.value for row in usable(session, [letter.customer_id], ["postal_address"])] == [address]


def test_one_trace_names_letter_and_reason(session, clerk, letter):
    record_undelivered(session, letter.token, "moved", staff=clerk)
    row = session.scalars(select(Trace).where(Trace.action == "letter.undelivered")).one()
    assert (row.object_id, row.customer_id, row.details["reason"]) == (letter.id, letter.customer_id, "moved")


def test_later_visits_by_rule_leave_out_the_same_reasons(session, clerk):
    for reason in ("refused", "demolished", "moved"):
        letter = make_letter(session, make_customer(session))
        record_undelivered(session, letter.token, reason, staff=clerk)
        session.query(Visit).delete()
    planned = plan_make_visits(session, MakeVisits(), {"run": {}})
    assert [item["reason"] for item in planned.items] == ["moved"]
