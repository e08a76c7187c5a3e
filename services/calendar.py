"""Working days: the week, less holidays, plus make-up workdays (调休工作日), as `holidays` has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Holiday
from models.clock import end_of_day

SATURDAY = 5


@dataclass(frozen=True)
class Calendar:
    """The days on which the calendar differs from the week: day -> `holiday` or `workday`."""

    special: Mapping[date, str]

    def is_workday(self, day: date) -> bool:
        """Whether people work on that day."""
        kind = self.special.get(day)
        return kind == "workday" if kind else day.weekday() < SATURDAY

    def after(self, day: date, workdays: int) -> date:
        """The day `workdays` working days after `day`, which is not counted itself; 0 gives the day."""
        while workdays > 0:
            day += timedelta(days=1)
            workdays -= self.is_workday(day)
        return day

    def between(self, first: date, last: date) -> int:
        """How many working days lie in `first` to `last`, both included."""
        days = (last - first).days + 1
        return sum(self.is_workday(first + timedelta(days=place)) for place in range(days))


def load(session: Session) -> Calendar:
    """The calendar as the table stands now; load it once for a chunk of rows."""
    return Calendar({row.day: row.kind for row in session.execute(select(Holiday.day, Holiday.kind))})


def workday_after(session: Session, day: date, workdays: int) -> date:
    """The day that lies `workdays` working days after `day`: one deadline, one query."""
    return load(session).after(day, workdays)


def last_moment(day: date) -> datetime:
    """The last second of a business day: what a `due_at` holds, so that its date is the due day."""
    return end_of_day(day) - timedelta(seconds=1)
