"""Steps that write to customers by SMS and e-mail: planned by value, one row and one sending a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy.orm import Session

from models import Campaign
from models.words import N_
from services import Refused, message_templates, messages, quiet_hours
from services.messages import Wanted
from workflows.channels import driver_for
from workflows.deliveries import NotNow
from workflows.sessions import reading
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, Send, asked

Whom = Literal["recipients", "unanswered", "undelivered", "silent"]
Channel = Literal["sms", "email"]

WHOM = {
    "recipients": N_("名单上所有客户"),
    "unanswered": N_("还没有回复的客户"),
    "undelivered": N_("函件被退回的客户"),
    "silent": N_("已登记未回复的客户"),
}
HELP = N_("已退订、已销户、司法或投诉处理中、没有可用号码的客户总是不发，原因记在消息清单里。")
OTHER_WAY = (
    "no_value",
    "opted_out",
    "same_value",
)  # whoever is left out for these may be reached by another way
CHANNELS = {"sms": N_("短信"), "email": N_("电子邮件")}


class SendSms(Options):
    """Which SMS goes to whom."""

    template: str = asked(
        N_("短信模板"), "survey_notice", min_length=1, max_length=40, choices="sms_templates"
    )
    whom: Whom = asked(N_("发给谁"), "recipients", labels=WHOM)
    recent_days: int = asked(N_("多少天内发过短信的不再发（0 为不管）"), 0, ge=0, le=3660, help=HELP)


class SendEmail(Options):
    """Which e-mail goes to whom."""

    template: str = asked(
        N_("邮件模板"), "survey_notice_mail", min_length=1, max_length=40, choices="email_templates"
    )
    whom: Whom = asked(N_("发给谁"), "recipients", labels=WHOM)
    recent_days: int = asked(N_("多少天内发过邮件的不再发（0 为不管）"), 0, ge=0, le=3660, help=HELP)


class Remind(Options):
    """By which ways who has not answered is reminded: for each the first way that reaches them."""

    ways: tuple[Channel, ...] = asked(
        N_("催复方式"), ("sms", "email"), labels=CHANNELS, help=N_("按顺序用第一个能送到的；都不选就不催。")
    )
    sms_template: str = asked(N_("短信模板"), "survey_reminder", max_length=40, choices="sms_templates")
    email_template: str = asked(
        N_("邮件模板"), "survey_reminder_mail", max_length=40, choices="email_templates"
    )
    recent_days: int = asked(N_("多少天内发过的不再催（0 为不管）"), 3, ge=0, le=3660)


def plan_send_sms(session: Session, options: SendSms, facts: Facts) -> Planned:
    """An SMS for everybody who may get one, and the others with the reason."""
    return _plan(session, "sms", options, facts)


def send_sms(options: SendSms, facts: Facts, items: Sequence[Item]) -> Effects:
    """Send one SMS, or keep who was left out."""
    return sent(facts, items)


def plan_send_email(session: Session, options: SendEmail, facts: Facts) -> Planned:
    """An e-mail for everybody who may get one, and the others with the reason."""
    return _plan(session, "email", options, facts)


def send_email(options: SendEmail, facts: Facts, items: Sequence[Item]) -> Effects:
    """Send one e-mail, or keep who was left out."""
    return sent(facts, items)


def plan_remind(session: Session, options: Remind, facts: Facts) -> Planned:
    """A reminder for everybody who has not answered, each by the first way that reaches them."""
    campaign = campaign_of(session, facts)
    for way in options.ways:
        driver_for(way)
    shared = messages.campaign_values(session, campaign)
    return Planned(
        by_first_way(session, options, shared, messages.recipients(session, campaign.id, "unanswered"))
    )


def remind(options: Remind, facts: Facts, items: Sequence[Item]) -> Effects:
    """Send one reminder, or keep who was left out."""
    return sent(facts, items)


def sent(facts: Facts, items: Sequence[Item]) -> Effects:
    """What one planned item comes to: a sending, unless it is quiet now or no longer right; or who was left out."""
    (item,) = items
    about = {name: item[name] for name in ("template_id", "channel", "purpose")}
    about |= {"campaign_id": facts["run"].get("campaign_id"), "run_id": facts["run"]["id"]}
    if "suppressed" in item:
        return _left_out(item["suppressed"], about)
    with reading() as session:
        pause = quiet_hours.quiet_for(session, item["channel"])
        right = messages.is_still_right(session, item)
    if not right:
        return _left_out([_whose(item) | {"reason": "changed"}], about)
    if pause is not None:
        raise NotNow(N_("现在是免打扰时段，过后自动继续发送。"), pause=pause)
    payload = {name: item[name] for name in ("key", "to", "subject", "text")}
    about |= _whose(item) | {"contact_id": item["contact_id"], "text": item["text"]}
    return Effects(
        sends=[Send(driver_for(item["channel"]), item["key"], payload, about)],
        summary={"sent": 1, item["channel"]: 1},
    )


def campaign_of(session: Session, facts: Facts) -> Campaign:
    """The campaign of the run; refused where no step has begun one."""
    key = facts["run"].get("campaign_id")
    if key is None:
        raise Refused("这个流程还没有核对活动。请把这一步放在“选定客户”之后。")
    return session.get_one(Campaign, key)


def by_first_way(
    session: Session, options: Remind, shared: Mapping[str, str], chunks: Iterable[Sequence[int]]
) -> Iterator[Item]:
    """Who is left out of one way for want of a value or a yes is tried on the next; the last way says why none goes."""
    keys = {"sms": options.sms_template, "email": options.email_template}
    templates = [message_templates.usable(session, keys[way], way) for way in options.ways]
    ways = [Wanted(template, shared, options.recent_days) for template in templates]
    seen: set[str] = set()
    for left in chunks:
        for place, wanted in enumerate(ways, start=1):
            planned = list(messages.plan(session, wanted, [left], seen=seen))
            yield from (item for item in planned if "key" in item)
            out = [row for item in planned for row in item.get("suppressed", ())]
            is_last = place == len(ways)
            final = [row for row in out if is_last or row["reason"] not in OTHER_WAY]
            if final:
                yield {"suppressed": final, **messages.named(wanted.template)}
            left = [row["customer_id"] for row in out if row["reason"] in OTHER_WAY]


def _plan(session: Session, channel: str, options: SendSms | SendEmail, facts: Facts) -> Planned:
    campaign = campaign_of(session, facts)
    driver_for(channel)  # refused here where nothing can go out: nobody is told half
    template = message_templates.usable(session, options.template, channel)
    wanted = Wanted(template, messages.campaign_values(session, campaign), options.recent_days)
    if "each" in facts:
        return Planned(_in_turn(session, wanted, facts["each"]["items"]))
    chunks = messages.recipients(session, campaign.id, options.whom)
    return Planned(messages.plan(session, wanted, chunks, seen=set()))


def _in_turn(session: Session, wanted: Wanted, items: Sequence[Item]) -> Iterator[Item]:
    """Inside an each: the messages of its customers, each with the number of the item that it belongs to."""
    numbers = {item["customer_id"]: item["item"] for item in items}
    for planned in messages.plan(session, wanted, [sorted(numbers)], seen=set()):
        if "key" in planned:
            yield {**planned, "item": numbers[planned["customer_id"]]}
        for row in planned.get("suppressed", ()):
            yield {**planned, "suppressed": [row], "item": numbers[row["customer_id"]]}


def _left_out(rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> Effects:
    return Effects(calls=[Call(messages.keep_suppressed, {"rows": rows, "about": about})])


def _whose(item: Item) -> dict[str, Any]:
    return {"customer_id": item["customer_id"], "unit_id": item["unit_id"]}
