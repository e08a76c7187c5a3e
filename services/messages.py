"""Messages to customers by SMS and e-mail: who gets one and who does not, one row each, what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from secrets import token_hex
from typing import Any

from sqlalchemy import Select, bindparam, exists, insert, select
from sqlalchemy.orm import Session

from models import (
    Campaign,
    Contact,
    Customer,
    Letter,
    Message,
    MessageTemplate,
    Reason,
    Recipient,
    Unit,
)
from models.clock import now, today
from models.contacts import GOOD
from paper.masks import mask_name
from services import contacts, letterheads, reasons, traces
from services.contacts import Finding
from services.customer_tests import opted_out, refuted
from services.message_texts import fill

CHUNK = 500
KINDS = {"sms": "mobile", "email": "email"}
CHINESE_MOBILE = "+861"

Plan = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """Which text goes out: its template, the values all messages share, and who was written to too recently.

    `recent_days`: who was sent a message of the same channel since is left out; 0 asks nothing.
    """

    template: MessageTemplate
    shared: Mapping[str, str]
    recent_days: int = 0


def recipients(session: Session, campaign_id: int, whom: str) -> Iterator[Sequence[int]]:
    """The customers on a campaign's list in chunks: all `recipients`, or those who are `unanswered`, `undelivered`,
    `silent` so far. Whose letter came back for a reason that asks for another channel is unanswered too."""
    query = select(Recipient.customer_id).where(
        Recipient.campaign_id == campaign_id, Recipient.exclusion == ""
    )
    if whom == "unanswered":
        letters = select(Letter.recipient_id).where(Letter.campaign_id == campaign_id)
        back = letters.where(Letter.undelivered_reason.in_(reasons.for_messages(session)))
        came_back = (Recipient.outcome == "undelivered") & Recipient.id.in_(back)
        query = query.where(Recipient.outcome.is_(None) | (Recipient.outcome == "silent") | came_back)
    elif whom != "recipients":
        query = query.where(Recipient.outcome == whom)
    last = 0
    query = query.order_by(Recipient.customer_id).limit(CHUNK)
    while ids := session.scalars(query.where(Recipient.customer_id > last)).all():
        yield ids
        last = ids[-1]


def plan(
    session: Session, wanted: Wanted, chunks: Iterable[Sequence[int]], *, seen: set[str]
) -> Iterator[Plan]:
    """A message for each customer who may get one, by value and with its key; the others in lists with the reason.

    `seen` keeps the numbers and addresses that got one already: none gets two.
    """
    for ids in chunks:
        yield from _planned(session, wanted, ids, seen)


def campaign_values(session: Session, campaign: Campaign | None) -> dict[str, str]:
    """What all messages of a campaign share; without one, what all messages of the bureau do."""
    head = letterheads.current(session)
    found = {"单位简称": head.organ_short or head.organ, "服务热线": head.hotline}
    if campaign is None:
        return found
    due = day_in_words(campaign.reply_by) if campaign.reply_by else ""
    return found | {"活动名称": campaign.name, "回复期限": due}


def named(template: MessageTemplate) -> Plan:
    """What an item says of its template."""
    return {"template_id": template.id, "channel": template.channel, "purpose": template.purpose}


def day_in_words(day: date) -> str:
    """A day as a message says it."""
    return f"{day.month}月{day.day}日"


def suppressed_by(session: Session, customer_ids: Sequence[int], wanted: Wanted) -> dict[int, str]:
    """Who may not be written to at all, with the reason of `SUPPRESSIONS`."""
    moment, template = now(session), wanted.template
    found: dict[str, Any] = {
        "closed": Customer.closed_on <= moment.date(),
        "legal_hold": Customer.legal_hold,
        "opted_out": opted_out(template.purpose, template.channel),
    }
    if wanted.recent_days:
        found["recent"] = _written_since(template.channel, moment - timedelta(days=wanted.recent_days))
    rows = {
        name: select(Customer.id).where(Customer.id.in_(customer_ids), test) for name, test in found.items()
    }
    return {key: name for name in reversed(rows) for key in session.scalars(rows[name])}


def is_still_right(session: Session, item: Mapping[str, Any]) -> bool:
    """Whether what was planned may still go out: the value stands and is usable, and nobody has opted out, closed the
    account or put it on legal hold since.

    A `former` value no longer stands and may still be told of the change, unless it was found wrong.
    """
    query = _still_right(item["channel"], item["purpose"], bool(item.get("former")))
    return session.scalar(query, {"contact_id": item["contact_id"], "day": today(session)}) is not None


@lru_cache(maxsize=32)
def _still_right(channel: str, purpose: str, is_former: bool) -> Select[tuple[int]]:
    """The question of `is_still_right`, built once: it is asked before every message."""
    stands = () if is_former else (Contact.state == "current", Contact.verdict.in_(GOOD))
    query = select(Contact.id).join(Customer, Customer.id == Contact.customer_id)
    is_open = Customer.closed_on.is_(None) | (Customer.closed_on > bindparam("day"))
    right = (~refuted(Contact), ~opted_out(purpose, channel), ~Customer.legal_hold, is_open)
    return query.where(Contact.id == bindparam("contact_id"), *stands, *right)


def begin(session: Session, key: str, about: Mapping[str, Any]) -> None:
    """The row of a message that is about to be sent; one that was begun before begins again."""
    row = session.scalar(select(Message).where(Message.key == key))
    if row is None:
        row = Message(key=key, created_at=now(session), **about)
        session.add(row)
    row.state, row.reason = "sending", ""


def conclude(session: Session, key: str, state: str, *, reason: str = "") -> None:
    """What became of a message: sent, failed, unknown, or sending (to be tried again). A dead number is refuted."""
    row = session.scalar(select(Message).where(Message.key == key))
    if row is None:
        return
    row.state, row.reason = state, reason
    row.sent_at = now(session) if state == "sent" else None
    if state in ("sent", "failed"):
        details = {"channel": row.channel, "campaign": row.campaign_id, "reason": reason}
        traces.record(session, f"message.{state}", row, details=details)
    if state == "failed" and row.contact_id is not None and _refutes(session, reason):
        contacts.confirm(
            session, [Finding(row.contact_id, "refuted", "message", reason, f"message:{row.id}")]
        )


def keep_suppressed(
    session: Session, rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]
) -> dict[str, int]:
    """Write who was left out and why; returns how many."""
    shared = {"state": "suppressed", "created_at": now(session), "contact_id": None, "text": "", **about}
    session.execute(
        insert(Message), [{**shared, **row, "key": f"suppressed-{token_hex(12)}"} for row in rows]
    )
    return {"suppressed": len(rows)}


def latest(session: Session, campaign_id: int, customer_ids: Sequence[int]) -> dict[int, Message]:
    """The last message of a campaign to each of a few customers: which way worked, or why none went out."""
    query = select(Message).where(Message.campaign_id == campaign_id, Message.customer_id.in_(customer_ids))
    rows = session.scalars(query.order_by((Message.state == "suppressed").desc(), Message.id))
    return {row.customer_id: row for row in rows}


def _planned(session: Session, wanted: Wanted, ids: Sequence[int], seen: set[str]) -> Iterator[Plan]:
    barred = suppressed_by(session, ids, wanted)
    values = _values(session, wanted.template.channel, ids)
    left_out = []
    for row in session.execute(_facts(ids)).all():
        contact = values.get(row.id)
        reason = barred.get(row.id, "")
        if contact is None:
            reason = reason or "no_value"
        elif contact.value in seen:
            reason = reason or "same_value"
        if reason or contact is None:
            left_out.append({"customer_id": row.id, "unit_id": row.unit_id, "reason": reason})
            continue
        seen.add(contact.value)
        yield _message(wanted, row, contact)
    if left_out:
        yield {"suppressed": left_out, **named(wanted.template)}


def _message(wanted: Wanted, row: Any, contact: Contact) -> Plan:
    own = {"户名": mask_name(row.name), "户号后四位": row.account_no[-4:], "供电单位": row.unit}
    template = wanted.template
    return {
        "key": f"{template.channel}-{token_hex(12)}",
        "customer_id": row.id,
        "unit_id": row.unit_id,
        "contact_id": contact.id,
        "to": contact.value,
        "subject": fill(template.subject, {**wanted.shared, **own}),
        "text": fill(template.body, {**wanted.shared, **own}),
        **named(template),
    }


def _values(session: Session, channel: str, customer_ids: Sequence[int]) -> dict[int, Contact]:
    """The usable value of each customer that is tried first; an SMS goes to a Chinese mobile number only."""
    found: dict[int, Contact] = {}
    for contact in contacts.usable(session, customer_ids, [KINDS[channel]]):
        if channel != "sms" or contact.value.startswith(CHINESE_MOBILE):
            found.setdefault(contact.customer_id, contact)
    return found


def _facts(ids: Sequence[int]) -> Select[Any]:
    columns = (Customer.id, Customer.name, Customer.account_no, Customer.unit_id, Unit.name.label("unit"))
    joined = select(*columns).join(Unit, Unit.id == Customer.unit_id)
    return joined.where(Customer.id.in_(ids)).order_by(Customer.id)


def _written_since(channel: str, since: datetime) -> Any:
    done = (Message.channel == channel, Message.state.in_(("sending", "sent", "unknown")))
    return exists().where(Message.customer_id == Customer.id, Message.created_at >= since, *done)


def _refutes(session: Session, reason: str) -> bool:
    query = select(Reason.consequences).where(Reason.list == "message_failure", Reason.code == reason)
    return bool((session.scalar(query) or {}).get("refutes_number"))
