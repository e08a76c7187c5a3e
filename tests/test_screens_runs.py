"""The page of a run and what needs a person: turns and lanes, failed items tried one by one, many mended at once."""

from __future__ import annotations

import json
import re

import pytest
from browsing import Browser, browse
from factories import make_campaign, make_customer, make_letter, make_staff, make_unit
from flask import Flask
from running import begin, go_on
from sqlalchemy import select
from sqlalchemy.orm import Session
from test_workflows_turns import BAD, PERSON, each, lanes, noted, noting, parts  # noqa: F401 a fixture

from models import Outgoing, Recipient, Run, Staff, Step, StepItem, Task, Workflow
from models.clock import utcnow
from services import task_lists, workflows
from services.letters import number_of
from workflows.node_states import node_states, turns_of


@pytest.fixture
def steward(app: Flask, session: Session) -> Browser:
    return browse(app, session, make_staff(session, "data_steward"))


def step_of(session: Session, run: Run, node: str) -> Step:
    return session.scalars(select(Step).where(Step.run_id == run.id, Step.node == node)).one()


def test_turns_of_a_list_stand_as_one(session: Session, shell: Staff) -> None:
    BAD["b"] = {2, 6}
    run = begin(session, shell, each(noting("a"), noting("b")))
    found = node_states(session, run)
    assert (found["1"].state, found["1"].failed, found["1.do.1"].turns) == ("done", 2, {"done": 3})
    assert (found["1.do.1"].items_done, found["1.do.1"].step) == (7, None)
    assert [(one.turn, one.states) for one in turns_of(session, run, "1")] == [
        (turn, {"done": 2}) for turn in ("3", "2", "1")
    ]


@pytest.mark.slow
def test_the_page_tells_lanes_turns_and_what_failed(session: Session, shell: Staff, steward: Browser) -> None:
    BAD["b"] = {2, 6}
    run = begin(session, shell, lanes([noting("x")], [noting("y")]), each(noting("a"), noting("b")))
    page = steward.get(f"/admin/runs/{run.id}").text
    for words in (
        "支路 1：",
        "3 批已完成",
        "2 项没有做成：",
        "第 2 项",
        "坏",
        "各批的情况",
        "只重做没做成的",
        "流程启动",
    ):
        assert words in page, words
    marks = json.loads(re.search(r"data-marks='([^']*)'", page)[1])
    assert (marks["node_2"]["mark"], marks["node_1_lane2_1"]["mark"]) == ("partly", "done")
    drawn = steward.get(f"/admin/runs/{run.id}/picture")
    assert drawn.mimetype == "application/xml" and 'id="node_2_do_1"' in drawn.text


@pytest.mark.slow
def test_one_failed_item_is_tried_again_alone(session: Session, shell: Staff, steward: Browser) -> None:
    BAD["b"] = {2, 6}
    run = begin(session, shell, each(noting("a"), noting("b")))
    BAD.clear()
    address = f"/admin/runs/{run.id}/items/{step_of(session, run, 'list').id}"
    failed = select(StepItem).where(StepItem.state == "failed", StepItem.item.is_(None))
    items = session.scalars(failed.order_by(StepItem.position)).all()
    assert "第 6 项" in steward.get(address).text
    assert steward.post(address, {"rowid": items[0].id}).status_code == 303
    assert (go_on(session, run).state, noted(session, run, "b")) == ("partly_failed", [1, 2, 3, 4, 5, 7])
    steward.post(address, {"rowid": items[1].id})
    assert (go_on(session, run).state, noted(session, run, "b")) == ("done", [1, 2, 3, 4, 5, 6, 7])
    assert "没有失败的项了" in steward.get(address).text


def test_failed_items_of_a_step_are_tried_again_alone(
    session: Session, shell: Staff, steward: Browser
) -> None:
    BAD["a"] = {0}
    run = begin(session, shell, noting("a"), noting("c"))
    BAD.clear()
    step = step_of(session, run, "a")
    item = session.scalars(select(StepItem.id).where(StepItem.step_id == step.id)).one()
    steward.post(f"/admin/runs/{run.id}/items/{step.id}", {"rowid": item})
    assert (go_on(session, run).state, noted(session, run, "a"), noted(session, run, "c")) == (
        "done",
        [0],
        [0],
    )
    steward.post(f"/admin/runs/{run.id}/items/{step.id}", {"rowid": item})
    assert "已经重试" in steward.get(f"/admin/runs/{run.id}").text
    assert steward.get(f"/admin/runs/{run.id + 1}/items/{step.id}").status_code == 404


def test_a_run_outlives_its_workflow(session: Session, shell: Staff, steward: Browser) -> None:
    run = begin(session, shell, noting("a"))
    workflows.remove(session, session.get_one(Workflow, run.workflow_id))
    page = steward.get(f"/admin/runs/{run.id}")
    assert page.status_code == 200 and "流程已删除" in page.text
    assert steward.get(f"/admin/runs/{run.id}/picture").status_code == 200


