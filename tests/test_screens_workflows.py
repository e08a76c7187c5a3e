"""Workflows, runs and tasks in the browser: started, watched, decided, mended; nobody reaches another unit's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any, Literal

import pytest
from browsing import browse
from factories import make_campaign, make_staff, make_unit
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Outgoing, Run, Step, Task, Workflow
from models.clock import utcnow
from screens import pickers
from screens.pages import workflows as pages
from services import Refused, workflows
from services.workflows import Definition
from workflows import STEPS, engine
from workflows.steps import Effects, Facts, Options, Planned, StepKind, asked


class Pick(Options):
    """Options of every kind a start form knows."""

    limit: int = asked("最多户数", 10, ge=1)
    name: str = asked("名称", min_length=1)
    kinds: tuple[Literal["a", "b"], ...] = asked("各种", ("a", "b"), labels={"a": "甲种", "b": "乙种"})
    strict: bool = asked("严格核对", True)


TREE: list[dict[str, Any]] = [
    {"id": "one", "step": "pick"},
    {
        "id": "look",
        "person": {
            "title": "看一看",
            "permission": "notices.review",
            "choices": [{"code": "ok", "label": "没有问题"}, {"code": "no", "label": "有问题"}],
            "due_days": 2,
        },
    },
    {
        "id": "fine",
        "branch": {"field": "look.choice", "op": "eq", "value": "ok"},
        "yes": [{"id": "stop", "step": "refuse"}],
    },
]


def plan_pick(session: Session, options: Any, facts: Facts) -> Planned:
    return Planned([{"n": 1}])


def pick(options: Pick, facts: Facts, items: Sequence[Any]) -> Effects:
    return Effects(summary={"found": options.limit, "kinds": list(options.kinds), "strict": options.strict})


def refuse(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
    raise Refused("打印机没有纸。请加纸后重试。")


@pytest.fixture(autouse=True)
def kept(session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A workflow with a step, a person, a branch and a step that fails; its id."""
    monkeypatch.setitem(
        STEPS, "pick", StepKind("挑选客户", plan_pick, pick, Pick, results={"found": "找到的客户"})
    )
    monkeypatch.setitem(STEPS, "refuse", StepKind("打印", plan_pick, refuse))
    row = workflows.publish(session, Definition("look", "看一看流程", "试验", "notices.edit", TREE, ""), None)
    session.commit()
    yield row.id


FORM = {"one.limit": "7", "one.name": "秋季", "one.kinds": "b"}


def started(app: Flask, session: Session, kept: int) -> int:
    """A run begun by a service specialist in the browser, up to its task."""
    browser = browse(app, session, make_staff(session, "service_specialist"))
    answer = browser.post(f"/admin/workflows/{kept}/start", FORM)
    assert answer.status_code == 303
    run_id = int(answer.headers["Location"].rpartition("/")[2])
    engine.drain()
    return run_id


def test_a_definition_reads_as_a_numbered_list(app: Flask, session: Session, kept: int) -> None:
    page = browse(app, session, make_staff(session, "auditor")).get(f"/admin/workflows/{kept}").text
    for words in (
        "挑选客户",
        "如果「看一看」的意见等于 没有问题",
        "没有问题 / 有问题",
        "2 个工作日内办理",
        '<span class="place">3.1</span>',
    ):
        assert words in page


def test_a_run_is_started_from_the_form_of_its_steps(app: Flask, session: Session, kept: int) -> None:
    browser = browse(app, session, make_staff(session, "service_specialist"))
    page = browser.get(f"/admin/workflows/{kept}/start").text
    assert 'name="one.limit"' in page and 'value="10"' in page and "甲种" in page
    run_id = started(app, session, kept)
    run = session.get_one(Run, run_id)
    assert (run.title, run.facts["one"]["found"], run.facts["one"]["kinds"]) == (
        "看一看流程 · 秋季",
        7,
        ["b"],
    )
    assert run.facts["one"]["strict"] is False
    page = browser.get(f"/admin/runs/{run_id}").text
    assert "找到的客户" in page and "等待中" in page


def test_the_start_form_says_which_step_asks_and_which_task_nobody_could_do(
    app: Flask, session: Session, kept: int
) -> None:
    browser = browse(app, session, make_staff(session, "service_specialist"))
    page = browser.get(f"/admin/workflows/{kept}/start").text
    assert '<h2 class="part">1 挑选客户</h2>' in page
    assert "「看一看」：没有人能办理" in page
    make_staff(session, "data_steward")
    session.commit()
    assert "没有人能办理" not in browser.get(f"/admin/workflows/{kept}/start").text


