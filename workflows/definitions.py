"""Reading a definition: TOML in, a checked tree out; every fault is named before anything is kept."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from models import Staff, Workflow
from models.words import N_, Said
from services import Refused, conditions, workflow_access, workflows
from services.options import option_faults
from services.workflows import START, Definition
from workflows import STEPS
from workflows.facts import FACTS
from workflows.kinds import Common, common_names, fields_of, model_of, settings_of
from workflows.lists import LISTS
from workflows.options import asked_without_default
from workflows.steps import ListKind
from workflows.walk import DO, FAILED, KINDS, MOST_DEPTH, PARTS, Node, Tree, arms, is_deep, is_tree, kind_of

START_OF_RUN = "start"
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESERVED = ("run", "start", "item", "each")
RUN_FIELDS = ("id", "key", "title", "owner_id", "unit_id", "started_by", "started_on")
RESULTS: dict[str, tuple[str, ...]] = {
    "branch": ("arm",),
    "wait": ("met", "late"),
    "person": ("choice", "by", "note", "timed_out"),
    "each": ("items", "done", "failed"),
}
LANES = (2, 6)
TOO_DEEP = Said(N_("支路最多套 %(most)s 层。请把里面的做成另一个流程。"), most=MOST_DEPTH)


def load_definition(session: Session, text: str, staff: Staff | None) -> Workflow:
    """Check a definition written as TOML and publish it; a new version only when its tree changed.

    Who may change and publish a workflow holds for files as for drafts; `staff` is none for the program itself.
    """
    definition = read(text)
    found = list(faults(definition.tree))
    if found:
        listed = Said.joined((Said("- %(fault)s", fault=fault) for fault in found[:20]), joint="\n")
        raise Refused("流程定义有 %(count)s 处要改，没有保存：\n%(listed)s", count=len(found), listed=listed)
    known = workflows.by_key(session, definition.key)
    if known is not None and staff is not None:
        workflow_access.require(staff, known, "edit")
        workflow_access.require_to_publish(session, staff, known)
    return workflows.publish(session, definition, staff)


def read(text: str) -> Definition:
    """A definition from its TOML text; only its outer form is looked at."""
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Refused("流程定义不是正确的 TOML：%(error)s。请按行号改正后再导入。", error=error) from error
    if is_deep(data):
        raise Refused(TOO_DEEP)
    if not NAME.fullmatch(str(data.get("key", ""))) or not data.get("name") or not is_tree(data.get("nodes")):
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


@dataclass
class _Known:
    """What nodes read so far have made, for later ones to ask, and the list that is worked through around them."""

    fields: set[str] = field(default_factory=lambda: {f"run.{name}" for name in RUN_FIELDS})
    ids: set[str] = field(default_factory=set)
    over: tuple[ListKind, ...] = ()
    size: Any = 0


@dataclass(frozen=True)
class NodeFault:
    """What is wrong with one node: its id (its path, where it has none) and a sentence."""

    node: str
    text: str


def faults(tree: Tree) -> Iterator[str]:
    """What is wrong with a tree, one sentence each, in reading order."""
    if not tree:
        yield N_("流程里没有节点")
    for fault in node_faults(tree):
        here = Said("节点 %(node)s", node=fault.node)
        yield Said("%(place)s：%(fault)s", place=here, fault=fault.text)


def node_faults(tree: Tree) -> Iterator[NodeFault]:
    """What is wrong with each node of a tree, in reading order."""
    for path, node, known in _visited(tree, _Known(), ""):
        deep = [TOO_DEEP] if path.count(".") // 2 > MOST_DEPTH else []
        for fault in (*deep, *_node_faults(node, known)):
            yield NodeFault(str(node.get("id") or path), fault)


def fields_before(tree: Tree, node_id: str) -> set[str]:
    """What a node may ask for: results of nodes before it and of the run, without live facts."""
    found = (known.fields for _path, node, known in _visited(tree, _Known(), "") if node.get("id") == node_id)
    return set(next(found, set()))


def _visited(nodes: Tree, known: _Known, above: str) -> Iterator[tuple[str, Node, _Known]]:
    """Every node with its path and with what is known when a run comes to it."""
    for number, node in enumerate(nodes, start=1):
        path = f"{above}{number}"
        yield path, node, known
        known.ids.add(str(node.get("id", "")))
        yield from _visited_inside(node, known, path)
        known.fields = known.fields | _made_by(node)


def _visited_inside(node: Node, known: _Known, path: str) -> Iterator[tuple[str, Node, _Known]]:
    """Lanes know nothing of each other, what an each repeats knows its items; what comes after knows all the rest."""
    before = known.fields
    gained = set(before)
    for arm, nodes in arms(node):
        inside = replace(known, fields=(before if "parallel" in node else gained) | _known_in(node, arm))
        if arm == DO:
            inside.over = (*known.over, *_list_of(node))
            settings = node.get("each")
            inside.size = settings.get("size", 0) if isinstance(settings, Mapping) else 0
        yield from _visited(nodes, inside, f"{path}.{arm}.")
        gained |= {name for name in inside.fields if not name.startswith("item.")}
    known.fields = gained


def _known_in(node: Node, arm: str) -> set[str]:
    """What nodes of an arm may ask besides what stands before it."""
    if arm == FAILED:
        return {f"{node.get('id')}.error"}
    return {f"item.{name}" for kind in _list_of(node) for name in kind.fields}


def _list_of(node: Node) -> list[ListKind]:
    settings = node.get("each")
    found = LISTS.get(str(settings.get("list"))) if isinstance(settings, Mapping) else None
    return [found] if found is not None else []


def _node_faults(node: Node, known: _Known) -> Iterator[str]:
    name = str(node.get("id", ""))
    if not NAME.fullmatch(name) or name in RESERVED:
        yield N_("id 要用小写字母、数字和下划线，不能是 run、start、item 或 each")
    if name in known.ids:
        yield N_("id 和前面的节点重复")
    kinds = [kind for kind in KINDS if kind in node]
    if len(kinds) != 1:
        yield Said("要有而且只有 %(kinds)s 中的一个", kinds="、".join(KINDS))
        return
    yield from _key_faults(node, kinds[0])
    yield from _setting_faults(node, kinds[0])
    yield from CHECKS[kinds[0]](node, known)


def _key_faults(node: Node, kind: str) -> Iterator[str]:
    common = common_names(kind)
    given = {name: node[name] for name in common if name in node}
    yield from (fault.text for fault in option_faults(Common, given))
    failed = (FAILED,) if node.get("on_failure") == "branch" else ()
    unknown = set(node) - {"id", kind, *common, *PARTS.get(kind, ()), *failed}
    if unknown:
        yield Said("不认识的内容 %(unknown)s", unknown="、".join(sorted(unknown)))
    if failed and not node.get(FAILED):
        yield N_("失败时走失败支路（failed），支路里至少要有一个节点")


def _setting_faults(node: Node, kind: str) -> Iterator[str]:
    model = model_of(node)
    if model is None:
        yield Said("没有步骤「%(node)s」，可用：%(known)s", node=node["step"], known="、".join(sorted(STEPS)))
        return
    settings = settings_of(node)
    if not isinstance(settings, Mapping):
        yield Said("%(kind)s 要写成 { … }", kind=kind)
        return
    left_out = asked_without_default(model) - set(settings) if kind == "step" else set()
    yield from (fault.text for fault in option_faults(model, settings) if fault.name not in left_out)


def _step_faults(node: Node, known: _Known) -> Iterator[str]:
    kind = STEPS.get(str(node["step"]))
    if kind is not None and known.over and known.over[-1].of not in kind.over:
        yield Said(
            "步骤「%(step)s」不能对「%(list)s」逐项处理，请移到逐项处理之外",
            step=kind.label,
            list=known.over[-1].label,
        )


def _branch_faults(node: Node, known: _Known) -> Iterator[str]:
    yield from _condition_faults(node["branch"], known)
    if not any(nodes for _arm, nodes in arms(node)):
        yield N_("条件分支至少要有一条支路（yes 或 no）")


def _wait_faults(node: Node, known: _Known) -> Iterator[str]:
    wait = node["wait"] if isinstance(node["wait"], Mapping) else {}
    if wait.get("until") is not None and wait["until"] not in known.fields:
        yield Said("前面没有「%(field)s」", field=wait["until"])
    if wait.get("when") is not None:
        yield from _condition_faults(wait["when"], known)


def _person_faults(node: Node, known: _Known) -> Iterator[str]:
    person = node["person"] if isinstance(node["person"], Mapping) else {}
    not_by = person.get("not_by")
    if isinstance(not_by, list) and not all(
        one == START_OF_RUN or f"{one}.by" in known.fields for one in not_by
    ):
        yield N_("not_by 只能写前面的人工处理节点，或 start（发起人）")
    if person.get("to") == "manager" and not (known.over and known.over[-1].of == "customer" and known.size == 1):
        yield N_("交给客户经理的人工处理要放在对客户的逐项处理里，并且每批 1 项")


def _each_faults(node: Node, known: _Known) -> Iterator[str]:
    each = node["each"] if isinstance(node["each"], Mapping) else {}
    if not _list_of(node):
        yield Said(
            "没有名单「%(name)s」，可用：%(known)s", name=each.get("list", ""), known="、".join(sorted(LISTS))
        )
    if (each.get("list") == "results") != (each.get("of") is not None):
        yield N_("名单是前面节点的结果（results）时要选是哪个结果（of），其他名单不选")
    elif each.get("of") is not None and each["of"] not in known.fields:
        yield Said("前面没有「%(field)s」", field=each["of"])
    if (each.get("list") == "segment") != bool(each.get("segment")):
        yield N_("名单是客户群（segment）时要选是哪个客户群，其他名单不选")
    if not node.get(DO):
        yield N_("逐项处理里至少要有一个节点（do）")


def _parallel_faults(node: Node, known: _Known) -> Iterator[str]:
    lanes = node.get("lanes") or []
    if not LANES[0] <= len(lanes) <= LANES[1]:
        yield N_("并行要有 2 到 6 条支路（lanes）")
    if not all(lane.get("nodes") for lane in lanes):
        yield N_("并行的每条支路里至少要有一个节点（nodes）")
    unknown = {str(name) for lane in lanes for name in lane} - {"title", "nodes"}
    if unknown:
        yield Said("不认识的内容 %(unknown)s", unknown="、".join(sorted(unknown)))
    if known.over:
        yield N_("逐项处理里不能再放并行")


CHECKS: dict[str, Callable[[Node, _Known], Iterator[str]]] = {
    "step": _step_faults,
    "branch": _branch_faults,
    "wait": _wait_faults,
    "person": _person_faults,
    "each": _each_faults,
    "parallel": _parallel_faults,
}


def _condition_faults(condition: Any, known: _Known) -> Iterator[str]:
    found = list(conditions.faults(condition))
    yield from found
    if found:
        return
    for name in conditions.fields(condition):
        if name not in known.fields and name not in FACTS:
            yield Said("条件里的「%(name)s」前面没有，也不是可查询的事实", name=name)


def _made_by(node: Node) -> set[str]:
    """What later nodes may ask of a node."""
    if len([kind for kind in KINDS if kind in node]) != 1:
        return set()
    name = node.get("id")
    step = STEPS.get(str(node.get("step", "")))
    results = (*step.results, *step.sets, "failed") if step else RESULTS.get(kind_of(node), ())
    if "person" in node:
        results = (*results, *fields_of(node))
    error = ("error",) if node.get("on_failure", "stop") != "stop" else ()
    return {f"{name}.{result}" for result in (*results, *error)} | {
        f"run.{shared}" for shared in (step.sets if step else ())
    }
