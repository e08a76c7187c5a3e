"""The way through a tree, conditions and their sentences, merging of results, times: all without a database."""

from __future__ import annotations

from typing import Any

import pytest

from services import Refused
from services.conditions import Words, faults, fields, holds, sentence
from workflows.results import merged
from workflows.times import Times, from_settings, pause_before
from workflows.walk import after, arms, by_id, container, first, kind_of, node_at, placed

TREE: list[dict[str, Any]] = [
    {"id": "a", "step": "x"},
    {
        "id": "b",
        "branch": {"field": "a.n", "op": "gt", "value": 0},
        "yes": [
            {"id": "c", "step": "x"},
            {"id": "d", "branch": {}, "no": [{"id": "e", "wait": {"days": 1}}]},
        ],
    },
    {"id": "f", "person": {}},
]


@pytest.mark.parametrize(
    ("path", "arm", "following"),
    [
        ("1", "", "2"),
        ("2", "yes", "2.yes.1"),
        ("2", "no", "3"),
        ("2.yes.1", "", "2.yes.2"),
        ("2.yes.2", "no", "2.yes.2.no.1"),
        ("2.yes.2", "yes", "3"),
        ("2.yes.2.no.1", "", "3"),
        ("3", "", None),
    ],
)
def test_the_path_alone_says_what_follows(path: str, arm: str, following: str | None) -> None:
    assert after(TREE, path, arm) == following


HELD: list[dict[str, Any]] = [
    {
        "id": "e",
        "each": {},
        "do": [{"id": "f", "step": "x"}, {"id": "g", "branch": {}, "yes": [{"id": "h", "step": "x"}]}],
    },
    {
        "id": "p",
        "parallel": {},
        "lanes": [{"nodes": [{"id": "i", "step": "x"}]}, {"nodes": [{"id": "j", "step": "x"}]}],
    },
    {"id": "k", "step": "x", "on_failure": "branch", "failed": [{"id": "l", "step": "x"}]},
]


@pytest.mark.parametrize(
    ("path", "arm", "following", "holder"),
    [
        ("1", "", "2", ""),
        ("1", "do", "1.do.1", ""),
        ("1.do.1", "", "1.do.2", "1"),
        ("1.do.2", "yes", "1.do.2.yes.1", "1"),
        ("1.do.2.yes.1", "", None, "1"),
        ("2", "lane2", "2.lane2.1", ""),
        ("2.lane2.1", "", None, "2"),
        ("3", "failed", "3.failed.1", ""),
        ("3.failed.1", "", None, ""),
    ],
)
def test_lanes_and_lists_end_at_their_container(
    path: str, arm: str, following: str | None, holder: str
) -> None:
    assert (after(HELD, path, arm), container(path)) == (following, holder)


def test_a_node_names_its_arms_even_empty_ones() -> None:
    assert [[arm for arm, _nodes in arms(node)] for node in (*HELD, {"branch": {}})] == [
        ["do"],
        ["lane1", "lane2"],
        ["failed"],
        ["yes", "no"],
    ]
    assert [place.path for place in placed(HELD)][4:7] == ["2", "2.lane1.1", "2.lane2.1"]


def test_nodes_are_numbered_in_reading_order() -> None:
    found = [(place.path, place.node["id"], place.depth, place.arm) for place in placed(TREE)]
    assert found == [
        ("1", "a", 0, ""),
        ("2", "b", 0, ""),
        ("2.yes.1", "c", 1, "yes"),
        ("2.yes.2", "d", 1, ""),
        ("2.yes.2.no.1", "e", 2, "no"),
        ("3", "f", 0, ""),
    ]


def test_a_node_is_found_by_path_and_by_id() -> None:
    assert node_at(TREE, "2.yes.2.no.1") == by_id(TREE, "e")
    assert (first(TREE), first([]), by_id(TREE, "z")) == ("1", None, None)
    assert [kind_of(node) for node in TREE] == ["step", "branch", "person"]


FOUND = {"a.n": 3, "a.day": "2026-11-21", "a.name": "", "live": 0}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"field": "a.n", "op": "eq", "value": 3}, True),
        ({"field": "a.n", "op": "ne", "value": 3}, False),
        ({"field": "a.n", "op": "ge", "value": 3}, True),
        ({"field": "a.n", "op": "lt", "value": 3}, False),
        ({"field": "a.n", "op": "in", "value": [1, 3]}, True),
        ({"field": "a.day", "op": "gt", "value": "2026-11-20"}, True),
        ({"field": "a.name", "op": "empty"}, True),
        ({"field": "a.nothing", "op": "filled"}, False),
        ({"field": "a.nothing", "op": "lt", "value": 5}, False),
        (
            {"all": [{"field": "a.n", "op": "eq", "value": 3}, {"field": "live", "op": "gt", "value": 0}]},
            False,
        ),
        (
            {"any": [{"field": "a.n", "op": "eq", "value": 3}, {"field": "live", "op": "gt", "value": 0}]},
            True,
        ),
        ({"not": {"field": "live", "op": "eq", "value": 0}}, False),
    ],
)
def test_conditions_hold_or_not(condition: dict[str, Any], expected: bool) -> None:
    assert holds(condition, FOUND.get) is expected


def test_what_cannot_be_compared_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="「a.name」"):
        holds({"field": "a.name", "op": "gt", "value": 3}, FOUND.get)


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        ("a.n > 3", "条件要写成"),
        ({"field": "a.n", "op": "is", "value": 3}, "不认识的比较「is」"),
        ({"field": "a.n", "op": "eq"}, "缺少 value"),
        ({"field": "a.n", "op": "in", "value": 3}, "写成列表"),
        ({"all": []}, "一个或多个条件"),
        ({"all": [], "any": []}, "只能有"),
        ({"not": {"op": "eq"}}, "只能有"),
    ],
)
def test_faults_of_a_condition_are_named(condition: Any, fault: str) -> None:
    assert fault in "".join(faults(condition))


def test_a_condition_reads_as_a_sentence() -> None:
    condition = {
        "all": [
            {"field": "n", "op": "gt", "value": 0},
            {"any": [{"field": "n", "op": "empty"}, {"not": {"field": "c", "op": "eq", "value": "agree"}}]},
        ]
    }
    words = Words(
        {"n": "收件人数", "c": "意见"}.__getitem__,
        lambda field, value: {"agree": "同意"}.get(value, str(value)),
    )
    assert sentence(condition, words) == "收件人数大于 0，并且（收件人数为空，或者不满足：意见等于 同意）"
    assert list(fields(condition)) == ["n", "n", "c"]


def test_results_of_chunks_add_up() -> None:
    before = {"letters": 50, "campaign_id": 3, "year": 2026, "files": ["a"], "name": "x", "done": True}
    more = {
        "letters": 20,
        "campaign_id": 3,
        "year": 2026,
        "files": ["b"],
        "name": "y",
        "done": True,
        "new": 1,
    }
    joined = {
        "letters": 70,
        "campaign_id": 3,
        "year": 2026,
        "files": ["a", "b"],
        "name": "y",
        "done": True,
        "new": 1,
    }
    assert merged(before, more, sets=("year",)) == joined


def test_pauses_grow_with_jitter_up_to_a_limit() -> None:
    limits = Times(backoff=2, backoff_most=10)
    for attempt, longest in ((1, 2), (2, 4), (3, 8), (4, 10), (40, 10)):
        assert longest / 2 <= pause_before(attempt, limits) <= longest


def test_times_are_settings() -> None:
    assert from_settings({"lease": "3", "colour": "red"}) == Times(lease=3.0)
