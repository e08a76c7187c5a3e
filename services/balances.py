"""The balance sheet of a campaign (平衡表): targeted = excluded + withdrawn + posted; each number opens its list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from models import Letter, Recipient
from models.letters import GONE
from models.words import N_
from services.campaigns import still_open

BUCKETS = {
    "excluded": N_("剔除"),
    "withdrawn": N_("中止"),
    "to_post": N_("待交寄"),
    "open": N_("待回复"),
    "paper": N_("纸质回函"),
    "online": N_("自助回复"),
    "undelivered": N_("退信"),
    "silent": N_("未回复"),
}
PENDING = "pending"
ANSWERED = ("paper", "online")
ARRIVED = ("open", *ANSWERED, "silent")
SUMS = {"answered": ANSWERED, "arrived": ARRIVED, "posted": (*ARRIVED, "undelivered")}
SUMS["letters"] = ("to_post", *SUMS["posted"])


@dataclass(frozen=True)
class Balance:
    """Every targeted customer counted once, by what became of the letter, and once by outcome."""

    excluded: int = 0
    withdrawn: int = 0
    to_post: int = 0
    open: int = 0
    paper: int = 0
    online: int = 0
    undelivered: int = 0
    silent: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        """Letters that were answered, on the form or online."""
        return self.paper + self.online

    @property
    def arrived(self) -> int:
        """Letters that went to the post and did not come back undelivered."""
        return self.open + self.answered + self.silent

    @property
    def posted(self) -> int:
        """Letters that went to the post: open until the deadline, answered, undelivered or silent."""
        return self.arrived + self.undelivered

    @property
    def targeted(self) -> int:
        """Everybody on the frozen list; what is not posted yet stands apart until it is."""
        return self.excluded + self.withdrawn + self.to_post + self.posted

    @property
    def letters(self) -> int:
        """How many customers a letter was meant for and not taken back."""
        return self.to_post + self.posted


def balance(session: Session, campaign_id: int) -> Balance:
    """Count a campaign's recipients in one statement, as far as the session's scope reaches."""
    bucket, outcome = _bucket().label("bucket"), func.coalesce(Recipient.outcome, PENDING).label("outcome")
    query = _joined(select(bucket, outcome, func.count())).where(Recipient.campaign_id == campaign_id)
    rows = session.execute(query.group_by(bucket, outcome)).all()
    counts: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    for name, result, number in rows:
        counts[name] = counts.get(name, 0) + number
        outcomes[result] = outcomes.get(result, 0) + number
    return _sheet(counts, outcomes)


def balances(session: Session, campaign_ids: Sequence[int]) -> dict[int, Balance]:
    """The letters' side of several campaigns at once, for a list of them."""
    bucket = _bucket().label("bucket")
    query = _joined(select(Recipient.campaign_id, bucket, func.count()))
    query = query.where(Recipient.campaign_id.in_(campaign_ids)).group_by(Recipient.campaign_id, bucket)
    found: dict[int, dict[str, int]] = {key: {} for key in campaign_ids}
    for campaign_id, name, number in session.execute(query):
        found[campaign_id][name] = number
    return {key: _sheet(counts) for key, counts in found.items()}


def members(campaign_id: int, *, bucket: str = "", outcome: str = "", exclusion: str = "") -> Select[Any]:
    """The recipients behind one number, each with its live letter (or none): the query of the list it opens."""
    query = _joined(select(Recipient, Letter)).where(Recipient.campaign_id == campaign_id)
    if bucket in SUMS:
        query = query.where(_bucket().in_(SUMS[bucket]))
    elif bucket in BUCKETS:
        query = query.where(_bucket() == bucket)
    if outcome:
        query = query.where(func.coalesce(Recipient.outcome, PENDING) == outcome)
    return query.where(Recipient.exclusion == exclusion) if exclusion else query


def exclusions(session: Session, campaign_id: int) -> dict[str, int]:
    """How many recipients were left out for which reason."""
    query = select(Recipient.exclusion, func.count()).where(
        Recipient.campaign_id == campaign_id, Recipient.exclusion != ""
    )
    return {reason: number for reason, number in session.execute(query.group_by(Recipient.exclusion))}


def letters_open(session: Session, campaign_id: int) -> int:
    """How many posted letters may still be answered: asked every few seconds while a run waits."""
    query = select(func.count(Letter.id)).where(Letter.campaign_id == campaign_id, *still_open())
    return session.scalar(query) or 0


def _sheet(counts: Mapping[str, int], outcomes: Mapping[str, int] | None = None) -> Balance:
    numbers = {name: counts.get(name, 0) for name in BUCKETS}
    return Balance(outcomes=outcomes or {}, **numbers)


def _joined(query: Select[Any]) -> Select[Any]:
    live = and_(Letter.recipient_id == Recipient.id, Letter.state.not_in(GONE))
    return query.select_from(Recipient).outerjoin(Letter, live)


def _bucket() -> ColumnElement[str]:
    return case(
        (Recipient.exclusion != "", "excluded"),
        (Recipient.outcome == "withdrawn", "withdrawn"),
        (Letter.state.in_(("undelivered", "silent")), Letter.state),
        (Letter.state == "answered", Letter.answered_by),
        (Letter.posted_at.is_not(None), "open"),
        else_="to_post",
    )
