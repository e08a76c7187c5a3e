"""What nodes, their arms, choices and values are called."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models.words import NODE_KINDS
from screens.option_lists import OfferedLists
from workflows import STEPS
from workflows.walk import Node, Tree, by_id, kind_of

ARM_WORDS = {"yes": _l("是"), "no": _l("否"), "do": _l("每项"), "failed": _l("失败时")}
SHOWN_MOST = 80
FIELDS = {
    "arm": _l("结果"),
    "met": _l("条件已满足"),
    "late": _l("已到期限"),
    "choice": _l("意见"),
    "by": _l("办理人"),
    "note": _l("说明"),
    "timed_out": _l("逾期未办"),
    "failed": _l("失败项"),
    "error": _l("失败原因"),
    "items": _l("项数"),
    "done": _l("做完的项"),
    "started_on": _l("发起日期"),
}


def arm_word(node: Node, arm: str) -> str:
    """What an arm is called: its own title for a lane that has one."""
    if arm in ARM_WORDS:
        return str(ARM_WORDS[arm])
    number = int(arm.removeprefix("lane"))
    return str(node["lanes"][number - 1].get("title") or _("支路 %(number)s", number=number))


def title_of(node: Node) -> str:
    """What a node is called: its own title, else the label of its step or the task's."""
    if node.get("title"):
        return _(node["title"])
    if "person" in node:
        return _(node["person"]["title"])
    kind = STEPS.get(node.get("step", ""))
    return _(kind.label) if kind is not None else str(node.get("step") or _(NODE_KINDS[kind_of(node)]))


def role_word(name: str) -> str:
    """A role by the label that the bureau gave it."""
    return listed("roles", name)


def listed(source: str, code: str) -> str:
    """What a code is called in a named list, read once a request."""
    if "option_lists" not in g:
        g.option_lists = OfferedLists()
    return str(g.option_lists(source).get(code, code)).strip("　")


def person_name(tree: Tree, node_id: str) -> str:
    """What a person node is called, or the start."""
    node = by_id(tree, node_id)
    return title_of(node) if node is not None else _("发起")


def choice_word(tree: Tree, node_id: str, value: Any) -> str:
    """One choice of a person node by its label."""
    node = by_id(tree, node_id) or {}
    choices = node.get("person", {}).get("choices", ())
    return next((_(choice["label"]) for choice in choices if choice["code"] == value), str(value))


def value_word(value: Any) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return _("%(number)s 项", number=len(value))
    if isinstance(value, date):
        return value.isoformat()
    return str(value)[:SHOWN_MOST]


def begun(sentence: str) -> str:
    """A sentence made of parts begins with a capital."""
    return sentence[:1].upper() + sentence[1:]
