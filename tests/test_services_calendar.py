"""Working days: weekends, holidays, make-up workdays."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session

from models import Holiday
from models.clock import ZONE
from services import calendar
from services.calendar import Calendar

NATIONAL = Calendar({date(2025, 10, day): "holiday" for day in range(1, 9)} | {date(2025, 9, 28): "workday"})


@pytest.mark.parametrize(
    ("day", "workdays", "expected"),
    [
        (date(2025, 9, 26), 0, date(2025, 9, 26)),
        (date(2025, 9, 26), 1, date(2025, 9, 28)),  # a Sunday that was made up for
        (date(2025, 9, 30), 1, date(2025, 10, 9)),  # the first day after the holidays
        (date(2025, 10, 9), 2, date(2025, 10, 13)),  # over a weekend
        (date(2025, 10, 4), 1, date(2025, 10, 9)),  # counted from a holiday
    ],
)
def test_deadline_counts_working_days_only(day: date, workdays: int, expected: date) -> None:
    assert NATIONAL.after(day, workdays) == expected


def test_working_days_of_a_period_are_counted() -> None:
    assert NATIONAL.between(date(2025, 9, 27), date(2025, 10, 10)) == 5


def test_calendar_follows_the_table(session: Session) -> None:
    friday = date(2031, 3, 7)
    assert calendar.workday_after(session, friday, 1) == date(2031, 3, 10)
    session.add(Holiday(day=date(2031, 3, 10), kind="holiday", name="测试"))
    session.flush()
    assert calendar.workday_after(session, friday, 1) == date(2031, 3, 11)


def test_due_moment_lies_on_its_day() -> None:
    assert calendar.last_moment(date(2026, 3, 31)).astimezone(ZONE).date() == date(2026, 3, 31)
