"""The ways out for messages: a folder of files, an SMS gateway by HTTP, a mail server by SMTP; and a called address."""

from __future__ import annotations

import json
import os
import smtplib
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any

from models.clock import utcnow
from models.home import home_path
from models.words import N_, Said
from services import Refused
from workflows.channel_settings import ChannelSettings, channel_settings
from workflows.deliveries import ChannelShut, DeliveryFailed
from workflows.web_calls import Answer, checked, post, token_for

Payload = Mapping[str, Any]

BUSY, ASK_LATER, NOT_ALLOWED = (408, 425, 429, 503), (425, 429), (401, 403)
SENDER_REFUSED = N_("邮件服务器不让用这个发件人（%(code)s），先停下来。请系统管理员检查 MAIL_FROM 和账号后重试这一步。")
NOT_LET_IN = N_("对方不认我们的口令（%(status)s），先停下来。请系统管理员检查 SMS_TOKEN 或 CALL_TOKEN 后重试这一步。")
NOT_SIGNED_IN = N_(
    "邮件服务器不让登录（%(code)s），先停下来。请系统管理员检查 MAIL_USER 和 MAIL_PASSWORD 后重试这一步。"
)
NO_GATEWAY = N_("短信网关的地址没有填或写得不对，一条也没有发。请系统管理员设置 SMS_URL 后重试这一步。")


class Unclear(Exception):
    """The other side broke down while it answered: whether it took what was sent is not known."""


def send_sms_to_file(payload: Payload) -> str:
    """Put an SMS into the folder `outbox/sms` as one file; twice the same changes nothing."""
    text = json.dumps({name: payload[name] for name in ("key", "to", "text")}, ensure_ascii=False, indent=1)
    return write_once("sms", f"{payload['key']}.json", text.encode())


def send_email_to_file(payload: Payload) -> str:
    """Put an e-mail into the folder `outbox/email`, as a file that mail programs open."""
    return write_once("email", f"{payload['key']}.eml", bytes(_mail(payload, channel_settings())))


def send_sms_by_http(payload: Payload) -> str:
    """Hand an SMS to the gateway: its key goes along, so that a gateway asked twice sends once."""
    settings = channel_settings()
    body = {name: payload[name] for name in ("key", "to", "text")}
    headers = {"Authorization": f"Bearer {settings.sms_token}"} if settings.sms_token else {}
    return _posted(settings.sms_url, body, headers, _for_gateway(settings))


def require_gateway(settings: ChannelSettings) -> None:
    """Refuse to send where no gateway is set, before anything is begun."""
    try:
        checked(settings.sms_url, _for_gateway(settings))
    except DeliveryFailed as failure:
        raise Refused(NO_GATEWAY) from failure


def send_email_by_smtp(payload: Payload) -> str:
    """Hand an e-mail to the mail server; when the line breaks in the middle, nobody knows whether it went out."""
    settings = channel_settings()
    mail = _mail(payload, settings)
    with _mail_server(settings) as server:
        try:
            server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as refusal:
            codes = [code for code, _text in refusal.recipients.values()]
            raise DeliveryFailed(
                Said("邮件服务器不收这个邮箱（%(code)s）。", code=codes[0] if codes else ""),
                permanent=all(code >= 500 for code in codes),
                reason="mailbox",
                is_for_one=True,
            ) from refusal
        except smtplib.SMTPSenderRefused as refusal:
            if refusal.smtp_code < 500:
                raise _put_off(refusal.smtp_code) from refusal
            raise ChannelShut(Said(SENDER_REFUSED, code=refusal.smtp_code)) from refusal
        except smtplib.SMTPResponseException as refusal:
            raise _put_off(refusal.smtp_code) from refusal
    return str(mail["Message-ID"])


def call_web(payload: Payload) -> str:
    """Call an allowed web address with its values as JSON."""
    settings = channel_settings()
    token = token_for(str(payload["url"]), settings)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return _posted(str(payload["url"]), {**payload["body"], "key": payload["key"]}, headers, settings)


def write_once(folder: str, name: str, content: bytes) -> str:
    """Write a file of the outbox whole or not at all; returns its name."""
    target = home_path() / "outbox" / folder / Path(name).name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not target.exists():
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        with open(draft, "wb", opener=_closed_to_others) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    return f"{folder}/{target.name}"


def _posted(url: str, body: Mapping[str, Any], headers: Mapping[str, str], settings: ChannelSettings) -> str:
    own = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": str(body["key"])}
    answer = post(url, json.dumps(body, ensure_ascii=False).encode(), {**own, **headers}, settings)
    if 200 <= answer.status < 300:
        return str(_read(answer).get("id", ""))[:80] or str(answer.status)
    if answer.status >= 500 and answer.status not in BUSY:
        raise Unclear(answer.status)
    if answer.status in NOT_ALLOWED:
        raise ChannelShut(Said(NOT_LET_IN, status=answer.status))
    raise DeliveryFailed(
        Said("对方没有受理（%(status)s）。", status=answer.status),
        permanent=answer.status not in BUSY,
        reason=str(_read(answer).get("reason", ""))[:40] or "channel_down",
        is_for_one=answer.status in ASK_LATER,
    )


def _put_off(code: int) -> DeliveryFailed:
    """What a mail server said of one message: no for good, or not now."""
    message = Said("邮件服务器没有收下（%(code)s）。", code=code)
    return DeliveryFailed(message, permanent=code >= 500, reason="channel_down", is_for_one=True)


def _for_gateway(settings: ChannelSettings) -> ChannelSettings:
    return replace(settings, call_allowed=(settings.sms_url,))


def _read(answer: Answer) -> Mapping[str, Any]:
    try:
        found = json.loads(answer.text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _mail(payload: Payload, settings: ChannelSettings) -> EmailMessage:
    mail = EmailMessage()
    try:
        mail["From"], mail["To"] = settings.mail_from or "lamplighter@localhost", str(payload["to"])
        mail["Subject"] = str(payload["subject"])
    except ValueError as error:
        raise DeliveryFailed(
            Said("邮箱或主题里有不能用的字符。"), permanent=True, reason="mailbox"
        ) from error
    mail["Message-ID"] = f"<{payload['key']}@{_domain(settings)}>"
    mail["Date"] = format_datetime(utcnow())
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(str(payload["text"]))
    return mail


def _domain(settings: ChannelSettings) -> str:
    """What stands behind the @ of our own address: no name is looked up for it."""
    return parseaddr(settings.mail_from)[1].rpartition("@")[2] or "lamplighter.localdomain"


def _mail_server(settings: ChannelSettings) -> AbstractContextManager[smtplib.SMTP]:
    """A connection to the mail server, signed in; nothing was sent yet when this fails."""
    kind: Callable[..., smtplib.SMTP] = smtplib.SMTP_SSL if settings.mail_security == "tls" else smtplib.SMTP
    more: dict[str, Any] = {"timeout": settings.timeout, "local_hostname": _domain(settings)}
    more |= {"context": ssl.create_default_context()} if settings.mail_security == "tls" else {}
    try:
        server = kind(settings.mail_host, settings.mail_port, **more)
        if settings.mail_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if settings.mail_user:
            server.login(settings.mail_user, settings.mail_password)
    except smtplib.SMTPAuthenticationError as error:
        raise ChannelShut(Said(NOT_SIGNED_IN, code=error.smtp_code)) from error
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryFailed(
            Said("邮件服务器连不上或不让登录（%(kind)s），稍后会自动重试。", kind=type(error).__name__),
            permanent=False,
            reason="channel_down",
        ) from error
    return server


def _closed_to_others(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
