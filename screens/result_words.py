"""What came of the nodes of a run, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from models import Run
from screens.node_words import FIELDS, arm_word, choice_word, title_of, value_word
from workflows import STEPS
from workflows.kinds import fields_of
from workflows.walk import Node, Tree, placed

HIDDEN = ("planned", "arm", "by", "choice", "met", "late", "timed_out", "note")


def result_of(node: Node, result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What came of a node, as names and values people know."""
    kind = STEPS.get(node.get("step", ""))
    names = dict(kind.results) if kind is not None else {}
    found = [
        (_(names[name]), value_word(value))
        for name, value in result.items()
        if name in names and name not in HIDDEN
    ]
    found += [
        (_(row["label"]), value_word(result[code])) for code, row in fields_of(node).items() if code in result
    ]
    if result.get("failed"):
        found.append((str(FIELDS["failed"]), str(result["failed"])))
    return found


def outcome_of(tree: Tree, node: Node, result: Mapping[str, Any]) -> str:
    """How a branch, a wait or a person ended, in a sentence."""
    if "arm" in result:
        return _("走“%(arm)s”这一支", arm=arm_word(node, result["arm"]))
    if "choice" in result:
        label = choice_word(tree, node["id"], result["choice"])
        return _("逾期未办，按“%(choice)s”处理", choice=label) if result.get("timed_out") else label
    if "met" in result:
        return _("条件已满足") if result["met"] else _("期限已到")
    return ""


def earlier_results(run: Run) -> list[tuple[str, list[tuple[str, str]]]]:
    """What the nodes of a run have come to so far, those with something to tell."""
    found = [
        (title_of(place.node), told_result(run.tree, place.node, run.facts[place.node["id"]]))
        for place in placed(run.tree)
        if place.node["id"] in run.facts
    ]
    return [(title, result) for title, result in found if result]


def told_result(tree: Tree, node: Node, result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A node's result: its outcome as a sentence without a name, then names with values."""
    outcome = outcome_of(tree, node, result)
    note = [(str(FIELDS["note"]), str(result["note"]))] if result.get("note") else []
    return ([("", outcome)] if outcome else []) + note + result_of(node, result)
