"""What follows from the reasons for which letters come back (退信原因); the lists themselves are edited on a screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Reason
from services import Refused

LIST = "undelivered"


def reason_of(session: Session, code: str) -> Reason:
    """An entry of the list of undelivered reasons."""
    found = session.scalar(select(Reason).where(Reason.list == LIST, Reason.code == code))
    if found is None:
        codes = "、".join(known for known, _then in _consequences(session))
        raise Refused("退信原因「%(code)s」不在清单里。可用的原因：%(codes)s。", code=code[:40], codes=codes)
    return found


def for_visit(session: Session) -> list[str]:
    """The reasons after which somebody goes to the door; a refused letter, or a house torn down, makes none."""
    return [code for code, then in _consequences(session) if then.get("makes_visit")]


def for_messages(session: Session) -> list[str]:
    """The reasons after which a campaign's reminder goes by SMS or e-mail, as to those who have not answered."""
    return [code for code, then in _consequences(session) if then.get("other_channel")]


def days_of_rest(session: Session) -> dict[str, int]:
    """For how many days after each reason no letter of a new campaign goes to the same address version."""
    found = ((code, then.get("retry_after_days")) for code, then in _consequences(session))
    return {code: int(days) for code, days in found if days}


def _consequences(session: Session) -> Sequence[tuple[str, dict[str, Any]]]:
    query = select(Reason.code, Reason.consequences).where(Reason.list == LIST)
    return session.execute(query.order_by(Reason.position)).tuples().all()
