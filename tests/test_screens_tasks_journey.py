"""A task is decided in a real browser and its run's page moves on by itself; both pages are accessible."""

from __future__ import annotations

import pytest
from driving import NARROW, driven, serious_findings
from factories import make_staff
from flask import Flask
from needs import needs_chromium
from playwright.sync_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Run, Staff
from services import workflows
from services.workflows import Definition
from workflows import engine, runs

pytestmark = [pytest.mark.slow, pytest.mark.browser, needs_chromium]

LOOK = {
    "title": "审核名单",
    "permission": "notices.review",
    "choices": [{"code": "agree", "label": "同意"}, {"code": "return", "label": "退回"}],
    "due_days": 1,
    "phrases": [{"text": "情况属实"}],
    "fields": [{"code": "doors", "label": "抽查户数", "kind": "number", "required": True}],
}
TREE = [{"id": "look", "person": LOOK}, {"id": "pause", "wait": {"days": 3}}]


@pytest.fixture
def run_id(session: Session, shell: Staff) -> int:
    """A run that waits for a person and then for three days."""
    workflows.publish(session, Definition("look", "审核流程", "", "workflows.start", TREE, ""), shell)
    made = runs.start(session, "look", {}, shell).id
    session.commit()
    engine.drain()
    return made


def test_a_task_is_decided_and_the_run_moves_on(app: Flask, session: Session, run_id: int) -> None:
    make_staff(session, "team_leader")
    with driven(app, session, make_staff(session, "team_leader"), size=NARROW) as page:
        page.goto("/admin/")
        page.get_by_role("link", name="审核名单").click()
        assert not serious_findings(page)
        page.get_by_role("button", name="认领").click()
        expect(page.get_by_role("heading", name="办理记录")).to_be_visible()
        page.get_by_text("转办、加签").click()
        assert not serious_findings(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW[0]
        page.get_by_label("同意").check()
        page.get_by_label("抽查户数").fill("12")
        page.get_by_label("常用语").select_option("情况属实")
        page.get_by_label("说明").fill("名单已核对")
        page.get_by_role("button", name="办结").click()
        expect(page.get_by_text("没有待办，都办完了。")).to_be_visible()
        page.get_by_role("link", name="我已办").click()
        page.get_by_role("link", name="审核名单").click()
        expect(page.get_by_text("情况属实 名单已核对").first).to_be_visible()
        page.goto("/admin/delegations/")
        assert not serious_findings(page)
    with driven(app, session, make_staff(session, "data_steward")) as page:
        page.goto(f"/admin/runs/{run_id}")
        expect(page.locator("#run")).to_contain_text("进行中")
        engine.drain()
        expect(page.locator("#run .node").nth(1)).to_contain_text("期限", timeout=8000)
        expect(page.locator("#run")).to_contain_text("名单已核对")
        assert not serious_findings(page)
    assert session.scalars(select(Run.state)).one() == "waiting"
