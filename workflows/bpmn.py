"""A definition as BPMN 2.0 (ISO/IEC 19510) with its picture, valid against the OMG's schemas.

Steps are service tasks, persons user tasks, branches exclusive gateways whose arrows carry the condition as a sentence,
waits catch events (with a deadline: an event-based gateway), each a multi-instance sub-process, parallel a parallel
gateway, what follows a failure a boundary event. The id of an element comes from the path of its node (`element_id`),
so a picture can be coloured by the steps of a run. Each element keeps its node, from which `bpmn_texts` reads it back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape

from models.words import N_
from services.conditions import Words, sentence
from workflows import STEPS
from workflows.bpmn_layout import Arm, Block, Shape, boxed, forked, guarded, sequence, single
from workflows.condition_fields import CHOICES, own_choices
from workflows.facts import FACTS
from workflows.lists import LISTS
from workflows.tree_changes import label_of
from workflows.walk import DO, FAILED, Node, Tree, arm_of, arms, by_id, is_tree, kind_of

OTHERWISE = N_("否则")
RESULT_WORDS = {
    "arm": N_("结果"),
    "met": N_("条件已满足"),
    "late": N_("已到期限"),
    "choice": N_("意见"),
    "timed_out": N_("逾期未办"),
    "failed": N_("失败项"),
    "error": N_("失败原因"),
}
FORMAL = 'xsi:type="bpmn:tFormalExpression"'


def element_id(path: str) -> str:
    """The id of the element that stands for the node at a path; helpers of it begin with it and two underscores."""
    return "node_" + path.replace(".", "_")


def picture(tree: Tree) -> Block:
    """A whole tree laid out from its start to its end."""
    start, end = Shape("start", "startEvent", N_("发起")), Shape("end", "endEvent", N_("结束"))
    return sequence([single(start), _sequence(tree, "", tree), single(end)])


def words_of(tree: Tree) -> Words:
    """How conditions of a tree name their fields and values, in Chinese."""
    return Words(name=lambda name: _field(tree, name), value=lambda name, value: _value(tree, name, value))


def _sequence(nodes: Tree, above: str, tree: Tree) -> Block:
    return sequence(_guarded(node, f"{above}{place}", tree) for place, node in enumerate(nodes, start=1))


def _guarded(node: Node, path: str, tree: Tree) -> Block:
    """A node with what follows its failure, where it says so."""
    own, kind = element_id(path), kind_of(node)
    main = BLOCKS[kind](node, path, tree)
    if FAILED not in dict(arms(node)):
        return main
    host = own
    if kind == "branch":  # deciding is work that can fail; a gateway stands for no work
        host = f"{own}__decide"
        main = sequence([single(Shape(host, "businessRuleTask", label_of(node))), main])
    elif kind == "wait":
        host = f"{own}__box"
        main = boxed(Shape(host, "subProcess"), _between(main, host))
    boundary = Shape(
        f"{own}__failed",
        "boundaryEvent",
        N_("失败时"),
        attributes=(("attachedToRef", host),),
        inner="<bpmn:errorEventDefinition/>",
    )
    failed = _sequence(arm_of(node, FAILED), f"{path}.{FAILED}.", tree)
    return guarded(main, boundary, failed, Shape(f"{own}__after", "exclusiveGateway"))


def _between(inside: Block, own: str) -> Block:
    """What stands in a box, from a start to an end of its own."""
    start, end = Shape(f"{own}__start", "startEvent"), Shape(f"{own}__end", "endEvent")
    return sequence([single(start), inside, single(end)])


def _task(node: Node, path: str, tree: Tree) -> Block:
    tag = "userTask" if "person" in node else "serviceTask"
    return single(_shape(node, path, tag, note=_note(node)))


def _branch(node: Node, path: str, tree: Tree) -> Block:
    condition = sentence(node["branch"], words_of(tree))
    yes, no = (_sequence(arm_of(node, arm), f"{path}.{arm}.", tree) for arm in ("yes", "no"))
    ways = [Arm("yes", yes, condition, condition), Arm("no", no, OTHERWISE)]
    head = _shape(node, path, "exclusiveGateway")
    return forked(head, ways, Shape(f"{element_id(path)}__join", "exclusiveGateway"))


def _wait(node: Node, path: str, tree: Tree) -> Block:
    wait, own = node["wait"], element_id(path)
    has_time = "days" in wait or "until" in wait
    if "when" not in wait:
        return single(_shape(node, path, "intermediateCatchEvent", inner=_timer(wait, tree)))
    told = sentence(wait["when"], words_of(tree))
    if not has_time:
        return single(_shape(node, path, "intermediateCatchEvent", inner=_conditional(told)))
    met = Shape(f"{own}__met", "intermediateCatchEvent", told, inner=_conditional(told))
    late = Shape(f"{own}__late", "intermediateCatchEvent", _deadline(wait, tree), inner=_timer(wait, tree))
    ways = [Arm("met", single(met)), Arm("late", single(late))]
    head = _shape(node, path, "eventBasedGateway")
    return forked(head, ways, Shape(f"{own}__join", "exclusiveGateway"))


def _each(node: Node, path: str, tree: Tree) -> Block:
    known = LISTS.get(str(node["each"].get("list")))
    listed = known.label if known is not None else str(node["each"].get("list"))
    many = '<bpmn:multiInstanceLoopCharacteristics isSequential="false"/>'
    name = f"{label_of(node)}（{listed}）"
    inside = _between(_sequence(arm_of(node, DO), f"{path}.{DO}.", tree), element_id(path))
    return boxed(replace(_shape(node, path, "subProcess", inner=many), name=name), inside)


def _parallel(node: Node, path: str, tree: Tree) -> Block:
    ways = [
        Arm(arm, _sequence(nodes, f"{path}.{arm}.", tree), str(lane.get("title", "")))
        for (arm, nodes), lane in zip(arms(node), node["lanes"], strict=True)
    ]
    head = _shape(node, path, "parallelGateway")
    return forked(head, ways, Shape(f"{element_id(path)}__join", "parallelGateway"))


BLOCKS: dict[str, Callable[[Node, str, Tree], Block]] = {
    "step": _task,
    "person": _task,
    "branch": _branch,
    "wait": _wait,
    "each": _each,
    "parallel": _parallel,
}


def _shape(node: Node, path: str, tag: str, *, inner: str = "", note: str = "") -> Shape:
    """The element that stands for a node, with the node itself, less what stands in its arms."""
    return Shape(element_id(path), tag, label_of(node), inner=inner, note=note, data=kept_data(path, node))


def kept_data(path: str, node: Node) -> str:
    """A node as JSON without the nodes in its arms, and with its path: what an element keeps of it."""
    own = {name: _emptied(name, value) for name, value in node.items()}
    return json.dumps({"path": path, "node": own}, ensure_ascii=False, separators=(",", ":"))


def _emptied(name: str, value: Any) -> Any:
    if name == "lanes":
        return [{**lane, "nodes": []} if "nodes" in lane else dict(lane) for lane in value]
    return [] if is_tree(value) else value


def _note(node: Node) -> str:
    """What a task does, for whoever reads the file in another program."""
    person = node.get("person")
    if isinstance(person, Mapping):
        return " / ".join(str(choice["label"]) for choice in person.get("choices", ()))
    known = STEPS.get(str(node.get("step")))
    return known.label if known is not None else ""


def _timer(wait: Mapping[str, Any], tree: Tree) -> str:
    if "days" in wait:
        return _definition("timer", "timeDuration", f"P{int(wait['days'])}D")
    return _definition("timer", "timeDate", _field(tree, str(wait["until"])))


def _deadline(wait: Mapping[str, Any], tree: Tree) -> str:
    return f"{wait['days']}天" if "days" in wait else _field(tree, str(wait["until"]))


def _conditional(told: str) -> str:
    return _definition("conditional", "condition", told)


def _definition(kind: str, part: str, text: str) -> str:
    return (
        f"<bpmn:{kind}EventDefinition><bpmn:{part} {FORMAL}>{escape(text)}</bpmn:{part}>"
        f"</bpmn:{kind}EventDefinition>"
    )


def _field(tree: Tree, name: str) -> str:
    node_id, dot, part = name.partition(".")
    if not dot:
        return FACTS[name].label if name in FACTS else name
    node = by_id(tree, node_id)
    if node is None:
        return next((kind.fields[part] for kind in LISTS.values() if part in kind.fields), part)
    known = STEPS.get(str(node.get("step", "")))
    labels = {**RESULT_WORDS, **(known.results if known is not None else {})}
    return f"「{label_of(node)}」的{labels.get(part, part)}"


def _value(tree: Tree, name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    head, _dot, part = name.partition(".")
    choices = own_choices(by_id(tree, head) or {}) or CHOICES.get(part, {})
    parts = value if isinstance(value, list) else [value]
    return "、".join(choices.get(str(one), str(one)) for one in parts)
