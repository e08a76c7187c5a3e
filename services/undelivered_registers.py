"""The register of undelivered letters (退信登记表): who recorded which piece on a day, and what followed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from models import Letter, Reason, Staff, Trace
from models.clock import ZONE, end_of_day, start_of_day
from models.words import N_
from paper.undelivered_registers import UndeliveredLine, UndeliveredRegister
from services.letters import number_of
from services.reasons import LIST
from services.undelivered import ACTION

MOST = 2000  # pieces of one sheet
HANDLING = {
    "refuted": N_("地址停用"),
    "visit": N_("走访"),
    "stopped": N_("不再寄信"),
    "other_channel": N_("改用短信、邮件"),
    "kept_back": N_("未寄的一份不再寄出"),
    "answered": N_("已回函，只作登记"),
    "duplicate": N_("重复件，只作登记"),
}


def recorded(day: date, *, staff_id: int | None = None, before: int | None = None) -> Select[Any]:
    """The letters that came back on a business day with the trace of it and who recorded it, the newest first."""
    again = aliased(Trace)
    newest = select(func.max(again.id)).where(
        again.object == Letter.__tablename__, again.object_id == Letter.id, again.action == ACTION
    )
    query = (
        select(Letter, Trace, Staff.name)
        .options(joinedload(Letter.address))
        .join(Trace, Trace.object_id == Letter.id)
        .outerjoin(Staff, Staff.id == Trace.actor_id)
        .where(Letter.undelivered_at >= start_of_day(day), Letter.undelivered_at < end_of_day(day))
        .where(Trace.action == ACTION, Trace.id == newest.scalar_subquery())
    )
    query = query.where(Trace.actor_id == staff_id) if staff_id else query
    query = query.where(Trace.id < before) if before else query
    return query.order_by(Trace.id.desc())


def lines(
    session: Session, rows: Sequence[Any], *, said: Callable[[str], str] = lambda text: text
) -> list[UndeliveredLine]:
    """Rows of `recorded` as the register names them; `said` puts words into the reader's language."""
    reasons = dict(session.execute(select(Reason.code, Reason.label).where(Reason.list == LIST)).tuples().all())
    return [
        UndeliveredLine(
            letter=number_of(letter),
            copy=letter.copy,
            address=letter.facts["letter"]["address"],
            version=letter.address_id,
            recorded_at=f"{letter.undelivered_at.astimezone(ZONE):%Y-%m-%d %H:%M}",
            reason=said(reasons.get(letter.undelivered_reason, letter.undelivered_reason)),
            handling=said(N_("、")).join(said(HANDLING[code]) for code in trace.details.get("then", ())),
            person=person or "",
        )
        for letter, trace, person in rows
    ]


def facts(session: Session, day: date, *, unit: str) -> UndeliveredRegister:
    """The register of a day as a unit prints it, in the order in which the pieces were recorded."""
    rows = session.execute(recorded(day).limit(MOST)).all()
    return UndeliveredRegister(unit, day, tuple(reversed(lines(session, rows))))
