"""Campaigns: begun from a segment, recipients frozen with a reason for each exclusion, closed with one outcome each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, insert, literal, select, update
from sqlalchemy.orm import Session

from models import Campaign, Contact, Customer, Letter, Recipient, Unit
from models.clock import end_of_day, now, today, utcnow
from models.letters import GONE
from models.scope import ALL, current_scope, working_as
from paper.letterheads import Letterhead
from paper.letters import fits_address
from services import Refused, ended_runs, letterheads, outcomes, traces
from services.segments import Segment, Target, check_segment

CHUNK = 1000
REPLY_DAYS = 21
GRACE_DAYS = 3
SHORT_ADDRESS = 34  # characters that fit the window whatever they are; longer ones are measured
NOBODY = "用电客户"
ON_THE_WAY = ("composed", "printed", "posted")

Conditions = tuple[ColumnElement[bool], ...]


@dataclass(frozen=True)
class Beginning:
    """What a campaign starts with. `run_id` makes it unique: a run begins one campaign, however often it is asked."""

    name: str
    unit_id: int
    segment: Segment = Segment()
    reply_days: int = REPLY_DAYS
    online_check: str = "phone"
    run_id: int | None = None
    owner_id: int | None = None


@dataclass(frozen=True)
class Addressed:
    """One recipient's name and address, as the window would hold them."""

    id: int
    name: str
    address: str


@dataclass
class Merging:
    """Whether accounts of one holder at one address get one letter, and who has been seen so far."""

    wanted: bool
    seen: set[tuple[str, str]] = field(default_factory=set)


def begin_campaign(session: Session, beginning: Beginning) -> Campaign:
    """Make a campaign as a draft; its recipients are added in chunks and then frozen."""
    if beginning.run_id is not None:
        found = session.scalar(select(Campaign).where(Campaign.run_id == beginning.run_id))
        if found is not None:
            return found
    check_segment(session, beginning.segment)
    day = today(session)
    row = Campaign(
        code=_next_code(session, day),
        name=beginning.name.strip()[:120] or f"{day:%Y-%m}联系信息核对",
        unit_id=beginning.unit_id,
        owner_id=beginning.owner_id,
        run_id=beginning.run_id,
        state="draft",
        segment=beginning.segment.as_row(),
        reply_by=day + timedelta(days=beginning.reply_days),
        options={"reply_days": beginning.reply_days, "online_check": beginning.online_check},
        created_at=utcnow(),
    )
    session.add(row)
    traces.record(session, "campaign.begun", row, details={"code": row.code})
    return row


def add_recipients(session: Session, campaign_id: int, targets: Sequence[Target]) -> int:
    """Put one chunk of targets on the list; who stands on it already stays as they are. Returns how many are new."""
    ids = [target.customer_id for target in targets]
    query = select(Recipient.customer_id).where(
        Recipient.campaign_id == campaign_id, Recipient.customer_id.in_(ids)
    )
    with working_as(session, ALL):
        known = set(session.scalars(query))
    rows = [_recipient(session, campaign_id, target) for target in targets if target.customer_id not in known]
    if rows:
        session.execute(insert(Recipient), rows)
    return len(rows)


def late_exclusions(session: Session, campaign: Campaign) -> Iterator[list[dict[str, Any]]]:
    """Who cannot stay once the list is whole: addresses that the window cannot hold, and merged ones; in chunks."""
    head = letterheads.current(session)
    merging = Merging(bool(campaign.segment.get("same_address")))
    for rows in _addressed(session, campaign.id):
        found = misfits([Addressed(row.id, row.name, row.address) for row in rows], merging, head)
        yield [{"recipient_id": key, "reason": reason} for key, reason in found]


def misfits(rows: Sequence[Addressed], merging: Merging, head: Letterhead) -> Iterator[tuple[int, str]]:
    """Those of one chunk who cannot stay, each with the reason; chunks come in the order of the list."""
    for row in rows:
        addressee = row.name or NOBODY
        if merging.wanted and (row.address, addressee) in merging.seen:
            yield row.id, "same_address"
        elif _is_long(row.address, addressee) and not fits_address(row.address, addressee, letterhead=head):
            yield row.id, "address_too_long"
        merging.seen.add((row.address, addressee))


