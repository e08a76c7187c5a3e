from datetime import date
from itertools import islice

import pytest

from models import Holiday
from models.clock import ZONE
from services.calendar import calendar, last_moment, working_days_from


@pytest.fixture
def october(session):
    """The first days of October 2030: a holiday week with a make-up Saturday before and after it."""
    for day in range(1, 8):
        session.add(Holiday(day=date(2030, 10, day), kind="holiday", name="国庆"))
    session.add(Holiday(day=date(2030, 9, 28), kind="workday", name="调休"))
    session.flush()
    return session


@pytest.mark.parametrize(
    ("day", "number", "expected"),
    [
        (date(2030, 9, 27), 0, date(2030, 9, 27)),
        (date(2030, 9, 27), 1, date(2030, 9, 28)),
        (date(2030, 9, 30), 1, date(2030, 10, 8)),
        (date(2030, 9, 30), 5, date(2030, 10, 14)),
    ],
)
def test_working_days_skip_holidays_and_keep_make_up_days(october, day, number, expected):
    assert calendar(october).after(day, number) == expected


def test_between_counts_what_after_steps(october):
    known = calendar(october)
    for number in range(12):
        assert known.between(date(2030, 9, 27), known.after(date(2030, 9, 27), number)) == number


def test_working_days_go_on_for_ever(october):
    days = list(islice(working_days_from(october, date(2030, 9, 29)), 3))
    assert days == [date(2030, 9, 30), date(2030, 10, 8), date(2030, 10, 9)]


def test_due_moment_lies_on_its_day():
    assert last_moment(date(2026, 3, 31)).astimezone(ZONE).date() == date(2026, 3, 31)
