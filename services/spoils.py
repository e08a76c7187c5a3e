"""Spoiling (作废): a print run or single letters that must not go to the post, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session, aliased

from models import Campaign, Letter, PrintRun, Recipient
from models.clock import now
from models.letters import GONE, IN_HOUSE
from services import Refused, ended_runs, traces, trays
from services.letters import number_of


def spoil_run(session: Session, run: PrintRun, reason: str) -> int:
    """Spoil what is left of a run that was not posted; its customers wait for a reprint. Returns how many letters."""
    _check(session, run, reason)
    found = session.scalars(select(Letter).where(Letter.print_run_id == run.id, Letter.state.in_(IN_HOUSE)))
    done = _spoil(session, run, found.all(), reason)
    if run.state != "spoiled":  # what is left of it was answered or came back: it went out without this run
        ended_runs.end(session, run, reason=reason.strip()[:200])
    return done


def spoil_letters(session: Session, run: PrintRun, serials: Sequence[int], reason: str) -> int:
    """Spoil single letters of a run; all of them or none. A run of which nothing is left is spoiled with them."""
    _check(session, run, reason)
    query = select(Letter).where(Letter.print_run_id == run.id, Letter.serial.in_(serials))
    found = session.scalars(query.order_by(Letter.serial)).all()
    missing = sorted(set(serials) - {letter.serial for letter in found})
    if missing or not found:
        raise Refused(
            "第 %(number)s 批里没有编号 %(serials)s 的函件。请核对编号。",
            number=run.number, serials="、".join(map(str, missing[:5])),
        )  # fmt: skip
    for letter in found:
        if letter.state not in IN_HOUSE:
            raise Refused("函件 %(letter)s 已经交寄、作废或补打，不能再作废。", letter=number_of(letter))
    return _spoil(session, run, found, reason)


def waiting(campaign_id: int) -> Select[Any]:
    """The spoiled letters of a campaign whose customers have no other copy yet: they wait for a reprint."""
    return select(Letter).where(Letter.campaign_id == campaign_id, *unreplaced()).order_by(Letter.serial)


def waiting_by_campaign(session: Session) -> dict[int, int]:
    """How many letters of which campaign wait for a reprint."""
    query = select(Letter.campaign_id, func.count()).where(*unreplaced()).group_by(Letter.campaign_id)
    return {key: number for key, number in session.execute(query)}


def unreplaced() -> tuple[Any, ...]:
    """Spoiled, the newest copy, and its customer still on the list of a running campaign."""
    other = aliased(Letter)
    newer = (other.copy > Letter.copy) | other.state.not_in(GONE)
    again = select(other.id).where(other.recipient_id == Letter.recipient_id, newer).exists()
    listed = select(Recipient.id).where(Recipient.id == Letter.recipient_id, Recipient.outcome.is_(None)).exists()
    running = Letter.campaign_id.in_(select(Campaign.id).where(Campaign.state == "running"))
    return (running, Letter.state == "spoiled", Letter.spoiled_at.is_not(None), ~again, listed)


def _check(session: Session, run: PrintRun, reason: str) -> None:
    trays.hold(session, run)
    if not reason.strip():
        raise Refused("作废要写明原因（如：卡纸、印错、受潮），原因会记入打印台账。")
    if run.state in ("posted", "spoiled"):
        raise Refused("这一批已经交寄或已作废，请刷新页面。")


def _spoil(session: Session, run: PrintRun, found: Sequence[Letter], reason: str) -> int:
    kept: dict[str, Any] = {"spoiled_at": now(session), "spoiled_reason": reason.strip()[:200]}
    ids = [letter.id for letter in found]
    session.execute(
        update(Letter).where(Letter.id.in_(ids)).values(state="spoiled", **kept),
        execution_options={"synchronize_session": "fetch"},
    )
    _revive(session, [letter for letter in found if letter.posted_at is not None])
    details = {"letters": len(ids), "reason": kept["spoiled_reason"], "serials": [one.serial for one in found[:50]]}
    traces.record(session, "print_run.spoiled", run, details=details)
    ended_runs.end_spent(session, run.campaign_id, reason=kept["spoiled_reason"])
    return len(ids)


def _revive(session: Session, spoiled: Sequence[Letter]) -> None:
    """Where an earlier copy went to the post, that one counts again, as what it was.

    A further copy bears the moment at which the earlier one was posted, until it is posted itself: the first copy
    that bears the moment is the one that went.
    """
    query = select(Letter).where(Letter.recipient_id.in_([letter.recipient_id for letter in spoiled]))
    earlier = session.scalars(query.where(Letter.state == "reprinted").order_by(Letter.copy.desc()))
    posted = {(letter.recipient_id, letter.posted_at): letter for letter in earlier}
    for letter in spoiled:
        again = posted.get((letter.recipient_id, letter.posted_at))
        if again is not None:
            again.state = "posted" if again.undelivered_at is None else "undelivered"
        letter.posted_at = None