@pytest.mark.slow
def test_picked_runs_are_tried_again_at_once(session: Session, shell: Staff, steward: Browser) -> None:
    BAD["a"] = set()
    broken = [begin(session, shell, noting("a", refuse=True)) for _ in range(3)]
    page = steward.get("/admin/attention/?workflow=test").text
    assert page.count("机器坏了。") == 3 and "从这一步接着做" in page
    BAD.clear()
    steward.post("/admin/attention/retry", {"rowid": [str(run.id) for run in broken[:2]]})
    assert [go_on(session, run).state for run in broken] == ["done", "done", "failed"]


def test_a_dead_step_is_skipped_with_a_reason_that_stays(
    session: Session, shell: Staff, steward: Browser
) -> None:
    BAD["a"] = set()
    run = begin(session, shell, noting("a", refuse=True), noting("c"))
    step = step_of(session, run, "a").id
    steward.post("/admin/attention/skip", {"step": step, "reason": " "})
    assert session.scalars(select(Step.state).where(Step.id == step)).one() == "dead"
    steward.post("/admin/attention/skip", {"step": step, "reason": "不用做了"})
    assert go_on(session, run).state == "partly_failed"
    assert "不用做了" in steward.get(f"/admin/runs/{run.id}").text
    assert "试验" not in steward.get("/admin/attention/").text.partition("<main")[2].partition("</select>")[2]


def test_many_sendings_are_settled_at_once(
    app: Flask, session: Session, shell: Staff, steward: Browser
) -> None:
    run = begin(session, shell, noting("a"))
    step = step_of(session, run, "a")
    rows = [
        Outgoing(key=f"发-{n}", channel="folder", step_id=step.id, state="unknown", created_at=utcnow())
        for n in range(3)
    ]
    session.add_all(rows)
    session.flush()
    keys = [str(row.id) for row in rows]
    away = browse(app, session, make_staff(session, "data_steward", make_unit(session)))
    away.post("/admin/attention/settle", {"rowid": keys, "went_out": "yes"})
    steward.post("/admin/attention/settle", {"rowid": keys[:1], "went_out": "no"})
    steward.post("/admin/attention/settle", {"rowid": keys[1:], "went_out": "yes"})
    assert session.scalars(select(Outgoing.state).order_by(Outgoing.id)).all() == ["ready", "done", "done"]


@pytest.mark.parametrize("verb", ["retry", "skip", "settle"])
def test_who_only_looks_mends_nothing(app: Flask, session: Session, verb: str) -> None:
    auditor = browse(app, session, make_staff(session, "auditor"))
    assert auditor.post(f"/admin/attention/{verb}", {"rowid": "1"}).status_code == 403


def test_letters_that_lack_signs_or_ends_or_came_back_are_told_with_their_customers(
    session: Session, shell: Staff, steward: Browser
) -> None:
    run = begin(session, shell, noting("a"))
    campaign = make_campaign(session)
    campaign.run_id = run.id
    back, lacking, cut = (make_letter(session, make_customer(session), campaign) for _ in range(3))
    back.state, back.undelivered_reason = "undelivered", "moved"
    cuts = [f"{number_of(cut)} {text}" for text in ("某供电所的长 名…", "某区…")]
    run.facts = {**run.facts, "print": {"missing": [f"{number_of(lacking)} 𰻝"], "cut": cuts}}
    page = (
        steward.get(f"/admin/runs/{run.id}")
        .text.partition('id="failed-letters"')[2]
        .partition("</section>")[0]
    )
    for words in (
        "退信：迁移新址不明",
        "缺字：𰻝",
        "没有印全：某供电所的长 名…、某区…",
        number_of(lacking),
        number_of(cut),
        f"/admin/customers/{back.customer_id}",
    ):
        assert words in page
    assert page.index("缺字") < page.index("没有印全") < page.index("退信：")


@pytest.mark.parametrize(("state", "then"), [("running", "点“补发”"), ("closed", "下一次活动会选到")])
def test_what_to_do_about_an_address_depends_on_whether_the_campaign_runs(
    session: Session, shell: Staff, steward: Browser, state: str, then: str
) -> None:
    campaign = make_campaign(session)
    run = begin(session, shell, noting("a"))
    campaign.run_id, campaign.state = run.id, state
    left_out = make_customer(session)
    facts = {"customer_id": left_out.id, "unit_id": left_out.unit_id, "exclusion": "doubtful_address"}
    session.add(Recipient(campaign_id=campaign.id, **facts))
    page = steward.get(f"/admin/runs/{run.id}").text
    assert "没有可用的地址" in page and then in page and ("补发" in page) == (state == "running")


def test_a_task_is_linked_only_for_whoever_may_open_it(
    app: Flask, session: Session, shell: Staff, steward: Browser
) -> None:
    clerk = make_staff(session, "clerk")
    run = begin(
        session,
        shell,
        {"id": "ask", "person": {**PERSON, "permission": "", "to": "staff", "staff": [clerk.username]}},
    )
    session.commit()
    link = f'href="/admin/tasks/{session.scalars(select(Task.id)).one()}"'
    assert "待办：办" in steward.get(f"/admin/runs/{run.id}").text
    assert link not in steward.get(f"/admin/runs/{run.id}").text
    tasks = set(session.scalars(select(Task.id)))
    assert task_lists.readable(session, clerk, list(tasks)) == tasks
