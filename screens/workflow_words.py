"""Workflows in words: each node as a sentence, conditions with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from screens.node_words import FIELDS, arm_word, begun, choice_word, listed, title_of, value_word
from screens.person_words import person_text
from services.conditions import Condition, Words, sentence
from services.conditions import faults as condition_faults
from services.options import option_faults
from workflows import STEPS
from workflows.condition_fields import CHOICES
from workflows.facts import FACTS
from workflows.kinds import fields_of, model_of, settings_of
from workflows.lists import LISTS
from workflows.options import questions
from workflows.steps import StepKind
from workflows.walk import Node, Tree, arms, by_id, kind_of

OF_ITEM = {name: label for one in LISTS.values() for name, label in one.fields.items()}


@dataclass(frozen=True)
class Told:
    """One node as people read it: its number (3, 3.1), what it is called and what it does; arms below it."""

    path: str
    number: str
    kind: str
    title: str
    text: str
    arms: Sequence[tuple[str, str, Sequence[Told]]] = field(default_factory=tuple)


def told(tree: Tree) -> list[Told]:
    """A whole tree as a numbered list."""
    return list(_told(tree, tree, "", ""))


def flat(nodes: Sequence[Told]) -> Iterator[Told]:
    """The nodes of a numbered list one after the other, those in arms behind their node."""
    for node in nodes:
        yield node
        for _arm, _label, inside in node.arms:
            yield from flat(inside)


def _told(tree: Tree, nodes: Tree, above: str, prefix: str, start: int = 1) -> Iterator[Told]:
    for place, node in enumerate(nodes, start=1):
        path, number = f"{above}{place}", f"{prefix}{start + place - 1}"
        below, used = [], 0
        for arm, inside in arms(node):
            if inside:
                told_below = _told(tree, inside, f"{path}.{arm}.", f"{number}.", used + 1)
                below.append((arm, arm_word(node, arm), list(told_below)))
                used += len(inside)
        yield Told(path, number, kind_of(node), title_of(node), text_of(tree, node), below)


def text_of(tree: Tree, node: Node) -> str:
    """What a node does, in a sentence or two; of a draft's node that is not complete yet, that it is not."""
    return TEXTS[kind_of(node)](tree, node) if _is_whole(node) else _("还没有填完整")


def sentence_of(tree: Tree, condition: Condition) -> str:
    """A condition of a tree as a sentence."""
    return begun(sentence(condition, words_for(tree)))


def _is_whole(node: Node) -> bool:
    """Whether what a node is set to can be read as a sentence; a step says what it says."""
    if "step" in node:
        return True
    model, settings = model_of(node), settings_of(node)
    if model is None or option_faults(model, settings):
        return False
    return not any(
        list(condition_faults(settings[name])) for name in ("condition", "when") if settings.get(name)
    )


def _step_text(tree: Tree, node: Node) -> str:
    kind = STEPS.get(node["step"])
    if kind is None:
        return _("这个版本的程序里没有步骤「%(step)s」", step=node["step"])
    given = _options(kind, node.get("options") or {})
    asked = [question.label for question in questions([node])] if not given else []
    return _("；").join(given) or (
        _("发起时填写：%(fields)s", fields=_("、").join(_(label) for label in asked)) if asked else ""
    )


def _options(kind: StepKind, options: Mapping[str, Any]) -> list[str]:
    """The options in words; what has no title is the program's own and is not shown."""
    fields_ = kind.options.model_fields
    return [
        f"{_(fields_[name].title or '')} {_option(fields_[name], value)}"
        for name, value in options.items()
        if name in fields_ and fields_[name].title and value not in (None, "", [])
    ]


def _option(one: Any, value: Any) -> str:
    extra = one.json_schema_extra or {}
    labels, values = extra.get("labels") or {}, value if isinstance(value, list | tuple) else [value]
    if extra.get("choices"):
        return _("、").join(listed(extra["choices"], str(part)) for part in values)
    return _("、").join(_(labels[str(part)]) if str(part) in labels else value_word(part) for part in values)


def _branch_text(tree: Tree, node: Node) -> str:
    return _("如果%(condition)s", condition=sentence(node["branch"], words_for(tree)))


def _wait_text(tree: Tree, node: Node) -> str:
    wait, parts = node["wait"], []
    if "when" in wait:
        parts.append(_("直到%(condition)s", condition=sentence(wait["when"], words_for(tree))))
    if "days" in wait:
        parts.append(_("最多等 %(days)s 天", days=wait["days"]))
    if "until" in wait:
        parts.append(_("等到%(day)s（当天结束时）", day=_field(tree, wait["until"])))
    return begun(_("，").join(parts))


def _each_text(tree: Tree, node: Node) -> str:
    known = LISTS.get(node["each"]["list"])
    return _("对「%(list)s」逐项处理", list=_(known.label) if known else node["each"]["list"])


def _parallel_text(tree: Tree, node: Node) -> str:
    return _("%(number)s 条支路同时进行，全部结束后继续", number=len(node["lanes"]))


TEXTS = {
    "step": _step_text,
    "branch": _branch_text,
    "wait": _wait_text,
    "person": person_text,
    "each": _each_text,
    "parallel": _parallel_text,
}


def words_for(tree: Tree) -> Words:
    """How conditions of a tree name their fields and values."""
    return Words(
        name=lambda name: _field(tree, name),
        value=lambda name, value: _asked_value(tree, name, value),
        say=_,
    )


def _field(tree: Tree, name: str) -> str:
    node_id, dot, part = name.partition(".")
    if not dot:
        return _(FACTS[name].label) if name in FACTS else name
    if node_id in ("run", "item"):
        label = str(FIELDS[part]) if part in FIELDS else _(OF_ITEM.get(part, part))
        return (
            _("这一项的%(field)s", field=label)
            if node_id == "item"
            else _("本次流程的%(field)s", field=label)
        )
    node = by_id(tree, node_id)
    if node is None:
        return part
    kind = STEPS.get(node.get("step", ""))
    if part in (asked := fields_of(node)):
        return _("「%(node)s」的%(field)s", node=title_of(node), field=_(asked[part]["label"]))
    label = (
        _(kind.results[part]) if kind is not None and part in kind.results else str(FIELDS.get(part, part))
    )
    return _("「%(node)s」的%(field)s", node=title_of(node), field=label)


def _asked_value(tree: Tree, name: str, value: Any) -> str:
    """A value beside a field of a condition: choices by their words."""
    if isinstance(value, list):
        return _("、").join(_asked_value(tree, name, one) for one in value)
    if name.endswith(".choice"):
        return choice_word(tree, name.partition(".")[0], value)
    labels = CHOICES.get(name.rpartition(".")[2], {})
    return _(labels[value]) if value in labels else value_word(value)
