"""Undelivered letters: a scan and a reason act at once on address version, letter, balance and visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models import Consent, Contact, Customer, Letter, Reason, Recipient, Staff, Trace, Visit
from models.clock import now, start_of_day
from models.letters import IN_HOUSE
from models.scope import ALL, working_as
from services import (
    Refused,
    contacts,
    events,
    letter_copies,
    letters,
    outcomes,
    reach,
    return_undos,
    traces,
    visits,
)
from services.contacts import Finding
from services.letter_copies import Standing
from services.people import require
from services.reasons import reason_of
from services.visits import Need

ACTION = "letter.undelivered"
SOURCE = "undelivered"  # of the word that no more letters go to a customer


@dataclass(frozen=True)
class CameBack:
    """What one undelivered letter came to. `refuted`: its address is unusable now; `answered`: it was before.

    `stopped`: no more letters go to the customer; `other_channel`: the next reminder goes by SMS or e-mail;
    `duplicate`: another copy to the same address came back before, and everything was done then; `kept_back`: the
    further copy to that address that still lies in the house, and is not sent any more.
    """

    letter: Letter
    reason: Reason
    address: Contact
    refuted: bool = False
    answered: bool = False
    duplicate: bool = False
    stopped: bool = False
    other_channel: bool = False
    visit: Visit | None = None
    kept_back: Letter | None = None

    @property
    def then(self) -> list[str]:
        """Everything that followed, as codes."""
        happened = {
            "answered": self.answered,
            "duplicate": self.duplicate,
            "refuted": self.refuted,
            "visit": self.visit is not None,
            "stopped": self.stopped,
            "other_channel": self.other_channel,
            "kept_back": self.kept_back is not None,
        }
        return [code for code, did in happened.items() if did]

    @property
    def next(self) -> str:
        """What happens now, as a code: `answered` or `duplicate` (nothing), `visit`, `other_channel`, or `none`."""
        if self.answered:
            return "answered"
        if self.duplicate:
            return "duplicate"
        if self.visit is not None:
            return "visit"
        return "other_channel" if self.other_channel else "none"


def record_undelivered(session: Session, text: str, reason: str, *, staff: Staff) -> CameBack:
    """Record that the letter of a code, token or number came back; refused when it is recorded already."""
    require(staff, "undelivered.key")
    why = reason_of(session, reason)
    letter = letters.letter_by_code(session, text)
    session.refresh(letter, with_for_update=True)  # the same piece may lie under two scanners
    if letter.undelivered_at is not None:
        raise Refused(
            "函件 %(letter)s 已登记过退信，不用再登记。如原因登错，请先撤销再登记。",
            letter=letters.number_of(letter),
        )
    with working_as(session, ALL):
        return _record(session, letter, why)


def undo_last_undelivered(session: Session, *, staff: Staff) -> Letter:
    """Take back the newest letter that this person recorded as undelivered, unless somebody has been at the door."""
    require(staff, "undelivered.key")
    trace, letter = _last(session, staff)
    with working_as(session, ALL):
        letter_copies.require_alone(session, letter)
        _undo_visit(session, trace.details.get("visit"))
        _let_letters_go(session, letter, trace.details.get("consent"))
        evidence = letters.evidence_of(letter)
        return_undos.withdraw_findings(
            session, evidence, letter.customer_id, since=_moment(trace.details["at"])
        )
        _restore(session, letter, trace.details)
        outcomes.replay(session, session.get_one(Recipient, letter.recipient_id))
        traces.record(session, "letter.undelivered_undone", letter)
    return letter


def recorded_today(session: Session, staff: Staff) -> int:
    """How many undelivered letters a person recorded on this business day and did not take back."""
    since = start_of_day(now(session).date())
    mine = select(Trace.object_id).where(Trace.action == ACTION, Trace.actor_id == staff.id)
    query = select(func.count(Letter.id)).where(Letter.undelivered_at >= since, Letter.id.in_(mine))
    return session.scalar(query) or 0


def recent(session: Session, staff: Staff, *, limit: int = 5) -> Sequence[Letter]:
    """The letters that a person recorded last and did not take back, the newest first."""
    newest = select(func.max(Trace.id)).where(Trace.action == ACTION, Trace.object_id == Letter.id)
    mine = select(Trace.object_id).where(Trace.action == ACTION, Trace.actor_id == staff.id)
    mine = mine.order_by(Trace.id.desc()).limit(4 * limit)
    query = select(Letter).where(
        Letter.undelivered_at.is_not(None), Letter.id.in_(session.scalars(mine).all())
    )
    return session.scalars(query.order_by(newest.scalar_subquery().desc()).limit(limit)).all()


def _record(session: Session, letter: Letter, why: Reason) -> CameBack:
    moment, copies = now(session), letter_copies.standing(session, letter)
    before: dict[str, Any] = {"state": letter.state, "posted_at": _told(letter.posted_at)}
    letter.undelivered_at, letter.undelivered_reason = moment, why.code
    letter.posted_at = letter.posted_at or moment
    address = session.get_one(Contact, letter.address_id)
    if copies.answered or copies.duplicate:
        done = CameBack(letter, why, address, answered=copies.answered, duplicate=copies.duplicate)
        _tell(session, done, before | {"consent": None})
        return done
    refuted, consent = _refute(session, letter, why), _stop_letters(session, letter, why)
    before |= {"consent": consent.id if consent else None} | _other(copies)
    visit = _end(session, letter, copies.counts, why) if copies.counts is not None else None
    waits = copies.other if before.get("live_state") in IN_HOUSE else None
    happened = {"refuted": refuted, "stopped": consent is not None}
    happened["other_channel"] = bool(why.consequences.get("other_channel"))
    done = CameBack(letter, why, address, visit=visit, kept_back=waits, **happened)
    _tell(session, done, before)
    return done


def _end(session: Session, letter: Letter, counts: Letter, why: Reason) -> Visit | None:
    """The copy that counts is over, wherever it is, and somebody goes to the door where the reason says so."""
    counts.state, counts.undelivered_reason = "undelivered", why.code
    counts.posted_at = counts.posted_at or letter.undelivered_at
    outcomes.decide(session, letter.campaign_id, [letter.customer_id], "undelivered")
    return _make_visit(session, letter, why)


def _tell(session: Session, done: CameBack, before: Mapping[str, Any]) -> None:
    """Everything that an undo needs, and what followed; then the word goes round."""
    letter = done.letter
    visit = done.visit.id if done.visit else None
    details = {"reason": done.reason.code, "at": _told(letter.undelivered_at), "then": done.then, "visit": visit}
    traces.record(session, ACTION, letter, details={**before, **details})
    known = {"campaign_id": letter.campaign_id, "customer_ids": [letter.customer_id], "reason": done.reason.code}
    events.happened(session, "letter_undelivered", letter.unit_id, known)


def _refute(session: Session, letter: Letter, why: Reason) -> bool:
    """Only the address version that the letter was sent to is wrong, never a newer one."""
    if not why.consequences.get("refutes_address"):
        return False
    finding = Finding(letter.address_id, "refuted", "undelivered", why.code, letters.evidence_of(letter))
    contacts.confirm(session, [finding])
    return True


def _stop_letters(session: Session, letter: Letter, why: Reason) -> Consent | None:
    """No campaign writes to the customer any more, until they say otherwise; other channels stay open."""
    if not why.consequences.get("stops_mail"):
        return None
    unit_id = session.get_one(Customer, letter.customer_id).unit_id
    row = Consent(customer_id=letter.customer_id, unit_id=unit_id, purpose="business", channel="letter")
    row.granted, row.source, row.since = False, SOURCE, now(session)
    session.add(row)
    reach.keep(session, [letter.customer_id])
    return row


def _let_letters_go(session: Session, letter: Letter, consent_id: int | None) -> None:
    if consent_id is not None:
        session.execute(delete(Consent).where(Consent.id == consent_id, Consent.source == SOURCE))
        reach.keep(session, [letter.customer_id])


def _make_visit(session: Session, letter: Letter, why: Reason) -> Visit | None:
    if not why.consequences.get("makes_visit"):
        return None
    unit_id = session.get_one(Customer, letter.customer_id).unit_id
    need = Need(letter.customer_id, unit_id, "undelivered", why.code, letter.campaign_id, letter.id)
    made = visits.make_visits(session, [need])
    return session.get(Visit, made[0]) if made else None


def _last(session: Session, staff: Staff) -> tuple[Trace, Letter]:
    query = (
        select(Trace, Letter)
        .join(Letter, Letter.id == Trace.object_id)
        .where(Trace.action == ACTION, Trace.actor_id == staff.id, Letter.undelivered_at.is_not(None))
        .order_by(Trace.id.desc())
        .limit(1)
    )
    row = session.execute(query).first()
    if row is None:
        raise Refused("没有可以撤销的退信登记：您还没有登记过退信，或都已撤销。")
    return row.Trace, row.Letter


def _undo_visit(session: Session, visit_id: int | None) -> None:
    visit = session.get(Visit, visit_id) if visit_id else None
    if visit is None:
        return
    if visit.attempts:
        raise Refused("这封退信生成的走访任务已经有走访结果，不能撤销退信登记。如有差错，请联系班组长。")
    visit.state, visit.ended_at, visit.letter_id, visit.walk_list_id = "cancelled", now(session), None, None


def _restore(session: Session, letter: Letter, before: Mapping[str, Any]) -> None:
    letter.undelivered_at, letter.undelivered_reason = None, ""
    other, stamp = before.get("live"), before.get("live_posted_at")
    letter_copies.under_way_again(session, other, state=before.get("live_state", "posted"), posted_at=stamp)
    if letter.state == "undelivered":
        letter.state = before["state"]
    if letter.state == before["state"]:
        letter.posted_at = _moment(before["posted_at"]) if before["posted_at"] else None
    session.flush()


def _other(copies: Standing) -> dict[str, Any]:
    """The other copy that is over with this one, as it was."""
    other = copies.other
    if other is None:
        return {}
    return {"live": other.id, "live_state": other.state, "live_posted_at": _told(other.posted_at)}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _told(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
