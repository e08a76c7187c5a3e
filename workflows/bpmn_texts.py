"""BPMN 2.0 as text: a definition written with its picture, and read back from a file that this program has written.

Other programs read the file as it stands. A file that another program has drawn, or whose structure was changed there,
is refused: the notation says more than a tree of nodes can hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from models.words import N_, Said
from services import Refused
from services.workflows import Definition
from workflows.bpmn import picture
from workflows.bpmn_layout import Block, Flow, Shape, flow_label_box, label_box, shifted
from workflows.definition_texts import NOT_WRITTEN
from workflows.walk import arm_list, is_tree

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
OWN = "urn:lamplighter:workflow:1"
NAMESPACES = {
    "bpmn": MODEL,
    "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
    "di": "http://www.omg.org/spec/DD/20100524/DI",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "lamplighter": OWN,
}
ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MARGIN = 60.0
FOREIGN = N_("这个 BPMN 文件不是本系统导出的，不能导入。请用“导出 BPMN”得到的文件，或在设计页新建流程。")


def write(definition: Definition) -> str:
    """A definition as BPMN 2.0 XML."""
    block = picture(definition.tree)
    block = shifted(block, MARGIN, block.up + MARGIN)
    process = f"workflow_{definition.key}"
    spaces = " ".join(f"xmlns:{name}={quoteattr(address)}" for name, address in NAMESPACES.items())
    head = {name: value for name, value in vars(definition).items() if name not in NOT_WRITTEN}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<bpmn:definitions {spaces} id="definitions" targetNamespace="{OWN}" exporter="Lamplighter">',
        f'<bpmn:process id={quoteattr(process)} name={_attribute(definition.name)} isExecutable="false">',
        *_documentation(definition.description),
        *_extension("definition", json.dumps(head, ensure_ascii=False)),
        *_elements(block, ""),
        "</bpmn:process>",
        f'<bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" bpmnElement={quoteattr(process)}>',
        *(line for shape in block.shapes for line in _shape_picture(shape)),
        *(line for flow in block.flows for line in _flow_picture(flow)),
        "</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>",
        "</bpmn:definitions>",
    ]
    return "\n".join(lines) + "\n"


def read(text: str) -> Definition:
    """The definition of a file that `write` has made; the same name, permission and tree."""
    root = _parsed(text)
    process = root.find(f"{{{MODEL}}}process")
    kept = process.find(f"{{{MODEL}}}extensionElements/{{{OWN}}}definition") if process is not None else None
    if process is None or kept is None:
        raise Refused(FOREIGN)
    try:
        head = json.loads(kept.text or "")
        nodes = [json.loads(one.text or "") for one in process.iter(f"{{{OWN}}}node")]
        tree = _put_together({str(one["path"]): one["node"] for one in nodes})
        found = Definition(**{name: str(value) for name, value in head.items()}, tree=tree, source=text)
        block = _laid_out(found)
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise Refused(FOREIGN) from error
    _refuse_changed(process, block)
    return found


def is_bpmn(text: str) -> bool:
    """Whether a text is XML and so no TOML."""
    return text.lstrip("\ufeff \t\r\n").startswith("<")


def _put_together(nodes: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The tree of nodes by path, each put into the arm that its path names."""
    tree: list[dict[str, Any]] = []
    for path in sorted(nodes, key=lambda path: (path.count("."), int(path.rpartition(".")[2]))):
        above, _dot, place = path.rpartition(".")
        parent, _dot, arm = above.rpartition(".")
        siblings = arm_list(nodes[parent], arm) if above else tree
        if int(place) != len(siblings) + 1:
            raise ValueError(path)
        siblings.append(nodes[path])
    return tree


