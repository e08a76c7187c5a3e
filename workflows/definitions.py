"""Reading a definition: TOML in, a checked tree out; every fault is named before anything is kept."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from models import Staff, Workflow
from models.words import N_, Said
from services import Refused, workflows
from services.options import option_faults
from services.workflows import START, Definition
from workflows import STEPS, conditions
from workflows.facts import FACTS
from workflows.options import asked_without_default
from workflows.walk import ARMS, KINDS, Node, Tree, kind_of, placed

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESERVED = ("run", "start")
COMMON = ("id", "title")
PARTS = {"step": ("options",), "branch": ARMS, "wait": (), "person": ()}
WAIT = ("days", "until", "when", "asked")
PERSON = ("title", "permission", "role", "unit", "choices", "not_by", "due_days", "on_timeout", "link")
RUN_FIELDS = ("id", "key", "title", "owner_id", "unit_id", "started_by", "started_on")
RESULTS: dict[str, tuple[str, ...]] = {
    "branch": ("arm",),
    "wait": ("met", "late"),
    "person": ("choice", "by", "note", "timed_out"),
}


def load_definition(session: Session, text: str, staff: Staff | None) -> Workflow:
    """Check a definition written as TOML and publish it; a new version only when its tree changed."""
    definition = read(text)
    found = list(faults(definition.tree))
    if found:
        listed = Said.joined((Said("- %(fault)s", fault=fault) for fault in found[:20]), joint="\n")
        raise Refused("流程定义有 %(count)s 处要改，没有保存：\n%(listed)s", count=len(found), listed=listed)
    return workflows.publish(session, definition, staff)


def read(text: str) -> Definition:
    """A definition from its TOML text; only its outer form is looked at."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused("流程定义不是正确的 TOML：%(error)s。请按行号改正后再导入。", error=error) from error
    if (
        not NAME.fullmatch(str(data.get("key", "")))
        or not data.get("name")
        or not _is_tree(data.get("nodes"))
    ):
        raise Refused(
            "流程定义要有 key（小写字母、数字、下划线）、name 和至少一个 [[nodes]]，支路写成 [[nodes.yes]]。"
        )
    return Definition(
        key=data["key"],
        name=str(data["name"]),
        description=str(data.get("description", "")),
        permission=str(data.get("permission", START)),
        tree=data["nodes"],
        source=text,
    )


def _is_tree(nodes: Any) -> bool:
    """Whether nodes and arms are lists of tables all the way down; what stands in them is checked later."""
    return isinstance(nodes, list) and all(
        isinstance(node, dict) and all(_is_tree(node[arm]) for arm in ARMS if arm in node) for node in nodes
    )


@dataclass
class _Known:
    """What nodes read so far have made, for later ones to ask."""

    fields: set[str] = field(default_factory=lambda: {f"run.{name}" for name in RUN_FIELDS})
    ids: set[str] = field(default_factory=set)
    persons: set[str] = field(default_factory=lambda: {"start"})


def faults(tree: Tree) -> Iterator[str]:
    """What is wrong with a tree, one sentence each, in reading order."""
    known = _Known()
    if not tree:
        yield N_("流程里没有节点")
    for place in placed(tree):
        here = Said("节点 %(node)s", node=place.node.get("id") or place.path)
        for fault in _node_faults(place.node, known):
            yield Said("%(place)s：%(fault)s", place=here, fault=fault)
        _remember(place.node, known)


def _node_faults(node: Node, known: _Known) -> Iterator[str]:
    name = str(node.get("id", ""))
    if not NAME.fullmatch(name) or name in RESERVED:
        yield N_("id 要用小写字母、数字和下划线，不能是 run 或 start")
    if name in known.ids:
        yield N_("id 和前面的节点重复")
    kinds = [kind for kind in KINDS if kind in node]
    if len(kinds) != 1:
        yield Said("要有而且只有 %(kinds)s 中的一个", kinds="、".join(KINDS))
        return
    unknown = set(node) - {*COMMON, kinds[0], *PARTS[kinds[0]]}
    if unknown:
        yield Said("不认识的内容 %(unknown)s", unknown="、".join(sorted(unknown)))
    yield from CHECKS[kinds[0]](node, known)


