"""Versions on screens: compared in words, taken back as a draft, taken along as a file."""

import pytest
from browsing import browse
from factories import make_staff
from sqlalchemy import select

from models import WorkflowDraft
from services.workflows import Definition, publish
from workflows.definitions import read

CONDITION = {"field": "select.targeted", "op": "gt", "value": 0}
SELECT = {"id": "select", "step": "select_customers", "options": {"limit": 100}}
OLD = [
    SELECT,
    {"id": "rest", "title": "等一等", "wait": {"days": 21}},
    {"id": "close", "step": "close_campaign"},
]
NEW = [
    {"id": "any", "branch": CONDITION, "yes": [{"id": "rest", "title": "等一等", "wait": {"days": 10}}]},
    {**SELECT, "options": {"limit": 200, "conditions": ["missing"]}},
]


@pytest.fixture
def survey(session):
    for tree in (OLD, NEW):
        row = publish(
            session, Definition("two_versions", "两版流程", "", "workflows.start", tree, str(tree)), None
        )
    return row


def test_versions_are_compared_in_words(app, session, survey):
    page = (
        browse(app, session, make_staff(session, "data_steward"))
        .get(f"/admin/workflow_versions/{survey.id}")
        .text
    )
    assert "从第 1 版到第 2 版，有 4 个节点不同" in page
    for text in (
        "最多等待天数",
        ">21<",
        ">10<",
        "缺失",
        "新增",
        "移动",
        "删除",
        "结束活动",
        "原第 2 步，现第 1.1 步",
        "未设置（默认 缺失、无效、存疑、核实有误）",
    ):
        assert text in page


def test_an_old_version_becomes_a_draft(app, session, survey):
    page = browse(app, session, make_staff(session, "administrator"))
    page.post(f"/admin/workflow_versions/{survey.id}/1/restore")
    assert session.scalars(select(WorkflowDraft)).one().tree == OLD


def test_an_open_draft_is_not_replaced_unasked(app, session, survey):
    page = browse(app, session, make_staff(session, "administrator"))
    page.post("/admin/workflow_designs/open", {"workflow": str(survey.id)})
    question = page.post(f"/admin/workflow_versions/{survey.id}/1/restore")
    draft = session.scalars(select(WorkflowDraft)).one()
    assert "有一份没有发布的草稿" in question.text and draft.tree == NEW
    page.post(f"/admin/workflow_versions/{survey.id}/1/restore", {"revision": str(draft.revision)})
    session.refresh(draft)
    assert draft.tree == OLD


def test_who_may_not_edit_restores_nothing(app, session, survey):
    page = browse(app, session, make_staff(session, "auditor"))
    assert "版恢复为草稿" not in page.get(f"/admin/workflow_versions/{survey.id}").text
    page.post(f"/admin/workflow_versions/{survey.id}/1/restore")
    assert session.scalars(select(WorkflowDraft)).first() is None


def test_a_version_is_taken_along_as_toml(app, session, survey):
    got = browse(app, session, make_staff(session, "auditor")).get(
        f"/admin/workflow_versions/{survey.id}/1/toml"
    )
    assert "two_versions_v1.toml" in got.headers["Content-Disposition"]
    assert read(got.text).tree == OLD


@pytest.mark.parametrize("path", ["/{0}/9/toml", "/9999", "/{0}/99999999999999/toml"])
def test_versions_that_are_not_there_are_not_found(app, session, survey, path):
    page = browse(app, session, make_staff(session, "auditor"))
    assert page.get("/admin/workflow_versions" + path.format(survey.id)).status_code == 404
