"""Messages: texts and their length, who gets one and who does not, quiet hours."""

from datetime import date, timedelta

import pytest
from factories import make_campaign, make_contact, make_customer
from sqlalchemy import select

from models import Consent, Contact, Customer, Message, MessageTemplate, Recipient, Trace
from models.clock import ZONE, move_to, now
from services import Refused, contacts, message_templates, message_texts, messages, quiet_hours, timelines
from services.contacts import Finding
from services.message_templates import Written
from services.messages import Wanted


def template(session, channel="sms"):
    key = "survey_notice" if channel == "sms" else "survey_notice_mail"
    return session.scalars(select(MessageTemplate).where(MessageTemplate.key == key)).one()


def planned(session, *customers, **facts):
    wanted = Wanted(template(session), messages.campaign_values(session, make_campaign(session)), **facts)
    found = list(messages.plan(session, wanted, [[customer.id for customer in customers]], seen=set()))
    reasons = {row["customer_id"]: row["reason"] for item in found for row in item.get("suppressed", ())}
    return [item for item in found if "key" in item], reasons


@pytest.mark.parametrize(
    ("text", "characters", "parts"),
    [
        ("您好", 2, 1),
        ("停" * 70, 70, 1),
        ("停" * 71, 71, 2),
        ("停" * 134, 134, 2),
        ("停" * 135, 135, 3),
        ("a" * 160, 160, 1),
        ("a" * 161, 161, 2),
        ("a" * 159 + "€", 161, 2),
        ("好😀", 3, 1),
    ],
)
def test_an_sms_is_counted_as_it_is_charged(text, characters, parts):
    assert message_texts.length_of(text) == message_texts.Length(characters, parts)


def test_a_value_is_never_read_as_a_template():
    assert (
        message_texts.fill("{户名}：{服务热线}", {"户名": "{服务热线}", "服务热线": "95598"})
        == "{服务热线}：95598"
    )


@pytest.mark.parametrize(
    ("channel", "subject", "body", "fault"),
    [
        ("sms", "", "", "请填写正文"),
        ("sms", "", "您好{手机}", "没有字段「{手机}」"),
        ("sms", "", "您好{户名", "花括号要成对"),
        ("sms", "", "{{户名}}", "花括号要成对"),
        ("sms", "主题", "您好", "短信没有主题"),
        ("sms", "", "停" * 400, "短信太长"),
        ("email", "", "您好", "要有一行主题"),
        ("email", "a\nBcc: x@y.cn", "您好", "要有一行主题"),
    ],
)
def test_a_template_with_a_fault_is_refused(session, shell, channel, subject, body, fault):
    with pytest.raises(Refused, match=fault):
        message_templates.save(session, Written("mine", "我的", channel, body, subject))


def test_a_template_is_kept_and_changed(session, shell):
    row = message_templates.save(session, Written("mine", "我的", "sms", "您好 {户名}"))
    message_templates.save(session, Written("mine", "新名", "sms", "再见 {户名}", enabled=False), row)
    with pytest.raises(Refused, match="没有可用的短信模板「mine」"):
        message_templates.usable(session, "mine", "sms")
    with pytest.raises(Refused, match="已经有了"):
        message_templates.save(session, Written("mine", "再一个", "sms", "您好"))


def test_a_message_is_planned_by_value_with_its_middle_covered(session, shell):
    customer = make_customer(session, name="张三丰", account_no="0600000001234")
    make_contact(session, customer)
    (item,), reasons = planned(session, customer)
    assert (item["to"], reasons) == ("+8613800001111", {})
    assert "尾号1234" in item["text"] and "张三丰" not in item["text"] and "{" not in item["text"]


@pytest.mark.parametrize(
    ("facts", "value", "reason"),
    [
        ({"closed_on": now}, {}, "closed"),
        ({"legal_hold": True}, {}, "legal_hold"),
        ({}, {"verdict": "suspect"}, "no_value"),
        ({}, {"verdict": "invalid"}, "no_value"),
        ({}, {"value": "+85298765432"}, "no_value"),
    ],
)
def test_who_gets_no_message_is_named_with_the_reason(session, shell, facts, value, reason):
    facts = {name: found(session).date() if callable(found) else found for name, found in facts.items()}
    customer = make_customer(session, **facts)
    make_contact(session, customer, **value)
    assert planned(session, customer) == ([], {customer.id: reason})


def test_a_refuted_number_never_gets_a_message(session, shell):
    customer = make_customer(session)
    contact = make_contact(session, customer)
    contacts.confirm(session, [Finding(contact.id, "refuted", "call", "")])
    assert planned(session, customer) == ([], {customer.id: "no_value"})


def test_the_latest_word_on_a_channel_counts(session, shell):
    customer = make_customer(session)
    make_contact(session, customer)
    facts = {"customer_id": customer.id, "unit_id": customer.unit_id, "purpose": "business", "channel": "sms"}
    session.add(Consent(**facts, granted=False, source="counter", since=now(session)))
    session.flush()
    assert planned(session, customer)[1] == {customer.id: "opted_out"}
    session.add(Consent(**facts, granted=True, source="counter", since=now(session)))
    session.flush()
    assert len(planned(session, customer)[0]) == 1


