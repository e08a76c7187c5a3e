"""Test prints (样张) before a run: the longest and strangest recipients of a campaign, with tokens that nobody has."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Campaign, Contact, Customer, Recipient
from models.contacts import USABLE
from paper.letters import LetterFacts
from services import Refused, forms, letters, traces

EACH = 2  # letters for each way of being strange
BATCH = 5000
WAYS: Sequence[Callable[[Any], int]] = (
    lambda row: len(row.address or ""),
    lambda row: len(row.name or ""),
    lambda row: rare(f"{row.name}{row.address}"),
)


def plan(session: Session, campaign: Campaign) -> list[LetterFacts]:
    """The letters of the sample, numbered 样张-1 …; their codes belong to no letter."""
    chosen = strangest(session, campaign.id)
    if not chosen:
        raise Refused("核对活动 %(code)s 的名单里还没有要发函的客户，没有可打的样张。", code=campaign.code)
    version = forms.survey_version(session)
    plans = letters.plan_specimens(session, campaign, chosen, form_version=version)
    found = [
        replace(letters.letter_facts(one), serial=f"样张-{number}") for number, one in enumerate(plans, start=1)
    ]
    traces.record(session, "campaign.specimens", campaign, details={"letters": len(found)})
    return found


def strangest(session: Session, campaign_id: int) -> list[int]:
    """Recipients with the longest addresses and names, with rare characters, with the least and the most on record."""
    return sorted({*_by_text(session, campaign_id), *_by_number(session, campaign_id)})


def rare(text: str) -> int:
    """How many characters of a text stand outside GB 2312, where fonts begin to have gaps."""
    if _is_common(text):
        return 0
    return sum(not _is_common(character) for character in text)


def _is_common(text: str) -> bool:
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _by_text(session: Session, campaign_id: int) -> Iterator[int]:
    """The best of each way, kept while the list goes by: no database knows which characters are rare."""
    query = (
        select(Recipient.id, Customer.name, Contact.value.label("address"))
        .join(Customer, Customer.id == Recipient.customer_id)
        .join(Contact, Contact.id == Recipient.address_id)
        .where(*_addressed(campaign_id))
    )
    rows = session.execute(query.order_by(Recipient.id).execution_options(yield_per=BATCH))
    best: list[list[Any]] = [[] for _way in WAYS]
    for chunk in rows.partitions():
        best = [heapq.nlargest(EACH, [*kept, *chunk], key=way) for kept, way in zip(best, WAYS, strict=True)]
    return (row.id for kept in best for row in kept)


def _by_number(session: Session, campaign_id: int) -> Iterator[int]:
    """Those of whom the least and the most is on record."""
    known = select(func.count(Contact.id)).where(
        Contact.customer_id == Recipient.customer_id, Contact.state == "current", Contact.verdict.in_(USABLE)
    )
    number = known.scalar_subquery()
    query = select(Recipient.id).where(*_addressed(campaign_id)).limit(EACH)
    for order in (number, number.desc()):
        yield from session.scalars(query.order_by(order, Recipient.id))


def _addressed(campaign_id: int) -> tuple[Any, ...]:
    return (Recipient.campaign_id == campaign_id, Recipient.exclusion == "")
