"""`workflow` as outsiders call it: fields, exit codes, messages."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from factories import ADDRESS, make_campaign, make_contact, make_customer, make_staff
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

import screens.commands as commands
from models import Letter, Outgoing, Recipient, Run, Step
from models.clock import utcnow
from screens.commands import workflows as command
from services import Refused, health
from workflows import STEPS, engine
from workflows.steps import Effects, Facts, Options, Planned, StepKind, asked

TEXT = """
key = "small"
name = "小流程"
[[nodes]]
id = "one"
step = "pick"
[[nodes]]
id = "look"
person = { title = "看一看", permission = "notices.review", choices = [{ code = "ok", label = "好" }] }
"""
Play = Callable[..., tuple[int, dict[str, Any]]]


class Pick(Options):
    """What the test step asks."""

    limit: int = asked("最多户数", 10, ge=1)


def plan_pick(session: Session, options: Pick, facts: Facts) -> Planned:
    return Planned([{"n": 1}])


def pick(options: Pick, facts: Facts, items: Sequence[Any]) -> Effects:
    if options.limit == 13:
        raise Refused("数量不吉利。请换一个。")
    return Effects(summary={"found": options.limit})


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def play(
    core: Flask, session: Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Play:
    """Run a command line against the test database, with the test step; exit code and what `--json` printed."""
    monkeypatch.setitem(STEPS, "pick", StepKind("挑选", plan_pick, pick, Pick, results={"found": "找到"}))

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        session.commit()
        code = commands.main(["workflow", *words, "--json"], lambda: core)
        session.expire_all()
        return code, json.loads(capsys.readouterr().out or "{}")

    return run


@pytest.fixture
def small(play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workflow of this file, and a queue server that answers; waiting means that a worker works."""
    path = tmp_path / "small.toml"
    path.write_text(TEXT, "utf-8")
    assert play("import", str(path)) == (0, {"key": "small", "name": "小流程", "version": 1, "enabled": True})
    monkeypatch.setattr(health, "require_queue", lambda _app: None)
    monkeypatch.setattr(command.time, "sleep", lambda _seconds: engine.drain())


def test_list_names_the_seeded_workflows(play: Play) -> None:
    code, told = play("list")
    keys = {row["key"]: row for row in told["workflows"]}
    assert code == 0 and set(keys["contact_survey"]) == {"key", "name", "version", "enabled"}
    assert {
        "contact_survey",
        "labour_competition",
        "door_to_door",
        "assessment_notice",
        "import_file",
    } <= set(keys)


def test_start_returns_at_once_and_show_tells_how_it_stands(play: Play, small: None) -> None:
    code, told = play("start", "small", "--set", "one.limit=7")
    assert (code, told["state"], told["nodes"][0]["state"]) == (0, "running", "ready")
    engine.drain()
    code, told = play("show", str(told["run"]))
    assert (code, told["state"]) == (0, "waiting")
    one, look = told["nodes"]
    assert (one["path"], one["step"], one["state"], one["attempt"], one["result"]["found"]) == (
        "1",
        "pick",
        "done",
        1,
        7,
    )
    assert (look["step"], look["state"], bool(one["started"]), look["error"]) == (
        "person",
        "waiting",
        True,
        "",
    )


LANES = """
[[nodes]]
id = "both"
parallel = {}
[[nodes.lanes]]
title = "甲"
nodes = [{ id = "left", step = "pick" }]
[[nodes.lanes]]
title = "乙"
nodes = [{ id = "right", step = "pick" }]
[[nodes]]
id = "all"
each = { list = "units" }
[[nodes.do]]
id = "enough"
branch = { field = "item.code", op = "eq", value = "x" }
yes = [{ id = "rest", wait = { days = 1 } }]
"""


@pytest.mark.slow
def test_show_tells_lanes_lists_and_turns(play: Play, small: None, tmp_path: Path) -> None:
    path = tmp_path / "lanes.toml"
    path.write_text(TEXT.replace("small", "lanes").partition("[[nodes]]")[0] + LANES, "utf-8")
    assert play("import", str(path))[0] == 0
    _code, told = play("start", "lanes", "--wait")
    nodes = {node["path"]: node for node in told["nodes"]}
    assert [lane["path"] for lane in nodes["1"]["lanes"]] == ["1.lane1", "1.lane2"]
    assert (nodes["2"]["items"], nodes["2.do.1"]["turns"]) == (
        {"total": 1, "done": 1, "failed": 0},
        {"done": 1},
    )
    assert {"state", "attempt", "started", "ended", "result", "error"} <= set(nodes["2.do.1"])


def test_wait_follows_to_the_next_pause(play: Play, small: None) -> None:
    code, told = play("start", "small", "--wait")
    assert (code, told["state"], told["ok"]) == (0, "waiting", True)


@pytest.mark.slow
def test_a_failed_run_ends_with_one_and_is_retried(play: Play, small: None, session: Session) -> None:
    code, told = play("start", "small", "--set", "one.limit=13", "--wait")
    assert (code, told["state"], told["message"]) == (1, "failed", "数量不吉利。请换一个。")
    row = session.get_one(Run, told["run"])
    row.tree = [{**node, "options": {"limit": 5}} if node["id"] == "one" else node for node in row.tree]
    code, told = play("retry", str(told["run"]), "--wait")
    assert (code, told["state"]) == (0, "waiting")


