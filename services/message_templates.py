"""Message templates as staff keep them: made, changed, found by key; a text with a fault is never kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import MessageTemplate
from models.clock import utcnow
from models.words import MESSAGE_CHANNELS, PURPOSES, Said
from services import Refused, message_texts, traces

KEY = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True)
class Written:
    """A template as a form or a file brings it."""

    key: str
    name: str
    channel: str
    body: str
    subject: str = ""
    purpose: str = "business"
    enabled: bool = True


def save(session: Session, written: Written, row: MessageTemplate | None = None) -> MessageTemplate:
    """Keep a new template, or change one; its key and channel stay as they are once it exists."""
    _check(session, written, row)
    if row is None:
        row = MessageTemplate(key=written.key, channel=written.channel)
        session.add(row)
    row.name, row.purpose, row.enabled = written.name.strip()[:80], written.purpose, written.enabled
    row.subject, row.body, row.changed_at = written.subject.strip(), written.body.strip(), utcnow()
    traces.record(session, "message_template.saved", row, details={"key": row.key})
    return row


def usable(session: Session, key: str, channel: str) -> MessageTemplate:
    """The enabled template of a key for a channel, or why there is none."""
    row = session.scalar(select(MessageTemplate).where(MessageTemplate.key == key))
    if row is None or row.channel != channel or not row.enabled:
        raise Refused(
            "没有可用的%(channel)s模板「%(key)s」。请在“消息模板”里新建、启用，或在流程里另选一个。",
            channel=MESSAGE_CHANNELS[channel],
            key=key,
        )
    return row


def listed(session: Session, channel: str = "") -> Sequence[MessageTemplate]:
    """All templates by channel and name; of one channel, those that can be used."""
    query = select(MessageTemplate).order_by(MessageTemplate.channel.desc(), MessageTemplate.name)
    if channel:
        query = query.where(MessageTemplate.channel == channel, MessageTemplate.enabled)
    return session.scalars(query).all()


def _check(session: Session, written: Written, row: MessageTemplate | None) -> None:
    if not written.name.strip():
        raise Refused("没有保存：请填写模板名称。")
    if row is None and not KEY.fullmatch(written.key):
        raise Refused("没有保存：代码要用 2 到 40 个小写字母、数字或下划线，以字母开头。")
    if written.channel not in MESSAGE_CHANNELS or written.purpose not in PURPOSES:
        raise Refused("没有保存：请选择渠道和用途。")
    taken = select(MessageTemplate.id).where(MessageTemplate.key == written.key)
    if row is None and session.scalar(taken) is not None:
        raise Refused("没有保存：代码「%(key)s」已经有了，请换一个。", key=written.key)
    found = list(message_texts.faults(written.channel, written.subject, written.body))
    if found:
        raise Refused("没有保存：%(faults)s", faults=Said.joined(found, joint=""))
