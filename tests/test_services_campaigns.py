"""Segments in SQL, exclusions with their reasons, frozen recipients, and a balance that adds up whatever happens."""

from datetime import timedelta

import pytest
from factories import (
    ADDRESS,
    make_campaign,
    make_contact,
    make_customer,
    make_letter,
    make_staff,
    make_unit,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Consent, Contact, Customer, Letter, Recipient
from models.clock import now, utcnow
from models.scope import Scope, set_scope
from services import Refused, campaigns
from services.balances import BUCKETS, balance, exclusions, members
from services.campaigns import Beginning
from services.contacts import Finding, confirm
from services.returns import Form, key_return
from services.segments import Segment, preview, segment_from, targets
from services.undelivered import record_undelivered

MOBILE = Segment(kinds=("mobile",))


def reachable(session, unit=None, **facts):
    """A customer with a good address and no mobile."""
    customer = make_customer(session, unit, **facts)
    make_contact(session, customer, "supply_address", raw=ADDRESS, value=ADDRESS)
    return customer


def hit(session, segment=MOBILE):
    return [target for chunk in targets(session, segment) for target in chunk]


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        ("valid", None),
        ("repairable", None),
        ("suspect", "suspect"),
        ("invalid", "invalid"),
        ("missing", "missing"),
    ],
)
def test_a_kind_is_wanted_by_its_verdict(session, verdict, why):
    make_contact(session, reachable(session), verdict=verdict)
    assert [target.why for target in hit(session)] == ([f"mobile:{why}"] if why else [])


def test_a_refuted_value_is_wanted_until_it_is_confirmed_again(session):
    row = make_contact(session, reachable(session))
    confirm(session, [Finding(row.id, "refuted", "call")])
    assert [target.why for target in hit(session)] == ["mobile:refuted"]
    confirm(session, [Finding(row.id, "confirmed", "call")])
    assert hit(session) == []


def test_without_kinds_the_required_ones_of_the_class_count(session):
    home = reachable(session)
    firm = reachable(session, customer_class="high_voltage")
    found = {target.customer_id: target.why for target in hit(session, Segment())}
    assert "email:missing" in found[firm.id] and "email" not in found[home.id]


def test_units_classes_and_limit_narrow_the_segment(session):
    unit = make_unit(session)
    wanted = [reachable(session, unit, customer_class="high_voltage") for _ in range(3)]
    reachable(session, unit), reachable(session, customer_class="high_voltage")
    segment = Segment(kinds=("mobile",), unit=unit.code, classes=("high_voltage",))
    assert [target.customer_id for target in hit(session, segment)] == [customer.id for customer in wanted]
    assert len(hit(session, Segment(kinds=("mobile",), limit=2))) == 2


def test_the_session_s_scope_bounds_the_segment(session):
    unit = make_unit(session)
    inside = reachable(session, unit)
    reachable(session)
    set_scope(session, Scope(path=unit.path))
    assert [target.customer_id for target in hit(session)] == [inside.id]


def opted_out(session, customer):
    facts = {"customer_id": customer.id, "unit_id": customer.unit_id, "source": "hotline", "since": utcnow()}
    session.add(Consent(purpose="business", channel="letter", granted=False, **facts))


def written(session, customer):
    make_letter(session, customer)


def refute_address(session, customer):
    address = session.query(Contact).filter_by(customer_id=customer.id, kind="supply_address").one()
    confirm(session, [Finding(address.id, "refuted", "undelivered", "moved")])


@pytest.mark.parametrize(
    ("facts", "event", "reason"),
    [
        ({}, None, ""),
        ({"legal_hold": True}, None, "legal_hold"),
        ({}, opted_out, "opted_out"),
        ({}, written, "recent"),
        ({}, refute_address, "doubtful_address"),
    ],
)
def test_each_exclusion_has_its_reason(session, facts, event, reason):
    customer = reachable(session, **facts)
    if event:
        event(session, customer)
        session.flush()
    assert [target.exclusion for target in hit(session)] == [reason]


def test_closed_and_taken_off_by_hand(session):
    gone = reachable(session, closed_on=now(session).date())
    named = reachable(session)
    found = hit(session, Segment(kinds=("mobile",), by_hand=(named.account_no,)))
    assert {target.customer_id: target.exclusion for target in found} == {
        gone.id: "closed",
        named.id: "by_hand",
    }


def test_consent_given_again_lifts_the_opt_out(session):
    customer = reachable(session)
    opted_out(session, customer)
    facts = {"customer_id": customer.id, "unit_id": customer.unit_id, "source": "counter", "since": utcnow()}
    session.flush()
    session.add(Consent(purpose="business", channel="letter", granted=True, **facts))
    session.flush()
    assert [target.exclusion for target in hit(session)] == [""]


def test_an_old_letter_is_not_recent(session):
    customer = reachable(session)
    long_ago = now(session) - timedelta(days=91)
    make_letter(session, customer, posted_at=long_ago, composed_at=long_ago)
    assert [target.exclusion for target in hit(session)] == [""]


def test_preview_counts_as_the_selection_does(session):
    units = [make_unit(session), make_unit(session)]
    for unit in units:
        reachable(session, unit), reachable(session, unit, legal_hold=True)
    shown = preview(session, MOBILE)
    assert [(row.unit_id, row.targeted, dict(row.excluded)) for row in shown] == [
        (unit.id, 2, {"legal_hold": 1}) for unit in units
    ]
    assert sum(row.letters for row in shown) == sum(not target.exclusion for target in hit(session))


def test_a_segment_survives_its_row():
    segment = Segment(kinds=("mobile", "email"), unit="A", by_hand=("1",), limit=9, same_address=True)
    assert segment_from(segment.as_row() | {"from_later": 1}) == segment