@pytest.mark.slow
def test_a_failed_step_is_skipped_with_a_reason(play: Play, small: None, session: Session) -> None:
    run = str(play("start", "small", "--set", "one.limit=13", "--wait")[1]["run"])
    for words, message in ((("2", "--reason", "x"), "没有要处理的步骤"), (("1", "--reason", " "), "请填写跳过的原因")):
        code, told = play("skip", run, *words)
        assert code == 1 and message in told["error"]
    code, told = play("skip", run, "1", "--reason", "数据已另行核对")
    assert (code, told["nodes"][0]["state"]) == (0, "skipped") and "数据已另行核对" in told["nodes"][0]["error"]
    assert play("retry", run, "--wait")[0] == 1
    engine.drain()
    assert play("show", run)[1]["state"] == "waiting"


@pytest.mark.slow
@pytest.mark.parametrize(("said", "state"), [("--sent", "done"), ("--not-sent", "ready")])
def test_a_sending_nobody_knows_of_is_settled(
    play: Play, small: None, session: Session, said: str, state: str
) -> None:
    run = play("start", "small", "--wait")[1]["run"]
    step = session.scalars(select(Step).where(Step.run_id == run, Step.path == "1")).one()
    step.state = "unknown"
    sending = Outgoing(key="k1", channel="sms", step_id=step.id, state="unknown", created_at=utcnow())
    session.add(sending)
    code, told = play("settle", str(run), "1", said)
    assert (code, told["settled"], told["run"]) == (0, 1, run)
    assert session.scalars(select(Outgoing)).one().state == state
    assert play("settle", str(run), "1", said)[0] == 1


@pytest.mark.slow
def test_a_letter_is_made_late_for_whoever_has_an_address_again(
    play: Play, small: None, session: Session
) -> None:
    run, campaign = play("start", "small", "--wait")[1]["run"], make_campaign(session)
    campaign.run_id, late = run, make_customer(session)
    make_contact(session, late, "supply_address", raw=ADDRESS, value=ADDRESS)
    facts = {"customer_id": late.id, "unit_id": late.unit_id, "exclusion": "doubtful_address"}
    session.add(Recipient(campaign_id=campaign.id, **facts))
    words = ("letter", str(run), late.account_no)
    assert "没有这项操作的权限" in play(*words, "--as", make_staff(session, "auditor").username)[1]["error"]
    code, told = play(*words)
    assert (code, told["run"]) == (0, run)
    assert session.scalars(select(Letter.state)).all() == ["composed"] and told["letter"].endswith("-00001")
    assert "已经补发" in play(*words)[1]["error"]
    assert "没有户号 0" in play("letter", str(run), "0")[1]["error"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("start", "none"), "没有叫「none」的流程"),
        (("start", "small", "--set", "one.limit=0"), "不能小于 1"),
        (("start", "small", "--set", "limit=3"), "写法不对"),
        (("start", "small", "--as", "nobody"), "没有可用的账号"),
        (("show", "99"), "没有编号为 99"),
        (("retry", "99"), "没有编号为 99"),
        (("import", "/no/file.toml"), "读不了文件"),
    ],
)
def test_refusals_say_what_to_do(
    play: Play, small: None, words: tuple[str, ...], message: str, session: Session
) -> None:
    code, told = play(*words)
    assert code == 1 and message in told["error"]
    assert session.scalar(select(Run.id)) is None


def test_nothing_starts_without_a_queue_server(play: Play, session: Session) -> None:
    code, told = play("start", "door_to_door")
    assert code == 1 and "serve" in told["error"]
    assert session.scalar(select(Run.id)) is None


@pytest.mark.slow
def test_a_person_reads_lines(play: Play, small: None) -> None:
    told = play("start", "small", "--wait")[1]
    text = command.summary(told)
    assert "等待中" in text and "看一看" in text and "挑选  已完成" in text
    assert "小流程" in command.summary(play("list")[1])


def test_trial_tells_what_a_run_would_do_and_starts_none(play: Play, small: None, session: Session) -> None:
    code, told = play("start", "small", "--set", "one.limit=7", "--trial")
    assert (code, told["run"], told["state"]) == (0, None, "done")
    one, look = told["nodes"]
    assert (one["path"], one["step"], one["state"], one["figures"]) == ("1", "pick", None, {"items": 1})
    assert (look["step"], look["share"], told["totals"]) == ("person", 1.0, {"tasks": 1})
    assert session.scalars(select(Run)).first() is None


@pytest.mark.parametrize("form", ["--bpmn", "--toml"])
def test_what_is_exported_imports_as_it_was(play: Play, small: None, tmp_path: Path, form: str) -> None:
    target = tmp_path / "out"
    assert play("export", "small", form, str(target))[1] == {
        "key": "small",
        "version": 1,
        "file": str(target),
    }
    assert play("import", str(target))[1]["version"] == 1  # the same tree makes no new version


@pytest.mark.parametrize("words", [("none", "--toml", "x"), ("small", "--toml", "x", "--version", "9")])
def test_export_of_what_is_not_there_is_refused(play: Play, small: None, words: Sequence[str]) -> None:
    assert play("export", *words)[0] == 1
