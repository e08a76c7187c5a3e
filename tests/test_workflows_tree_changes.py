"""Trees changed: nodes inserted, moved, copied, deleted, arranged; references follow, the old tree stays as it was."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from services import Refused
from workflows import STEPS, tree_changes
from workflows.palette import palette
from workflows.tree_changes import Place, read_place
from workflows.walk import placed

TREE: list[dict[str, Any]] = [
    {"id": "a", "wait": {"days": 1}},
    {
        "id": "b",
        "branch": {"field": "a.late", "op": "eq", "value": True},
        "yes": [{"id": "c", "wait": {"days": 2}}, {"id": "d", "wait": {"days": 3}}],
        "no": [],
    },
    {
        "id": "p",
        "parallel": {},
        "lanes": [{"title": "甲", "nodes": [{"id": "e", "wait": {"days": 4}}]}, {"title": "乙", "nodes": []}],
    },
]
NODE = {"id": "new", "wait": {"days": 9}}


def shape(tree: Any) -> str:
    """The ids of a tree with their paths."""
    return " ".join(f"{place.path}:{place.node['id']}" for place in placed(tree))


@pytest.fixture(autouse=True)
def unchanged() -> Any:
    before = copy.deepcopy(TREE)
    yield
    assert before == TREE


@pytest.mark.parametrize(
    ("place", "path"),
    [("//0", "1:new"), ("//3", "4:new"), ("b/no/0", "2.no.1:new"), ("b/yes/1", "2.yes.2:new"),
     ("p/lane2/0", "3.lane2.1:new"), ("b/yes/99", "2.yes.3:new")],
)  # fmt: skip
def test_a_node_is_inserted_at_a_place(place: str, path: str) -> None:
    assert path in shape(tree_changes.insert(TREE, read_place(place), NODE)).split()


@pytest.mark.parametrize("place", ["b/do/0", "zzz/yes/0", "", "//x", "b/lane9/0"])
def test_a_place_that_is_not_there_is_refused(place: str) -> None:
    with pytest.raises(Refused):
        tree_changes.insert(TREE, read_place(place), NODE)


@pytest.mark.parametrize(
    ("node", "by", "after"),
    [
        ("a", 1, "1:b 1.yes.1:c 1.yes.2:d 2:a 3:p 3.lane1.1:e"),
        ("d", -1, "1:a 2:b 2.yes.1:d 2.yes.2:c 3:p 3.lane1.1:e"),
        ("c", -1, "1:a 2:c 3:b 3.yes.1:d 4:p 4.lane1.1:e"),
        ("d", 1, "1:a 2:b 2.yes.1:c 3:d 4:p 4.lane1.1:e"),
        ("e", 1, "1:a 2:b 2.yes.1:c 2.yes.2:d 3:p 4:e"),
    ],
)
def test_a_node_moves_up_and_down_and_out_of_its_arm(node: str, by: int, after: str) -> None:
    assert shape(tree_changes.shift(TREE, node, by=by)) == after


def test_a_node_at_the_edge_stays() -> None:
    for node, by in (("a", -1), ("p", 1)):
        with pytest.raises(Refused, match="最"):
            tree_changes.shift(TREE, node, by=by)


def test_every_node_can_move_to_every_place_but_into_itself() -> None:
    moved = 0
    for node in [place.node["id"] for place in placed(TREE)]:
        for place in tree_changes.places(TREE):
            try:
                after = tree_changes.move(TREE, node, place)
            except Refused:
                assert (node, place.above) in {("b", "b"), ("p", "p")}
                continue
            moved += 1
            assert sorted(one.node["id"] for one in placed(after)) == list("abcdep")
    assert moved > 50


def test_a_copy_has_its_own_ids_and_its_parts_refer_to_each_other() -> None:
    tree = [
        {
            "id": "each", "each": {"list": "results", "of": "x.rows"},
            "do": [
                {"id": "ask", "person": {"title": "看", "choices": [], "link": "/a/{ask.by}"}},
                {"id": "said", "branch": {"field": "ask.choice", "op": "eq", "value": "ok"}, "yes": []},
            ],
        }
    ]  # fmt: skip
    copied = tree_changes.duplicate(tree, "each")[1]
    ask, said = copied["do"]
    assert (copied["id"], ask["id"], said["branch"]["field"]) == ("each_2", "ask_2", "ask_2.choice")
    assert (ask["person"]["link"], copied["each"]["of"]) == ("/a/{ask_2.by}", "x.rows")


def test_settings_change_without_the_arms() -> None:
    after = tree_changes.put(TREE, "b", {"branch": {"all": []}, "title": "新"})
    assert (after[1]["branch"], after[1]["title"], len(after[1]["yes"])) == ({"all": []}, "新", 2)


def test_lanes_are_named_added_and_dropped_when_empty() -> None:
    after = tree_changes.set_lanes(TREE, "p", ["一", "二", "三"])
    assert [(lane["title"], len(lane["nodes"])) for lane in after[2]["lanes"]] == [
        ("一", 1),
        ("二", 0),
        ("三", 0),
    ]
    with pytest.raises(Refused, match="还有步骤"):
        tree_changes.set_lanes(TREE, "p", [])


def test_a_shape_orders_nodes_and_takes_nothing_else_from_outside() -> None:
    sent = [
        {
            "id": "b",
            "wait": {"days": 99},
            "arms": {"no": [{"id": "a"}], "yes": [{"id": "c_2", "copy_of": "c"}]},
        },
        {"id": "w", "key": "wait"},
    ]
    after = tree_changes.arrange(TREE, sent)
    assert shape(after) == "1:b 1.yes.1:c_2 1.no.1:a 2:w"
    assert (after[0]["branch"]["field"], after[0]["yes"][0]["wait"], "wait" in after[0]) == (
        "a.late", {"days": 2}, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "sent",
    ["x", [1], [{"id": "a"}, {"id": "a"}], [{"id": "Q"}], [{"id": "n", "key": "eval"}], [{"id": "a", "arms": []}],
     [{"id": "n", "copy_of": "gone"}]],
)  # fmt: skip
def test_a_shape_that_makes_no_sense_is_refused(sent: Any) -> None:
    with pytest.raises(Refused):
        tree_changes.arrange(TREE, sent)


def test_a_tree_has_its_limits() -> None:
    with pytest.raises(Refused, match="最多 300 个"):
        tree_changes.insert([{"id": f"n{n}", "wait": {"days": 1}} for n in range(300)], Place(), NODE)


def test_everything_offered_can_be_inserted() -> None:
    keys = [offer.key for group in palette() for offer in group.offers]
    assert set(STEPS) < set(keys) and len(keys) == len(set(keys))
    tree: list[Any] = []
    for key in keys:
        tree = tree_changes.insert(tree, Place(), tree_changes.new_node(tree, key))
    assert len({place.node["id"] for place in placed(tree)}) == len(keys)