def _parsed(text: str) -> ElementTree.Element:
    """The XML, which may declare nothing of its own: no entity can grow or reach outside."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Refused(FOREIGN)
    try:
        return ElementTree.fromstring(text)  # noqa: S314 without a declaration there is nothing to expand
    except ElementTree.ParseError as error:
        raise Refused("这个文件不是正确的 XML：%(error)s。请重新导出后再导入。", error=error) from error


def _laid_out(definition: Definition) -> Block:
    """The picture of a definition; nodes that were written by hand may be none that can be drawn."""
    if not definition.tree or not is_tree(definition.tree):
        raise ValueError(definition.key)
    return picture(definition.tree)


def _refuse_changed(process: ElementTree.Element, block: Block) -> None:
    """What the file draws must be what its nodes say: else it was changed elsewhere, and that would be lost."""
    wanted = {(one.tag, one.id, _clean(one.name)) for one in block.shapes}
    wanted |= {("sequenceFlow", f"{one.source}>{one.target}", _clean(one.name)) for one in block.flows}
    drawn = set(_drawn(process))
    if wanted != drawn:
        changed = sorted({one[2] or one[1] for one in wanted ^ drawn})[:5]
        raise Refused(
            "这个 BPMN 文件在别的工具里改过（%(changed)s），改动不能带回来，没有导入。请在设计页修改流程。",
            changed=Said.joined([f"「{name}」" for name in changed], joint="、"),
        )


def _drawn(process: ElementTree.Element) -> Iterator[tuple[str, str, str]]:
    for one in process.iter():
        tag, key = one.tag.removeprefix(f"{{{MODEL}}}"), one.get("id", "")
        if tag == "sequenceFlow":
            yield tag, f"{one.get('sourceRef')}>{one.get('targetRef')}", one.get("name", "")
        elif key and one is not process:
            yield tag, key, one.get("name", "")


def _elements(block: Block, parent: str) -> Iterator[str]:
    """The elements right inside the process or one sub-process, then the arrows between them."""
    for shape in block.shapes:
        if shape.parent == parent:
            yield from _element(shape, block)
    for flow in block.flows:
        if flow.parent == parent:
            yield from _arrow(flow)


def _element(shape: Shape, block: Block) -> Iterator[str]:
    attributes = [("id", shape.id), *([("name", shape.name)] if shape.name else []), *shape.attributes]
    default = next((one.id for one in block.flows if one.source == shape.id and one.way == "no"), "")
    attributes += [("default", default)] if default else []
    yield f"<bpmn:{shape.tag} {' '.join(f'{name}={_attribute(value)}' for name, value in attributes)}>"
    yield from _documentation(shape.note)
    yield from _extension("node", shape.data)
    yield from (f"<bpmn:incoming>{one.id}</bpmn:incoming>" for one in block.flows if one.target == shape.id)
    yield from (f"<bpmn:outgoing>{one.id}</bpmn:outgoing>" for one in block.flows if one.source == shape.id)
    if shape.inner:
        yield _clean(shape.inner)
    if shape.tag == "subProcess":
        yield from _elements(block, shape.id)
    yield f"</bpmn:{shape.tag}>"


def _arrow(flow: Flow) -> Iterator[str]:
    name = f" name={_attribute(flow.name)}" if flow.name else ""
    begin = f'<bpmn:sequenceFlow id="{flow.id}"{name} sourceRef="{flow.source}" targetRef="{flow.target}"'
    if not flow.condition:
        yield f"{begin}/>"
        return
    told = f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{_text(flow.condition)}'
    yield f"{begin}>{told}</bpmn:conditionExpression></bpmn:sequenceFlow>"


def _shape_picture(shape: Shape) -> Iterator[str]:
    expanded = ' isExpanded="true"' if shape.tag == "subProcess" else ""
    yield f'<bpmndi:BPMNShape id="{shape.id}__di" bpmnElement="{shape.id}"{expanded}>{_bounds(shape.box)}'
    if shape.is_small and shape.name:
        yield f"<bpmndi:BPMNLabel>{_bounds(label_box(shape))}</bpmndi:BPMNLabel>"
    yield "</bpmndi:BPMNShape>"


def _flow_picture(flow: Flow) -> Iterator[str]:
    yield f'<bpmndi:BPMNEdge id="{flow.id}__di" bpmnElement="{flow.id}">'
    yield from (f'<di:waypoint x="{x:.0f}" y="{y:.0f}"/>' for x, y in flow.points)
    if flow.name:
        yield f"<bpmndi:BPMNLabel>{_bounds(flow_label_box(flow))}</bpmndi:BPMNLabel>"
    yield "</bpmndi:BPMNEdge>"


def _bounds(box: Sequence[float]) -> str:
    x, y, width, height = box
    return f'<dc:Bounds x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}"/>'


def _documentation(text: str) -> list[str]:
    return [f"<bpmn:documentation>{_text(text)}</bpmn:documentation>"] if text else []


def _extension(tag: str, data: str) -> list[str]:
    """Data of our own, as JSON whose signs XML can hold."""
    if not data:
        return []
    held = ILLEGAL.sub(lambda sign: f"\\u{ord(sign.group()):04x}", data)
    inner = f"<lamplighter:{tag}>{escape(held)}</lamplighter:{tag}>"
    return [f"<bpmn:extensionElements>{inner}</bpmn:extensionElements>"]


def _attribute(text: Any) -> str:
    return quoteattr(_clean(str(text)))


def _text(text: str) -> str:
    return escape(_clean(text))


def _clean(text: str) -> str:
    return ILLEGAL.sub("", text)