def _step_faults(node: Node, known: _Known) -> Iterator[str]:
    kind = STEPS.get(str(node["step"]))
    if kind is None:
        yield Said(
            "没有步骤「%(node)s」，可用：%(known)s",
            node=node["step"],
            known="、".join(sorted(STEPS)),
        )
        return
    options = node.get("options", {})
    left_out = asked_without_default(kind.options) - set(options)
    yield from (fault.text for fault in option_faults(kind.options, options) if fault.name not in left_out)


def _branch_faults(node: Node, known: _Known) -> Iterator[str]:
    yield from _condition_faults(node["branch"], known)
    if not any(node.get(arm) for arm in ARMS):
        yield N_("条件分支至少要有一条支路（yes 或 no）")


def _wait_faults(node: Node, known: _Known) -> Iterator[str]:
    wait = node["wait"]
    if not isinstance(wait, Mapping) or set(wait) - set(WAIT):
        yield Said("wait 只能有 %(known)s", known="、".join(WAIT))
        return
    if not any(name in wait for name in ("days", "until", "when")) or ("days" in wait and "until" in wait):
        yield N_("等待要有 days、until、when 中的一个，days 和 until 不能同时有")
    if "days" in wait and not _is_count(wait["days"]):
        yield N_("days 要写成不小于 0 的整数")
    if "until" in wait and wait["until"] not in known.fields:
        yield Said("前面没有「%(field)s」", field=wait["until"])
    if "when" in wait:
        yield from _condition_faults(wait["when"], known)


def _person_faults(node: Node, known: _Known) -> Iterator[str]:
    person = node["person"]
    if not isinstance(person, Mapping) or set(person) - set(PERSON):
        yield Said("person 只能有 %(known)s", known="、".join(PERSON))
        return
    if not person.get("title") or not (person.get("permission") or person.get("role")):
        yield N_("人工处理要有 title，以及 permission 或 role")
    if not _has_choices(person.get("choices")):
        yield N_("choices 至少要有一项，每项有 code 和 label")
        return
    if {str(name) for name in person.get("not_by", ())} - known.persons:
        yield N_("not_by 只能写前面的人工处理节点，或 start（发起人）")
    if not re.fullmatch(r"(/[^/\\].*)?", str(person.get("link", ""))):
        yield N_("link 要写成本系统里的地址，以一条 / 开头")
    yield from _time_faults(person)


def _time_faults(person: Mapping[str, Any]) -> Iterator[str]:
    codes = [choice["code"] for choice in person["choices"]]
    if "due_days" in person and not _is_count(person["due_days"]):
        yield N_("due_days 要写成不小于 0 的整数（工作日）")
    if "on_timeout" in person and (person["on_timeout"] not in codes or "due_days" not in person):
        yield N_("on_timeout 要是 choices 中的一项，并且要有 due_days")


def _has_choices(choices: Any) -> bool:
    rows = choices if isinstance(choices, list) else []
    return bool(rows) and all(
        isinstance(row, Mapping) and row.get("code") and row.get("label") for row in rows
    )


CHECKS = {"step": _step_faults, "branch": _branch_faults, "wait": _wait_faults, "person": _person_faults}


def _condition_faults(condition: Any, known: _Known) -> Iterator[str]:
    found = list(conditions.faults(condition))
    yield from found
    if found:
        return
    for name in conditions.fields(condition):
        if name not in known.fields and name not in FACTS:
            yield Said("条件里的「%(name)s」前面没有，也不是可查询的事实", name=name)


def _remember(node: Node, known: _Known) -> None:
    name = str(node.get("id", ""))
    known.ids.add(name)
    kinds = [kind for kind in KINDS if kind in node]
    if len(kinds) != 1:
        return
    if kinds[0] == "person":
        known.persons.add(name)
    step = STEPS.get(str(node.get("step", "")))
    results = (*step.results, *step.sets, "failed") if step else RESULTS.get(kind_of(node), ())
    known.fields |= {f"{name}.{result}" for result in results}
    known.fields |= {f"run.{shared}" for shared in (step.sets if step else ())}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
