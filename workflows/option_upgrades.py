"""Older definitions brought to the steps' options of today: what staff changed stays, what is gone is said.

A definition keeps only options that differ from the defaults, so a new default reaches whoever kept the old one. Where
options changed their shape the step's `version` has grown, and its `upgrade` says what became of the older ones.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models.words import N_, Said
from workflows import STEPS
from workflows.tree_changes import label_of
from workflows.walk import Tree, placed


@dataclass(frozen=True)
class Upgraded:
    """A tree with the options of today, and what was changed on the way, in words."""

    tree: list[dict[str, Any]]
    notes: tuple[str, ...]


def upgraded(tree: Tree) -> Upgraded:
    """A tree with the options that this version of the program knows; the tree given stays as it is."""
    own = copy.deepcopy([dict(node) for node in tree])
    notes = [note for place in placed(own) for note in _upgrade(place.node)]
    return Upgraded(own, tuple(notes))


def _upgrade(node: Any) -> Iterator[str]:
    kind, options = STEPS.get(str(node.get("step", ""))), node.get("options", {})
    version = node.get("options_version", 1)
    if kind is None or not isinstance(options, dict) or not isinstance(version, int) or version >= kind.version:
        return
    changed = kind.upgrade(dict(options), version) if kind.upgrade is not None else dict(options)
    kept = {name: value for name, value in changed.items() if name in kind.options.model_fields}
    node["options_version"] = kind.version
    node.pop("options", None)
    if kept:
        node["options"] = kept
    yield Said(N_("「%(node)s」的选项已按新版本更新"), node=label_of(node))
    for name in sorted(set(options) - set(kept)):
        if options[name] not in kept.values():
            yield Said(
                N_("「%(node)s」的选项「%(option)s」（原为 %(value)s）在新版本里没有了，已去掉"),
                node=label_of(node), option=name, value=_shown(options[name]),
            )


def _shown(value: Any) -> str:
    return "、".join(str(one) for one in value) if isinstance(value, list) else str(value)
