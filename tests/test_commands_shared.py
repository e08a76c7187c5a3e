"""What every shell command shares: look-up, exit codes, JSON, the session it works in."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import screens.commands as commands
from models import Setting, db
from models.home import CHECKOUT, HomeUnusable
from models.scope import ALL, OutOfScope, current_scope
from services import Refused

Play = Callable[..., int]


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Commands close their files to others; the test process gets its mask back."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Run a made-up command `probe` whose `run` is the given function."""

    def run(function: Callable[[argparse.Namespace], object], *words: str, **more: object) -> int:
        module = SimpleNamespace(
            HELP="probe", arguments=commands.acts_as, run=lambda args, _create_app: function(args), **more
        )
        monkeypatch.setitem(commands.COMMANDS, "probe", "probe")
        monkeypatch.setattr(commands.importlib, "import_module", lambda _name: module)
        return commands.main(["probe", *words], lambda: Flask("none"))

    return run


def raising(error: Exception) -> Callable[[argparse.Namespace], object]:
    def run(_args: argparse.Namespace) -> object:
        raise error

    return run


@pytest.mark.parametrize("words", [["nonsense"], [], ["--json"]])
def test_unknown_command_lists_all(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(words, lambda: Flask("none")) == 2
    shown = capsys.readouterr()
    assert all(name in shown.err for name in [*commands.COMMANDS, "test"])
    assert shown.out == ""


def test_every_command_has_its_parts() -> None:
    for name in commands.COMMANDS:
        module, prefix = commands._load(name)
        assert getattr(module, f"{prefix}help".upper()), name
        commands._parser(name, module, prefix)
        assert callable(getattr(module, f"{prefix}run")), name


def test_wrong_usage_ends_with_two(play: Play) -> None:
    with pytest.raises(SystemExit) as stopped:
        play(lambda _args: {}, "--no-such-option")
    assert stopped.value.code == 2


def test_json_is_the_only_output(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    def run(_args: argparse.Namespace) -> object:
        commands.say("正在处理")
        return {"rows": 3, "name": "张三"}

    assert play(run, "--json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"rows": 3, "name": "张三"}
    assert shown.err == "正在处理\n"


def test_a_person_gets_the_summary(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    play(lambda _args: {"rows": 3}, summary=lambda result: f"共 {result['rows']} 行")
    assert capsys.readouterr().out == "共 3 行\n"


def test_without_summary_the_fields_are_listed(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    play(lambda _args: {"rows": 3, "kept": [1]})
    assert capsys.readouterr().out == "rows: 3\nkept: [1]\n"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Refused("第 3 行没有户号。"), "第 3 行没有户号。"),
        (HomeUnusable("不能写入"), "不能写入"),
        (OutOfScope("Contact: unit 5 is outside"), "管辖范围"),
        (OperationalError("", {}, Exception("no such host")), "no such host"),
    ],
)
def test_refusal_is_a_message_and_one(
    play: Play, capsys: pytest.CaptureFixture[str], error: Exception, words: str
) -> None:
    assert play(raising(error), "--json") == 1
    shown = capsys.readouterr()
    assert words in shown.err
    assert words in json.loads(shown.out)["error"]


def test_a_result_that_is_not_ok_ends_with_one(play: Play) -> None:
    assert play(lambda _args: {"ok": False}) == 1
    assert play(lambda _args: {"ok": True}) == 0


def test_working_commits_at_the_end(core: Flask, session: Session) -> None:
    with commands.working(lambda: core, argparse.Namespace(acting=None)) as working:
        assert current_scope(working) == ALL
        working.add(Setting(key="probe", value=1))
    assert session.scalar(select(Setting.value).where(Setting.key == "probe")) == 1


def test_working_rolls_back_on_error(core: Flask, session: Session) -> None:
    with pytest.raises(Refused), commands.working(lambda: core, argparse.Namespace(acting=None)) as working:
        working.add(Setting(key="probe", value=1))
        working.flush()
        raise Refused("nein")
    assert db.session.scalar(select(Setting.value).where(Setting.key == "probe")) is None


def test_unknown_login_is_refused(core: Flask, session: Session) -> None:
    nobody = argparse.Namespace(acting="nobody")
    with pytest.raises(Refused, match="nobody"), commands.working(lambda: core, nobody):
        pass


@pytest.mark.slow
def test_doctor_and_check_load_nothing_heavy() -> None:
    code = (
        "import sys; sys.path.insert(0, '.'); import app, importlib\n"
        "from screens.commands import _load\n"
        "for name in ('doctor', 'check'): _load(name)\n"
        "print([n for n in ('weasyprint', 'scipy', 'flask_admin', 'fontTools') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
