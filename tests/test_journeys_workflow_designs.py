"""Both editors of a draft in a real browser: what one changes the other shows; the clerk's path by keyboard; axe."""

from __future__ import annotations

import re
from typing import Any

import pytest
from driving import NARROW, driven, serious_findings
from factories import make_customer, make_staff
from flask import Flask
from needs import needs_chromium
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import SavedSegment, Staff, Workflow, WorkflowDraft
from models.home import CHECKOUT
from services import saved_segments, workflow_access, workflow_drafts, workflows
from workflows import definitions
from workflows.walk import by_id, placed

pytestmark = [pytest.mark.slow, needs_chromium]
SURVEY = CHECKOUT / "seed" / "workflows" / "contact_survey.toml"


@pytest.fixture
def clerk(session: Session) -> Staff:
    make_staff(session, "station_head")
    make_staff(session, "clerk")
    return make_staff(session, "service_specialist")


@pytest.fixture
def draft(session: Session, clerk: Staff) -> int:
    """A draft of the seeded survey, which the specialist may change and publish; its id."""
    row = definitions.load_definition(session, SURVEY.read_text(encoding="utf-8"), None)
    workflow_access.allow(session, row, {"edit": ["service_specialist"], "approve": ["service_specialist"]})
    return workflow_drafts.open_draft(session, row, clerk).id


def base(draft: int) -> str:
    return f"/admin/workflow_designs/{draft}"


def kept(session: Session, draft: int) -> Any:
    """The tree as the database has it now; the transaction ends, for there is one writer."""
    session.expire_all()
    tree = session.get_one(WorkflowDraft, draft).tree
    session.commit()
    return tree


def drag(page: Page, label: str, to: Any) -> None:
    """Drag an offer of the palette onto a place between two cards."""
    box = page.locator(".sqd-toolbox-item", has_text=label).first.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 30, steps=4)
    target = to.bounding_box()
    page.mouse.move(target["x"] + target["width"] / 2, target["y"] + target["height"] / 2, steps=6)
    page.mouse.up()


def test_what_the_cards_change_the_list_shows_and_back(
    app: Flask, session: Session, draft: int, clerk: Staff
) -> None:
    with driven(app, session, clerk, expected=("409", "404")) as page:
        page.goto(f"{base(draft)}/cards")
        placeholder = page.locator(".sqd-placeholder-rect")
        page.locator(".sqd-step-task", has_text="选定客户").wait_for()
        before = page.locator(".sqd-step-task").count()
        drag(page, "等待", placeholder.first)
        form = page.locator("#node-form")
        form.locator("[name=days]").fill("12")
        form.get_by_role("button", name="保存到草稿").click()
        expect(form.get_by_text("已保存到草稿")).to_be_visible()
        found = [
            place.node for place in placed(kept(session, draft)) if place.node.get("wait") == {"days": 12}
        ]
        page.goto(base(draft))
        expect(page.get_by_text("最多等 12 天")).to_be_visible()
        page.locator(f"#n-{found[0]['id']}").get_by_role("button", name="删除").click()
        page.goto(f"{base(draft)}/cards")
        expect(page.locator(".sqd-step-task")).to_have_count(before)
        page.get_by_role("button", name="撤销").click()
        expect(page.locator(".sqd-step-task")).to_have_count(before + 1)
        page.locator(".sqd-step-task", has_text="结束活动").click()
        page.keyboard.press("Delete")
        expect(page.locator(".sqd-step-task")).to_have_count(before)
        page.get_by_role("button", name="撤销").click()
        expect(page.locator(".sqd-step-task")).to_have_count(before + 1)
        lose_a_race(page, session, draft)


def test_lanes_named_by_numbers_keep_their_order(
    app: Flask, session: Session, draft: int, clerk: Staff
) -> None:
    row, rest = session.get_one(WorkflowDraft, draft), {"wait": {"days": 1}}
    lanes = [{"title": name, "nodes": [{"id": f"rest_{name}", **rest}]} for name in "21"]
    tree = [{"id": "both", "parallel": {}, "lanes": lanes}, {"id": "last", "title": "最后", **rest}]
    content = workflow_drafts.Content(row.name, row.description, tree)
    workflow_drafts.keep(session, row, content, revision=row.revision, said="并行")
    session.commit()
    with driven(app, session, clerk) as page:
        page.goto(f"{base(draft)}/cards")
        page.locator(".sqd-step-task", has_text="最后").click()
        with page.expect_response("**/arrange"):
            page.keyboard.press("Delete")
    assert kept(session, draft) == tree[:1]


