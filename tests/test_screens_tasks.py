"""The inbox and the page of a task in the browser: boxes, acts with words, many at once, standing in for another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from browsing import browse
from factories import make_staff
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Delegation, Run, Staff, Task
from models.clock import today
from services.workflows import Definition, publish
from workflows import engine, runs

CHOICES = [{"code": "agree", "label": "同意"}, {"code": "return", "label": "退回"}]
LOOK = {"title": "审核名单", "role": "team_leader", "choices": CHOICES, "due_days": 1}
ASKED = {
    "phrases": [{"text": "情况属实"}],
    "fields": [{"code": "doors", "label": "户数", "kind": "number", "required": True}],
}


@pytest.fixture
def leader(session: Session) -> Staff:
    return make_staff(session, "team_leader")


def begun(session: Session, shell: Staff, *persons: dict[str, Any], times: int = 1) -> list[Task]:
    """Runs of a workflow with these persons, each at its first task."""
    nodes = [{"id": f"p{number}", "person": LOOK | one} for number, one in enumerate(persons, 1)]
    publish(session, Definition("look", "审核流程", "", "workflows.start", nodes, ""), shell)
    session.info["actor_id"] = shell.id
    for _number in range(times):
        runs.start(session, "look", {}, shell)
    session.commit()
    engine.drain()
    return list(session.scalars(select(Task).order_by(Task.id)))


def test_the_inbox_has_three_boxes_with_counts(
    app: Flask, session: Session, shell: Staff, leader: Staff
) -> None:
    task = begun(session, shell, {})[0]
    browser = browse(app, session, leader)
    page = browser.get("/admin/tasks/?workflow=look&due=week").text
    assert f"/admin/tasks/{task.id}" in page and '待我办理 <span class="count">1</span>' in page
    assert f"/admin/tasks/{task.id}" not in browser.get("/admin/tasks/?due=late").text
    browser.post(f"/admin/tasks/{task.id}/decide", {"choice": "agree"})
    page = browser.get("/admin/tasks/?box=done").text
    assert (
        '我已办 <span class="count">1</span>' in page
        and "同意" in page
        and "没有待办" in browser.get("/admin/tasks/").text
    )


def test_a_mistake_in_the_form_keeps_what_was_typed(
    app: Flask, session: Session, shell: Staff, leader: Staff
) -> None:
    task = begun(session, shell, ASKED)[0]
    browser = browse(app, session, leader)
    answer = browser.post(
        f"/admin/tasks/{task.id}/decide", {"choice": "agree", "doors": "三", "note": "已看"}
    )
    assert (
        answer.status_code == 422 and "「户数」要填数字" in answer.text and ">已看</textarea>" in answer.text
    )
    filled = {"choice": "agree", "doors": "3", "phrase": "情况属实", "note": "已看"}
    assert browser.post(f"/admin/tasks/{task.id}/decide", filled).status_code == 303
    session.refresh(task)
    assert (task.answers, task.note) == ({"doors": 3}, "情况属实 已看")


@pytest.mark.slow
def test_what_one_does_with_a_task_stands_in_its_history(
    app: Flask, session: Session, shell: Staff, leader: Staff
) -> None:
    task, other = begun(session, shell, {}, {})[0], make_staff(session, "team_leader")
    browser, second = browse(app, session, leader), browse(app, session, other)
    for given in ({"act": "claim"}, {"act": "ask_before", "to": other.id, "note": "您先看"}):
        assert browser.post(f"/admin/tasks/{task.id}/act", given).status_code == 303
    second.post(f"/admin/tasks/{task.id}/decide", {"choice": "return", "note": "号码不全"})
    page = browser.get(f"/admin/tasks/{task.id}").text
    for words in ("认领", "请人先看", f"→ {other.name}", "会签意见 · 退回", "号码不全"):
        assert words in page
    browser.post(f"/admin/tasks/{task.id}/decide", {"choice": "agree"})
    engine.drain()
    late = session.scalars(select(Task.id).where(Task.state == "open")).one()
    back = {"act": "send_back", "to": task.id, "note": "再看一遍"}
    assert second.post(f"/admin/tasks/{late}/act", back).status_code == 303
    assert "重新办理" in browser.get(f"/admin/tasks/{task.id}").text
    assert "已退回前面环节" in second.get("/admin/tasks/?box=done").text


def test_a_leader_gives_the_task_of_a_switched_off_account_away(
    app: Flask, session: Session, shell: Staff, leader: Staff
) -> None:
    holder = make_staff(session, "clerk")
    task = begun(session, shell, {"role": "", "to": "staff", "staff": [holder.username]})[0]
    page = browse(app, session, leader)
    assert page.get(f"/admin/tasks/{task.id}").status_code == 404
    holder.active = False
    session.commit()
    assert "办理人已停用，请改派" in page.get("/admin/tasks/").text
    told = page.get(f"/admin/tasks/{task.id}").text
    assert f"{holder.name}的账号已停用" in told and "/decide" not in told
    page.post(f"/admin/tasks/{task.id}/act", {"act": "reassign", "to": str(leader.id), "note": "已离职"})
    told = page.get(f"/admin/tasks/{task.id}").text
    assert "改派" in told and "/decide" in told and "账号已停用" not in told


def test_alike_tasks_are_decided_together_and_the_rest_is_listed(
    app: Flask, session: Session, shell: Staff, leader: Staff
) -> None:
    rows = begun(session, shell, {}, times=3)
    browser = browse(app, session, leader)
    chosen = {"rowid": [row.id for row in rows]}
    assert "一起办理 3 项" in browser.post("/admin/tasks/together", chosen).text
    rows[1].not_by = [leader.id]
    answer = browser.post("/admin/tasks/together", chosen | {"choice": "agree"})
    assert "没有办成的待办" in answer.text and "另一个人办理" in answer.text
    for row in rows:
        session.refresh(row)
    assert [row.state for row in rows] == ["done", "open", "done"]


@pytest.mark.slow
def test_who_stands_in_decides_in_the_others_name(
    app: Flask, session: Session, shell: Staff, leader: Staff
) -> None:
    task, clerk, day = begun(session, shell, {})[0], make_staff(session), today(session)
    browser, stand_in = browse(app, session, leader), browse(app, session, clerk)
    assert stand_in.get(f"/admin/tasks/{task.id}").status_code == 404
    away = {"to": clerk.id, "since": str(day), "until": str(day + timedelta(days=1)), "reason": "休假"}
    browser.post("/admin/delegations/new", away)
    assert "休假" in stand_in.get("/admin/delegations/").text
    stand_in.post(f"/admin/tasks/{task.id}/decide", {"choice": "agree"})
    assert f"{clerk.name} 代 {leader.name}" in browser.get(f"/admin/tasks/{task.id}").text
    key = session.scalars(select(Delegation.id)).one()
    assert stand_in.post(f"/admin/delegations/{key}/end").status_code == 404
    assert browser.post(f"/admin/delegations/{key}/end").status_code == 303


def test_the_starter_takes_a_run_back(app: Flask, session: Session, shell: Staff) -> None:
    task = begun(session, shell, {})[0]
    task.starter_id = make_staff(session, "data_steward").id
    browser = browse(app, session, session.get_one(Staff, task.starter_id))
    assert "撤回" in browser.get(f"/admin/tasks/{task.id}").text
    browser.post(f"/admin/tasks/{task.id}/act", {"act": "withdraw", "note": "写错了"})
    assert session.scalars(select(Run.state)).one() == "cancelled"
