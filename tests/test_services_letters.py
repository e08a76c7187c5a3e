"""Letters by value: whom they go to, what is frozen on them, further copies, and how a code finds its letter."""

from datetime import timedelta

import pytest
from factories import ADDRESS, make_campaign, make_contact, make_customer, make_letter, make_staff, make_unit
from sqlalchemy import select

from models import Letter, Recipient
from models.clock import today
from paper.codes import code_text, normalise_token
from services import Refused
from services.balances import balance
from services.campaigns import add_recipients, withdraw
from services.contacts import Finding, confirm
from services.letters import (
    letter_by_code,
    letter_facts,
    live_copy,
    number_of,
    plan_letters,
    plan_reprint,
    write_letters,
)
from services.returns import Form, key_return
from services.segments import Target

POSTAL = "广东省佛山市禅城区祖庙路2号"


def targeted(session, campaign, *customers):
    """Recipients of a campaign, each with a supply address."""
    for customer in customers:
        row = make_contact(session, customer, "supply_address", raw=ADDRESS, value=ADDRESS)
        add_recipients(session, campaign.id, [Target(customer.id, customer.unit_id, "", "", row.id, ADDRESS, "")])


def planned(session, campaign):
    return list(plan_letters(session, campaign, form_version=1))


def test_a_letter_goes_to_the_preferred_usable_postal_address_else_to_the_supply_address(session):
    campaign, customer = make_campaign(session), make_customer(session)
    targeted(session, campaign, customer)
    assert planned(session, campaign)[0]["facts"]["address"] == ADDRESS
    postal = make_contact(session, customer, "postal_address", raw=POSTAL, value=POSTAL)
    assert planned(session, campaign)[0]["facts"]["address"] == POSTAL
    confirm(session, [Finding(postal.id, "refuted", "undelivered", "moved")])
    assert planned(session, campaign)[0]["facts"]["address"] == ADDRESS


def test_an_address_that_went_bad_after_freezing_excludes(session):
    campaign, customer = make_campaign(session), make_customer(session)
    targeted(session, campaign, customer)
    confirm(session, [Finding(session.scalars(select(Recipient.address_id)).one(), "refuted", "visit")])
    recipient = session.scalars(select(Recipient.id)).one()
    assert planned(session, campaign) == [{"recipient_id": recipient, "exclude": "doubtful_address"}]


def test_what_stands_on_record_is_frozen_by_value_with_its_versions(session):
    campaign, customer = make_campaign(session), make_customer(session, name="张三")
    targeted(session, campaign, customer)
    first = make_contact(session, customer, "mobile")
    liked = make_contact(session, customer, "mobile", raw="13902800241", value="+8613902800241", preferred=True)
    outage = make_contact(session, customer, "mobile", raw="13702800242", value="+8613702800242", purpose="outage")
    make_contact(session, customer, "email", raw="nonsense", value="", verdict="invalid")
    plan = planned(session, campaign)[0]
    recorded = plan["facts"]["recorded"]
    assert (recorded["mobile"], recorded["outage_mobile"], recorded["email"]) == (liked.value, outage.value, "")
    assert plan["versions"]["mobile"] == liked.id != first.id and plan["versions"]["outage_mobile"] == outage.id
    facts = letter_facts(plan)
    assert (facts.addressee, facts.sent_on, facts.reply_by) == ("张三", today(session), campaign.reply_by)


def test_serials_follow_units_and_streets_and_go_on(session):
    campaign, units = make_campaign(session), [make_unit(session), make_unit(session)]
    customers = [make_customer(session, unit) for unit in (units[1], units[0], units[1])]
    targeted(session, campaign, *customers)
    plans = planned(session, campaign)
    assert [plan["serial"] for plan in plans] == [1, 2, 3] and plans[0]["customer_id"] == customers[1].id
    make_letter(session, make_customer(session), campaign)
    assert planned(session, campaign)[0]["serial"] == max(session.scalars(select(Letter.serial))) + 1


@pytest.mark.slow
def test_tokens_are_random_and_carry_nothing(session):
    campaign = make_campaign(session)
    targeted(session, campaign, *[make_customer(session) for _ in range(20)])
    plans = planned(session, campaign)
    assert len({plan["token"] for plan in plans} | {plan["reply_token"][:10] for plan in plans}) == 40
    assert all(normalise_token(plan["token"]) == plan["token"] for plan in plans)


def test_nobody_gets_two_letters(session):
    campaign = make_campaign(session)
    make_letter(session, make_customer(session), campaign)
    assert planned(session, campaign) == []


@pytest.fixture
def letter(session):
    return make_letter(session, make_customer(session))


def copied(session, letter):
    plan = plan_reprint(session, letter, form_version=1, reason="污损")
    run = {"form_version_id": letter.form_version_id, "print_run_id": letter.print_run_id}
    ids = write_letters(session, letter.campaign_id, [plan], **run)
    return session.get_one(Letter, ids[0])


def test_a_reprint_is_a_new_row_of_the_same_serial(session, letter):
    copy = copied(session, letter)
    assert (copy.serial, copy.copy, copy.posted_at, letter.state) == (letter.serial, 2, letter.posted_at, "reprinted")
    assert number_of(copy) == number_of(letter) and copy.token != letter.token
    assert live_copy(session, letter) is copy and balance(session, letter.campaign_id).open == 1


def test_an_answer_on_the_old_copy_answers_the_live_one(session, letter):
    copy = copied(session, letter)
    key_return(session, letter.token, Form(all_same=True), staff=make_staff(session, "clerk"))
    assert (copy.state, letter.state) == ("answered", "reprinted") and letter.answered_at is not None
    assert balance(session, letter.campaign_id).answered == 1


@pytest.mark.parametrize(
    ("state", "message"), [("answered", "已经回复"), ("spoiled", "已作废"), ("reprinted", "最新的一份")]
)
def test_some_letters_are_not_reprinted(session, letter, state, message):
    letter.state = state
    letter.recipient.outcome = "withdrawn" if state == "spoiled" else None
    with pytest.raises(Refused, match=message):
        plan_reprint(session, letter, form_version=1)


def test_without_a_usable_address_there_is_no_reprint(session, letter):
    confirm(session, [Finding(letter.address_id, "refuted", "undelivered", "moved")])
    with pytest.raises(Refused, match="先核实地址"):
        plan_reprint(session, letter, form_version=1)


def test_a_posted_letter_is_not_withdrawn(session, letter):
    assert withdraw(session, letter.campaign_id, [letter.id]) == 0
    letter.state, letter.posted_at = "printed", None
    assert withdraw(session, letter.campaign_id, [letter.id]) == 1 and letter.state == "spoiled"


def test_every_way_of_writing_the_code_finds_the_letter(session, letter):
    scanned = [code_text("L", letter.token, page=page, place=place) for page, place in ((1, "W"), (2, "3"))]
    typed = [letter.token, letter.token.lower(), f" {letter.token[:5]}-{letter.token[5:]} ", number_of(letter)]
    assert {letter_by_code(session, text).id for text in [*scanned, *typed]} == {letter.id}


def test_the_number_finds_the_newest_copy(session, letter):
    copy = copied(session, letter)
    assert letter_by_code(session, number_of(letter)) is copy


def test_reply_day_stands_where_the_campaign_has_it(session):
    campaign = make_campaign(session, reply_days=15)
    assert campaign.reply_by == today(session) + timedelta(days=15)