def exclude(session: Session, campaign_id: int, recipient_ids: Sequence[int], *, reason: str) -> int:
    """Leave recipients without a letter out, with a reason of the list `exclusion`; returns how many."""
    written = select(Letter.id).where(Letter.recipient_id == Recipient.id).exists()
    query = update(Recipient).where(
        Recipient.campaign_id == campaign_id, Recipient.id.in_(recipient_ids), ~written
    )
    values = {"exclusion": reason, "outcome": "excluded", "decided_at": now(session)}
    done = session.execute(query.values(**values), execution_options={"synchronize_session": "fetch"})
    return int(done.rowcount)  # type: ignore[attr-defined]


def exclude_by_hand(session: Session, recipient: Recipient) -> None:
    """Take one customer off a list before the letter is made (人工剔除)."""
    if not exclude(session, recipient.campaign_id, [recipient.id], reason="by_hand"):
        raise Refused("这位客户的函件已经生成，不能再剔除。请在函件清单中作废这封函件。")
    traces.record(session, "recipient.excluded", recipient, details={"campaign": recipient.campaign_id})


def freeze(session: Session, campaign_id: int) -> dict[str, int]:
    """Freeze the list: the campaign runs; says how many get a letter and how many were left out."""
    campaign = session.get_one(Campaign, campaign_id)
    with working_as(session, ALL):
        targeted = _number(session, Recipient.campaign_id == campaign_id)
        excluded = _number(session, Recipient.campaign_id == campaign_id, Recipient.exclusion != "")
        if campaign.state == "draft":
            campaign.state = "running"
            facts = {"targeted": targeted, "excluded": excluded}
            traces.record(session, "campaign.frozen", campaign, details=facts)
    return {"targeted": targeted, "excluded": excluded, "recipients": targeted - excluded}


def mark_silent(session: Session, campaign_id: int, letter_ids: Sequence[int]) -> int:
    """Letters that neither were answered nor came back by the day: silent, until something comes after all."""
    query = update(Letter).where(Letter.campaign_id == campaign_id, Letter.id.in_(letter_ids), *still_open())
    done = session.execute(query.values(state="silent").returning(Letter.customer_id)).scalars().all()
    outcomes.decide(session, campaign_id, list(done), "silent")
    return len(done)


def withdraw(session: Session, campaign_id: int, letter_ids: Sequence[int]) -> int:
    """Take letters back that never were posted: they are spoiled, their recipients withdrawn."""
    query = update(Letter).where(Letter.campaign_id == campaign_id, Letter.id.in_(letter_ids), *not_posted())
    done = session.execute(query.values(state="spoiled").returning(Letter.recipient_id)).scalars().all()
    values = {"outcome": "withdrawn", "decided_at": now(session)}
    session.execute(
        update(Recipient).where(Recipient.id.in_(done)).values(**values),
        execution_options={"synchronize_session": "fetch"},
    )
    ended_runs.end_spent(session, campaign_id)
    return len(done)


def close_campaign(session: Session, campaign_id: int) -> dict[str, int]:
    """End a campaign: what was not posted is withdrawn, what is still open is silent, each customer has one outcome."""
    campaign = session.get_one(Campaign, campaign_id)
    with working_as(session, ALL):
        withdrawn = sum(
            withdraw(session, campaign_id, ids) for ids in _letters(session, campaign_id, not_posted())
        )
        withdrawn += _withdraw_unwritten(session, campaign_id)
        silent = sum(
            mark_silent(session, campaign_id, ids) for ids in _letters(session, campaign_id, still_open())
        )
        ended_runs.end_spent(session, campaign_id)
        if campaign.state != "closed":
            campaign.state, campaign.closed_at = "closed", now(session)
            facts = {"silent": silent, "withdrawn": withdrawn}
            traces.record(session, "campaign.closed", campaign, details=facts)
    return {"silent": silent, "withdrawn": withdrawn}


def campaign_by_text(session: Session, text: str) -> Campaign:
    """The campaign that a person means: by its code, else by its id."""
    found = session.scalar(select(Campaign).where(Campaign.code == text.strip()))
    if found is None and text.strip().isdecimal():
        found = session.get(Campaign, int(text)) if len(text.strip()) < 19 else None
    if found is None:
        raise Refused(
            "没有核对活动「%(code)s」。请用活动编号（如 HD202611-01），在“核对活动”页面可以查到。",
            code=text.strip()[:40],
        )
    return found


