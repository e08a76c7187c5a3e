"""Drafts changed through their tree, what keeps them from running with the node of each reason, and publication."""

from __future__ import annotations

from typing import Any

import pytest
from factories import make_staff, make_unit
from sqlalchemy.orm import Session

from models import Staff, Workflow
from services import Refused, people, workflow_access, workflow_drafts, workflows
from services.conditions import line_fault
from services.workflow_drafts import Content, Stale
from services.workflows import Definition
from workflows import condition_fields
from workflows import workflow_drafts as drafts
from workflows.tree_changes import Place
from workflows.workflow_drafts import Editor

ASK = {"title": "看一看", "role": "station_head", "choices": [{"code": "ok", "label": "同意"}]}
TREE: list[dict[str, Any]] = [
    {"id": "pick", "step": "select_customers"},
    {"id": "ask", "person": ASK},
    {
        "id": "agreed",
        "branch": {"field": "ask.choice", "op": "eq", "value": "ok"},
        "yes": [{"id": "freeze", "step": "freeze_recipients"}],
    },
    {"id": "wait", "wait": {"until": "pick.reply_by"}},
]


@pytest.fixture
def workflow(session: Session) -> Workflow:
    return workflows.publish(session, Definition("look", "看一看", "", "rules.edit", TREE, ""), None)


@pytest.fixture
def admin(session: Session) -> Staff:
    make_staff(session, "station_head")
    return make_staff(session, "administrator")


@pytest.fixture
def editor(session: Session, workflow: Workflow, admin: Staff) -> Editor:
    return Editor(session, workflow_drafts.open_draft(session, workflow, admin), 1)


def now(editor: Editor) -> Editor:
    """The same draft as it stands after a change."""
    return Editor(editor.session, editor.draft, editor.draft.revision)


def why(session: Session, tree: Any) -> list[tuple[str, str]]:
    return [(one.node, str(one.text)) for one in drafts.obstacles(session, tree)]


def test_changes_go_into_the_history_in_words(editor: Editor) -> None:
    new = drafts.insert(editor, "wait", Place("agreed", "yes", 0))
    drafts.put(now(editor), new, {"wait": {"days": 3}, "title": "歇一歇"})
    drafts.shift(now(editor), new, by=1)
    drafts.duplicate(now(editor), new)
    drafts.move(now(editor), new, Place())
    drafts.delete(now(editor), "ask")
    drafts.rename(now(editor), "新名", "说明")
    said = [row.text for row in workflow_drafts.history(editor.session, editor.draft)]
    assert said == [
        "修改名称和说明", "删除「看一看」", "移动「歇一歇」", "复制「歇一歇」", "下移「歇一歇」", "修改「歇一歇」",
        "插入「等待」", "打开草稿",
    ]  # fmt: skip


def test_setting_the_same_again_is_no_change(editor: Editor) -> None:
    drafts.put(editor, "ask", {"person": ASK})
    assert editor.draft.place == 0
    with pytest.raises(Stale):
        drafts.put(editor, "ask", {"person": ASK})


def test_what_was_drawn_is_told(editor: Editor) -> None:
    shape = [{"id": name} for name in ("pick", "ask", "wait", "fresh")]
    shape[3]["key"] = "parallel"
    drafts.arrange(editor, shape)
    assert [node["id"] for node in editor.draft.tree] == ["pick", "ask", "wait", "fresh"]
    assert workflow_drafts.history(editor.session, editor.draft)[0].text == "插入「并行」"


def test_a_published_draft_is_the_newest_version_and_gone(
    session: Session, editor: Editor, admin: Staff
) -> None:
    drafts.delete(editor, "wait")
    workflow = drafts.publish(now(editor), admin, over=1)
    newest = workflows.newest(session, workflow)
    assert newest is not None and (newest.number, len(newest.tree)) == (2, 3)
    assert workflow_drafts.draft_of(session, workflow) is None


def test_nobody_publishes_over_a_version_they_have_not_seen(
    session: Session, editor: Editor, admin: Staff
) -> None:
    workflows.publish(session, Definition("look", "看一看", "", "rules.edit", TREE[:2], ""), None)
    drafts.delete(editor, "wait")
    with pytest.raises(Refused, match="刚有了新的版本"):
        drafts.publish(now(editor), admin, over=1)