def test_a_run_begins_one_campaign(session, root):
    beginning = Beginning("核对", root.id, run_id=7)
    first = campaigns.begin_campaign(session, beginning)
    assert campaigns.begin_campaign(session, beginning) is first
    second = campaigns.begin_campaign(session, Beginning("再核对", root.id))
    assert first.code.startswith("HD") and second.code != first.code


@pytest.mark.parametrize(
    "segment", [Segment(unit="nowhere"), Segment(conditions=()), Segment(conditions=("odd",))]
)
def test_a_segment_that_asks_for_nothing_is_refused(session, root, segment):
    with pytest.raises(Refused):
        campaigns.begin_campaign(session, Beginning("核对", root.id, segment))


def begun(session, root, segment=MOBILE):
    campaign = campaigns.begin_campaign(session, Beginning("核对", root.id, segment))
    for chunk in targets(session, segment):
        campaigns.add_recipients(session, campaign.id, chunk)
        campaigns.add_recipients(session, campaign.id, chunk)
    return campaign


def test_recipients_are_frozen_once_each(session, root):
    reachable(session), reachable(session, legal_hold=True)
    campaign = begun(session, root)
    reachable(session)
    assert campaigns.freeze(session, campaign.id) == {"targeted": 2, "excluded": 1, "recipients": 1}
    assert campaign.state == "running" and exclusions(session, campaign.id) == {"legal_hold": 1}


@pytest.mark.slow
def test_addresses_that_the_window_cannot_hold_are_listed(session, root):
    long = "广东省佛山市南海区" + "桂城街道平洲夏东涌口村工业区" * 8 + "12号"
    customer = make_customer(session)
    make_contact(session, customer, "supply_address", raw=long, value=long)
    campaign = begun(session, root)
    found = [row for chunk in campaigns.late_exclusions(session, campaign) for row in chunk]
    assert [row["reason"] for row in found] == ["address_too_long"]


@pytest.mark.slow
def test_same_holder_at_the_same_address_is_merged_only_when_asked(session, root):
    reachable(session, name="李四"), reachable(session, name="李四"), reachable(session, name="王五")
    for asked, merged in ((False, 0), (True, 1)):
        campaign = begun(session, root, Segment(kinds=("mobile",), same_address=asked, recent_days=0))
        found = [row["reason"] for chunk in campaigns.late_exclusions(session, campaign) for row in chunk]
        assert found == ["same_address"] * merged


def test_taking_off_by_hand_needs_no_letter_yet(session):
    letter = make_letter(session, make_customer(session))
    with pytest.raises(Refused, match="已经生成"):
        campaigns.exclude_by_hand(session, session.get_one(Recipient, letter.recipient_id))


def test_closing_gives_everybody_an_outcome(session, root):
    campaign = make_campaign(session)
    make_letter(session, make_customer(session), campaign)
    make_letter(session, make_customer(session), campaign, posted_at=None, state="printed")
    target = reachable(session)
    address = session.query(Letter).first().address_id
    session.add(
        Recipient(campaign_id=campaign.id, customer_id=target.id, unit_id=target.unit_id, address_id=address)
    )
    session.flush()
    assert campaigns.close_campaign(session, campaign.id) == {"silent": 1, "withdrawn": 2}
    assert balance(session, campaign.id).outcomes == {"silent": 1, "withdrawn": 2}
    assert campaigns.close_campaign(session, campaign.id) == {"silent": 0, "withdrawn": 0}


EVENTS = ("post", "answer", "undelivered", "silent", "withdraw", "close")


def happen(session, event, letter, staff):
    if event == "post" and letter.state in ("composed", "printed"):
        letter.state, letter.posted_at = "posted", now(session)
    elif event == "answer" and letter.state != "spoiled":
        key_return(session, letter.token, Form(all_same=True), staff=staff)
    elif event == "undelivered" and letter.undelivered_at is None and letter.state != "spoiled":
        record_undelivered(session, letter.token, "other", staff=staff)
    elif event == "silent":
        campaigns.mark_silent(session, letter.campaign_id, [letter.id])
    elif event == "withdraw":
        campaigns.withdraw(session, letter.campaign_id, [letter.id])
    elif event == "close":
        campaigns.close_campaign(session, letter.campaign_id)
    session.flush()
    session.expire_all()


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 2)), max_size=8))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_balance_adds_up_in_any_order_of_events(session, events):
    staff, campaign = make_staff(session), make_campaign(session)
    letters = [make_letter(session, make_customer(session), campaign) for _ in range(3)]
    letters[0].state, letters[0].posted_at = "composed", None
    for event, at in events:
        happen(session, event, letters[at], staff)
        sheet = balance(session, campaign.id)
        assert sheet.targeted == sum(sheet.outcomes.values()) == 3
        assert sheet.posted == sheet.open + sheet.paper + sheet.online + sheet.undelivered + sheet.silent
        for bucket in BUCKETS:
            assert len(session.execute(members(campaign.id, bucket=bucket)).all()) == getattr(sheet, bucket)
    answered = {at for event, at in events if event == "answer"}
    assert sheet_outcomes(session, letters, answered) <= {"confirmed", "withdrawn"} if events else True
    session.rollback()


def sheet_outcomes(session, letters, places):
    return {session.get_one(Recipient, letters[at].recipient_id).outcome for at in places}


def test_customers_elsewhere_are_not_counted_for_a_unit(session):
    unit, campaign = make_unit(session), make_campaign(session)
    make_letter(session, make_customer(session, unit), campaign)
    make_letter(session, make_customer(session), campaign)
    set_scope(session, Scope(path=unit.path))
    assert balance(session, campaign.id).targeted == 1
    assert session.query(Customer).count() == 1
