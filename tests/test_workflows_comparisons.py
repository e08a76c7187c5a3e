"""Versions compared node by node: what came, went, moved, and which settings changed."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.comparisons import compare
from workflows.walk import node_at, placed

TREE = [
    {"id": "select", "step": "select_customers", "options": {"limit": 10}},
    {
        "id": "anybody",
        "branch": {"field": "select.targeted", "op": "gt", "value": 0},
        "yes": [{"id": "print", "step": "print_letters"}, {"id": "rest", "wait": {"days": 21}}],
        "no": [],
    },
    {"id": "both", "parallel": {}, "lanes": [
        {"title": "甲", "nodes": [{"id": "a", "step": "mark_silent"}]},
        {"title": "乙", "nodes": [{"id": "b", "step": "make_visits"}]},
    ]},
    {"id": "close", "step": "close_campaign"},
]  # fmt: skip


def changed(edit):
    """What a change of the tree comes to: kind, id, and each setting with its values before and after."""
    new = copy.deepcopy(TREE)
    edit(new)
    found = compare(TREE, new)
    return [(one.kind, one.node["id"], [(s.name, s.old, s.new) for s in one.settings]) for one in found]


def swap(tree):
    tree[1]["yes"].reverse()


def into_the_other_arm(tree):
    tree[1]["no"].append(tree[1]["yes"].pop(0))


def rename_lane(tree):
    tree[2]["lanes"][1]["title"] = "丙"


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (lambda tree: None, []),
        (
            lambda tree: tree[0]["options"].update(limit=20),
            [("changed", "select", [("options.limit", 10, 20)])],
        ),
        (
            lambda tree: tree[0]["options"].pop("limit"),
            [("changed", "select", [("options.limit", 10, None)])],
        ),
        (
            lambda tree: tree[1]["yes"][1]["wait"].update(days=10),
            [("changed", "rest", [("wait.days", 21, 10)])],
        ),
        (lambda tree: tree[3].update(title="收尾"), [("changed", "close", [("title", None, "收尾")])]),
        (lambda tree: tree.pop(0), [("removed", "select", [])]),
        (lambda tree: tree[1].pop("no"), []),
        (rename_lane, [("changed", "both", [("lanes.2", "乙", "丙")])]),
        (into_the_other_arm, [("moved", "print", [])]),
        (lambda tree: tree.insert(0, tree.pop()), [("moved", "close", [])]),
    ],
)
def test_a_change_is_told(edit, found):
    assert changed(edit) == found


def test_a_new_node_moves_nobody():
    assert changed(lambda tree: tree.insert(0, {"id": "note", "wait": {"days": 1}})) == [
        ("added", "note", [])
    ]


def test_swapping_two_moves_only_one():
    assert [kind for kind, _node, _settings in changed(swap)] == ["moved"]


@pytest.mark.slow
@given(st.permutations(range(7)))
def test_as_few_nodes_as_can_be_are_said_to_have_moved(order):
    old = [{"id": f"n{number}", "wait": {"days": number}} for number in range(7)]
    found = compare(old, [old[number] for number in order])
    assert all(one.kind == "moved" and not one.settings for one in found)
    kept = [number for number in order if f"n{number}" not in {one.node["id"] for one in found}]
    assert kept == sorted(kept)


def test_paths_lead_to_the_nodes():
    new = copy.deepcopy(TREE)
    new[1]["yes"].insert(0, {"id": "note", "wait": {"days": 1}})
    (one,) = compare(TREE, new)
    assert (one.new_path, node_at(new, one.new_path)["id"]) == ("2.yes.1", "note")
    assert {place.path for place in placed(new)} >= {one.new_path}