def test_one_number_gets_one_message(session, shell):
    two = [make_customer(session), make_customer(session)]
    for customer in two:
        make_contact(session, customer)
    items, reasons = planned(session, *two)
    assert (len(items), reasons) == (1, {two[1].id: "same_value"})


def test_who_was_written_to_lately_is_left_out(session, shell):
    customer = make_customer(session)
    make_contact(session, customer)
    about = {"customer_id": customer.id, "unit_id": customer.unit_id, "channel": "sms", "purpose": "business"}
    messages.begin(session, "sms-1", about)
    assert planned(session, customer, recent_days=3)[1] == {customer.id: "recent"}
    move_to(session, now(session) + timedelta(days=4))
    assert len(planned(session, customer, recent_days=3)[0]) == 1


def test_a_dead_number_is_refuted_by_its_message(session, shell):
    customer = make_customer(session)
    contact = make_contact(session, customer)
    about = {"customer_id": customer.id, "unit_id": customer.unit_id, "channel": "sms", "purpose": "business"}
    messages.begin(session, "sms-1", about | {"contact_id": contact.id})
    messages.conclude(session, "sms-1", "failed", reason="dead_number")
    assert session.scalars(select(Message.reason)).one() == "dead_number"
    assert contacts.usable(session, [customer.id], ["mobile"]) == []
    assert session.get_one(Customer, customer.id).reach == 0
    assert "message.failed" in session.scalars(select(Trace.action).where(Trace.customer_id == customer.id)).all()
    assert [event.what for event in timelines.timeline(session, customer.id) if event.kind == "message"] == ["failed"]


@pytest.mark.parametrize(
    ("whom", "outcomes"),
    [("recipients", {None, "silent", "confirmed", "undelivered"}), ("unanswered", {None, "silent"}),
     ("undelivered", {"undelivered"}), ("silent", {"silent"})],
)  # fmt: skip
def test_recipients_are_chosen_by_what_they_came_to(session, shell, whom, outcomes):
    campaign = make_campaign(session)
    rows = {}
    for outcome in (None, "silent", "confirmed", "undelivered", "excluded"):
        customer = make_customer(session)
        rows[customer.id] = outcome
        excluded = "by_hand" if outcome == "excluded" else ""
        facts = {
            "customer_id": customer.id,
            "unit_id": customer.unit_id,
            "outcome": outcome,
            "exclusion": excluded,
        }
        session.add(Recipient(campaign_id=campaign.id, **facts))
    session.flush()
    found = [key for ids in messages.recipients(session, campaign.id, whom) for key in ids]
    assert {rows[key] for key in found} == outcomes


@pytest.mark.parametrize(
    ("at", "pause"),
    [("20:59", None), ("21:00", timedelta(hours=11)), ("23:30", timedelta(hours=8, minutes=30)),
     ("07:59", timedelta(minutes=1)), ("08:00", None)],
)  # fmt: skip
def test_nobody_is_woken_by_an_sms(session, at, pause):
    hour, minute = map(int, at.split(":"))
    move_to(session, now(session).astimezone(ZONE).replace(hour=hour, minute=minute, second=0, microsecond=0))
    session.flush()
    found = quiet_hours.quiet_for(session, "sms")
    assert (found is None) == (pause is None)
    assert abs((found or timedelta()) - (pause or timedelta())) < timedelta(seconds=45)
    assert quiet_hours.quiet_for(session, "email") is None


def test_quiet_hours_are_set_and_lifted(session):
    quiet_hours.set_quiet_hours(session, "22:00", "7:30".zfill(5))
    assert quiet_hours.quiet_hours(session) == {"from": "22:00", "until": "07:30"}
    with pytest.raises(Refused, match="两个时刻"):
        quiet_hours.set_quiet_hours(session, "22", "x")
    quiet_hours.set_quiet_hours(session, "", "")
    assert quiet_hours.quiet_for(session, "sms") is None


def test_every_customer_with_a_message_keeps_the_value_it_went_to(session, shell):
    customer = make_customer(session)
    contact = make_contact(session, customer)
    (item,), _reasons = planned(session, customer)
    assert messages.is_still_right(session, item)
    contacts.end(session, [contact.id], "stopped", action="contact.stopped")
    assert not messages.is_still_right(session, item)
    assert session.scalars(select(Contact.state)).all() == ["stopped"]


@pytest.mark.parametrize("facts", [{"legal_hold": True}, {"closed_on": date(2020, 1, 1)}])
def test_who_was_closed_or_put_on_hold_since_gets_no_message(session, shell, facts):
    customer = make_customer(session)
    make_contact(session, customer)
    (item,), _reasons = planned(session, customer)
    for name, value in facts.items():
        setattr(customer, name, value)
    session.flush()
    assert not messages.is_still_right(session, item)
