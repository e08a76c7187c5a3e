"""Messages in a run: sent once, left out with a reason, held back at night; drivers and the addresses they may call."""

import json
import smtplib
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import running
from factories import make_contact, make_customer
from flask import current_app
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

SELECT = {"id": "select", "step": "select_customers", "options": {"name": "核对", "recent_days": 0}}
FREEZE = {"id": "freeze", "step": "freeze_recipients"}
ADDRESS = "广东省佛山市南海区桂城街道南海大道12号3栋2单元501室"


@pytest.fixture(autouse=True)
def by_day(session):
    """Ten in the morning, when messages may go out."""
    move_to(session, now(session).replace(hour=10, minute=0))
    session.commit()


def reachable(session, **contact):
    """A customer whom the survey selects (no e-mail is recorded), with an address and a mobile number."""
    customer = make_customer(session)
    make_contact(session, customer, "supply_address", raw=ADDRESS, value=ADDRESS)
    make_contact(
        session, customer, **{"value": f"+86138{customer.id:08}", "raw": f"138{customer.id:08}", **contact}
    )
    return customer


def begin(session, shell, *nodes):
    return running.begin(session, shell, SELECT, FREEZE, *nodes)


def set_config(monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setitem(current_app.config, name, value)


def files(folder):
    return sorted((home_path() / "outbox" / folder).glob("*"))


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


def test_inside_an_each_every_customer_gets_a_message_or_a_reason(session, shell):
    reachable(session), reachable(session), reachable(session, verdict="invalid")
    each = {"id": "all", "each": {"list": "recipients"}, "do": [{"id": "tell", "step": "send_sms"}]}
    run = begin(session, shell, each)
    assert run.state == "done" and (run.facts["all"]["items"], run.facts["all"]["done"]) == (3, 3)
    assert (run.facts["tell"]["sent"], run.facts["tell"]["suppressed"]) == (2, 1)
    assert sorted(session.scalars(select(Message.state))) == ["sent", "sent", "suppressed"]


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


def tried_again(session, run):
    session.scalars(select(Step).where(Step.node == "tell")).one().not_before = None
    session.commit()
    return go_on(session, run)


@pytest.mark.parametrize(("times", "state"), [(1, "done"), (99, "partly_failed")])
def test_a_message_put_off_waits_alone_and_is_tried_again(session, shell, monkeypatch, times, state):
    reachable(session), reachable(session), reachable(session)
    asked = []

    def full(payload):
        asked.append(payload["key"])
        if payload["key"] == asked[0] and asked.count(asked[0]) <= times:
            raise DeliveryFailed("邮箱满了", permanent=False, reason="mailbox", is_for_one=True)
        return "ok"

    monkeypatch.setitem(channels.DRIVERS, "sms_file", Driver("试验", full, repeatable=False))
    run = begin(session, shell, {"id": "tell", "step": "send_sms"})
    step = session.scalars(select(Step).where(Step.node == "tell")).one()
    assert (run.state, len(set(asked)), len(asked)) == ("running", 3, 3) and "稍后再发" in step.error
    assert sorted(session.scalars(select(Message.state))) == ["sending", "sent", "sent"]
    for _time in range(min(times, 6)):
        tried_again(session, run)
    assert (run.state, asked.count(asked[0])) == (state, min(times + 1, 6))


def test_a_way_out_that_puts_everything_off_is_not_asked_for_each(session, shell, monkeypatch):
    for _number in range(14):
        reachable(session)
    asked = []

    def busy(payload):
        asked.append(payload["key"])
        raise DeliveryFailed("太多", permanent=False, is_for_one=True)

    monkeypatch.setitem(channels.DRIVERS, "sms_file", Driver("试验", busy, repeatable=True))
    run = begin(session, shell, {"id": "tell", "step": "send_sms"})
    assert (run.state, len(asked)) == ("running", 10)
    assert set(session.scalars(select(Outgoing.state))) == {"ready"}


def test_a_gateway_that_does_not_let_us_in_stops_the_step_and_fails_no_message(session, shell, gateway):
    reachable(session), reachable(session)
    gateway.answer = (401, {}, "")
    run = begin(session, shell, {"id": "tell", "step": "send_sms"})
    assert (run.state, len(gateway.asked)) == ("failed", 1) and "SMS_TOKEN" in run.message
    assert not session.scalars(select(Message).where(Message.state == "failed")).all()
    gateway.answer = (200, {}, "{}")
    runs.retry(session, run)
    assert (go_on(session, run).state, run.facts["tell"]["sent"]) == ("done", 2)


@pytest.mark.parametrize("url", ["", "gateway", "http://[bad"])
def test_without_a_gateway_nothing_is_begun(session, shell, monkeypatch, url):
    set_config(monkeypatch, SMS_DRIVER="http", SMS_URL=url)
    reachable(session)
    run = begin(session, shell, {"id": "tell", "step": "send_sms"})
    assert run.state == "failed" and "SMS_URL" in run.message
    assert not session.scalars(select(Message)).all()


def test_a_template_that_is_gone_stops_before_anything_is_sent(session, shell):
    reachable(session)
    save(session, Written("mine", "我的", "sms", "您好", enabled=False))
    run = begin(session, shell, {"id": "tell", "step": "send_sms", "options": {"template": "mine"}})
    assert run.state == "failed" and "没有可用的短信模板「mine」" in run.message
    assert session.scalars(select(Message)).all() == []


class Gateway(BaseHTTPRequestHandler):
    """An SMS gateway that keeps what it is asked and answers as it is told."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), json.loads(body)))
        status, headers, text = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_args):
        """Say nothing."""


@pytest.fixture
def gateway(monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    server.asked, server.answer = [], (200, {}, '{"id": "m-1"}')
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    set_config(
        monkeypatch,
        SMS_DRIVER="http",
        SMS_URL=f"{server.url}/sms",
        SMS_TOKEN="geheim",
        CALL_PRIVATE="127.0.0.1",
    )
    yield server
    server.shutdown()
    server.server_close()


PAYLOAD = {"key": "sms-1", "to": "+8613800001111", "text": "您好", "subject": ""}


@pytest.fixture
def in_app(session):
    """Within the app, as a worker is."""


@pytest.mark.usefixtures("in_app")
def test_the_gateway_is_asked_with_key_and_secret(gateway):
    send = channels.Send(channels.driver_for("sms"), "sms-1", PAYLOAD)
    assert channels.deliver(send) == channels.Outcome("sms-1", "done", "m-1")
    path, headers, body = gateway.asked[0]
    assert (path, headers["Authorization"], headers["Idempotency-Key"]) == ("/sms", "Bearer geheim", "sms-1")
    assert body == {"key": "sms-1", "to": "+8613800001111", "text": "您好"}


@pytest.mark.usefixtures("in_app")
@pytest.mark.parametrize(
    ("driver", "answer", "state", "reason"),
    [
        ("sms_http", (400, {}, '{"reason": "dead_number"}'), "failed", "dead_number"),
        ("sms_http", (429, {}, ""), "ready", "channel_down"),
        ("sms_http", (503, {}, ""), "ready", "channel_down"),
        ("sms_http", (500, {}, "oops"), "ready", ""),
        ("sms_http_plain", (500, {}, "oops"), "unknown", ""),
        ("sms_http", (302, {"Location": "http://127.0.0.1:1/"}, ""), "failed", "channel_down"),
    ],
)
def test_an_answer_decides_what_became_of_a_message(gateway, driver, answer, state, reason):
    gateway.answer = answer
    outcome = channels.deliver(channels.Send(driver, "sms-1", PAYLOAD))
    assert (outcome.state, outcome.reason, len(gateway.asked)) == (state, reason, 1)


@pytest.mark.usefixtures("in_app")
def test_a_gateway_that_is_away_is_asked_again(gateway):
    gateway.server_close()
    assert channels.deliver(channels.Send("sms_http", "sms-1", PAYLOAD)).state == "ready"


class Mail:
    """A mail server that keeps what it gets, or refuses."""

    sent: list[object] = []
    error: Exception | None = None

    def __init__(self, host, port, timeout, local_hostname):
        assert (host, port, local_hostname) == ("mail.example.com", 25, "example.org")

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        return None

    def send_message(self, mail):
        if Mail.error:
            raise Mail.error
        Mail.sent.append(mail)


@pytest.mark.usefixtures("in_app")
@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (None, "done", ""),
        (smtplib.SMTPRecipientsRefused({"a@example.com": (550, b"no")}), "failed", "mailbox"),
        (smtplib.SMTPRecipientsRefused({"a@example.com": (450, b"later")}), "ready", "mailbox"),
        (smtplib.SMTPDataError(554, b"no"), "failed", "channel_down"),
        (smtplib.SMTPServerDisconnected("gone"), "unknown", ""),
    ],
)
def test_the_mail_server_decides_what_became_of_an_email(monkeypatch, error, state, reason):
    set_config(
        monkeypatch, MAIL_DRIVER="smtp", MAIL_HOST="mail.example.com", MAIL_PORT="25", MAIL_SECURITY="none",
        MAIL_FROM="供电局 <kf@example.org>",
    )  # fmt: skip
    monkeypatch.setattr(socket, "getfqdn", None)  # no name is looked up for a message's number
    monkeypatch.setattr(smtplib, "SMTP", Mail)
    monkeypatch.setattr(Mail, "error", error)
    payload = {"key": "email-1", "to": "a@example.com", "subject": "核对", "text": "您好"}
    outcome = channels.deliver(channels.Send(channels.driver_for("email"), "email-1", payload))
    assert (outcome.state, outcome.reason) == (state, reason)


@pytest.mark.usefixtures("in_app")
def test_an_address_with_a_line_break_sends_nothing():
    payload = {"key": "email-2", "to": "a@example.com\nBcc: b@example.com", "subject": "核对", "text": "您好"}
    assert channels.deliver(channels.Send("email_file", "email-2", payload)).state == "failed"


@pytest.mark.usefixtures("in_app")
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
