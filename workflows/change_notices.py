"""The step that tells the old and the new contact of a change, each once, whenever and however often it runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from sqlalchemy.orm import Session

from models.clock import now
from models.words import N_, SOURCES
from services import change_notices, message_templates
from services.change_notices import CHANNEL_OF, Looked
from workflows.messages import sent
from workflows.steps import Effects, Facts, Item, Options, Planned, asked

Kind = Literal["mobile", "email"]
Source = Literal["returned_form", "visit", "hotline", "counter", "self_service", "import", "third_party"]

KINDS = {"mobile": N_("手机"), "email": N_("电子邮箱")}


class TellChanges(Options):
    """Which changes are told to whom."""

    kinds: tuple[Kind, ...] = asked(N_("哪些信息的变更"), ("mobile", "email"), labels=KINDS, min_length=1)
    sources: tuple[Source, ...] = asked(
        N_("哪些来源的变更"),
        ("returned_form", "hotline", "counter", "self_service"),
        labels=SOURCES,
        min_length=1,
    )
    days: int = asked(
        N_("看最近几天的变更"), 7, ge=1, le=90, help=N_("每次变更新旧号码各告知一次，重复运行不会重发。")
    )
    sms_template: str = asked(N_("短信模板"), "change_notice", max_length=40, choices="sms_templates")
    email_template: str = asked(
        N_("邮件模板"), "change_notice_mail", max_length=40, choices="email_templates"
    )


def plan_tell_changes(session: Session, options: TellChanges, facts: Facts) -> Planned:
    """A message to the old and one to the new value of each change that nobody was told of."""
    keys = {"sms": options.sms_template, "email": options.email_template}
    channels: dict[str, str] = {kind: CHANNEL_OF[kind] for kind in options.kinds}
    templates = {
        kind: message_templates.usable(session, keys[channel], channel) for kind, channel in channels.items()
    }
    looked = Looked(templates, options.sources, now(session) - timedelta(days=options.days))
    return Planned(change_notices.plan(session, looked))


def tell_changes(options: TellChanges, facts: Facts, items: Sequence[Item]) -> Effects:
    """Send one message."""
    return sent(facts, items)
