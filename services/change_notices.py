"""Change notices (变更告知): the old and the new number or address are told that a contact was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from models import Contact, ContactKind, Customer, Message, MessageTemplate, Unit
from models.clock import ZONE
from models.contacts import GOOD, latest_confirmations
from paper.masks import mask_name
from services import messages
from services.message_texts import fill
from services.messages import CHINESE_MOBILE, Wanted, day_in_words, named

CHUNK = 500
CHANNEL_OF = {kind: channel for channel, kind in messages.KINDS.items()}


@dataclass(frozen=True)
class Looked:
    """Which changes are told: kinds with their templates, sources, and since when they became current."""

    templates: Mapping[str, MessageTemplate]
    sources: tuple[str, ...]
    since: datetime


def plan(session: Session, looked: Looked) -> Iterator[dict[str, Any]]:
    """Two messages a change, to the value before and to the one now; each once, whoever asks and however often."""
    shared = messages.campaign_values(session, None)
    labels = dict(session.execute(select(ContactKind.code, ContactKind.label)).tuples().all())
    last = 0
    while rows := session.execute(_changes(looked, last)).all():
        last = rows[-1].new.id
        silent = _barred(session, looked, rows)
        over = _over(session, rows)
        for row in rows:
            day = day_in_words(row.new.current_from.astimezone(ZONE).date())
            own = {**shared, **_own(row), "变更项目": labels[row.new.kind], "变更日期": day}
            for contact in (row.new, row.old):
                key = _key(row, contact)
                if row.new.customer_id not in silent and key not in over and _takes_messages(contact):
                    yield _message(row, contact, looked.templates[contact.kind], own)


def _key(row: Any, contact: Contact) -> str:
    return f"change-{row.new.id}-{'new' if contact is row.new else 'old'}"


def _over(session: Session, rows: Sequence[Any]) -> set[str]:
    """The keys of those who were told already, or whose value was found wrong."""
    found = latest_confirmations(session, sorted({row.new.customer_id for row in rows}))
    wrong = {fact for fact, confirmation in found.items() if confirmation.result == "refuted"}
    keys = {
        _key(row, one): (one.customer_id, one.kind, one.value) for row in rows for one in (row.new, row.old)
    }
    told = session.scalars(select(Message.key).where(Message.key.in_(keys)))
    return {*told, *(key for key, fact in keys.items() if fact in wrong)}


def _changes(looked: Looked, last: int) -> Any:
    new, old = aliased(Contact, name="new"), aliased(Contact, name="old")
    return (
        select(new, old, Customer.name, Customer.account_no, Unit.name.label("unit"))
        .join(old, old.id == new.replaces_id)
        .join(Customer, Customer.id == new.customer_id)
        .join(Unit, Unit.id == Customer.unit_id)
        .where(
            new.id > last,
            new.state == "current",
            new.kind.in_(looked.templates),
            new.source.in_(looked.sources),
        )
        .where(new.current_from >= looked.since, old.value != new.value, old.kind == new.kind)
        .order_by(new.id)
        .limit(CHUNK)
    )


def _barred(session: Session, looked: Looked, rows: Sequence[Any]) -> set[int]:
    """Customers who are closed, on legal hold, or do not want messages of a channel."""
    found: set[int] = set()
    for kind, template in looked.templates.items():
        ids = [row.new.customer_id for row in rows if row.new.kind == kind]
        found |= set(messages.suppressed_by(session, ids, Wanted(template, {}))) if ids else set()
    return found


def _takes_messages(contact: Contact) -> bool:
    good = contact.verdict in GOOD and bool(contact.value)
    return good and (contact.kind != "mobile" or contact.value.startswith(CHINESE_MOBILE))


def _own(row: Any) -> dict[str, str]:
    return {"户名": mask_name(row.name), "户号后四位": row.account_no[-4:], "供电单位": row.unit}


def _message(
    row: Any, contact: Contact, template: MessageTemplate, values: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "key": _key(row, contact),
        "customer_id": contact.customer_id,
        "unit_id": contact.unit_id,
        "contact_id": contact.id,
        "former": contact is row.old,
        "to": contact.value,
        "subject": fill(template.subject, values),
        "text": fill(template.body, values),
        **named(template),
    }
