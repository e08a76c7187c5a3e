import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.standings import Scored, deduction, mark, standings


def test_equal_scores_share_a_rank_and_the_next_is_skipped():
    rows = standings([Scored(code, code, score) for code, score in zip("dcba", (9, 7, 7, 5), strict=True)])
    assert [(row.rank, row.code, row.tied) for row in rows] == [
        (1, "d", False),
        (2, "b", True),
        (2, "c", True),
        (4, "a", False),
    ]


def test_scores_that_print_alike_are_equal():
    assert [row.rank for row in standings([Scored("a", "", 0.1 + 0.2), Scored("b", "", 0.3)])] == [1, 1]


@given(st.lists(st.integers(0, 5), max_size=30), st.randoms())
def test_any_order_gives_the_same_standings(scores: list[int], rng: random.Random):
    rows = [Scored(f"{at:03}", "", score) for at, score in enumerate(scores)]
    shuffled = rng.sample(rows, len(rows))
    assert standings(shuffled) == standings(rows)


@pytest.mark.parametrize(
    ("rate", "expected"), [(None, None), (1, 100), (0.96, 100), (0.92, 50), (0.94, 75), (0.46, 25), (0, 0)]
)
def test_marks_are_full_at_the_target_and_half_at_the_floor(rate, expected):
    assert mark(rate, 0.92, 0.96) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("rate", "expected"), [(None, None), (0.96, None), (0.95, -0.5), (0.959, -0.05), (0.5, -2)]
)
def test_deduction_grows_by_tenths_of_a_point_to_its_limit(rate, expected):
    assert deduction(rate, 0.96) == (None if expected is None else pytest.approx(expected))
