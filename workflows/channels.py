"""What leaves the house: a row `sending` with a unique key before, its outcome after.

At most once, and exactly once unless it is listed as `unknown`: then whoever sent died between sending and writing so,
and a person says whether it went out. A driver that may safely repeat itself is simply asked again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Outgoing, Step
from models.clock import utcnow
from models.home import home_path
from models.words import N_, Said
from services import Refused, files, messages
from workflows import message_drivers
from workflows.channel_settings import channel_settings
from workflows.deliveries import ChannelShut, DeliveryFailed
from workflows.steps import Send

__all__ = [
    "DRIVERS",
    "DeliveryFailed",
    "Driver",
    "Outcome",
    "begin",
    "conclude",
    "deliver",
    "driver_for",
    "outbox",
]

MESSAGE_STATES = {"done": "sent", "failed": "failed", "unknown": "unknown", "ready": "sending"}


@dataclass(frozen=True)
class Driver:
    """One way out. `send(payload)` returns what to note; `repeatable` when sending twice is as sending once."""

    label: str
    send: Callable[[Mapping[str, Any]], str]
    repeatable: bool


@dataclass(frozen=True)
class Outcome:
    """What became of one sending: done, failed, ready (to be tried again) or unknown.

    Of what is ready, `is_put_off` says that only this one waits, `is_shut` that nothing goes out by this way.
    """

    key: str
    state: str
    text: str = ""
    reason: str = ""
    is_put_off: bool = False
    is_shut: bool = False


def send_to_folder(payload: Mapping[str, Any]) -> str:
    """Put a stored file (`sha256`) into the outbox of the home under a name of its own: whole, and never twice."""
    target = outbox() / Path(str(payload["name"])).name
    content = files.location(payload["sha256"])
    if not content.exists():
        message = Said("文件 %(name)s 的内容不在文件库里，无法放进待发目录。", name=target.name)
        raise DeliveryFailed(message, permanent=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    copyfile(content, draft)
    try:
        _link(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return target.name


DRIVERS: dict[str, Driver] = {
    "folder": Driver(N_("待发目录"), send_to_folder, repeatable=True),
    "sms_file": Driver(N_("短信：写成文件"), message_drivers.send_sms_to_file, repeatable=True),
    "sms_http": Driver(N_("短信：网关"), message_drivers.send_sms_by_http, repeatable=True),
    "sms_http_plain": Driver(N_("短信：不认编号的网关"), message_drivers.send_sms_by_http, repeatable=False),
    "email_file": Driver(N_("邮件：写成文件"), message_drivers.send_email_to_file, repeatable=True),
    "email_smtp": Driver(N_("邮件：邮件服务器"), message_drivers.send_email_by_smtp, repeatable=False),
    "web": Driver(N_("网址调用"), message_drivers.call_web, repeatable=False),
}


def driver_for(channel: str) -> str:
    """The driver that this installation sends a channel's messages with, as a key of DRIVERS."""
    settings = channel_settings()
    name = f"{channel}_{settings.sms_driver if channel == 'sms' else settings.mail_driver}"
    if name not in DRIVERS:
        raise Refused("没有发送方式「%(name)s」。请系统管理员检查环境变量。", name=name)
    if name.startswith("sms_http"):
        message_drivers.require_gateway(settings)
    if name == "email_smtp" and not settings.mail_host:
        raise Refused("没有填邮件服务器的地址，一封也没有发。请系统管理员设置 MAIL_HOST 后重试这一步。")
    return name


def outbox() -> Path:
    """The folder from which the office takes what was issued."""
    folder = home_path() / "outbox"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def begin(session: Session, send: Send, *, step_id: int, token: str) -> Outcome | None:
    """Before sending: write the row `sending`; an outcome when there is nothing to send (out already, or not known)."""
    row = session.scalar(select(Outgoing).where(Outgoing.key == send.key))
    if row is None:
        row = Outgoing(key=send.key, channel=send.channel, created_at=utcnow())
        session.add(row)
    elif row.state == "done":
        return Outcome(send.key, "done", row.outcome)
    elif _is_in_other_hands(session, row, step_id):
        return Outcome(send.key, "done", row.outcome)
    elif row.state in ("sending", "unknown") and not DRIVERS[row.channel].repeatable:
        row.state, row.step_id = "unknown", step_id
        messages.conclude(session, row.key, "unknown")
        return Outcome(send.key, "unknown", row.outcome)
    row.state, row.step_id, row.token, row.channel = "sending", step_id, token, send.channel
    row.payload = (
        {} if send.about else dict(send.payload)
    )  # numbers and texts of people stay in their own tables
    if send.about:
        messages.begin(session, send.key, send.about)
    return None


def _is_in_other_hands(session: Session, row: Outgoing, step_id: int | None) -> bool:
    """Whether another step that goes on has begun the same sending: it says what becomes of it."""
    if row.step_id in (None, step_id):
        return False
    state = session.scalar(select(Step.state).where(Step.id == row.step_id))
    return state in ("ready", "leased", "failed", "unknown")


def deliver(send: Send) -> Outcome:
    """Send one thing, outside any transaction. What a driver cannot tell stays unknown, unless it may be repeated."""
    driver = DRIVERS[send.channel]
    try:
        return Outcome(send.key, "done", driver.send(send.payload))
    except DeliveryFailed as failure:
        state, later = ("failed", False) if failure.permanent else ("ready", failure.is_for_one)
        return Outcome(send.key, state, str(failure), failure.reason, is_put_off=later)
    except ChannelShut as shut:
        return Outcome(send.key, "ready", str(shut), "channel_down", is_shut=True)
    except Exception as error:  # noqa: BLE001 a driver may fail in any way; what went out is then not known
        return Outcome(send.key, "ready" if driver.repeatable else "unknown", type(error).__name__)


def conclude(session: Session, outcomes: Sequence[Outcome], *, token: str) -> None:
    """After sending: write the outcomes of rows that are still ours."""
    for outcome in outcomes:
        row = session.scalar(select(Outgoing).where(Outgoing.key == outcome.key, Outgoing.token == token))
        if row is not None and row.state == "sending":
            row.state, row.outcome = outcome.state, outcome.text
            row.sent_at = utcnow() if outcome.state == "done" else None
            messages.conclude(session, row.key, MESSAGE_STATES[row.state], reason=outcome.reason)


def _link(draft: Path, target: Path) -> None:
    with open(draft, "rb+") as file:
        os.fsync(file.fileno())
    try:
        os.link(draft, target)
    except FileExistsError:
        if files.sha256_of(target) != files.sha256_of(draft):
            raise DeliveryFailed(
                Said(
                    "待发目录里已有一个内容不同的 %(name)s。请先核对并移走它，再重试这一步。",
                    name=target.name,
                ),
                permanent=True,
            ) from None
        return
    folder = os.open(target.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
