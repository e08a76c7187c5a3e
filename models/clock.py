"""The two clocks: business time in the bureau's zone (a demo home may move it), real time for leases and sessions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.settings import Setting

ZONE = ZoneInfo("Asia/Shanghai")
OFFSET = "clock_offset_seconds"


def utcnow() -> datetime:
    """Real time, for leases, back-off, sessions and throttles."""
    return datetime.now(UTC)


def now(session: Session) -> datetime:
    """Business time in Asia/Shanghai: real time plus the offset row."""
    seconds = session.scalar(select(Setting.value).where(Setting.key == OFFSET)) or 0
    return (utcnow() + timedelta(seconds=float(seconds))).astimezone(ZONE)


def today(session: Session) -> date:
    """The business day in Asia/Shanghai."""
    return now(session).date()


def move_to(session: Session, moment: datetime) -> None:
    """Move the business clock so that it shows `moment` now; it goes on running from there."""
    seconds = (moment - utcnow()).total_seconds()
    session.merge(Setting(key=OFFSET, value=seconds))


def start_of_day(day: date) -> datetime:
    """00:00 of a business day as an aware moment."""
    return datetime.combine(day, time(), ZONE)


def end_of_day(day: date) -> datetime:
    """24:00 of a business day: the first moment that no longer belongs to it."""
    return start_of_day(day + timedelta(days=1))


def period_days(period: str) -> tuple[date, date]:
    """First and last day of a calendar month written `2026-11`; ValueError for anything else."""
    first = date.fromisoformat(f"{period}-01")
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, after - timedelta(days=1)


def period_of(day: date) -> str:
    """The month of a day, written `2026-11`."""
    return f"{day:%Y-%m}"
