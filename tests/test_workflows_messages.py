"""Messages in a run: sent once, left out with a reason, held back at night; drivers and the addresses they may call."""

import json
from datetime import timedelta

import pytest
from factories import make_contact
from mailing import begin, reachable, set_config
from running import go_on
from sqlalchemy import select

from models import Campaign, Contact, Message, Outgoing, Recipient, Step, StepItem
from models.clock import move_to, now, utcnow
from models.home import home_path
from services import contacts
from services.message_templates import Written, save
from services.workflows import Definition, publish
from workflows import channels, runs
from workflows.channel_settings import channel_settings
from workflows.channels import Driver
from workflows.deliveries import DeliveryFailed

pytestmark = pytest.mark.usefixtures("by_day")


def files(folder):
    return sorted((home_path() / "outbox" / folder).glob("*"))


@pytest.mark.slow
def test_everybody_on_the_list_gets_one_sms_or_a_reason(session, shell):
    mine = [reachable(session), reachable(session), reachable(session, verdict="suspect")]
    before = len(files("sms"))
    run = begin(session, shell, {"id": "tell", "step": "send_sms"})
    assert (run.state, run.facts["tell"]["sent"], run.facts["tell"]["suppressed"]) == ("done", 2, 1)
    rows = session.execute(select(Message.customer_id, Message.state, Message.reason)).all()
    assert sorted(rows) == [
        (mine[0].id, "sent", ""),
        (mine[1].id, "sent", ""),
        (mine[2].id, "suppressed", "no_value"),
    ]
    assert len(files("sms")) == before + 2
    sent = json.loads(files("sms")[-1].read_text("utf-8"))
    assert sent["to"].startswith("+86138") and "{" not in sent["text"]


def test_no_number_and_no_text_stays_in_items_or_sendings(session, shell):
    reachable(session)
    begin(session, shell, {"id": "tell", "step": "send_sms"})
    assert session.scalars(select(Outgoing.payload)).all() == [{}]
    assert {json.dumps(payload) for payload in session.scalars(select(StepItem.payload))} == {"{}"}


@pytest.mark.slow
def test_a_reminder_takes_the_first_way_that_reaches(session, shell):
    by_sms, by_mail, by_none = (
        reachable(session),
        reachable(session, verdict="invalid"),
        reachable(session, verdict="invalid"),
    )
    mail = {"raw": "a@example.com", "value": "a@example.com"}
    make_contact(session, by_mail, "email", **mail)
    run = begin(session, shell, {"id": "remind", "step": "remind"})
    facts = run.facts["remind"]
    assert (facts["sent"], facts["sms"], facts["email"], facts["suppressed"]) == (2, 1, 1, 1)
    ways = dict(
        session.execute(select(Message.customer_id, Message.channel).where(Message.state == "sent")).all()
    )
    assert ways == {by_sms.id: "sms", by_mail.id: "email"}
    left = session.scalars(select(Message).where(Message.state == "suppressed")).one()
    assert (left.customer_id, left.channel, left.reason) == (by_none.id, "email", "no_value")


@pytest.mark.slow
def test_inside_an_each_every_customer_gets_a_message_or_a_reason(session, shell):
    reachable(session), reachable(session), reachable(session, verdict="invalid")
    each = {"id": "all", "each": {"list": "recipients"}, "do": [{"id": "tell", "step": "send_sms"}]}
    run = begin(session, shell, each)
    assert run.state == "done" and (run.facts["all"]["items"], run.facts["all"]["done"]) == (3, 3)
    assert (run.facts["tell"]["sent"], run.facts["tell"]["suppressed"]) == (2, 1)
    assert sorted(session.scalars(select(Message.state))) == ["sent", "sent", "suppressed"]


@pytest.mark.slow
def test_who_has_answered_is_not_reminded(session, shell):
    reachable(session), reachable(session)
    run = begin(session, shell, {"id": "first", "step": "send_sms"})
    rows = session.scalars(select(Recipient)).all()
    rows[0].outcome = "confirmed"
    publish(
        session,
        Definition("more", "试验", "", "workflows.start", [{"id": "remind", "step": "remind"}], ""),
        shell,
    )
    again = runs.start(session, "more", {}, shell)
    again.facts = {"run": again.facts["run"] | {"campaign_id": run.facts["run"]["campaign_id"]}}
    session.commit()
    assert go_on(session, again).facts["remind"] == {"planned": {}, "suppressed": 1}
    assert session.scalars(select(Message.reason).where(Message.state == "suppressed")).all() == ["recent"]


@pytest.mark.slow
def test_nothing_goes_out_at_night_and_everything_in_the_morning(session, shell):
    reachable(session)
    move_to(session, now(session).replace(hour=22, minute=30))
    run = begin(session, shell, {"id": "tell", "step": "send_sms"})
    step = session.scalars(select(Step).where(Step.node == "tell")).one()
    rest = (step.not_before - utcnow()).total_seconds()
    assert (run.state, step.state, step.attempt) == ("running", "ready", 0)
    assert 0 <= timedelta(hours=9, minutes=30).total_seconds() - rest < 900 and "免打扰" in step.error
    step.not_before = None
    move_to(session, now(session).replace(hour=10) + timedelta(days=1))
    session.commit()
    assert go_on(session, run).state == "done"
    assert session.scalars(select(Message.state)).all() == ["sent"]


