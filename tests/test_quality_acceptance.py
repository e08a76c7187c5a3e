"""Acceptance of batches: code letters, plans, chances and switching as the standard gives them."""

import pytest

from quality.acceptance import (
    AQLS,
    LETTER_ROWS,
    SIZES,
    Lot,
    Plan,
    Standing,
    accept_probability,
    code_letter,
    limiting_share,
    next_standing,
    plan_for,
)


@pytest.mark.parametrize(
    ("population", "letter"),
    [(2, "A"), (8, "A"), (9, "B"), (50, "D"), (151, "G"), (280, "G"), (500, "H"), (501, "J"), (3200, "K"),
     (10_000, "L"), (10_001, "M"), (150_000, "N"), (500_000, "P"), (500_001, "Q")],
)  # fmt: skip
def test_code_letters_of_level_two(population, letter):
    assert code_letter(population) == letter


@pytest.mark.parametrize(
    ("letter", "aql", "inspection", "size", "accepts"),
    [
        ("G", 1.5, "normal", 32, 1), ("H", 1.5, "normal", 50, 2), ("J", 1.5, "normal", 80, 3),
        ("K", 1.5, "normal", 125, 5), ("L", 1.5, "normal", 200, 7), ("M", 1.5, "normal", 315, 10),
        ("J", 2.5, "normal", 80, 5), ("K", 2.5, "normal", 125, 7), ("L", 2.5, "normal", 200, 10),
        ("J", 4.0, "normal", 80, 7), ("L", 4.0, "normal", 200, 14), ("E", 1.0, "normal", 13, 0),
        ("J", 1.5, "tightened", 80, 2), ("H", 1.0, "tightened", 80, 1), ("M", 1.0, "tightened", 315, 5),
        ("N", 1.0, "tightened", 500, 8), ("Q", 1.0, "tightened", 1250, 18), ("G", 0.65, "tightened", 32, 0),
        ("G", 1.0, "reduced", 32, 1), ("J", 1.0, "reduced", 32, 1), ("J", 1.5, "reduced", 32, 2),
        ("K", 1.5, "reduced", 50, 3), ("L", 1.5, "reduced", 80, 5), ("M", 1.5, "reduced", 125, 6),
        ("N", 1.5, "reduced", 200, 8), ("Q", 1.0, "reduced", 500, 10), ("N", 6.5, "reduced", 80, 10),
        ("E", 6.5, "reduced", 5, 1), ("G", 6.5, "reduced", 13, 3), ("H", 6.5, "reduced", 20, 5),
    ],
)  # fmt: skip
def test_plans_of_the_tables(letter, aql, inspection, size, accepts):
    population = {
        "E": 90,
        "G": 280,
        "H": 500,
        "J": 1200,
        "K": 3200,
        "L": 10_000,
        "M": 35_000,
        "N": 150_000,
    }.get(letter, 500_001)
    plan = plan_for(population, aql, inspection=inspection)
    assert (plan.size, plan.accepts, plan.rejects) == (size, accepts, accepts + 1)


@pytest.mark.parametrize(("population", "aql", "letter"), [(8, 1.0, "E"), (150, 1.0, "E"), (280, 1.0, "H")])
def test_arrows_lead_to_the_next_plan(population, aql, letter):
    assert plan_for(population, aql).letter == letter


def test_small_lot_is_inspected_whole():
    assert plan_for(8, 0.65) == Plan("F", 8, 0, 1)


def test_one_item_is_no_lot():
    with pytest.raises(ValueError, match="two items"):
        plan_for(1, 1.5)


@pytest.mark.parametrize(("population", "good", "limit"), [(1000, 0.967, 0.082), (5000, 0.989, 0.058)])
def test_chances_of_the_table(population, good, limit):
    plan = plan_for(population, 1.5)
    assert accept_probability(plan, 0.015) == pytest.approx(good, abs=0.0006)
    assert limiting_share(plan) == pytest.approx(limit, abs=0.0006)


@pytest.mark.parametrize("aql", AQLS)
@pytest.mark.parametrize("population", [2, 60, 700, 9000, 400_000])
def test_tightened_never_lets_more_through(population, aql):
    normal, tightened = (plan_for(population, aql, inspection=one) for one in ("normal", "tightened"))
    if normal.size < population and tightened.size < population:
        assert accept_probability(tightened, aql / 50) <= accept_probability(normal, aql / 50) + 1e-9


@pytest.mark.parametrize("aql", AQLS)
def test_reduced_inspection_asks_for_two_fifths_and_lets_more_through(aql):
    for population in (60, 700, 9000, 400_000):
        normal, reduced = (plan_for(population, aql, inspection=one) for one in ("normal", "reduced"))
        assert reduced.size <= normal.size
        assert reduced.rejects == reduced.accepts + 1
        assert accept_probability(reduced, aql / 25) >= accept_probability(normal, aql / 25) - 1e-9


def test_reduced_sizes_are_those_of_two_letters_before():
    normal, reduced = SIZES["normal"], SIZES["reduced"]
    assert [reduced[one] for one in LETTER_ROWS[2:]] == [normal[one] for one in LETTER_ROWS[:-2]]


MARKS = {"+": Lot("normal", 1, 0), "-": Lot("normal", 1, 2), "3": Lot("normal", 3, 2), "0": Lot("normal", 3, 3),
         "r": Lot("reduced", 1, 1), "R": Lot("reduced", 1, 2)}  # fmt: skip


@pytest.mark.parametrize(
    ("history", "severity"),
    [
        ("", "normal"), ("+", "normal"), ("-", "normal"), ("-+++-", "tightened"), ("-++++-", "normal"),
        ("--", "tightened"), ("--++++", "tightened"), ("--+++++", "normal"), ("--++-+++++", "normal"),
        ("--" + "-" * 5, "stopped"), ("--" + "+-" * 5, "stopped"), ("+" * 15 + "r", "reduced"),
        ("+" * 15 + "rrr", "reduced"), ("+" * 15 + "rR", "normal"), ("+" * 15 + "rr+", "normal"),
        ("+" * 14 + "r", "normal"), ("+" * 15 + "rR--", "tightened"),
    ],
)  # fmt: skip
def test_severity_follows_the_history(history, severity):
    assert next_standing([MARKS[mark] for mark in history]).severity == severity


@pytest.mark.parametrize(
    ("history", "score"),
    [("", 0), ("+++", 6), ("3", 3), ("33+", 8), ("330", 0), ("++-", 0), ("--+++++", 0), ("+" * 15, 30), ("3" * 10, 30),
     ("+" * 15 + "rR", 0), ("+" * 15 + "rR+", 2)],
)  # fmt: skip
def test_switching_score_counts_what_a_tighter_plan_would_accept(history, score):
    found = next_standing([MARKS[mark] for mark in history])
    assert found.score == score
    assert found.may_reduce is (score >= 30)


def test_reduced_inspection_goes_on_until_a_lot_is_returned():
    assert next_standing([MARKS["+"]] * 15 + [MARKS["r"]] * 4) == Standing("reduced", 30)
