"""What the machine outside is told of open letters, and what it brings back: no value, no name, no account leaves.

Outside knows of a letter the keyed hash of its token, which check opens it with the answer's keyed hash, the covered
values, and the last moment.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Campaign, Customer, Keying, Letter, Reply, Setting
from models.clock import now, utcnow
from models.scope import ALL, working_as
from services import Refused, campaigns, exchange, letterheads, replies, reply_checks, traces
from services.replies import OUTSIDE, Answered, Shown
from services.returns import Line

OPEN, ANSWERS = "open", "answers"
TOKEN, CHECK = "token", "check"
CHUNK = 500
TOLD_DAYS = 60  # for how long answers that have arrived are named, so that outside forgets them


@dataclass(frozen=True)
class Exported:
    """An export: when it was made, its size in bytes, and how many letters in it may be answered or have been."""

    made_at: str
    letters: int
    closed: int
    bytes: int


@dataclass(frozen=True)
class Imported:
    """What became of brought answers: new ones, those known already, second ones, and those of no letter here."""

    answers: int = 0
    recorded: int = 0
    known: int = 0
    duplicates: int = 0
    unknown: int = 0

    def __add__(self, other: Imported) -> Imported:
        return Imported(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def export(session: Session, key: bytes, path: Path) -> Exported:
    """Write the letters that may be answered now, and those answered, to a sealed file for the machine outside.

    It only reads, part by part, and may take minutes: `keep_export` writes down that it was made.
    """
    made_at, figures = utcnow().isoformat(), Counter[str]()
    with working_as(session, ALL):
        size = exchange.write(path, exchange.seal_parts(key, OPEN, _parts(session, key, made_at, figures)))
    return Exported(made_at, figures["letters"], figures["closed"], size)


def keep_export(session: Session, made: Exported) -> None:
    """Remember and trace that an export was made."""
    figures = {"letters": made.letters, "closed": made.closed}
    mark = session.merge(Setting(key="replies_exported", value={"at": made.made_at, **figures}))
    traces.record(session, "replies.exported", mark, details=figures)


def take_in(session: Session, key: bytes, path: Path) -> Iterator[Imported]:
    """Record what a sealed file of answers holds, part by part: the caller commits each. An answer that was recorded
    before changes nothing."""
    for part in exchange.unseal_parts(key, ANSWERS, path):
        found = Counter(_take(session, row) for row in part["answers"])
        yield Imported(len(part["answers"]), **found)


def _parts(session: Session, key: bytes, made_at: str, figures: Counter[str]) -> Iterator[dict[str, Any]]:
    head = letterheads.current(session)
    yield {"made_at": made_at, "organ": head.organ, "hotline": head.hotline}
    for campaign in _live(session):
        told = _told(session, campaign, key)
        while rows := list(islice(told, CHUNK)):
            closed = sum(1 for row in rows if row.get("done"))
            figures.update(letters=len(rows) - closed, closed=closed)
            yield {"letters": rows}
    received = iter(_received(session))
    while names := list(islice(received, CHUNK)):
        yield {"received": names}


def _take(session: Session, row: Mapping[str, Any]) -> str:
    with working_as(session, ALL):
        if session.scalar(select(Reply.id).where(Reply.key == row["key"])) is not None:
            return "known"
    letter = replies.by_token(session, row["token"])
    if letter is None:
        return "unknown"
    lines = tuple(Line(*line) for line in row["lines"])
    at = datetime.fromisoformat(row["at"]) + (now(session) - utcnow())
    said = Answered(lines, row["check"], at, key=row["key"], came_from=OUTSIDE)
    try:
        kept = replies.record(session, letter, said)
    except Refused:
        return "unknown"
    return "duplicates" if kept.duplicate else "recorded"


def _live(session: Session) -> list[Campaign]:
    query = select(Campaign).where(Campaign.state.in_(("running", "closed")), Campaign.reply_by.is_not(None))
    moment = now(session)
    return [row for row in session.scalars(query) if (campaigns.answers_end(row) or moment) > moment]


def _told(session: Session, campaign: Campaign, key: bytes) -> Iterator[dict[str, Any]]:
    """The letters of a campaign that bear a code of their own, each as outside may know it."""
    end = campaigns.answers_end(campaign)
    until = (end - (now(session) - utcnow())).isoformat() if end else ""
    wanted = str(campaign.options.get("online_check", reply_checks.USUAL))
    done = _answered(session, campaign.id)
    query = (
        select(Letter, Customer)
        .join(Customer, Customer.id == Letter.customer_id)
        .where(Letter.campaign_id == campaign.id, Letter.state != "spoiled")
    )
    for letter, customer in session.execute(query.execution_options(yield_per=CHUNK)):
        token = {"token": exchange.hashed(key, TOKEN, letter.reply_token), "until": until}
        check, answer = reply_checks.proof_of(letter, customer, wanted)
        if not letter.facts["letter"].get("reply_url"):
            continue
        if letter.recipient_id in done:
            yield token | {"done": True}
        elif check:
            lines = [[line.place, line.text] for line in replies.shown(letter)]
            yield token | {"check": check, "lines": lines} | salted(key, answer)


def salted(key: bytes, answer: str, salt: str = "") -> dict[str, str]:
    """The keyed hash of a check's answer with its salt."""
    salt = salt or secrets.token_hex(8)
    return {"salt": salt, "answer": exchange.hashed(key, CHECK, f"{salt}|{answer}")}


def lines_of(row: Mapping[str, Any]) -> tuple[Shown, ...]:
    """The covered lines of an exported letter."""
    return tuple(Shown(place, text) for place, text in row["lines"])


def _answered(session: Session, campaign_id: int) -> set[int]:
    """The recipients who have answered, on paper or online, to whichever copy."""
    of_campaign = select(Letter.recipient_id).where(Letter.campaign_id == campaign_id)
    online = of_campaign.join(Reply, Reply.letter_id == Letter.id).where(Reply.duplicate.is_(False))
    paper = of_campaign.join(Keying, Keying.letter_id == Letter.id)
    paper = paper.where(Keying.duplicate.is_(False), Keying.undone_at.is_(None))
    return {*session.scalars(online), *session.scalars(paper)}


def _received(session: Session) -> Iterator[str]:
    since = now(session) - timedelta(days=TOLD_DAYS)
    query = select(Reply.key).where(Reply.came_from == OUTSIDE, Reply.recorded_at >= since)
    return iter(session.scalars(query.order_by(Reply.id).execution_options(yield_per=CHUNK)))
