"""A draft in the browser without script: the list, the forms of its nodes, conditions line by line, publication."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import Browser, browse
from factories import make_staff
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Workflow, WorkflowDraft
from services import workflow_access, workflow_drafts, workflows
from services.workflows import Definition
from workflows import STEPS
from workflows.kinds import NODE_KINDS
from workflows.walk import by_id

ASK = {
    "title": "看一看",
    "role": "station_head",
    "choices": [{"code": "ok", "label": "同意"}, {"code": "no", "label": "不同意"}],
}
TREE: list[dict[str, Any]] = [
    {"id": "pick", "step": "select_customers"},
    {"id": "ask", "person": ASK},
    {
        "id": "agreed",
        "branch": {"field": "ask.choice", "op": "eq", "value": "ok"},
        "yes": [{"id": "freeze", "step": "freeze_recipients"}],
    },
]


@pytest.fixture
def draft(session: Session) -> WorkflowDraft:
    row = workflows.publish(session, Definition("look", "看一看流程", "试验", "rules.edit", TREE, ""), None)
    make_staff(session, "station_head")
    return workflow_drafts.open_draft(session, row, make_staff(session, "administrator"))


@pytest.fixture
def admin(app: Flask, session: Session, draft: WorkflowDraft) -> Iterator[Browser]:
    yield browse(app, session, make_staff(session, "administrator"))


def base(draft: WorkflowDraft) -> str:
    return f"/admin/workflow_designs/{draft.id}"


def fresh(session: Session, draft: WorkflowDraft) -> WorkflowDraft:
    session.expire_all()
    return session.get_one(WorkflowDraft, draft.id)


def posted(admin: Browser, draft: WorkflowDraft, path: str, form: dict[str, Any]) -> Any:
    admin.session.refresh(draft)
    return admin.post(f"{base(draft)}{path}", {"revision": draft.revision, **form})


def test_the_list_reads_as_sentences_and_offers_every_place(admin: Browser, draft: WorkflowDraft) -> None:
    page = admin.get(base(draft)).text
    for words in (
        "如果「看一看」的意见等于 同意",
        "由“供电所所长”办理",
        "意见：同意 / 不同意",
        "每一步都能执行",
    ):
        assert words in page
    assert {"//0", "//3", "agreed/yes/0", "agreed/yes/1", "agreed/no/0"} <= set(
        re.findall(r"place=([^\"]+)\"", page)
    )


def test_a_step_is_inserted_set_and_seen_in_the_list(
    admin: Browser, draft: WorkflowDraft, session: Session
) -> None:
    assert "登记未回复" in admin.get(f"{base(draft)}/insert?place=agreed/no/0").text
    answer = posted(admin, draft, "/insert", {"place": "agreed/no/0", "key": "wait"})
    assert answer.status_code == 303 and answer.headers["Location"].endswith("/nodes/wait")
    answer = posted(admin, draft, "/nodes/wait", {"days": "10", "node.title": "歇十天", "act": "save"})
    assert answer.status_code == 303
    assert by_id(fresh(session, draft).tree, "wait") == {
        "id": "wait",
        "wait": {"days": 10},
        "title": "歇十天",
    }
    assert "歇十天" in admin.get(base(draft)).text


def test_nodes_move_copy_and_go_by_buttons(admin: Browser, draft: WorkflowDraft, session: Session) -> None:
    for act in ("up ask", "down ask", "copy ask", "delete ask_2", "undo", "redo"):
        assert posted(admin, draft, "/change", {"act": act}).status_code == 303, act
    assert "移到这里" in admin.get(f"{base(draft)}/place?node=ask").text
    posted(admin, draft, "/change", {"act": "move ask", "place": "agreed/no/0"})
    assert [node["id"] for node in fresh(session, draft).tree] == ["pick", "agreed"]
    page = admin.get(base(draft)).text
    assert "前面没有" in page and f'href="{base(draft)}/nodes/agreed"' in page


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_kept(
    admin: Browser, draft: WorkflowDraft, session: Session
) -> None:
    answer = posted(
        admin, draft, "/nodes/pick", {"limit": "-3", "recent_days": "x", "name": "秋季", "act": "save"}
    )
    assert answer.status_code == 422
    assert re.search(r'id="e-limit">「最多选多少户」不能小于 0', answer.text)
    assert (
        re.search(r'id="e-recent_days">「多少天内联系过的不再发」要填整数', answer.text)
        and 'value="秋季"' in answer.text
    )
    assert fresh(session, draft).tree == TREE


def test_only_what_differs_from_the_default_is_kept(
    admin: Browser, draft: WorkflowDraft, session: Session
) -> None:
    form = {"name": "秋季", "limit": "0", "recent_days": "30",
            "conditions": ["missing", "invalid", "suspect", "refuted"],
            "reply_days": str(STEPS["select_customers"].options.model_fields["reply_days"].default)}  # fmt: skip
    posted(admin, draft, "/nodes/pick", form)
    assert by_id(fresh(session, draft).tree, "pick")["options"] == {"name": "秋季", "recent_days": 30}


CONDITION = {
    "condition.joint": "any",
    "condition.0.field": "ask.choice", "condition.0.op": "in", "condition.0.value": ["ok", "no"],
    "condition.1.joint": "not_all",
    "condition.1.0.field": "pick.targeted", "condition.1.0.op": "ge", "condition.1.0.value": "12",
    "condition.1.1.field": "letters_open", "condition.1.1.op": "empty",
}  # fmt: skip


def test_a_condition_is_built_line_by_line_and_read_as_a_sentence(
    admin: Browser, draft: WorkflowDraft, session: Session
) -> None:
    page = posted(admin, draft, "/nodes/agreed", {**CONDITION, "act": "add:condition.1"}).text
    assert 'name="condition.1.2.field"' in page and 'value="12"' in page
    posted(admin, draft, "/nodes/agreed", CONDITION)
    kept = by_id(fresh(session, draft).tree, "agreed")["branch"]
    assert kept == {
        "any": [
            {"field": "ask.choice", "op": "in", "value": ["ok", "no"]},
            {"not": {"all": [
                {"field": "pick.targeted", "op": "ge", "value": 12}, {"field": "letters_open", "op": "empty"},
            ]}},
        ]
    }  # fmt: skip
    page = admin.get(f"{base(draft)}/nodes/agreed").text
    assert (
        "属于 同意、不同意，或者" in page
        and "不满足：「选定客户」的选中客户不小于 12，并且待回复的函件为空" in page
    )
    again = posted(admin, draft, "/nodes/agreed", {**CONDITION, "act": "remove:condition.1"}).text
    assert "condition.1" not in again


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ({"field": "", "op": "eq", "value": ""}, "请选择要比较的内容"),
        ({"field": "ask.choice", "op": "eq", "value": "maybe"}, "请从列出的值中选择"),
        ({"field": "pick.reply_by", "op": "lt", "value": "soon"}, "请填日期"),
        ({"field": "__import__", "op": "eq", "value": "1"}, "前面已经没有这项内容"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(
    admin: Browser, draft: WorkflowDraft, session: Session, line: dict[str, str], fault: str
) -> None:
    form = {f"condition.0.{name}": value for name, value in line.items()}
    answer = posted(admin, draft, "/nodes/agreed", {**form, "condition.joint": "all"})
    assert answer.status_code == 422 and fault in answer.text and "条件还没有填完整" in answer.text
    assert fresh(session, draft).tree == TREE


def test_choices_of_a_person_keep_their_codes_and_new_ones_get_one(
    admin: Browser, draft: WorkflowDraft, session: Session
) -> None:
    form = {"title": "看", "role": "station_head", "due_days": "5", "on_timeout": "choice_1", "not_by": "start",
            "choices.0.code": "ok", "choices.0.label": "好的", "choices.1.code": "", "choices.1.label": "再议",
            "choices.2.code": "", "choices.2.label": ""}  # fmt: skip
    assert posted(admin, draft, "/nodes/ask", form).status_code == 303
    person = by_id(fresh(session, draft).tree, "ask")["person"]
    assert person["choices"] == [{"code": "ok", "label": "好的"}, {"code": "choice_1", "label": "再议"}]
    assert (person["due_days"], person["on_timeout"], person["not_by"]) == (5, "choice_1", ["start"])


def test_fields_are_shown_when_others_ask_for_them(admin: Browser, draft: WorkflowDraft) -> None:
    assert 'name="due_hours"' in admin.get(f"{base(draft)}/nodes/ask").text
    form = {"title": "看", "due_days": "5", "choices.0.label": "好", "choices.0.code": "", "act": "redraw"}
    page = posted(admin, draft, "/nodes/ask", form).text
    assert 'name="due_hours"' not in page and '<option value="choice_1" >好</option>' in page


@pytest.mark.slow
def test_every_kind_and_step_has_a_form_that_keeps_what_it_shows(
    admin: Browser, draft: WorkflowDraft, session: Session
) -> None:
    for key in [*NODE_KINDS, *STEPS]:
        answer = posted(admin, draft, "/insert", {"place": "//3", "key": key})
        assert answer.status_code == 303, (key, answer.text[:3000])
        page = admin.get(answer.headers["Location"])
        assert page.status_code == 200 and 'id="node-form"' in page.text, key
        assert admin.get(f"/admin/workflow_steps/{key}").status_code == 200, key
    assert admin.get(base(draft)).status_code == 200


def test_lanes_are_added_named_and_removed(admin: Browser, draft: WorkflowDraft, session: Session) -> None:
    posted(admin, draft, "/insert", {"place": "//0", "key": "parallel"})
    page = posted(admin, draft, "/nodes/parallel", {"lane": ["甲", "乙"], "act": "add:lanes"}).text
    assert page.count('name="lane"') == 3
    posted(admin, draft, "/nodes/parallel", {"lane": ["甲", "乙", "丙"], "act": "save"})
    assert [lane["title"] for lane in fresh(session, draft).tree[0]["lanes"]] == ["甲", "乙", "丙"]


def test_whoever_was_slower_is_told_and_loses_nothing_typed(admin: Browser, draft: WorkflowDraft) -> None:
    answer = admin.post(
        f"{base(draft)}/nodes/pick", {"revision": "0", "name": "秋季", "conditions": "missing"}
    )
    assert answer.status_code == 422 and "没有保存" in answer.text and 'value="秋季"' in answer.text
    for revision in (0, "²"):
        answer = sent(admin, f"{base(draft)}/arrange", {"revision": revision, "shape": []})
        assert answer.status_code == 409 and "没有保存" in answer.json["message"]
        assert len(answer.json["nodes"]) == 3


def test_what_was_drawn_has_to_be_a_drawing(admin: Browser, draft: WorkflowDraft) -> None:
    answer = sent(admin, f"{base(draft)}/arrange", [1])
    assert answer.status_code == 409 and len(answer.json["nodes"]) == 3


def sent(admin: Browser, path: str, what: Any) -> Any:
    admin.session.commit()
    return admin.client.post(path, json=what, headers={"X-CSRFToken": admin.token})


def test_what_the_cards_draw_is_in_the_list(admin: Browser, draft: WorkflowDraft, session: Session) -> None:
    tree = admin.get(f"{base(draft)}/tree").json
    shape = [
        {"id": "agreed", "arms": {"no": [{"id": "pick"}]}},
        {"id": "wait", "key": "wait", "wait": {"days": 99}},
    ]
    answer = sent(admin, f"{base(draft)}/arrange", {"revision": tree["revision"], "shape": shape})
    assert answer.status_code == 200 and [node["id"] for node in answer.json["nodes"]] == ["agreed", "wait"]
    assert by_id(fresh(session, draft).tree, "wait")["wait"] == {"days": 7}
    undone = sent(admin, f"{base(draft)}/arrange", {"revision": answer.json["revision"], "act": "undo"})
    assert fresh(session, draft).tree == TREE and undone.json["redo"]


def test_a_draft_is_published_or_says_what_is_missing(
    admin: Browser, draft: WorkflowDraft, session: Session
) -> None:
    posted(admin, draft, "/change", {"act": "delete ask"})
    answer = posted(admin, draft, "/publish", {"over": "1"})
    assert answer.headers["Location"].endswith("#problems")
    posted(admin, draft, "/change", {"act": "delete agreed"})
    posted(admin, draft, "/publish", {"over": "1"})
    workflow = session.scalars(select(Workflow).where(Workflow.key == "look")).one()
    newest = workflows.newest(session, workflow)
    assert newest is not None and newest.number == 2 and newest.tree == TREE[:1]


def test_a_draft_is_thrown_away_after_asking(admin: Browser, draft: WorkflowDraft, session: Session) -> None:
    assert "确定放弃" in posted(admin, draft, "/discard", {}).text
    posted(admin, draft, "/discard", {"confirmed": "1"})
    assert session.scalar(select(WorkflowDraft.id)) is None


def test_a_new_workflow_begins_as_a_copy(admin: Browser, draft: WorkflowDraft, session: Session) -> None:
    form = {"name": "我的核对", "copy_of": str(draft.workflow_id), "code": "mine"}
    answer = admin.post("/admin/workflow_designs/new", form)
    assert answer.status_code == 303
    own = session.scalars(select(WorkflowDraft).join(Workflow).where(Workflow.key == "mine")).one()
    assert own.tree == TREE and own.based_on is None
    assert "我的核对" in admin.get("/admin/workflow_designs/").text
    assert admin.post("/admin/workflow_designs/new", {**form, "name": "再来"}).status_code == 422


def test_only_who_may_change_a_workflow_gets_in(app: Flask, session: Session, draft: WorkflowDraft) -> None:
    own = browse(app, session, make_staff(session, "department_head"))
    assert own.get(base(draft)).status_code == 403
    workflow_access.allow(session, draft.workflow, {"edit": ["department_head"]})
    page = own.get(base(draft))
    assert page.status_code == 200 and "放弃草稿" in page.text and "/publish" not in page.text


def test_what_a_person_fills_in_and_whom_it_goes_to_are_set(
    admin: Browser, draft: WorkflowDraft, session: Session
) -> None:
    somebody = make_staff(session, "station_head")
    form = {
        "title": "看", "to": "staff", "staff": somebody.username, "rule": "any",
        "choices.0.code": "ok", "choices.0.label": "好",
        "fields.0.code": "", "fields.0.label": "户数", "fields.0.kind": "number", "fields.0.required": "true",
        "fields.1.code": "", "fields.1.label": "", "fields.1.kind": "text",
        "phrases.0.text": "已核对",
    }  # fmt: skip
    assert posted(admin, draft, "/nodes/ask", form).status_code == 303
    person = by_id(fresh(session, draft).tree, "ask")["person"]
    assert person["staff"] == [somebody.username] and person["phrases"] == [{"text": "已核对"}]
    (asked,) = person["fields"]
    assert (asked["code"], asked["kind"], asked["required"]) == ("field_1", "number", True)
    page = admin.get(f"{base(draft)}/nodes/ask").text
    assert 'value="户数"' in page and "每一步都能执行" in admin.get(base(draft)).text
