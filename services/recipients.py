"""Recipients of a list that is not frozen yet: who is left out for a reason, and who is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Select, and_, case, exists, select
from sqlalchemy.orm import Session

from models import Customer, Letter, Message, Recipient, Visit
from models.clock import now
from services.customer_tests import SPOILED, opted_out

CHUNK = 1000


@dataclass(frozen=True)
class Rules:
    """Who is left out: by reasons (keys of `workflows.recipients.REASONS`), days for `recent`, channel for opt-outs."""

    reasons: tuple[str, ...]
    recent_days: int = 90
    channel: str = "letter"


@dataclass(frozen=True)
class Share:
    """How many are drawn: a number, or so many per cent rounded up; of the whole list or of each unit."""

    number: int = 0
    percent: float = 0.0
    each_unit: bool = False

    def of(self, total: int) -> int:
        """How many of so many."""
        return min(self.number, total) if self.number else min(total, -int(-total * self.percent // 100))


def on_list(session: Session, campaign_id: int) -> Iterator[list[int]]:
    """The customers on a campaign's list who are not left out and have no letter yet, in chunks."""
    written = select(Letter.id).where(Letter.recipient_id == Recipient.id).exists()
    query = select(Recipient.customer_id).where(
        Recipient.campaign_id == campaign_id, Recipient.exclusion == "", ~written
    )
    last = 0
    while ids := session.scalars(query.where(Recipient.customer_id > last)).all():
        yield list(ids)
        last = ids[-1]


def left_out(session: Session, customer_ids: Sequence[int], rules: Rules) -> Sequence[Any]:
    """Whom the rules leave out of a few customers: id, unit, and the first reason that holds."""
    reason = _reason(session, rules).label("reason")
    query = select(Customer.id, Customer.unit_id, reason).where(Customer.id.in_(customer_ids), reason != "")
    return session.execute(query.order_by(Customer.id)).all()


def not_drawn(accounts: Iterator[tuple[int, int, str]], seed: str, share: Share) -> Iterator[tuple[int, int]]:
    """Whom a draw leaves out, as (customer, unit): the same accounts and seed give the same draw.

    `accounts` are (customer, unit, account number); drawn are those with the smallest sha256 of seed and account, so
    that nobody can choose whom it hits.
    """
    keyed = sorted((_key(seed, account), customer, unit) for customer, unit, account in accounts)
    groups = Counter(unit if share.each_unit else 0 for _hash, _customer, unit in keyed)
    left = {group: share.of(number) for group, number in groups.items()}
    for _hash, customer, unit in keyed:
        group = unit if share.each_unit else 0
        left[group] -= 1
        if left[group] < 0:
            yield customer, unit


def accounts_of(session: Session, customer_ids: Sequence[int]) -> Iterator[tuple[int, int, str]]:
    """Customer, unit and account number of a few customers."""
    columns = (Customer.id, Customer.unit_id, Customer.account_no)
    rows = session.execute(select(*columns).where(Customer.id.in_(customer_ids)).order_by(Customer.id))
    yield from rows.tuples()


def recipient_ids(session: Session, campaign_id: int, customer_ids: Sequence[int]) -> Mapping[int, int]:
    """The rows of a campaign's list for a few customers."""
    query: Select[Any] = select(Recipient.customer_id, Recipient.id).where(
        Recipient.campaign_id == campaign_id, Recipient.customer_id.in_(customer_ids)
    )
    return dict(session.execute(query).tuples().all())


def _key(seed: str, account: str) -> str:
    return sha256(f"{seed}|{account}".encode()).hexdigest()


def _reason(session: Session, rules: Rules) -> Any:
    since = now(session) - timedelta(days=rules.recent_days)
    tests = {
        "closed": and_(Customer.closed_on.is_not(None), Customer.closed_on <= now(session).date()),
        "legal_hold": Customer.legal_hold,
        "sensitive": Customer.sensitivity == "high",
        "opted_out": opted_out("business", rules.channel),
        "recent": _contacted(since),
        "unreachable": Customer.reach == 0,
    }
    return case(*((tests[name], name) for name in tests if name in rules.reasons), else_="")


def _contacted(since: Any) -> Any:
    """Whether a letter or message went out, or a visit ended, since a moment."""
    written = exists().where(
        Letter.customer_id == Customer.id, Letter.state.not_in(SPOILED), Letter.composed_at >= since
    )
    told = exists().where(
        Message.customer_id == Customer.id,
        Message.state.in_(("sent", "unknown")),
        Message.created_at >= since,
    )
    seen = exists().where(Visit.customer_id == Customer.id, Visit.state == "done", Visit.ended_at >= since)
    return written | told | seen