@pytest.mark.slow
def test_a_number_that_changed_overnight_gets_no_message(session, shell):
    customer = reachable(session)
    move_to(session, now(session).replace(hour=22))
    run = begin(session, shell, {"id": "tell", "step": "send_sms"})
    mobile = session.scalars(select(Contact).where(Contact.kind == "mobile")).one()
    contacts.end(session, [mobile.id], "stopped", action="contact.stopped")
    session.scalars(select(Step).where(Step.node == "tell")).one().not_before = None
    session.commit()
    assert go_on(session, run).state == "done"
    assert session.execute(select(Message.customer_id, Message.state, Message.reason)).all() == [
        (customer.id, "suppressed", "changed")
    ]


@pytest.mark.slow
def test_an_unclear_outcome_stands_on_the_message_and_waits_for_a_person(session, shell, monkeypatch):
    reachable(session)

    def broken(payload):
        raise TimeoutError

    monkeypatch.setitem(channels.DRIVERS, "sms_file", Driver("试验", broken, repeatable=False))
    run = begin(session, shell, {"id": "tell", "step": "send_sms"})
    assert (run.state, session.scalars(select(Message.state)).all()) == ("waiting", ["unknown"])
    runs.settle_sending(session, session.scalars(select(Outgoing)).one(), went_out=True)
    session.commit()
    assert go_on(session, run).state == "done"
    assert session.scalars(select(Message.state)).all() == ["sent"]


def test_what_was_begun_by_one_way_is_never_repeated_by_another_that_sends_twice(session):
    again = {"step_id": None, "token": "t"}
    assert channels.begin(session, channels.Send("email_file", "email-1", {}), **again) is None
    channels.conclude(session, [channels.Outcome("email-1", "ready")], token="t")
    by_server = channels.Send("email_smtp", "email-1", {})
    assert channels.begin(session, by_server, **again) is None
    assert channels.begin(session, by_server, **again).state == "unknown"


def test_a_refused_message_is_an_item_that_failed_and_the_others_go_on(session, shell, monkeypatch):
    reachable(session), reachable(session)
    errors = [DeliveryFailed("空号", permanent=True, reason="dead_number")]

    def once(payload):
        if errors:
            raise errors.pop()
        return "ok"

    monkeypatch.setitem(channels.DRIVERS, "sms_file", Driver("试验", once, repeatable=True))
    run = begin(session, shell, {"id": "tell", "step": "send_sms"})
    assert (run.state, run.facts["tell"]["sent"], run.facts["tell"]["failed"]) == ("partly_failed", 1, 1)
    assert sorted(session.execute(select(Message.state, Message.reason))) == [
        ("failed", "dead_number"),
        ("sent", ""),
    ]


@pytest.mark.slow
def test_a_way_out_that_stays_shut_is_given_up_after_some_attempts(session, shell, monkeypatch):
    reachable(session)
    asked = []

    def shut(payload):
        asked.append(payload["key"])
        raise DeliveryFailed("稍后", permanent=False)

    monkeypatch.setitem(channels.DRIVERS, "sms_file", Driver("试验", shut, repeatable=True))
    run = begin(session, shell, {"id": "tell", "step": "send_sms"})
    for _attempt in range(10):
        session.scalars(select(Step).where(Step.node == "tell")).one().not_before = None
        session.commit()
        go_on(session, run)
    assert (run.state, len(asked), len(set(asked))) == ("failed", 5, 1)


def test_a_template_that_is_gone_stops_before_anything_is_sent(session, shell):
    reachable(session)
    save(session, Written("mine", "我的", "sms", "您好", enabled=False))
    run = begin(session, shell, {"id": "tell", "step": "send_sms", "options": {"template": "mine"}})
    assert run.state == "failed" and "没有可用的短信模板「mine」" in run.message
    assert session.scalars(select(Message)).all() == []


@pytest.mark.usefixtures("session")
def test_an_address_with_a_line_break_sends_nothing():
    payload = {"key": "email-2", "to": "a@example.com\nBcc: b@example.com", "subject": "核对", "text": "您好"}
    assert channels.deliver(channels.Send("email_file", "email-2", payload)).state == "failed"


@pytest.mark.usefixtures("session")
def test_a_file_is_written_once():
    payload = {"key": "email-3", "to": "a@example.com", "subject": "核对", "text": "您好"}
    first = channels.deliver(channels.Send("email_file", "email-3", payload))
    written = (home_path() / "outbox" / first.text).read_bytes()
    assert channels.deliver(channels.Send("email_file", "email-3", payload)) == first
    assert (home_path() / "outbox" / first.text).read_bytes() == written


def test_settings_come_in_their_types(session, monkeypatch):
    set_config(monkeypatch, CALL_ALLOWED="https://a.cn/x, https://b.cn", MAIL_PORT="465", CALL_TIMEOUT="2.5")
    found = channel_settings()
    assert (found.call_allowed, found.mail_port, found.timeout) == (
        ("https://a.cn/x", "https://b.cn"),
        465,
        2.5,
    )


def test_the_campaign_stays_with_its_messages(session, shell):
    reachable(session)
    begin(session, shell, {"id": "tell", "step": "send_sms"})
    assert session.scalars(select(Message.campaign_id)).one() == session.scalars(select(Campaign.id)).one()
