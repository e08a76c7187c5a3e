"""`sample` as outsiders call it: fields, exit codes, what is said and what is not."""

import hashlib
import json
import os

import pytest
from sampling import AFTER, NUMBER, PERIOD, make_bureau

import screens.commands as commands
from models.clock import move_to


@pytest.fixture(autouse=True)
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def play(core, session, capsys):
    """Run a command line against the test database; returns exit code, what `--json` printed, and the rest."""
    make_bureau(session)

    def run(*words):
        session.commit()
        code = commands.main([*words, "--json"], lambda: core)
        session.expire_all()
        said = capsys.readouterr()
        return code, json.loads(said.out or "{}"), said.err

    return run


def test_commit_then_draw(play, session):
    code, promised, _said = play("sample", "commit", PERIOD, "--unit", "C1", "--size", "8")
    assert code == 0 and "seed" not in promised
    assert len(promised["seed_sha256"]) == len(promised["frame_sha256"]) == 64
    move_to(session, AFTER)
    code, found, _said = play("sample", "draw", PERIOD, "--unit", "C1", "--public", NUMBER)
    assert code == 0
    assert hashlib.sha256(found["seed"].encode()).hexdigest() == promised["seed_sha256"]
    assert len(found["drawn"]) == 8
    assert set(found["drawn"][0]) == {"account", "stratum", "rank"}


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("draw", PERIOD, "--unit", "C1", "--public", "1"), 1, "还没有抽样承诺"),
        (("commit", PERIOD, "--unit", "nowhere", "--size", "3"), 1, "没有编码或名称"),
        (("commit", "2026-13", "--unit", "C1", "--size", "3"), 1, "无法识别"),
        (("commit", PERIOD, "--unit", "C1", "--size", "3", "--as", "nobody"), 1, "没有可用的账号"),
    ],
)
def test_refusals_say_what_to_do(play, words, code, why):
    found, printed, _said = play("sample", *words)
    assert found == code
    assert why in printed["error"]


def test_wrong_usage_is_two(play):
    with pytest.raises(SystemExit) as stopped:
        play("sample", "commit", PERIOD)
    assert stopped.value.code == 2
