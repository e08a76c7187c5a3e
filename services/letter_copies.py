"""Several copies of one letter: which of them counts, and what the others mean when they come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Letter
from models.letters import GONE, IN_HOUSE
from services import Refused


@dataclass(frozen=True)
class Standing:
    """What an undelivered copy means. `answered`: some copy was answered; `duplicate`: another copy to the same
    address came back before; `counts`: the copy whose state it decides, itself or the one that goes to that address,
    in the post or still in the house (`other` then; it is not sent any more).
    """

    answered: bool
    duplicate: bool
    counts: Letter | None
    other: Letter | None = None


def standing(session: Session, letter: Letter) -> Standing:
    """Look at all copies of an undelivered letter, before it is recorded."""
    copies = session.scalars(select(Letter).where(Letter.recipient_id == letter.recipient_id)).all()
    answered = any(copy.state == "answered" or copy.answered_at is not None for copy in copies)
    same = [copy for copy in copies if copy.id != letter.id and copy.address_id == letter.address_id]
    duplicate = not answered and any(copy.undelivered_at is not None for copy in same)
    if letter.state not in GONE:
        return Standing(answered, duplicate, letter)
    other = next((copy for copy in same if copy.state in (*IN_HOUSE, "posted")), None)
    return Standing(answered, duplicate, other, other)


def counting(copies: Sequence[Letter]) -> Letter:
    """Of the copies of one letter in order: the one that counts, else the last, which was spoiled or replaced."""
    return next((copy for copy in reversed(copies) if copy.state not in GONE), copies[-1])


def latest(session: Session, recipient_ids: Sequence[int]) -> dict[int, int]:
    """The highest copy number that each of these recipients' letters has; it may have been spoiled since."""
    query = select(Letter.recipient_id, func.max(Letter.copy)).where(Letter.recipient_id.in_(recipient_ids))
    return {key: number for key, number in session.execute(query.group_by(Letter.recipient_id))}


def under_way_again(session: Session, letter_id: int | None, *, state: str, posted_at: str | None) -> None:
    """The copy that another one had ended counts again, as it was: what ended it was taken back."""
    live = session.get(Letter, letter_id) if letter_id else None
    if live is not None and live.state == "undelivered":
        live.state, live.undelivered_reason = state, ""
        if state in IN_HOUSE:
            live.posted_at = datetime.fromisoformat(posted_at) if posted_at else None


def require_alone(session: Session, letter: Letter) -> None:
    """Refuse to take back what an undelivered copy did while a further copy stands recorded as its duplicate."""
    query = select(Letter).where(Letter.recipient_id == letter.recipient_id, Letter.id != letter.id)
    query = query.where(Letter.address_id == letter.address_id, Letter.undelivered_at > letter.undelivered_at)
    other = session.scalars(query.order_by(Letter.undelivered_at.desc()).limit(1)).first()
    if other is not None:
        raise Refused(
            "这封函件的第 %(copy)s 次打印后来也登记了退信，是按重复件登记的。请先撤销那一件，再撤销这一件。",
            copy=other.copy,
        )
