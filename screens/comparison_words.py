"""What changed between two versions in words: each node with its place, each setting with what it was and is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models.words import NODE_KINDS as KIND_WORDS
from screens.node_words import title_of
from screens.workflow_words import Told as ToldNode
from screens.workflow_words import told, words_for
from services.conditions import sentence
from workflows.comparisons import Change, Setting, compare
from workflows.kinds import Common, model_of
from workflows.walk import Tree, kind_of

KINDS = {"added": _l("新增"), "removed": _l("删除"), "moved": _l("移动"), "changed": _l("修改")}
TONES = {"added": "good", "removed": "bad", "moved": "fair", "changed": "warn"}
OWN = {"step": _l("步骤"), "branch": _l("条件"), "title": _l("名称")}
LONGEST = 400


@dataclass(frozen=True)
class Line:
    """One setting: what it is called, what it was, what it is; None where it was or is not given."""

    label: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class ToldChange:
    """What became of one node, with the numbers it had and has in the list of its version."""

    label: str
    tone: str
    title: str
    sort: str
    old_place: str
    new_place: str
    lines: Sequence[Line]


def told_changes(old: Tree, new: Tree) -> list[ToldChange]:
    """Everything that changed from one tree to another, in words."""
    numbers = dict(_numbers(told(old))), dict(_numbers(told(new)))
    return [_told(change, (old, new), numbers) for change in compare(old, new)]


def _told(
    change: Change, trees: tuple[Tree, Tree], numbers: tuple[dict[str, str], dict[str, str]]
) -> ToldChange:
    return ToldChange(
        str(KINDS[change.kind]),
        TONES[change.kind],
        title_of(change.node),
        _(KIND_WORDS[kind_of(change.node)]),
        numbers[0].get(change.old_path, ""),
        numbers[1].get(change.new_path, ""),
        [_line(change, setting, trees) for setting in change.settings],
    )


def _numbers(nodes: Sequence[ToldNode]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        yield node.path, node.number
        for _arm, _label, inside in node.arms:
            yield from _numbers(inside)


def _line(change: Change, setting: Setting, trees: tuple[Tree, Tree]) -> Line:
    return Line(
        _label(change, setting.name),
        _shown(change, setting.name, setting.old, trees[0]),
        _shown(change, setting.name, setting.new, trees[1]),
    )


def _label(change: Change, name: str) -> str:
    first, _dot, part = name.partition(".")
    if first == "lanes":
        return _("支路 %(number)s 的名称", number=part)
    if name in OWN:
        return str(OWN[name])
    one = _field(change, name)
    return _(one.title) if one is not None and one.title else part or first


def _field(change: Change, name: str) -> Any:
    """The field of the model that a setting belongs to; None where no model knows it."""
    _first, dot, part = name.partition(".")
    model = model_of(change.node) if dot else Common
    return model.model_fields.get(part or name) if model is not None else None


def _shown(change: Change, name: str, value: Any, tree: Tree) -> str | None:
    if value is None:
        return _default(change, name, tree)
    if isinstance(value, Mapping) and (
        "op" in value or any(joint in value for joint in ("all", "any", "not"))
    ):
        return sentence(value, words_for(tree))
    labels = (getattr(_field(change, name), "json_schema_extra", None) or {}).get("labels") or {}
    parts = value if isinstance(value, list | tuple) else [value]
    return _("、").join(_part(part, labels) for part in parts)[:LONGEST] or _("（空）")


def _default(change: Change, name: str, tree: Tree) -> str | None:
    """What holds where a setting is not given."""
    one = _field(change, name)
    default = None if one is None or one.is_required() else one.get_default(call_default_factory=True)
    shown = _shown(change, name, default, tree) if default not in (None, "", ()) else None
    return _("未设置（默认 %(value)s）", value=shown) if shown is not None else None


def _part(part: Any, labels: Mapping[str, str]) -> str:
    if isinstance(part, bool):
        return _("是") if part else _("否")
    if isinstance(part, Mapping):
        return _(str(part.get("label") or part))
    return _(labels[str(part)]) if str(part) in labels else str(part)
