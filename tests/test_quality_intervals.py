"""Intervals: the tables of the references, scipy as the judge, and what must hold for any numbers."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom, binomtest, hypergeom

from quality.intervals import Cluster, Interval, clopper_pearson, hypergeometric, of_unit, weighted, wilson

FOUND = st.integers(1, 300).flatmap(lambda number: st.tuples(st.integers(0, number), st.just(number)))


@pytest.mark.parametrize(
    ("right", "number", "score", "exact"),
    [
        (20, 20, (0.8389, 1), (0.8316, 1)),
        (19, 20, (0.7639, 0.9911), (0.7513, 0.9987)),
        (48, 50, (0.8654, 0.9890), (0.8629, 0.9951)),
        (95, 100, (0.8882, 0.9785), (0.8872, 0.9836)),
        (285, 300, (0.9192, 0.9695), (0.9189, 0.9717)),
    ],
)
def test_intervals_of_the_table(right, number, score, exact):
    for found, wanted in ((wilson(right, number), score), (clopper_pearson(right, number), exact)):
        assert (round(found.low, 4), round(found.high, 4)) == wanted


def test_small_unit_of_the_table():
    found = hypergeometric(19, 20, 40)
    assert (round(found.low, 3), round(found.high, 3)) == (0.825, 0.975)


@pytest.mark.slow
@given(FOUND)
@settings(max_examples=60)
def test_scipy_says_the_same(found):
    right, number = found
    test = binomtest(right, number)
    for mine, theirs in (
        (wilson(right, number), test.proportion_ci(method="wilson")),
        (clopper_pearson(right, number), test.proportion_ci(method="exact")),
    ):
        assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
        assert mine.low <= right / number <= mine.high


@given(st.integers(2, 60), st.data())
@settings(max_examples=60)
def test_exact_interval_holds_what_the_tails_allow(population, data):
    number = data.draw(st.integers(1, population))
    right = data.draw(st.integers(0, number))
    goods = range(right, population - (number - right) + 1)
    allowed = [
        good
        for good in goods
        if hypergeom.sf(right - 1, population, good, number) >= 0.025 - 1e-12
        and hypergeom.cdf(right, population, good, number) >= 0.025 - 1e-12
    ]
    found = hypergeometric(right, number, population)
    assert (found.low, found.high) == (min(allowed) / population, max(allowed) / population)


@pytest.mark.parametrize(("interval", "least"), [(clopper_pearson, 0.95), (wilson, 0.9)])
def test_intervals_cover_the_truth(interval, least):
    found = [interval(right, 100) for right in range(101)]
    for truth in (0.5, 0.8, 0.9, 0.95, 0.98):
        covered = sum(
            binom.pmf(right, 100, truth) for right, one in enumerate(found) if one.low <= truth <= one.high
        )
        assert covered >= least, truth


@pytest.mark.parametrize("interval", [wilson, clopper_pearson, lambda right, n: hypergeometric(right, n, 90)])
def test_more_right_never_means_less(interval):
    for one, other in pairwise(interval(right, 30) for right in range(31)):
        assert other.low >= one.low
        assert other.high >= one.high


@pytest.mark.parametrize(("right", "number"), [(1, 0), (3, 2), (-1, 2)])
def test_impossible_findings_are_refused(right, number):
    with pytest.raises(ValueError, match="found right"):
        wilson(right, number)
    with pytest.raises(ValueError, match="found right"):
        clopper_pearson(right, number)


def test_whole_unit_audited_leaves_no_doubt():
    assert of_unit(38, 40, 40) == Interval(0.95, 0.95)
    assert of_unit(95, 100, 100_000) == wilson(95, 100)


def test_strata_count_for_those_they_stand_for():
    clusters = [Cluster("big", 100.0, 1, 1)] * 9 + [
        Cluster("big", 100.0, 0, 1),
        *[Cluster("small", 1.0, 0, 1)] * 10,
    ]
    found = weighted(clusters, {"big": (10, 1000), "small": (10, 10)})
    assert found.rate == pytest.approx(900 / 1010)
    assert found.interval.low < found.rate < found.interval.high


def test_items_of_one_account_are_no_independent_findings():
    together = [Cluster("a", 1.0, 3 * (place % 2), 3) for place in range(40)]
    apart = [Cluster("a", 1.0, place % 2, 1) for place in range(120)]
    whole = {"a": (40, 10**6)}
    assert weighted(together, whole).effective == pytest.approx(40, rel=0.05)
    assert weighted(apart, {"a": (120, 10**6)}).effective == pytest.approx(120, rel=0.05)


def test_equal_weights_are_wilson_in_a_large_population():
    clusters = [Cluster("a", 5.0, int(place < 95), 1) for place in range(100)]
    found = weighted(clusters, {"a": (100, 10**9)})
    assert (found.interval.low, found.interval.high) == pytest.approx((0.888, 0.978), abs=0.002)


def test_census_without_gaps_has_no_width_and_one_with_gaps_has():
    clusters = [Cluster("a", 1.0, int(place < 8), 1) for place in range(10)]
    assert weighted(clusters, {"a": (10, 10)}).interval == Interval(0.8, 0.8)
    gaps = [*clusters[:9], Cluster("a", 1.0, 0, 0)]
    assert weighted(gaps, {"a": (10, 10)}).interval.high > 8 / 9


def test_nothing_audited_is_no_rate():
    assert weighted([Cluster("a", 1.0, 0, 0)], {"a": (1, 5)}) is None


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.floats(1, 50), st.integers(0, 3), st.integers(0, 3)), max_size=30
    )
)
@settings(max_examples=60)
def test_order_of_findings_does_not_matter(rows):
    clusters = [Cluster(name, weight, min(right, audited), audited) for name, weight, right, audited in rows]
    drawn = {name: (len([one for one in clusters if one.stratum == name]), 1000) for name in "ab"}
    found, turned = weighted(clusters, drawn), weighted(clusters[::-1], drawn)
    assert (found is None) == (turned is None)
    if found and turned:
        assert 0 <= found.interval.low <= found.rate + 1e-9 <= found.interval.high + 2e-9
        assert found.rate == pytest.approx(turned.rate)
        assert found.interval.low == pytest.approx(turned.interval.low, abs=1e-9)


@pytest.mark.parametrize(("right", "number"), [(0.4, 9.7), (46.2, 50.5), (930.5, 1000.25), (12.0, 12.0), (0.0, 7.5)])
def test_exact_interval_takes_effective_numbers(right, number):
    found = clopper_pearson(right, number)
    low = beta.ppf(0.025, right, number - right + 1) if right else 0.0
    high = beta.ppf(0.975, right + 1, number - right) if right < number else 1.0
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_every_interval_says_how_it_was_found():
    clusters = [Cluster("a", 10.0, int(at > 1), 1) for at in range(20)]
    drawn = {"a": (20, 200)}
    assert weighted(clusters, drawn).interval.method == "wilson"
    exact = weighted(clusters, drawn, method="exact").interval
    assert exact.method == "exact"
    assert exact.low < weighted(clusters, drawn).interval.low
    assert weighted(clusters, {"a": (20, 20)}).interval.method == "census"
    assert of_unit(18, 20, 100, method="exact").method == "hypergeometric"
    assert of_unit(18, 20, 1000, method="exact").method == "exact"
