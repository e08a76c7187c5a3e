"""A draft as its pages show it: the numbered list with every place between, the palette, the cards' own form of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from screens.messages import said
from screens.node_words import arm_word, title_of
from screens.workflow_words import text_of
from workflows.palette import palette
from workflows.tree_changes import Place
from workflows.walk import DO, Node, Tree, arms, kind_of
from workflows.workflow_drafts import Obstacle


@dataclass(frozen=True)
class Arm:
    """One arm of a node as it is edited: its rows, and the place at its end."""

    name: str
    label: str
    rows: Sequence[Row]
    end: str
    end_label: str


@dataclass(frozen=True)
class Row:
    """One node as it is edited: `before` is the place in front of it."""

    id: str
    number: str
    kind: str
    title: str
    text: str
    problems: Sequence[str]
    arms: Sequence[Arm]
    before: str


def rows_of(tree: Tree, found: Sequence[Obstacle]) -> list[Row]:
    """A draft as a numbered list; empty arms too, for something has to be put into them."""
    problems: dict[str, list[str]] = {}
    for one in found:
        problems.setdefault(one.node, []).append(said(one.text))
    return list(_rows(tree, tree, Place(), "", problems))


def _rows(
    tree: Tree, nodes: Tree, place: Place, prefix: str, problems: Mapping[str, list[str]], start: int = 1
) -> Iterator[Row]:
    for at, node in enumerate(nodes):
        name, number = str(node.get("id")), f"{prefix}{start + at}"
        inside, used = [], 0
        for arm, below in arms(node):
            inner = Place(name, arm)
            rows = list(_rows(tree, below, inner, f"{number}.", problems, used + 1))
            label = arm_word(node, arm)
            end = _("「%(node)s」的“%(arm)s”末尾", node=title_of(node), arm=label)
            inside.append(Arm(arm, label, rows, str(Place(name, arm, len(below))), end))
            used += len(below)
        before = str(Place(place.above, place.arm, at))
        title, text = title_of(node), text_of(tree, node)
        yield Row(name, number, kind_of(node), title, text, problems.get(name, ()), inside, before)


def cards_of(tree: Tree, found: Sequence[Obstacle]) -> list[dict[str, Any]]:
    """A draft as the card designer reads it: nodes with their arms, and whether something is wrong."""
    wrong = {one.node for one in found}
    return [_card(tree, node, wrong) for node in tree]


def _card(tree: Tree, node: Node, wrong: set[str]) -> dict[str, Any]:
    inside = arms(node)
    shape = "container" if [arm for arm, _nodes in inside] == [DO] else ("switch" if inside else "task")
    return {
        "id": str(node.get("id")),
        "key": str(node.get("step", "")) or kind_of(node),
        "kind": kind_of(node),
        "shape": shape,
        "name": title_of(node),
        "text": text_of(tree, node),
        "wrong": str(node.get("id")) in wrong,
        "arms": [
            {"arm": arm, "label": arm_word(node, arm), "nodes": [_card(tree, one, wrong) for one in nodes]}
            for arm, nodes in inside
        ],
    }


def offers() -> list[dict[str, Any]]:
    """The palette in the words of whoever asks, each offer with the arms that a new one has."""
    return [
        {
            "label": _(group.label),
            "offers": [
                {"key": one.key, "label": _(one.label), "help": _(one.help) if one.help else ""}
                for one in group.offers
            ],
        }
        for group in palette()
    ]
