"""What a gateway or a mail server says, and what becomes of the message, of the others and of the step."""

import json
import smtplib
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from mailing import begin, reachable, set_config
from running import go_on
from sqlalchemy import select

from models import Message, Outgoing, Step, StepItem, Task
from models.clock import utcnow
from workflows import channels, runs
from workflows.channels import Driver
from workflows.deliveries import DeliveryFailed

pytestmark = pytest.mark.usefixtures("by_day")


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


def tried_again(session, run):
    session.scalars(select(Step).where(Step.node == "tell")).one().not_before = None
    session.commit()
    return go_on(session, run)


def waited(session, hours):
    """Let what is put off have waited for so long."""
    for item in session.scalars(select(StepItem).where(StepItem.state == "ready")):
        if "since" in item.result:
            item.result = {**item.result, "since": (utcnow() - timedelta(hours=hours)).isoformat()}
    for sending in session.scalars(select(Outgoing).where(Outgoing.sent_at.is_not(None))):
        sending.sent_at = utcnow() - timedelta(hours=hours)


@pytest.mark.slow
def test_a_message_put_off_waits_alone_and_is_tried_again(session, shell, monkeypatch):
    reachable(session), reachable(session), reachable(session)
    asked = []

    def full(payload):
        asked.append(payload["key"])
        if payload["key"] == asked[0]:
            raise DeliveryFailed("邮箱满了", permanent=False, reason="mailbox", is_for_one=True)
        return "ok"

    monkeypatch.setitem(channels.DRIVERS, "sms_file", Driver("试验", full, repeatable=False))
    run = begin(session, shell, {"id": "tell", "step": "send_sms"})
    step = session.scalars(select(Step).where(Step.node == "tell")).one()
    assert (run.state, len(set(asked)), len(asked)) == ("running", 3, 3) and "稍后再发" in step.error
    assert sorted(session.scalars(select(Message.state))) == ["sending", "sent", "sent"]
    for _time in range(9):
        tried_again(session, run)
    assert (run.state, asked.count(asked[0])) == ("running", 10)
    waited(session, 5)
    tried_again(session, run)
    assert (run.state, len(asked)) == ("partly_failed", 13)


@pytest.mark.slow
def test_a_way_out_that_puts_everything_off_fails_no_message_and_tells_a_person(session, shell, monkeypatch):
    for _number in range(14):
        reachable(session)
    asked = []

    def busy(payload):
        asked.append(payload["key"])
        if len(asked) <= 40:
            raise DeliveryFailed("太多", permanent=False, is_for_one=True)
        return "ok"

    monkeypatch.setitem(channels.DRIVERS, "sms_file", Driver("试验", busy, repeatable=True))
    run = begin(session, shell, {"id": "tell", "step": "send_sms"})
    assert (run.state, len(asked)) == ("running", 10)
    waited(session, 23)
    tried_again(session, run)
    assert (run.state, set(session.scalars(select(Outgoing.state)))) == ("running", {"ready"})
    waited(session, 24)
    tried_again(session, run)
    assert (run.state, len(asked)) == ("failed", 30) and "24 小时里一条也没有被收下" in run.message
    assert session.scalar(select(Task.state).where(Task.run_id == run.id)) == "open"
    runs.retry(session, run)
    assert (go_on(session, run).state, len(asked)) == ("running", 40)  # another day
    assert (tried_again(session, run).state, len(asked)) == ("done", 54)


@pytest.mark.slow
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


def test_what_another_run_has_begun_is_left_to_it(session, shell, monkeypatch):
    reachable(session)
    monkeypatch.setitem(channels.DRIVERS, "sms_file", Driver("试验", lambda _payload: 1 / 0, repeatable=False))
    run = begin(session, shell, {"id": "tell", "step": "send_sms"})
    row = session.scalars(select(Outgoing)).one()
    assert row.state == "unknown"
    send = channels.Send("sms_file", row.key, {})
    assert channels.begin(session, send, step_id=0, token="t").state == "done"
    assert (row.state, row.step_id) == ("unknown", session.scalar(select(Step.id).where(Step.node == "tell")))
    runs.cancel(session, run, "不发了")
    assert channels.begin(session, send, step_id=None, token="t").state == "unknown"
