"""Samples: allocation, draws, sizes; every table is that of the references."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.sampling import (
    SPAN,
    allocate,
    commitment,
    draw_key,
    pps,
    size_for,
    size_to_tell,
    start_of,
    stratified,
    systematic,
    token,
)

SEED = "ab" * 32
POPULATIONS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4), st.integers(0, 500), min_size=1
).filter(lambda found: sum(found.values()) > 0)


@pytest.mark.parametrize(
    ("populations", "size", "places"),
    [
        ({"a": 600, "b": 300, "c": 100}, 10, {"a": 6, "b": 3, "c": 1}),
        ({"a": 500, "b": 300, "c": 200}, 7, {"a": 4, "b": 2, "c": 1}),
        ({"a": 1000, "b": 3}, 10, {"a": 9, "b": 1}),
        ({"a": 1, "b": 1, "c": 98}, 10, {"a": 1, "b": 1, "c": 8}),
        ({"a": 5, "b": 5}, 3, {"a": 2, "b": 1}),
        ({"a": 5, "b": 0}, 2, {"a": 2, "b": 0}),
        ({"a": 90, "b": 5, "c": 5}, 2, {"a": 2, "b": 0, "c": 0}),
        ({"a": 3, "b": 2}, 5, {"a": 3, "b": 2}),
    ],
)
def test_places_follow_the_population(populations, size, places):
    assert allocate(populations, size) == places


@pytest.mark.parametrize("size", [0, -1, 11])
def test_size_outside_the_population_is_refused(size):
    with pytest.raises(ValueError, match="size"):
        allocate({"a": 10}, size)


@given(POPULATIONS, st.data())
@settings(max_examples=80)
def test_places_add_up_and_leave_nobody_out(populations, data):
    total, filled = sum(populations.values()), [name for name, number in populations.items() if number]
    size = data.draw(st.integers(1, total))
    places = allocate(populations, size)
    assert sum(places.values()) == size
    assert all(0 <= places[name] <= populations[name] for name in populations)
    assert size < len(filled) or all(places[name] for name in filled)
    assert allocate(dict(reversed(populations.items())), size) == places


def test_key_and_tokens_are_those_of_the_publication():
    key = hashlib.sha256(f"{SEED}|07 12 30".encode()).digest()
    assert draw_key(SEED, "07 12 30") == key
    assert (
        token(key, "2026-11|S01|060012") == hmac.new(key, b"2026-11|S01|060012", hashlib.sha256).hexdigest()
    )
    assert commitment(SEED) == hashlib.sha256(SEED.encode()).hexdigest()


@given(st.lists(st.integers(1, 10**6), min_size=3, max_size=40, unique=True), st.randoms())
@settings(max_examples=40)
def test_draw_does_not_depend_on_the_order_of_members(numbers, chance):
    accounts, key = [str(number) for number in numbers], draw_key(SEED, "1")
    mixed = chance.sample(accounts, len(accounts))
    drawn = stratified({"a": accounts}, {"a": 3}, key, "2026-11|S01")
    assert stratified({"a": mixed}, {"a": 3}, key, "2026-11|S01") == drawn
    ordered = sorted(accounts, key=lambda one: token(key, f"2026-11|S01|{one}"))
    assert [(one.key, one.rank) for one in drawn] == [(one, rank) for rank, one in enumerate(ordered[:3], 1)]


@given(st.integers(1, 400), st.data())
@settings(max_examples=60)
def test_systematic_draw_is_even(number, data):
    size, start = data.draw(st.integers(1, number)), data.draw(st.integers(0, SPAN - 1))
    places = [int(one) for one in systematic([str(place) for place in range(number)], size, start)]
    gaps = {after - before for before, after in zip(places, places[1:], strict=False)}
    assert len(set(places)) == size
    assert gaps <= {number // size, number // size + 1}


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(sum),
    st.integers(1, 20),
    st.integers(0, SPAN - 1),
)
@settings(max_examples=60)
def test_large_ones_are_hit_as_often_as_their_size_asks(sizes, draws, start):
    hits = pps(sizes, draws, start)
    assert len(hits) == draws
    assert hits == sorted(hits)
    for index, size in enumerate(sizes):
        expected = draws * size / sum(sizes)
        assert abs(hits.count(index) - expected) < 1


def test_start_is_a_fraction_of_the_span():
    assert 0 <= start_of(draw_key(SEED, "1"), "2026-11|S01") < SPAN


@pytest.mark.parametrize(
    ("share", "precision", "population", "size"),
    [
        (0.95, 0.02, 300, 182),
        (0.95, 0.02, 1000, 314),
        (0.95, 0.02, 5000, 419),
        (0.95, 0.02, 10**9, 457),
        (0.90, 0.05, 100, 59),
        (0.90, 0.05, 300, 95),
        (0.90, 0.05, 1000, 122),
        (0.50, 0.05, 1000, 278),
        (0.50, 0.05, 10**9, 385),
        (0.95, 0.001, 40, 40),
        (0.95, 0.02, 0, 0),
    ],
)
def test_sizes_for_a_precision(share, precision, population, size):
    assert size_for(precision, population, share=share) == size


@pytest.mark.parametrize(
    ("higher", "lower", "size"), [(0.95, 0.9, 424), (0.98, 0.95, 561), (0.95, 0.85, 132)]
)
def test_sizes_to_tell_two_rates_apart(higher, lower, size):
    assert size_to_tell(higher, lower) == size_to_tell(lower, higher) == size


def test_equal_rates_are_never_told_apart():
    with pytest.raises(ValueError, match="equal"):
        size_to_tell(0.9, 0.9)
