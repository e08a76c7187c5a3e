"""Definitions as BPMN 2.0: valid, without a crossing, read back exactly; what was drawn elsewhere is refused."""

import itertools
import json
import subprocess
from pathlib import Path

import playwright
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from models.home import CHECKOUT
from services import Refused
from services.workflows import Definition
from workflows import bpmn, bpmn_texts, definitions
from workflows.walk import arms, placed

NODE = Path(playwright.__file__).parent / "driver" / "node"  # the one that drives the browser of other tests
MODDLE = CHECKOUT / "node_modules" / "bpmn-moddle"
SEEDED = sorted((CHECKOUT / "seed" / "workflows").glob("*.toml"))
SURVEY_TOML = CHECKOUT / "seed" / "workflows" / "contact_survey.toml"
FIELDS = [
    {"field": "letters_open", "op": "eq", "value": 0},
    {"field": "run.unit_id", "op": "in", "value": [1, 2]},
]
CONDITION = st.sampled_from([*FIELDS, {"not": FIELDS[0]}, {"all": FIELDS}])
PERSON = {"title": '办<一>办 & "看"', "permission": "letters.run", "choices": [{"code": "ok", "label": "好"}]}
# A large tree is a good example, however long it is in print.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
WHENS = [{}, {"when": FIELDS[0]}]
LEAF = st.one_of(
    st.builds(lambda title: {"step": "make_visits", "title": title or "走访"}, TEXT),
    st.builds(lambda days, when: {"wait": {"days": days, **when}}, st.integers(0, 99), st.sampled_from(WHENS)),
    st.just({"wait": {"until": "run.started_on"}}),
    st.just({"wait": {"when": FIELDS[0]}}),
    st.just({"person": PERSON}),
)  # fmt: skip


def node(inside):
    many = st.lists(inside, max_size=3)
    lane = st.fixed_dictionaries({"title": TEXT, "nodes": many})
    lanes = st.lists(lane, min_size=2, max_size=4)
    return st.one_of(
        LEAF,
        st.builds(lambda c, yes, no: {"branch": c, "yes": yes, "no": no}, CONDITION, many, many),
        st.builds(lambda c, yes: {"branch": c, "yes": yes}, CONDITION, many),
        st.builds(lambda do: {"each": {"list": "recipients"}, "do": do}, many),
        st.builds(lambda rows: {"parallel": {}, "lanes": rows}, lanes),
        st.builds(lambda one, failed: {**one, "on_failure": "branch", "failed": failed}, inside, many).filter(
            lambda one: "parallel" not in one
        ),
    )


def numbered(tree):
    """The same tree with an id on every node."""
    for place in placed(tree):
        place.node["id"] = f"n{place.number}"
    return tree