def test_a_mistake_in_the_start_form_keeps_what_was_typed(app: Flask, session: Session, kept: int) -> None:
    browser = browse(app, session, make_staff(session, "service_specialist"))
    answer = browser.post(f"/admin/workflows/{kept}/start", FORM | {"one.limit": "0"})
    assert answer.status_code == 422
    assert "「最多户数」不能小于 1" in answer.text and 'value="秋季"' in answer.text
    assert session.scalar(select(Run.id)) is None


def test_only_those_with_the_permission_start_a_workflow(app: Flask, session: Session, kept: int) -> None:
    browser = browse(app, session, make_staff(session, "data_steward"))
    assert (
        "发起"
        not in browser.get(f"/admin/workflows/{kept}").text.partition("heading")[2].partition("columns")[0]
    )
    browser.post(f"/admin/workflows/{kept}/start", FORM)
    assert session.scalar(select(Run.id)) is None


@pytest.mark.slow
def test_a_task_is_decided_once_and_moves_its_run(app: Flask, session: Session, kept: int) -> None:
    run_id = started(app, session, kept)
    leader = make_staff(session, "team_leader")
    browser = browse(app, session, leader)
    task_id = session.scalars(select(Task.id)).one()
    assert "看一看" in browser.get("/admin/").text
    assert f"/admin/tasks/{task_id}" in browser.get("/admin/tasks/").text
    page = browser.get(f"/admin/tasks/{task_id}").text
    assert "没有问题" in page and "找到的客户" in page
    assert (
        browser.post(f"/admin/tasks/{task_id}/decide", {"choice": "no", "note": "号码不全"}).status_code
        == 303
    )
    engine.drain()
    assert session.scalars(select(Run.state).where(Run.id == run_id)).one() == "done"
    assert "有问题" in browser.get("/admin/tasks/?box=done").text
    assert "号码不全" in browser.get(f"/admin/tasks/{task_id}").text


def test_whoever_decides_opens_the_list_behind_the_counts(app: Flask, session: Session, kept: int) -> None:
    run_id = started(app, session, kept)
    campaign = make_campaign(session)
    campaign.run_id = run_id
    session.commit()
    head = browse(app, session, make_staff(session, "data_steward"))
    page = head.get(f"/admin/tasks/{session.scalars(select(Task.id)).one()}").text
    assert f'href="/admin/campaigns/{campaign.id}/recipients"' in page


