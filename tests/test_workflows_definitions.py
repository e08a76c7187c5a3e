"""Definitions: read, checked, versioned; the start form they give."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

import pytest
from factories import make_staff, make_unit
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import seed
from models import Staff, WorkflowVersion
from services import Refused, people, workflow_access, workflows
from workflows import STEPS, definitions
from workflows.facts import FACTS
from workflows.options import questions
from workflows.steps import Effects, Facts, Options, Planned, StepKind, asked

GOOD = """
key = "small"
name = "小流程"
[[nodes]]
id = "one"
step = "pick"
options = { limit = 5 }
[[nodes]]
id = "ask"
branch = { field = "one.found", op = "gt", value = 0 }
  [[nodes.yes]]
  id = "look"
  person = { title = "看一看", permission = "notices.review", choices = [{ code = "ok", label = "好" }] }
  [[nodes.yes]]
  id = "pause"
  wait = { days = 2, asked = true }
"""


class Pick(Options):
    """Options of every kind a start form knows."""

    limit: int = asked("最多户数", 10, ge=1)
    name: str = asked("名称", min_length=1)
    kind: Literal["a", "b"] = asked("种类", "a", labels={"a": "甲", "b": "乙"})
    kinds: tuple[Literal["a", "b"], ...] = asked("各种", ("a",), labels={"a": "甲", "b": "乙"})
    day: date | None = asked("日期", None)
    strict: bool = asked("严格", False)
    hidden: int = 3


def plan_pick(session: Session, options: Options, facts: Facts) -> Planned:
    return Planned()


def pick(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
    return Effects()


@pytest.fixture(autouse=True)
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        STEPS, "pick", StepKind("挑选", plan_pick, pick, Pick, results={"found": "找到"}, sets=("found_id",))
    )


def test_a_new_version_is_made_only_when_the_tree_changes(session: Session, shell: Staff) -> None:
    for text in (GOOD, GOOD, GOOD.replace("小流程", "改名"), GOOD.replace("limit = 5", "limit = 6")):
        workflow = definitions.load_definition(session, text, shell)
    query = select(func.count()).where(WorkflowVersion.workflow_id == workflow.id)
    assert (workflow.name, session.scalar(query)) == ("小流程", 2)


def test_a_file_publishes_over_nothing_that_its_bringer_may_not_publish(session: Session, shell: Staff) -> None:
    workflow = definitions.load_definition(session, GOOD, shell)
    low = make_staff(session, "administrator", unit=make_unit(session))
    workflow.owner_id = make_staff(session, "administrator").id
    session.flush()
    session.info["scope"] = people.scope_of(session, low)
    with pytest.raises(Refused, match="负责人不在您的单位范围内"):
        definitions.load_definition(session, GOOD, low)
    workflow_access.allow(session, workflow, {"approve": ["station_head"]})
    with pytest.raises(Refused, match="不能发布流程"):
        definitions.load_definition(session, GOOD, low)


def test_a_file_nested_without_end_is_refused() -> None:
    with pytest.raises(Refused, match="TOML"):
        definitions.read(f"nodes = {'[' * 9000}")
    arms = "".join(f"[[nodes{'.yes' * depth}]]\n" for depth in range(400))
    with pytest.raises(Refused, match="最多套 8 层"):
        definitions.read(f'key = "deep"\nname = "深"\n{arms}')


def test_a_tree_deeper_than_the_designer_makes_is_refused(session: Session, shell: Staff) -> None:
    told = 'id = "n{0}"\nbranch = {{ field = "run.unit_id", op = "gt", value = 0 }}\n'
    arms = "".join(f"[[nodes{'.yes' * depth}]]\n{told.format(depth)}" for depth in range(10))
    with pytest.raises(Refused, match="节点 n9：支路最多套 8 层"):
        definitions.load_definition(session, f'key = "deep"\nname = "深"\n{arms}', shell)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("key = ", "kee = "), "key"),
        (("[[nodes]]", "[[nodes"), "TOML"),
        (('id = "ask"', 'id = "one"'), "重复"),
        (('id = "ask"', 'id = "Ask 1"'), "小写字母"),
        (('id = "ask"', 'id = "run"'), "不能是 run"),
        (('step = "pick"', 'step = "pack"'), "没有步骤「pack」"),
        (("limit = 5", "limit = 0"), "「最多户数」不能小于 1"),
        (("limit = 5", "colour = 1"), "「colour」没有这个选项"),
        (("one.found", "one.lost"), "「one.lost」前面没有"),
        (("one.found", "nothing_live"), "「nothing_live」前面没有"),
        (('op = "gt"', 'op = "is"'), "不认识的比较"),
        (('code = "ok", ', ""), "每项都要有文字"),
        (('permission = "notices.review", ', ""), "permission 或 role"),
        (('title = "看一看"', 'title = "看一看", not_by = ["later"]'), "not_by"),
        (('title = "看一看"', 'title = "看一看", link = "//elsewhere"'), "以一条 / 开头"),
        (('choices = [{ code = "ok", label = "好" }]', 'choices = ["ok"]'), "每项都要有文字"),
        (('step = "pick"', 'step = "pick"\nyes = "later"'), "支路写成"),
        (("days = 2, ", ""), "days、until、when"),
        (("days = 2", "days = -1"), "「最多等待天数」不能小于 0"),
        (("days = 2", 'until = "one.when"'), "前面没有「one.when」"),
        (('step = "pick"', 'step = "pick"\nextra = 1'), "extra"),
        (('step = "pick"', 'step = "pick"\ntime_limit = 0'), "「时限（分钟）」不能小于 1"),
        (('id = "ask"', 'id = "ask"\ntime_limit = 5'), "不认识的内容 time_limit"),
        (('step = "pick"', 'step = "pick"\non_failure = "hope"'), "「失败时」只能是"),
        (('step = "pick"', 'step = "pick"\non_failure = "branch"'), "失败支路"),
        (('step = "pick"', 'step = "pick"\nfailed = []'), "不认识的内容 failed"),
        (("days = 2, asked", "days = 2, colour"), "「colour」没有这个选项"),
    ],
)
def test_every_fault_is_named(session: Session, shell: Staff, change: tuple[str, str], fault: str) -> None:
    with pytest.raises(Refused, match=fault):
        definitions.load_definition(session, GOOD.replace(*change, 1), shell)
    assert workflows.by_key(session, "small") is None


PICK = {"id": "a", "step": "pick", "options": {"name": "x", "kind": "a", "kinds": [], "day": "2026-11-21"}}
LANE = {"nodes": [PICK]}
SEND = {"id": "s", "step": "post_letters"}
SENSITIVE = {"field": "item.sensitivity", "op": "eq", "value": "high"}


@pytest.mark.parametrize(
    ("node", "fault"),
    [
        ({"parallel": {}, "lanes": [LANE]}, "2 到 6 条"),
        ({"parallel": {}, "lanes": [LANE, {"nodes": []}]}, "至少要有一个节点"),
        ({"parallel": {}, "lanes": [LANE, {"nodes": [SEND], "colour": 1}]}, "不认识的内容 colour"),
        ({"parallel": {"colour": 1}, "lanes": [LANE, {"nodes": [SEND]}]}, "「colour」没有这个选项"),
        ({"parallel": {}, "lanes": [LANE, LANE]}, "重复"),
        ({"parallel": {}, "lanes": [LANE, {"nodes": [SEND]}], "on_failure": "go_on"}, "on_failure"),
        ({"each": {"list": "stars"}, "do": [{"id": "w", "wait": {"days": 1}}]}, "没有名单「stars」"),
        (
            {"each": {"list": "units", "size": 0}, "do": [{"id": "w", "wait": {"days": 1}}]},
            "「每批几项」不能小于 1",
        ),
        ({"each": {"list": "units"}}, "至少要有一个节点（do）"),
        ({"each": {"list": "results"}, "do": [{"id": "w", "wait": {"days": 1}}]}, "要选是哪个结果"),
        (
            {"each": {"list": "results", "of": "z.y"}, "do": [{"id": "w", "wait": {"days": 1}}]},
            "前面没有「z.y」",
        ),
        ({"each": {"list": "segment"}, "do": [{"id": "w", "wait": {"days": 1}}]}, "要选是哪个客户群"),
        ({"each": {"list": "units"}, "do": [PICK]}, "不能对「本单位和下级单位」逐项处理"),
        ({"each": {"list": "units"}, "do": [{"id": "p", "parallel": {}, "lanes": []}]}, "不能再放并行"),
        (
            {"each": {"list": "units"}, "do": [{"id": "b", "branch": SENSITIVE, "yes": [LANE]}]},
            "item.sensitivity",
        ),
    ],
)
def test_faults_of_lists_and_lanes_are_named(node: dict[str, Any], fault: str) -> None:
    assert fault in "\n".join(definitions.faults([{"id": "x", **node}]))


def test_what_stands_in_a_lane_is_known_behind_it_and_not_beside_it() -> None:
    ask = {
        "id": "b",
        "branch": {"field": "a.found", "op": "gt", "value": 0},
        "yes": [{"id": "w", "wait": {"days": 1}}],
    }
    beside = [{"id": "x", "parallel": {}, "lanes": [LANE, {"nodes": [ask]}]}]
    behind = [{"id": "x", "parallel": {}, "lanes": [LANE, {"nodes": [SEND]}]}, ask]
    assert "a.found" in "".join(definitions.faults(beside)) and not list(definitions.faults(behind))


def test_items_are_asked_for_inside_their_each_alone() -> None:
    ask = {"id": "b", "branch": SENSITIVE, "yes": [{"id": "w", "wait": {"days": 1}}]}
    each = {"id": "x", "each": {"list": "recipients"}, "do": [ask]}
    assert not list(definitions.faults([each]))
    assert "item.sensitivity" in "".join(definitions.faults([each, {**ask, "id": "c"}]))


def test_the_start_form_asks_what_is_marked(session: Session) -> None:
    found = {one.name: one for one in questions(definitions.read(GOOD).tree)}
    kinds = {name: one.kind for name, one in found.items()}
    assert kinds == {
        "one.limit": "number",
        "one.name": "text",
        "one.kind": "choice",
        "one.kinds": "choices",
        "one.day": "date",
        "one.strict": "bool",
        "pause.days": "number",
    }
    assert (found["one.limit"].default, found["one.name"].required, found["one.kind"].labels["b"]) == (
        5,
        True,
        "乙",
    )


def test_seeded_workflows_have_no_fault(session: Session) -> None:
    for path in sorted((seed.FOLDER / "workflows").glob("*.toml")):
        faults = list(definitions.faults(definitions.read(path.read_text("utf-8")).tree))
        assert not faults, (path.name, faults)


def test_every_step_is_named_after_its_function_and_its_plan(session: Session) -> None:
    for key, kind in STEPS.items():
        assert (kind.do.__name__, kind.plan.__name__) == (key, f"plan_{key}")
        assert kind.label and all(kind.results.values())
    assert all(fact.label for fact in FACTS.values())


def test_what_staff_published_is_not_overwritten_by_the_seed(session: Session, shell: Staff) -> None:
    text = (seed.FOLDER / "workflows" / "import_file.toml").read_text("utf-8")
    mine = seed.read_definition(text.replace('id = "import"', 'id = "bring"'))
    workflows.publish(session, mine, shell)
    seed.load_workflows(session)
    workflow = workflows.by_key(session, "import_file")
    assert workflow is not None
    version = workflows.newest(session, workflow)
    assert version is not None and version.tree == mine.tree


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"role": ""}, "请选由谁办理"),
        ({"to": "staff"}, "指定的办理人"),
        ({"due_days": 1, "due_hours": 8}, "只能填一项"),
        ({"remind_hours": 8}, "先填办理期限"),
        ({"fields": [{"code": "choice", "label": "甲"}]}, "代码不能重复"),
        ({"fields": [{"code": "a", "label": "甲", "kind": "choice", "options": "，"}]}, "写出有哪些选项"),
        ({"to": "manager"}, "逐项处理里"),
        ({"to": "starter", "role": "", "due_hours": 8, "remind_hours": 2, "on_timeout": "ok"}, ""),
    ],
)
def test_a_person_node_says_who_until_when_and_what_to_fill_in(settings: dict[str, Any], fault: str) -> None:
    plain = {"title": "看", "role": "clerk", "choices": [{"code": "ok", "label": "好"}]}
    found = [str(one) for one in definitions.faults([{"id": "p", "person": plain | settings}])]
    assert fault in "".join(found) and bool(found) == bool(fault)
