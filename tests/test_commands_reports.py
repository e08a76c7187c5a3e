"""`report` as outsiders call it: the files it writes, and what it refuses."""

import json
import os
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from reporting import assessed_bureau

import screens.commands as commands


@pytest.fixture(autouse=True)
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def play(core, session, shell, capsys):
    """Run a command line against the test database; returns exit code and what `--json` printed."""
    unit, _stations = assessed_bureau(session, shell)

    def run(*words):
        session.commit()
        code = commands.main(["report", *words, "--json"], lambda: core)
        session.expire_all()
        return code, json.loads(capsys.readouterr().out or "{}")

    code = unit.code
    return run, code


@pytest.mark.slow
def test_report_writes_the_same_files_again(play, tmp_path):
    run, unit = play
    code, first = run("2026-11", "--unit", unit, "-o", str(tmp_path / "a"))
    assert code == 0 and first["draft"] is True and first["published"] is None
    pdf, xlsx = (Path(name).read_bytes() for name in first["files"])
    assert pdf.startswith(b"%PDF") and len(CalamineWorkbook.from_path(first["files"][1]).sheet_names) > 8
    _code, second = run("2026-11", "--unit", unit, "-o", str(tmp_path / "b"))
    assert [Path(name).read_bytes() for name in second["files"]] == [pdf, xlsx]
    assert second["sha256"] == first["sha256"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("period", "unit", "why"), [("2026-09", "", "还没有质量评价"), ("2026-11", "nowhere", "没有编码或名称")]
)
def test_report_refuses_what_it_cannot_make(play, tmp_path, period, unit, why):
    run, own = play
    code, told = run(period, "--unit", unit or own, "-o", str(tmp_path))
    assert code == 1 and why in told["error"] and list(tmp_path.iterdir()) == []