def test_each_reason_against_running_names_its_node(session: Session, admin: Staff) -> None:
    tree = [
        {"id": "pick", "step": "select_customers", "options": {"unit": "nowhere", "limit": -1}},
        {"id": "other", "step": "select_customers", "options": {"unit": "nowhere"}},
        {"id": "ask", "person": {**ASK, "role": "dispatcher"}},
        {"id": "agreed", "branch": {"all": []}, "yes": []},
        {"id": "gone", "step": "no_such_step"},
    ]
    found = why(session, tree)
    assert [node for node, _text in found] == ["pick", "agreed", "agreed", "gone", "other", "ask"]
    texts = "\n".join(text for _node, text in found)
    for part in ("不能小于 0", "没有步骤", "中没有「nowhere」", "没有人能办理"):
        assert part in texts
    assert why(session, []) == [("", "流程里没有节点")]


def test_what_cannot_run_is_not_published(session: Session, editor: Editor, admin: Staff) -> None:
    drafts.insert(editor, "branch", Place())
    with pytest.raises(Refused, match="还有 2 处要改"):
        drafts.publish(now(editor), admin, over=1)


def test_a_workflow_that_cannot_run_is_not_enabled(
    session: Session, admin: Staff, workflow: Workflow
) -> None:
    drafts.require_runnable(session, workflow)
    broken = [{**TREE[0], "options": {"unit": "nowhere"}}]
    workflows.publish(session, Definition("look", "看一看", "", "rules.edit", broken, ""), None)
    with pytest.raises(Refused, match="「选定客户」"):
        drafts.require_runnable(session, workflow)


def test_only_who_may_publishes(session: Session, editor: Editor) -> None:
    clerk = make_staff(session, "clerk")
    with pytest.raises(Refused, match="不能发布流程"):
        drafts.publish(editor, clerk, over=1)
    workflow_access.allow(session, editor.draft.workflow, {"approve": ["clerk"]})
    drafts.publish(editor, clerk, over=1)


def test_nobody_publishes_for_an_owner_who_reaches_further(
    session: Session, editor: Editor, admin: Staff
) -> None:
    low = make_staff(session, "administrator", unit=make_unit(session))
    editor.draft.workflow.owner_id = admin.id
    session.info["scope"] = people.scope_of(session, low)
    with pytest.raises(Refused, match="负责人不在您的单位范围内"):
        drafts.publish(editor, low, over=1)


def test_a_name_is_needed(editor: Editor) -> None:
    with pytest.raises(Refused, match="请填写流程的名称"):
        drafts.rename(editor, "  ", "")


def test_a_new_workflow_is_published_as_its_first_version(session: Session, admin: Staff) -> None:
    draft = workflow_drafts.begin_workflow(session, "fresh", Content("新的", "", TREE), admin)
    drafts.publish(Editor(session, draft, 1), admin, over=None)
    _workflow, version = workflows.startable(session, "fresh")
    assert version.number == 1


@pytest.mark.parametrize(
    ("node", "name", "type_"),
    [("agreed", "ask.choice", "choice"), ("wait", "pick.reply_by", "date"), ("ask", "pick.targeted", "number"),
     ("wait", "agreed.arm", "choice"), ("pick", "letters_open", "number")],
)  # fmt: skip
def test_earlier_results_are_offered_with_their_types(node: str, name: str, type_: str) -> None:
    fields = {one.name: one for one in condition_fields.offered(TREE, node)}
    assert fields[name].type == type_
    assert "ask.by" not in fields and "run.owner_id" not in fields


def test_later_results_are_not_offered() -> None:
    assert "ask.choice" not in {one.name for one in condition_fields.offered(TREE, "ask")}
    assert condition_fields.of_type(TREE, "wait", "date") == ["run.started_on", "pick.reply_by"]
    assert condition_fields.persons_before(TREE, "wait") == ["ask"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ({"field": "ask.choice", "op": "eq", "value": "ok"}, ""),
        ({"field": "ask.choice", "op": "in", "value": []}, "请至少选一项"),
        ({"field": "ask.choice", "op": "eq", "value": "odd"}, "请从列出的值中选择"),
        ({"field": "pick.reply_by", "op": "lt", "value": "明天"}, "请填日期"),
        ({"field": "pick.targeted", "op": "gt", "value": "多"}, "请填数字"),
        ({"field": "pick.targeted", "op": "like", "value": 1}, "请选择怎样比较"),
        ({"field": "pick.targeted", "op": "empty"}, ""),
        ({"field": "", "op": "eq", "value": 1}, "请选择要比较的内容"),
        ({"field": "gone.x", "op": "eq", "value": 1}, "前面已经没有这项内容"),
    ],
)
def test_a_comparison_fits_the_type_of_its_field(line: dict[str, Any], fault: str) -> None:
    known = {one.name: one for one in condition_fields.offered(TREE, "wait")}
    assert line_fault(line, known).startswith(fault) and bool(fault) == bool(line_fault(line, known))