def in_reach(session: Session) -> ColumnElement[bool]:
    """Campaigns of units within the session's scope, and those of units above that reach down to it."""
    scope = current_scope(session)
    path = scope.path if scope is not None else "/-"
    return Unit.path.startswith(path, autoescape=True) | literal(path).startswith(Unit.path)


def wait_longer(session: Session, campaign_id: int, *, days: int) -> None:
    """For how many days after the day on the letter answers are still waited for."""
    campaign = session.get_one(Campaign, campaign_id)
    campaign.options = {**campaign.options, "grace_days": days}


def answers_end(campaign: Campaign) -> datetime | None:
    """The moment after which no code of the campaign's letters is answered online any more."""
    if campaign.reply_by is None:
        return None
    return end_of_day(campaign.reply_by + timedelta(days=int(campaign.options.get("grace_days", GRACE_DAYS))))


def is_over(session: Session, campaign: Campaign) -> bool:
    """Whether the day until which customers may answer has passed."""
    return campaign.reply_by is not None and now(session) >= end_of_day(campaign.reply_by)


def still_open() -> Conditions:
    """Posted, and neither answered nor back yet. A further copy of a posted letter counts as posted from the start."""
    return (Letter.state.in_(ON_THE_WAY), Letter.posted_at.is_not(None))


def not_posted() -> Conditions:
    """Made, and not posted yet."""
    return (Letter.state.in_(ON_THE_WAY), Letter.posted_at.is_(None))


def _next_code(session: Session, day: date) -> str:
    head = f"HD{day:%Y%m}-"
    number = session.scalar(select(func.count(Campaign.id)).where(Campaign.code.startswith(head))) or 0
    return f"{head}{number + 1:02}"


def _recipient(session: Session, campaign_id: int, target: Target) -> dict[str, Any]:
    facts = {
        name: asdict(target)[name] for name in ("customer_id", "unit_id", "address_id", "why", "exclusion")
    }
    decided = (
        {"outcome": "excluded", "decided_at": now(session)}
        if target.exclusion
        else {"outcome": None, "decided_at": None}
    )
    return {**facts, **decided, "campaign_id": campaign_id}


def _addressed(session: Session, campaign_id: int) -> Iterator[Sequence[Any]]:
    text = func.coalesce(func.nullif(Contact.value, ""), Contact.raw).label("address")
    query = (
        select(Recipient.id, Customer.name, text)
        .join(Contact, Contact.id == Recipient.address_id)
        .join(Customer, Customer.id == Recipient.customer_id)
        .where(Recipient.campaign_id == campaign_id, Recipient.exclusion == "")
        .order_by(Recipient.id)
    )
    last = 0
    while rows := session.execute(query.where(Recipient.id > last).limit(CHUNK)).all():
        yield rows
        last = rows[-1].id


def _is_long(address: str, addressee: str) -> bool:
    return len(address) > SHORT_ADDRESS or len(addressee) > SHORT_ADDRESS // 2


def _number(session: Session, *conditions: Any) -> int:
    return session.scalar(select(func.count(Recipient.id)).where(*conditions)) or 0


def _letters(session: Session, campaign_id: int, conditions: Conditions) -> Iterator[Sequence[int]]:
    query = select(Letter.id).where(Letter.campaign_id == campaign_id, *conditions).limit(CHUNK)
    while ids := session.scalars(query.order_by(Letter.id)).all():
        yield ids


def _withdraw_unwritten(session: Session, campaign_id: int) -> int:
    """Recipients without a letter that counts: the run ended before printing, or theirs was spoiled."""
    live = select(Letter.id).where(Letter.recipient_id == Recipient.id, Letter.state.not_in(GONE)).exists()
    query = update(Recipient).where(Recipient.campaign_id == campaign_id, Recipient.outcome.is_(None), ~live)
    return _change(session, query, {"outcome": "withdrawn", "decided_at": now(session)})


def _change(session: Session, query: Any, values: Mapping[str, Any]) -> int:
    done = session.execute(query.values(**values), execution_options={"synchronize_session": "fetch"})
    return int(done.rowcount)  # type: ignore[attr-defined]
