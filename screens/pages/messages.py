"""Messages (消息) as a list with what became of each, and their templates: texts, quiet hours, how long an SMS is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from models import Campaign, Message, MessageTemplate, db
from models.words import MESSAGE_CHANNELS, MESSAGE_STATES, PURPOSES, SUPPRESSIONS
from screens import looks, masking
from screens.access import READING, needs
from screens.base import Page
from screens.filters import Filter, equals
from screens.listings import Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done, said
from screens.pickers import unit_filter
from screens.row_words import reason_word
from screens.run_words import run_filter
from services import Refused, message_templates, message_texts, quiet_hours
from services.message_templates import Written
from workflows.message_results import COUNTED, take_in

EDIT = "messages.edit"


def reason_text(row: Message) -> str:
    """Why a message did not go out or was not sent at all."""
    if row.state == "suppressed":
        return _(SUPPRESSIONS[row.reason]) if row.reason in SUPPRESSIONS else row.reason
    return reason_word("message_failure", row.reason) if row.reason else ""


class Messages(ListPage):
    """All messages of one's scope, the newest first."""

    permission = "messages.view"
    label, group = _l("消息"), "mailing"
    lead = _l("发给客户的短信和邮件，以及没有发的和原因。发送失败的号码按原因记为核实有误，不再使用。")
    listing = Listing(
        id=Message.id,
        columns=(
            Column(_l("户号"), lambda row, _extra: row.customer.account_no, css="nowrap"),
            Column(_l("户名"), lambda row, _extra: masking.name_text(row.customer.name), css="nowrap"),
            Column(_l("渠道"), lambda row, _extra: looks.word(row.channel, "MESSAGE_CHANNELS"), css="nowrap"),
            Column(_l("正文"), lambda row, _extra: row.text),
            Column(_l("状态"), lambda row, _extra: looks.badge(row.state, "MESSAGE_STATES")),
            Column(_l("原因"), lambda row, _extra: reason_text(row)),
            Column(_l("时间"), lambda row, _extra: looks.moment(row.sent_at or row.created_at), css="nowrap"),
            Column(_l("送达"), lambda row, _extra: looks.moment(row.delivered_at), css="nowrap"),
        ),
        sorts={"new": Sort(_l("最近"), (Message.id,), descending=True)},
        filters=(
            unit_filter(Message.unit_id),
            run_filter(Message.run_id),
            equals("state", _l("状态"), tuple(MESSAGE_STATES.items()), Message.state),
            equals("channel", _l("渠道"), tuple(MESSAGE_CHANNELS.items()), Message.channel),
            equals("reason", _l("未发送原因"), tuple(SUPPRESSIONS.items()), Message.reason),
            Filter(
                "campaign",
                _l("核对活动"),
                lambda: campaign_choices(),
                lambda query, value: query.where(Message.campaign_id == int(value)),
            ),
        ),
        link=lambda row: f"{looks.screen_url('customers')}{row.customer_id}",
        empty=_l("还没有发过消息。"),
        advice=_l("在流程里加上“发送短信”“发送邮件”或“催复”，流程走到那里就会发送。"),
    )

    template = "screens/messages.html"

    def query(self) -> Select[Any]:
        """Messages with their customers."""
        return select(Message).options(joinedload(Message.customer))

    @expose("/results", methods=("POST",))
    @needs(EDIT)
    def results(self) -> Any:
        """Take in what the network made of messages, from the gateway's file."""
        file, taken = request.files.get("file"), Counter[str]()
        if file is None or not file.filename:
            raise Refused(_("请先选择短信网关导出的状态报告（CSV）。"))
        with TemporaryDirectory() as folder:
            path = Path(folder) / (Path(file.filename.replace("\\", "/")).name[:80] or "results")
            file.save(path)
            for more in take_in(db.session(), path):
                db.session.commit()
                taken += more
        told = (f"{_(label)} {taken[name]}" for name, label in COUNTED.items())
        done(_("状态报告已登记：%(told)s。", told=_("，").join(told)))
        return redirect(self.get_url(".index"), 303)


def campaign_choices() -> list[tuple[str, str]]:
    """The newest campaigns that messages may belong to."""
    rows = db.session.execute(select(Campaign.id, Campaign.name).order_by(Campaign.id.desc()).limit(50))
    return [(str(row.id), row.name) for row in rows]


class MessageTemplates(Page):
    """The texts that steps send, looked at as a customer gets them."""

    permission = "messages.view"
    label, group = _l("消息模板"), "mailing"

    @expose("/")
    def index(self) -> str:
        """All templates with their length, and the quiet hours."""
        rows = message_templates.listed(db.session())
        lengths = {row.id: message_texts.length_of(_example(row.body)) for row in rows}
        hours = quiet_hours.quiet_hours(db.session())
        return self.render(
            "screens/message_templates.html", rows=rows, lengths=lengths, hours=hours, example=_example
        )

    @expose("/new", methods=("GET", "POST"))
    @needs(EDIT)
    def new(self) -> Any:
        """A new template."""
        return self._form(None)

    @expose("/<int:key>", methods=("GET", "POST"))
    @needs(EDIT)
    def edit(self, key: int) -> Any:
        """Change a template; messages that were sent keep their text."""
        row = db.session.get(MessageTemplate, key) if key < 2**63 else None
        return self._form(row if row is not None else abort(404))

    @expose("/quiet", methods=("POST",))
    @needs(EDIT)
    def quiet(self) -> Any:
        """Set the hours in which no SMS goes out."""
        begins, ends = (request.form.get(name, "").strip() for name in ("from", "until"))
        quiet_hours.set_quiet_hours(db.session(), begins, ends)
        done(_("免打扰时段已保存。"))
        return redirect(self.get_url(".index"), 303)

    def _form(self, row: MessageTemplate | None) -> Any:
        if request.method in READING:
            return self._filled(row, Written("", "", "sms", "") if row is None else _as_written(row))
        written = _posted(row)
        if "preview" in request.form:
            faults = list(message_texts.faults(written.channel, written.subject, written.body))
            return self._filled(row, written, preview=not faults, faults=[said(fault) for fault in faults])
        try:
            message_templates.save(db.session(), written, row)
        except Refused as refusal:
            mistake = said(refusal)
            db.session.rollback()
            return self._filled(row, written, faults=[mistake]), 422
        done(_("消息模板已保存。"))
        return redirect(self.get_url(".index"), 303)

    def _filled(self, row: MessageTemplate | None, written: Written, **more: Any) -> str:
        facts = {
            "channels": MESSAGE_CHANNELS,
            "purposes": PURPOSES,
            "fields": message_texts.FIELDS,
            "example": _example,
            "length": message_texts.length_of(_example(written.body)),
        }
        return self.render("screens/message_template.html", row=row, written=written, **facts, **more)


def _example(text: str) -> str:
    return message_texts.fill(text, message_texts.EXAMPLES)


def _as_written(row: MessageTemplate) -> Written:
    return Written(row.key, row.name, row.channel, row.body, row.subject, row.purpose, row.enabled)


def _posted(row: MessageTemplate | None) -> Written:
    """What the form brought in; a template that exists keeps its code and channel."""
    texts = {
        name: request.form.get(name, "").replace("\r\n", "\n")
        for name in ("name", "body", "subject", "purpose")
    }
    key, channel = (request.form.get(name, "").strip() for name in ("key", "channel"))
    own = {"key": row.key, "channel": row.channel} if row is not None else {"key": key, "channel": channel}
    return Written(**own, **texts, enabled="enabled" in request.form)
