"""Definitions as TOML that reads back exactly, whatever stands in them."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.home import CHECKOUT
from services import Refused
from services.workflows import Definition
from workflows.definition_texts import written
from workflows.definitions import read

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True)
VALUES = st.recursive(
    st.text() | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def node(inside):
    """A node of any kind with arms that hold nodes again."""
    many = st.lists(inside, max_size=2)
    lanes = st.lists(st.fixed_dictionaries({"title": st.text(), "nodes": many}), max_size=2)
    shape = {"id": NAMES, "options": st.dictionaries(st.text(max_size=6), VALUES, max_size=3)}
    return st.fixed_dictionaries(
        shape, optional={"title": st.text(), "yes": many, "failed": many, "lanes": lanes}
    )


TREES = st.lists(
    st.recursive(st.fixed_dictionaries({"id": NAMES, "step": NAMES}), node, max_leaves=8), max_size=3
)


def same(one, other):
    """Whether two definitions say the same; their texts may differ."""
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("key", "name", "description", "permission", "tree")
    )


@pytest.mark.slow
@given(TREES, st.text(min_size=1), st.text())
def test_any_tree_reads_back_exactly(tree, name, description):
    one = Definition("any_tree", name, description, "workflows.start", tree, "")
    text = written(one)
    assert same(read(text), one) if tree else tomllib.loads(text)["name"] == name


@pytest.mark.parametrize(
    "path", sorted((CHECKOUT / "seed" / "workflows").glob("*.toml")), ids=lambda path: path.stem
)
def test_every_seeded_workflow_reads_back_exactly(path):
    one = read(path.read_text("utf-8"))
    assert same(read(written(one)), one)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_toml_cannot_say_is_refused(value):
    with pytest.raises(Refused, match="TOML"):
        written(Definition("k", "n", "", "p", [{"id": "a", "step": "b", "options": {"x": value}}], ""))