def test_an_owner_is_found_among_many_by_what_is_typed(
    app: Flask, session: Session, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (pages, pickers):
        monkeypatch.setattr(module, "PEOPLE_LISTED", 2)
    unit = make_unit(session)
    people = [make_staff(session, "clerk", unit) for _number in range(3)]
    browser = browse(app, session, make_staff(session, "administrator"))
    address = f"/admin/workflows/{kept}"
    found = browser.get(f"{address}?sought={people[2].username}").text
    assert [f'<option value="{one.id}"' in found for one in people] == [False, False, True]
    assert "查找" in browser.get(address).text
    browser.post(f"{address}/owner", {"owner": people[2].id})
    assert f'<option value="{people[2].id}" selected' in browser.get(f"{address}?sought={people[0].username}").text


def test_strangers_units_and_roles_see_no_task(app: Flask, session: Session, kept: int) -> None:
    started(app, session, kept)
    task_id = session.scalars(select(Task.id)).one()
    for staff in (make_staff(session, "team_leader", make_unit(session)), make_staff(session, "clerk")):
        browser = browse(app, session, staff)
        assert browser.get(f"/admin/tasks/{task_id}").status_code == 404
        assert browser.post(f"/admin/tasks/{task_id}/decide", {"choice": "ok"}).status_code == 404
    assert session.scalars(select(Task.state)).all() == ["open"]


@pytest.mark.slow
def test_a_failed_run_says_why_and_is_mended(app: Flask, session: Session, kept: int) -> None:
    run_id = started(app, session, kept)
    browse(app, session, make_staff(session, "team_leader")).post(
        f"/admin/tasks/{session.scalars(select(Task.id)).one()}/decide", {"choice": "ok"}
    )
    engine.drain()
    steward = browse(app, session, make_staff(session, "data_steward"))
    for address in (f"/admin/runs/{run_id}", "/admin/attention/"):
        assert "打印机没有纸。请加纸后重试。" in steward.get(address).text
    assert "需要处理 1 项" in steward.get("/admin/runs/?state=failed").text
    assert steward.post(f"/admin/runs/{run_id}/retry").status_code == 303
    engine.drain()
    steward.post(f"/admin/runs/{run_id}/skip", {"reason": "不用打印"})
    engine.drain()
    assert session.scalars(select(Run.state)).one() == "partly_failed"


@pytest.mark.parametrize("verb", ["retry", "skip", "pause", "resume", "cancel"])
def test_who_only_looks_changes_no_run(app: Flask, session: Session, kept: int, verb: str) -> None:
    run_id = started(app, session, kept)
    assert (
        browse(app, session, make_staff(session, "auditor")).post(f"/admin/runs/{run_id}/{verb}").status_code
        == 403
    )
    away = browse(app, session, make_staff(session, "data_steward", make_unit(session)))
    assert away.get(f"/admin/runs/{run_id}").status_code == 404
    assert away.post(f"/admin/runs/{run_id}/{verb}", {"reason": "x"}).status_code == 404


def test_a_run_is_paused_resumed_and_cancelled(app: Flask, session: Session, kept: int) -> None:
    run_id = started(app, session, kept)
    steward = browse(app, session, make_staff(session, "data_steward"))
    found = []
    for verb in ("pause", "resume", "cancel"):
        steward.post(f"/admin/runs/{run_id}/{verb}", {"reason": "不做了"})
        found.append(session.scalars(select(Run.state)).one())
    assert found == ["paused", "waiting", "cancelled"]
    assert session.scalars(select(Task.state)).all() == ["cancelled"]


def test_an_unknown_sending_is_settled_within_ones_scope_only(
    app: Flask, session: Session, kept: int
) -> None:
    run_id = started(app, session, kept)
    step = session.scalars(select(Step).where(Step.run_id == run_id, Step.node == "look")).one()
    row = Outgoing(key="信函-1", channel="folder", step_id=step.id, state="unknown", created_at=utcnow())
    session.add(row)
    session.flush()
    key = row.id
    away = browse(app, session, make_staff(session, "data_steward", make_unit(session)))
    assert "信函-1" not in away.get("/admin/attention/").text
    assert away.post("/admin/attention/settle", {"rowid": key, "went_out": "yes"}).status_code == 303
    steward = browse(app, session, make_staff(session, "data_steward"))
    assert "信函-1" in steward.get("/admin/attention/").text
    assert steward.post("/admin/attention/settle", {"rowid": key, "went_out": "yes"}).status_code == 303
    assert session.scalars(select(Outgoing.state)).one() == "done"


def test_a_file_too_large_is_not_brought_in_by_half(
    app: Flask, session: Session, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "BIGGEST", 80)
    admin = browse(app, session, make_staff(session, "administrator"))
    text = 'key = "mine"\nname = "自己的"\n[[nodes]]\nid = "one"\nstep = "pick"\n' + "# \n" * 40
    admin.post("/admin/workflows/import", {"file": (BytesIO(text.encode()), "mine.toml")})
    assert workflows.by_key(session, "mine") is None
    assert "文件太大" in admin.get("/admin/workflows/").text


def test_who_may_only_edit_gives_nobody_rights(app: Flask, session: Session, kept: int) -> None:
    editor = make_staff(session, "service_specialist")
    page, row = browse(app, session, editor), session.get_one(Workflow, kept)
    posts = [("switch", {"enabled": "0"}), ("owner", {"owner": str(editor.id)}), ("allow", {"start": "clerk"})]
    for act, given in posts:
        page.post(f"/admin/workflows/{kept}/{act}", given)
    session.refresh(row)
    assert (row.enabled, row.owner_id, row.starters) == (True, None, [])
    row.owner_id = editor.id
    session.commit()
    page.post(f"/admin/workflows/{kept}/allow", {"start": "clerk"})
    session.refresh(row)
    assert row.starters == ["clerk"]


def test_an_administrator_switches_owns_and_imports(app: Flask, session: Session, kept: int) -> None:
    admin = browse(app, session, make_staff(session, "administrator"))
    owner = make_staff(session, "service_specialist")
    admin.post(f"/admin/workflows/{kept}/switch", {"enabled": "0"})
    admin.post(f"/admin/workflows/{kept}/owner", {"owner": str(owner.id)})
    row = session.get_one(Workflow, kept, populate_existing=True)
    assert (row.enabled, row.owner_id) == (False, owner.id)
    text = 'key = "mine"\nname = "自己的"\n[[nodes]]\nid = "one"\nstep = "pack"\n'
    answer = admin.post("/admin/workflows/import", {"text": text})
    assert answer.status_code == 422 and "没有步骤「pack」" in answer.text
    assert admin.post("/admin/workflows/import", {"text": text.replace("pack", "pick")}).status_code == 303
    assert workflows.by_key(session, "mine") is not None