def lose_a_race(page: Page, session: Session, draft: int) -> None:
    """Somebody else changes the draft; the next drag is told so and shows the tree as it is."""
    session.expire_all()
    row = session.get_one(WorkflowDraft, draft)
    content = workflow_drafts.Content(row.name, row.description, row.tree[:2])
    workflow_drafts.keep(session, row, content, revision=row.revision, said="别人改")
    session.commit()
    page.locator(".sqd-step-task", has_text="结束活动").click()
    page.keyboard.press("Delete")
    expect(page.locator("#cards-message")).to_contain_text("没有保存")
    expect(page.locator(".sqd-step-task")).to_have_count(2)
    assert len(kept(session, draft)) == 2


def insert(page: Page, before: str, what: str) -> None:
    """Insert by the list, by keyboard alone."""
    page.get_by_role("link", name=before).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name=what, exact=True).focus()
    page.keyboard.press("Enter")
    page.locator("#node-form").wait_for()


def save(page: Page) -> None:
    page.get_by_role("button", name="保存到草稿").click()
    page.wait_for_url(re.compile("#n-"))


def test_a_clerk_changes_the_survey_in_the_list(
    app: Flask, session: Session, draft: int, clerk: Staff
) -> None:
    make_customer(session, sensitivity="high")
    sensitive = {"field": "sensitivity", "op": "eq", "value": "high"}
    saved_segments.keep(session, None, {"name": "高敏客户", "condition": sensitive}, clerk)
    with driven(app, session, clerk) as page:
        page.goto(base(draft))
        assert serious_findings(page) == []
        choose_the_segment(page)
        ask_the_station_head(page)
        remind_again(page)
        visit_only_the_sensitive(page)
        assert serious_findings(page) == []
        expect(page.get_by_text("每一步都能执行")).to_be_visible()
        page.get_by_role("button", name="发布", exact=True).click()
        expect(page.get_by_text("已发布")).to_be_visible()
    check_published(session)


def choose_the_segment(page: Page) -> None:
    page.get_by_role("link", name="设置 1 选定客户").click()
    assert serious_findings(page) == []
    page.get_by_label("客户群").select_option(label="高敏客户")
    save(page)


def ask_the_station_head(page: Page) -> None:
    """Before printing the station's head approves; a branch follows the answer."""
    insert(page, "在 3.1「打印函件」之前", "人工处理")
    page.get_by_label("待办标题").fill("打印前审批名单")
    page.get_by_label("办理角色").select_option(label="供电所所长")
    page.get_by_label("办理意见 1 文字").fill("同意打印")
    save(page)
    expect(page.get_by_text("由“供电所所长”办理；意见：同意打印")).to_be_visible()


def remind_again(page: Page) -> None:
    """A second reminder by SMS after ten days."""
    insert(page, "在 3.6「登记未回复」之前", "等待")
    page.get_by_label("最多等待天数").fill("10")
    save(page)
    insert(page, "在 3.7「登记未回复」之前", "催复")
    page.get_by_label("电子邮件").uncheck()
    save(page)
    expect(page.locator("#n-remind_2")).to_contain_text("短信")


def visit_only_the_sensitive(page: Page) -> None:
    """Visits only for the customers of the segment."""
    page.get_by_role("link", name="设置 3.9 生成走访任务").click()
    page.get_by_label("客户群").select_option(label="高敏客户")
    save(page)
    expect(page.locator("#n-visits")).to_contain_text("客户群 高敏客户")


def check_published(session: Session) -> None:
    session.commit()
    session.expire_all()
    workflow = session.scalars(select(Workflow).where(Workflow.key == "contact_survey")).one()
    newest = workflows.newest(session, workflow)
    segment = session.scalars(select(SavedSegment)).one()
    assert newest is not None and newest.number == 2
    assert by_id(newest.tree, "select")["options"] == {"segment": segment.code}
    assert by_id(newest.tree, "visits")["options"] == {"segment": segment.code}
    assert by_id(newest.tree, "remind_2") == {
        "id": "remind_2",
        "step": "remind",
        "options": {"ways": ["sms"]},
    }
    order = [place.node["id"] for place in placed(newest.tree)]
    assert order.index("person") < order.index("print") and order.index("wait") < order.index("remind_2")


def test_the_list_is_the_editor_on_a_phone(app: Flask, session: Session, draft: int, clerk: Staff) -> None:
    with driven(app, session, clerk, size=NARROW) as page:
        for path in ("", "/insert?place=//0", "/nodes/returns", "/nodes/post", "/place?node=post"):
            page.goto(f"{base(draft)}{path}")
            assert serious_findings(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0], path
