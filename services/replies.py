"""The customer's own answer by the code on the letter: proved by a datum that the letter hides, kept as proposals.

What is said online waits for a person, whoever passed the check; it confirms nothing by itself. The letter is answered
all the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Campaign, Customer, Letter, Recipient, Reply
from models.clock import now
from models.scope import ALL, working_as
from paper import masks
from services import Refused, answers, campaigns, outcomes, reply_checks, returns, traces
from services.answers import Applied, Origin
from services.returns import Form, Line

LONGEST = 200
TOLD = ("place", "reply", "text")
HERE, OUTSIDE = "here", "outside"


@dataclass(frozen=True)
class Shown:
    """One line of the page: the masked value that the letter shows; empty where none is recorded."""

    place: str
    text: str


@dataclass(frozen=True)
class Asked:
    """A letter that may still be answered: which check opens it, the check's answer, and until when."""

    letter: Letter
    check: str
    answer: str
    until: datetime


@dataclass(frozen=True)
class Answered:
    """What a customer said, with the key that makes it one: made where it was said, kept wherever it goes."""

    lines: tuple[Line, ...]
    proved_by: str
    at: datetime
    key: str = ""
    came_from: str = HERE


def by_token(session: Session, token: str) -> Letter | None:
    """The letter of a reply token, whoever asks; spoiled ones are none."""
    found = reply_checks.normal_token(token)
    query = select(Letter).where(Letter.reply_token == found, Letter.state != "spoiled")
    with working_as(session, ALL):
        return session.scalar(query) if found else None


def asked(session: Session, letter: Letter) -> Asked | None:
    """The letter as it may be answered now; None when its time is over or nothing proves who answers."""
    with working_as(session, ALL):
        campaign = session.get_one(Campaign, letter.campaign_id)
        customer = session.get_one(Customer, letter.customer_id)
    until = campaigns.answers_end(campaign)
    wanted = str(campaign.options.get("online_check", reply_checks.USUAL))
    check, answer = reply_checks.proof_of(letter, customer, wanted)
    if until is None or now(session) >= until or campaign.state == "cancelled" or not check:
        return None
    return Asked(letter, check, answer, until)


def is_right(given: str, found: Asked | None) -> bool:
    """Whether an answer opens the page; takes the same time for a letter that cannot be answered."""
    return reply_checks.is_right(given, found.answer if found is not None else "")


def is_answered(session: Session, letter: Letter) -> bool:
    """Whether an answer stands already, online or on paper, to whichever copy."""
    with working_as(session, ALL):
        return _reply(session, letter) is not None or returns.keyed_before(session, letter) is not None


def shown(letter: Letter) -> tuple[Shown, ...]:
    """The lines that the page asks about, covered as on paper; those of outage contacts only where recorded."""
    recorded: Mapping[str, str] = letter.facts["letter"]["recorded"]
    lines = (Shown(place, masks.BY_PLACE[place](recorded.get(place, "") or "")) for place in returns.KINDS)
    return tuple(line for line in lines if line.text or not line.place.startswith(returns.OUTAGE))


def check_lines(lines: Sequence[Line], places: Sequence[str]) -> None:
    """Refuse an answer that says nothing, or something about what was not asked."""
    if not lines:
        raise Refused("还没有填写。请在每一项选择“正确”，或填上新的内容。")
    if any(line.place not in places or line.reply not in ("same", "new") for line in lines):
        raise Refused("这一页已经变了，请重新打开后再填。")
    if any(_is_unfit(line.text) or (line.reply == "new" and not line.text.strip()) for line in lines):
        raise Refused("选了“有变化”的，请填上新的内容（最多 %(most)s 个字）。", most=LONGEST)


def _is_unfit(text: str) -> bool:
    """Whether a text is too long, or holds the sign that PostgreSQL keeps in no text."""
    return len(text) > LONGEST or "\x00" in text


def record(session: Session, letter: Letter, said: Answered) -> Reply:
    """Keep an answer once: it becomes proposals and answers the letter; a second one is kept and changes nothing."""
    with working_as(session, ALL):
        known = session.scalar(select(Reply).where(Reply.key == said.key)) if said.key else None
        if known is not None:
            return known
        check_lines(said.lines, tuple(returns.KINDS))
        session.execute(select(Recipient.id).where(Recipient.id == letter.recipient_id).with_for_update())
        row = _row(session, letter, said)
        session.add(row)
        if not row.duplicate:
            _apply(session, letter, said, row)
        traces.record(session, "reply.recorded", row, details=_told(row))
        return row


def _row(session: Session, letter: Letter, said: Answered) -> Reply:
    return Reply(
        key=said.key or secrets.token_hex(16),
        letter_id=letter.id,
        customer_id=letter.customer_id,
        unit_id=letter.unit_id,
        proved_by=said.proved_by,
        came_from=said.came_from,
        answered_at=said.at,
        recorded_at=now(session),
        duplicate=is_answered(session, letter),
        answers={"lines": [{name: getattr(line, name) for name in TOLD} for line in said.lines]},
        results={},
    )


def _apply(session: Session, letter: Letter, said: Answered, row: Reply) -> None:
    customer = session.get_one(Customer, letter.customer_id)
    form = Form(lines=said.lines, signed=False)
    origin = Origin(source="self_service", evidence=f"letter:{letter.token}")
    applied = answers.apply_answers(session, customer, returns.answers_of(letter, form), origin)
    outcome = "changed" if applied.changed else "confirmed"
    before = returns.answer_letter(session, letter, by="online")
    outcomes.decide(session, letter.campaign_id, [letter.customer_id], outcome)
    row.results = _results(applied, outcome) | {
        "letters_before": before,
        "visits_closed": returns.close_visits(session, letter),
    }


def _results(applied: Applied, outcome: str) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "same": list(applied.same),
        "settled": list(applied.settled),
        "waiting": list(applied.waiting),
    }


def _told(row: Reply) -> dict[str, Any]:
    outcome = row.results.get("outcome", "")
    return {"letter": row.letter_id, "outcome": outcome, "duplicate": row.duplicate, "proved_by": row.proved_by}


def _reply(session: Session, letter: Letter) -> Reply | None:
    copies = select(Letter.id).where(Letter.recipient_id == letter.recipient_id)
    query = select(Reply).where(Reply.letter_id.in_(copies), Reply.duplicate.is_(False))
    return session.scalars(query.order_by(Reply.id).limit(1)).one_or_none()
