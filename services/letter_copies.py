"""Several copies of one letter: which of them counts, and what the others mean when they come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Letter
from models.letters import GONE


@dataclass(frozen=True)
class Standing:
    """What an undelivered copy means. `answered`: some copy was answered; `duplicate`: another copy to the same
    address came back before; `counts`: the copy whose state it decides, itself or the one under way to that address
    (`other_id` then).
    """

    answered: bool
    duplicate: bool
    counts: Letter | None
    other_id: int | None = None


def standing(session: Session, letter: Letter) -> Standing:
    """Look at all copies of an undelivered letter, before it is recorded."""
    copies = session.scalars(select(Letter).where(Letter.recipient_id == letter.recipient_id)).all()
    answered = any(copy.state == "answered" or copy.answered_at is not None for copy in copies)
    same = [copy for copy in copies if copy.id != letter.id and copy.address_id == letter.address_id]
    duplicate = not answered and any(copy.undelivered_at is not None for copy in same)
    under_way = next((copy for copy in same if copy.state == "posted"), None)
    if letter.state not in GONE:
        return Standing(answered, duplicate, letter)
    return Standing(answered, duplicate, under_way, under_way.id if under_way is not None else None)


def counting(copies: Sequence[Letter]) -> Letter:
    """Of the copies of one letter in order: the one that counts, else the last, which was spoiled or replaced."""
    return next((copy for copy in reversed(copies) if copy.state not in GONE), copies[-1])


def latest(session: Session, recipient_ids: Sequence[int]) -> dict[int, int]:
    """The highest copy number that each of these recipients' letters has; it may have been spoiled since."""
    query = select(Letter.recipient_id, func.max(Letter.copy)).where(Letter.recipient_id.in_(recipient_ids))
    return {key: number for key, number in session.execute(query.group_by(Letter.recipient_id))}


def under_way_again(session: Session, letter_id: int | None) -> None:
    """The copy that another one had ended counts again: what ended it was taken back."""
    live = session.get(Letter, letter_id) if letter_id else None
    if live is not None and live.state == "undelivered":
        live.state, live.undelivered_reason = "posted", ""
