"""Workflows in words: each node as a sentence, conditions with them, results with their names, times and errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models import Run
from models.words import NODE_KINDS
from screens.option_lists import OfferedLists
from screens.permissions import permission_word
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
from workflows.walk import Node, Tree, arms, by_id, kind_of, placed

ARM_WORDS = {"yes": _l("是"), "no": _l("否"), "do": _l("每项"), "failed": _l("失败时")}
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
TO_WORDS = {"owner": _l("流程实例的负责人"), "starter": _l("发起人"), "manager": _l("客户的客户经理")}
RULE_WORDS = {"all": _l("都要同意"), "majority": _l("过半数决定")}
OF_ITEM = {name: label for one in LISTS.values() for name, label in one.fields.items()}
HIDDEN = ("planned", "arm", "by", "choice", "met", "late", "timed_out", "note")
SHOWN_MOST = 80


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


def text_of(tree: Tree, node: Node) -> str:
    """What a node does, in a sentence or two; of a draft's node that is not complete yet, that it is not."""
    return TEXTS[kind_of(node)](tree, node) if _is_whole(node) else _("还没有填完整")


def sentence_of(tree: Tree, condition: Condition) -> str:
    """A condition of a tree as a sentence."""
    return _begun(sentence(condition, words_for(tree)))


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


def result_of(node: Node, result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What came of a node, as names and values people know."""
    kind = STEPS.get(node.get("step", ""))
    names = dict(kind.results) if kind is not None else {}
    found = [
        (_(names[name]), _value(value))
        for name, value in result.items()
        if name in names and name not in HIDDEN
    ]
    found += [
        (_(row["label"]), _value(result[code])) for code, row in fields_of(node).items() if code in result
    ]
    if result.get("failed"):
        found.append((str(FIELDS["failed"]), str(result["failed"])))
    return found


def outcome_of(tree: Tree, node: Node, result: Mapping[str, Any]) -> str:
    """How a branch, a wait or a person ended, in a sentence."""
    if "arm" in result:
        return _("走“%(arm)s”这一支", arm=arm_word(node, result["arm"]))
    if "choice" in result:
        label = _choice(tree, node["id"], result["choice"])
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


def role_word(name: str) -> str:
    """A role by the label that the bureau gave it."""
    return _listed("roles", name)


def _listed(source: str, code: str) -> str:
    """What a code is called in a named list, read once a request."""
    if "option_lists" not in g:
        g.option_lists = OfferedLists()
    return str(g.option_lists(source).get(code, code)).strip("　")


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
        return _("、").join(_listed(extra["choices"], str(part)) for part in values)
    return _("、").join(_(labels[str(part)]) if str(part) in labels else _value(part) for part in values)


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
    return _begun(_("，").join(parts))


def _person_text(tree: Tree, node: Node) -> str:
    person = node["person"]
    if person.get("to", "role") != "role":
        parts = [_to_text(person)]
    elif person.get("role"):
        parts = [_("由“%(role)s”办理", role=role_word(person["role"]))]
    else:
        parts = [_("由有“%(permission)s”权限的人办理", permission=permission_word(person["permission"]))]
    parts.append(
        _("意见：%(choices)s", choices=" / ".join(_(choice["label"]) for choice in person["choices"]))
    )
    if person.get("rule", "any") != "any":
        parts.append(str(RULE_WORDS[person["rule"]]))
    if person.get("due_days") is not None:
        parts.append(_("%(days)s 个工作日内办理", days=person["due_days"]))
    if person.get("due_hours") is not None:
        parts.append(_("%(hours)s 小时内办理", hours=person["due_hours"]))
    if person.get("fields"):
        asked = _("、").join(_(row["label"]) for row in person["fields"])
        parts.append(_("要填写：%(fields)s", fields=asked))
    if person.get("on_timeout"):
        parts.append(_("逾期按“%(choice)s”处理", choice=_choice(tree, node["id"], person["on_timeout"])))
    others = [_person_name(tree, name) for name in person.get("not_by", ())]
    if others:
        parts.append(_("不能和这些环节是同一个人：%(others)s", others=_("、").join(others)))
    return _begun(_("；").join(parts))


def _to_text(person: Mapping[str, Any]) -> str:
    if person["to"] == "staff":
        return _("由指定的 %(number)s 人办理", number=len(person.get("staff", ())))
    return _("由%(who)s办理", who=TO_WORDS[person["to"]])


def _begun(sentence: str) -> str:
    """A sentence made of parts begins with a capital."""
    return sentence[:1].upper() + sentence[1:]


def _each_text(tree: Tree, node: Node) -> str:
    known = LISTS.get(node["each"]["list"])
    return _("对「%(list)s」逐项处理", list=_(known.label) if known else node["each"]["list"])


def _parallel_text(tree: Tree, node: Node) -> str:
    return _("%(number)s 条支路同时进行，全部结束后继续", number=len(node["lanes"]))


TEXTS = {
    "step": _step_text,
    "branch": _branch_text,
    "wait": _wait_text,
    "person": _person_text,
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
        return _choice(tree, name.partition(".")[0], value)
    labels = CHOICES.get(name.rpartition(".")[2], {})
    return _(labels[value]) if value in labels else _value(value)


def _person_name(tree: Tree, node_id: str) -> str:
    node = by_id(tree, node_id)
    return title_of(node) if node is not None else _("发起")


def _choice(tree: Tree, node_id: str, value: Any) -> str:
    node = by_id(tree, node_id) or {}
    choices = node.get("person", {}).get("choices", ())
    return next((_(choice["label"]) for choice in choices if choice["code"] == value), str(value))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return _("%(number)s 项", number=len(value))
    if isinstance(value, date):
        return value.isoformat()
    return str(value)[:SHOWN_MOST]