TREES = st.lists(st.recursive(LEAF, node, max_leaves=10), min_size=1, max_size=4).map(
    lambda tree: numbered(json.loads(json.dumps(tree)))
)
QUICK = settings(max_examples=60, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def schema():
    return etree.XMLSchema(etree.parse(MODDLE / "resources" / "bpmn" / "xsd" / "BPMN20.xsd"))


def defined(tree):
    return Definition("any_tree", "任意 <流程>", "第一行\n第二行", "workflows.start", tree, "")


@pytest.mark.slow
@QUICK
@given(TREES)
def test_any_tree_is_valid_and_reads_back_exactly(schema, tree):
    text = bpmn_texts.write(defined(tree))
    assert schema.validate(etree.fromstring(text.encode())), schema.error_log
    found = bpmn_texts.read(text)
    assert (found.tree, found.name, found.description) == (tree, "任意 <流程>", "第一行\n第二行")


def crossing(one, other):
    """Whether a level and an upright line meet elsewhere than at an end of both."""
    (ax, ay), (bx, by) = one
    (cx, cy), (dx, dy) = other
    if ay != by or cx != dx:
        return False
    return min(ax, bx) < cx < max(ax, bx) and min(cy, dy) < ay < max(cy, dy)


@pytest.mark.slow
@QUICK
@given(TREES)
def test_nothing_overlaps_and_no_arrow_crosses_another(tree):
    block = bpmn.picture(tree)
    lines = [line for flow in block.flows for line in itertools.pairwise(flow.points)]
    assert not any(crossing(one, other) for one, other in itertools.permutations(lines, 2))
    boxes = {one.id: one for one in block.shapes}
    for one, other in itertools.combinations(block.shapes, 2):
        if one.tag == "boundaryEvent" or other.tag == "boundaryEvent" or holds(boxes, one, other):
            continue
        (ax, ay, aw, ah), (bx, by, bw, bh) = one.box, other.box
        assert ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay, (one.id, other.id)


def holds(boxes, one, other):
    """Whether one of two lies within the other."""
    inside = {one.id: chain(boxes, one), other.id: chain(boxes, other)}
    return one.id in inside[other.id] or other.id in inside[one.id]


def chain(boxes, shape):
    return {shape.parent, *chain(boxes, boxes[shape.parent])} if shape.parent else set()


@pytest.mark.parametrize("path", SEEDED, ids=lambda path: path.stem)
def test_every_seeded_workflow_is_valid(schema, path):
    one = definitions.read(path.read_text("utf-8"))
    text = bpmn_texts.write(one)
    assert schema.validate(etree.fromstring(text.encode())), schema.error_log
    assert bpmn_texts.read(text).tree == one.tree


def test_every_node_has_its_element():
    tree = definitions.read(SURVEY_TOML.read_text("utf-8")).tree
    ids = {shape.id for shape in bpmn.picture(tree).shapes}
    assert {bpmn.element_id(place.path) for place in placed(tree)} <= ids
    assert sum(len(nodes) for place in placed(tree) for _arm, nodes in arms(place.node)) > 0


SURVEY = bpmn_texts.write(
    definitions.read((CHECKOUT / "seed" / "workflows" / "contact_survey.toml").read_text("utf-8"))
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<a/>", "不是本系统导出"),
        ("<a", "不是正确的 XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "不是本系统导出"),
        (SURVEY.replace("lamplighter:definition", "lamplighter:other"), "不是本系统导出"),
        (SURVEY.replace('"path":"2"', '"path":"9"'), "不是本系统导出"),
        (SURVEY.replace('"branch":{', '"branch":[{').replace('"yes":[]', '"yes":{}'), "不是本系统导出"),
        (SURVEY.replace('"step":"', '"stop":"'), "不是本系统导出"),
        (SURVEY.replace('name="冻结名单"', 'name="先不冻结"'), "别的工具里改过"),
        (SURVEY.replace('sourceRef="node_1"', 'sourceRef="start"'), "别的工具里改过"),
    ],
)
def test_what_was_drawn_elsewhere_is_refused(text, why):
    with pytest.raises(Refused, match=why):
        bpmn_texts.read(text)


READER = """
import { BpmnModdle } from '%s/dist/index.js';
import { readFileSync } from 'node:fs';
for (const path of process.argv.slice(2)) {
  const { warnings } = await new BpmnModdle().fromXML(readFileSync(path, 'utf8'));
  console.log(warnings.length, warnings.map(String).join(' '));
}
"""


@pytest.mark.slow
def test_other_programs_read_it_without_a_warning(tmp_path):
    reader = tmp_path / "read.mjs"
    reader.write_text(READER % MODDLE)
    for path in SEEDED:
        (tmp_path / f"{path.stem}.bpmn").write_text(
            bpmn_texts.write(definitions.read(path.read_text("utf-8")))
        )
    files = sorted(str(path) for path in tmp_path.glob("*.bpmn"))
    done = subprocess.run([NODE, reader, *files], capture_output=True, text=True, timeout=60)
    assert (done.stderr, set(done.stdout.split("\n"))) == ("", {"0 ", ""})
