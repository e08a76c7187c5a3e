"""Test prints (样张) before a run: the longest and strangest recipients of a campaign, with tokens that nobody has."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
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
    rows = list(_rows(session, campaign_id))
    numbers = _recorded(session, campaign_id)
    ways: Sequence[Callable[[Any], Any]] = (
        lambda row: len(row.address or ""),
        lambda row: len(row.name or ""),
        lambda row: rare(f"{row.name}{row.address}"),
        lambda row: -numbers.get(row.customer_id, 0),
        lambda row: numbers.get(row.customer_id, 0),
    )
    chosen = {row.id for way in ways for row in heapq.nlargest(EACH, rows, key=way)}
    return sorted(chosen)


def rare(text: str) -> int:
    """How many characters of a text stand outside GB 2312, where fonts begin to have gaps."""
    return sum(not _is_common(character) for character in text)


def _is_common(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _rows(session: Session, campaign_id: int) -> Iterable[Any]:
    query = (
        select(Recipient.id, Recipient.customer_id, Customer.name, Contact.value.label("address"))
        .join(Customer, Customer.id == Recipient.customer_id)
        .join(Contact, Contact.id == Recipient.address_id)
        .where(Recipient.campaign_id == campaign_id, Recipient.exclusion == "")
    )
    return session.execute(query.order_by(Recipient.id).execution_options(yield_per=BATCH))


def _recorded(session: Session, campaign_id: int) -> dict[int, int]:
    listed = select(Recipient.customer_id).where(Recipient.campaign_id == campaign_id)
    query = select(Contact.customer_id, func.count()).where(
        Contact.customer_id.in_(listed), Contact.state == "current", Contact.verdict.in_(USABLE)
    )
    return dict(session.execute(query.group_by(Contact.customer_id)).tuples().all())
