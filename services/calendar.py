"""Working days: the week, less holidays, plus make-up workdays (节假日、调休工作日), which are rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Holiday
from models.clock import end_of_day

SATURDAY = 5


@dataclass(frozen=True)
class Calendar:
    """The days on which the calendar differs from the week; read once, asked often."""

    holidays: frozenset[date]
    workdays: frozenset[date]

    def is_workday(self, day: date) -> bool:
        """Whether people work on a day."""
        return day in self.workdays or (day.weekday() < SATURDAY and day not in self.holidays)

    def after(self, day: date, number: int) -> date:
        """The `number`-th working day after a day; the day itself for 0."""
        found = day
        for _nth in range(number):
            found += timedelta(days=1)
            while not self.is_workday(found):
                found += timedelta(days=1)
        return found

    def between(self, first: date, last: date) -> int:
        """How many working days lie after `first` and up to `last`."""
        days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
        return sum(self.is_workday(day) for day in days)


def calendar(session: Session) -> Calendar:
    """The bureau's calendar as it stands."""
    rows = session.execute(select(Holiday.day, Holiday.kind)).all()
    return Calendar(
        holidays=frozenset(row.day for row in rows if row.kind == "holiday"),
        workdays=frozenset(row.day for row in rows if row.kind == "workday"),
    )


def working_days_from(session: Session, start: date) -> Iterator[date]:
    """Working days one after the other, from `start` on (itself, if people work on it)."""
    known = calendar(session)
    day = start
    while True:
        if known.is_workday(day):
            yield day
        day += timedelta(days=1)


def last_moment(day: date) -> datetime:
    """The last second of a business day: what a `due_at` holds, so that its date is the due day."""
    return end_of_day(day) - timedelta(seconds=1)
