"""What the seeded workflows ask of people can be found from the task."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from models.home import CHECKOUT

FILES = sorted((CHECKOUT / "seed" / "workflows").glob("*.toml"))


def people(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The person nodes of a tree, arms included."""
    for node in nodes:
        if "person" in node:
            yield node["person"]
        yield from people(node.get("yes", []) + node.get("no", []))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_task_leads_to_where_it_is_done(path):
    asked = list(people(tomllib.loads(path.read_text("utf-8"))["nodes"]))
    assert [one["title"] for one in asked if not one.get("link", "").startswith("/admin/")] == []
