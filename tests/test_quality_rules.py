from datetime import date

import pytest

from quality.measures import Due
from quality.rules import FUNCTIONS, INDICATORS, Accepted, Forbidden, Lately, Record, grade, months_before

TODAY = date(2026, 11, 20)
DUE = date(2026, 11, 9)


@pytest.mark.parametrize(
    ("rate", "direction", "expected"),
    [
        (0.99, "larger", 5),
        (0.96, "larger", 4),
        (0.92, "larger", 3),
        (0.86, "larger", 2),  # as far below the floor as the stretch mark lies above it: 0.85
        (0.84, "larger", 1),
        (None, "larger", None),
    ],
)
def test_a_rate_is_graded_by_its_three_marks(rate, direction, expected):
    assert grade(rate, (0.92, 0.96, 0.99), direction) == expected


def test_a_rate_far_below_a_low_floor_is_of_the_lowest_grade():
    assert [grade(rate, (0.3, 0.5, 0.7)) for rate in (0.15, 0.14, 0)] == [2, 1, 1]


@pytest.mark.parametrize(
    ("rate", "expected"), [(0.005, 5), (0.01, 4), (0.03, 3), (0.055, 2), (0.06, 1), (1, 1)]
)
def test_a_smaller_is_better_rate_is_graded_the_other_way_round(rate, expected):
    assert grade(rate, (0.03, 0.01, 0.005), "smaller") == expected


@pytest.mark.parametrize(
    ("function", "record", "parameters", "expected"),
    [
        ("is_recorded", Record("mobile", "invalid", is_required=True), None, True),
        ("is_recorded", Record("mobile", is_required=True), None, False),
        ("is_recorded", Record("email", "valid"), None, None),
        ("judge_phone", Record("mobile", "repairable"), Accepted(), True),
        ("judge_phone", Record("mobile", "repairable"), Accepted(accepted=("valid",)), False),
        ("judge_phone", Record("mobile"), Accepted(), None),
        ("is_clean", Record("mobile", "suspect", ("known_dummy",)), Forbidden(), False),
        ("is_clean", Record("mobile", "valid", ("other_kind",)), Forbidden(), True),
        ("is_in_time", Record("mobile", "valid", due=Due(DUE, DUE)), None, True),
        ("is_in_time", Record("mobile", "valid", due=Due(DUE, TODAY)), None, False),
        ("is_in_time", Record("mobile", "valid", due=Due(DUE, None, is_dated=False)), None, None),
        ("is_in_time", Record("mobile", due=Due(DUE, None)), None, False),
        ("is_in_time", Record("mobile", "valid"), None, None),
        ("is_fresh", Record("mobile", "valid", day=TODAY, confirmed_on=date(2024, 11, 20)), Lately(), True),
        ("is_fresh", Record("mobile", "valid", day=TODAY, confirmed_on=date(2024, 11, 19)), Lately(), False),
        ("is_fresh", Record("mobile", "valid", day=TODAY), Lately(), False),
        ("is_fresh", Record("mobile", "suspect", day=TODAY), Lately(), None),
    ],
)
def test_a_function_says_whether_a_record_meets_it(function, record, parameters, expected):
    assert FUNCTIONS[function].judge(record, parameters) is expected


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2026, 1, 15), 13, date(2024, 12, 15)),
    ],
)
def test_months_before_keep_to_the_calendar(day, months, expected):
    assert months_before(day, months) == expected


def test_functions_are_named_after_what_they_are():
    own = {key: one.judge.__name__ for key, one in FUNCTIONS.items() if not key.startswith("judge_")}
    assert all(key == name for key, name in own.items())
    assert {one.indicator for one in FUNCTIONS.values()} <= set(INDICATORS)
