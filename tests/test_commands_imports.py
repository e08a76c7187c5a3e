"""`import` and `undo` as scripts of the bureau's IT call them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from factories import make_staff, make_unit
from importing import state_of, write_csv
from sqlalchemy import func, select

from models import Customer, ImportBatch
from models.home import CHECKOUT
from screens.commands import main
from services.tables import open_table

PHONES = ("13827465109", "13926148037", "13751920846")
NOT_INHERITED = ("LAMPLIGHTER_HOME", "LAMPLIGHTER_DATABASE_URL", "LAMPLIGHTER_REDIS_URL")


def rows(number: int) -> list[dict[str, str]]:
    return [{"户号": f"06{place:07}", "户名": f"客户{place}", "手机": PHONES[place % 3]} for place in range(number)]


@pytest.fixture
def call(core, session, capsys) -> Callable[..., tuple[int, Any]]:
    """Run a command line in this process; its exit code and what it printed as JSON."""

    def run(*words: str) -> tuple[int, Any]:
        session.commit()
        before = os.umask(0o022)
        code = main([*words, "--json"], lambda: core)
        os.umask(before)
        session.expire_all()
        return code, json.loads(capsys.readouterr().out)

    return run


def test_import_reports_every_figure_and_the_error_file(call, session, tmp_path):
    path = write_csv(tmp_path / "a.csv", [*rows(2), {"户号": "", "户名": "无号", "手机": ""}], encoding="gb18030")
    code, result = call("import", str(path), "--mode", "insert")
    seconds, batch, errors = result.pop("seconds"), result.pop("batch"), Path(result.pop("errors_file"))
    assert (code, result) == (0, {"rows": 3, "created": 2, "updated": 0, "unchanged": 0, "proposed": 0, "rejected": 1})
    assert seconds > 0 and session.get(ImportBatch, batch).state == "done"
    assert errors.suffix == ".csv" and [one.cells[1] for one in open_table(errors).rows()] == ["无号"]


def test_dry_run_gives_the_same_figures_and_writes_nothing(call, session, tmp_path):
    path = write_csv(tmp_path / "a.csv", [*rows(3), {"户号": "", "户名": "", "手机": "1"}])
    _code, tried = call("import", str(path), "--mode", "fill", "--dry-run")
    assert session.scalar(select(func.count(ImportBatch.id))) == 0 and tried["batch"] is None
    assert session.scalar(select(func.count(Customer.id))) == 0
    _code, done = call("import", str(path), "--mode", "fill")
    names = ("rows", "created", "updated", "unchanged", "proposed", "rejected")
    assert [tried[name] for name in names] == [done[name] for name in names] and done["rejected"] == 1


@pytest.mark.slow
def test_undo_takes_the_batch_back_and_the_file_imports_again(call, session, tmp_path):
    path = str(write_csv(tmp_path / "a.csv", rows(3)))
    _code, first = call("import", path, "--mode", "update")
    before = state_of(session)
    code, undone = call("undo", str(first["batch"]))
    assert (code, undone["restored"], undone["removed"], undone["kept"]) == (0, 0, 3, [])
    assert state_of(session) == {}
    _code, again = call("import", path, "--mode", "update")
    assert again["created"] == 3 and state_of(session) == before
    code, refusal = call("undo", str(first["batch"]))
    assert code == 1 and "已经撤销" in refusal["error"]


def test_a_workbook_gives_a_workbook_back_with_text_cells_only(call, tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("客户")
        sheet.write_row(0, 0, ["户号", "户名", "手机"])
        sheet.write_row(1, 0, ["0600001", "张三", 13827465109])
        sheet.write_row(2, 0, ["", "=1+1", "x"])
    _code, result = call("import", str(path), "--mode", "insert")
    assert (result["created"], result["rejected"]) == (1, 1) and result["errors_file"].endswith(".xlsx")
    table = open_table(result["errors_file"])
    assert table.sheet == "客户" and [one.cells[:3] for one in table.rows()] == [("", "=1+1", "x")]


def test_rows_without_a_unit_go_to_the_unit_given(call, session, tmp_path):
    make_unit(session, code="GC01", name="城东所")
    call("import", str(write_csv(tmp_path / "a.csv", rows(1))), "--mode", "insert", "--unit", "GC01")
    assert session.scalars(select(Customer)).one().unit.code == "GC01"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--unit", "没有"), "没有单位"),
        (("--as", "nobody"), "没有可用的账号"),
        (("--as", "a.clerk"), "没有这项操作的权限"),
        (("--as", "a.reader"), "没有这项操作的权限"),
    ],
)
def test_import_says_why_it_refuses(call, session, tmp_path, words, message):
    make_staff(session, "clerk", username="a.clerk")
    make_staff(session, "meter_reader", username="a.reader")
    path = write_csv(tmp_path / "a.csv", rows(1))
    code, result = call("import", str(path), "--mode", "insert", *words)
    assert code == 1 and message in result["error"]


def test_a_file_without_account_numbers_is_refused_and_leaves_no_batch(call, session, tmp_path):
    code, result = call("import", str(write_csv(tmp_path / "a.csv", [{"姓名": "张三"}])), "--mode", "insert")
    assert code == 1 and "户号" in result["error"]
    assert session.scalar(select(func.count(ImportBatch.id))) == 0


def test_a_file_that_breaks_off_midway_fails_with_the_line(call, session, tmp_path):
    path = write_csv(tmp_path / "a.csv", rows(30))
    with path.open("a", encoding="utf-8") as file:
        file.write(f'9,"{"x" * 140_000}\n')
    code, result = call("import", str(path), "--mode", "insert")
    assert code == 1 and "引号" in result["error"]
    assert session.scalars(select(ImportBatch.state)).all() == ["failed"]


def test_wrong_usage_is_told_apart(core, tmp_path):
    for words in (["import", "a.csv"], ["import", "a.csv", "--mode", "replace"], ["undo", "first"]):
        with pytest.raises(SystemExit) as error:
            main(words, lambda: core)
        assert error.value.code == 2


@pytest.mark.slow
def test_an_import_that_was_killed_goes_on_when_it_is_run_again(tmp_path):
    home, path = tmp_path / "home", write_csv(tmp_path / "a.csv", rows(3_000))
    environment = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    environment["LAMPLIGHTER_HOME"] = str(home)
    words = [sys.executable, str(CHECKOUT / "app.py"), "import", str(path), "--mode", "insert", "--json"]
    child = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while customers(home) < 1000 and child.poll() is None:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    there = customers(home)
    assert 1000 <= there < 3_000 and there % 1000 == 0
    result = json.loads(subprocess.run(words, env=environment, capture_output=True, check=True).stdout)
    assert (result["created"], result["unchanged"], customers(home)) == (3_000 - there, there, 3_000)
    undo = subprocess.run([*words[:2], "undo", "1", "--json"], env=environment, capture_output=True, check=True)
    assert json.loads(undo.stdout)["removed"] == there and customers(home, "closed_on IS NULL") == 3_000 - there


def customers(home: Path, condition: str = "1=1") -> int:
    """How many customers the database of a home holds; none while there is no table yet."""
    try:
        with closing(sqlite3.connect(f"file:{home / 'lamplighter.db'}?mode=ro", uri=True)) as base:
            found = base.execute(f"SELECT count(*) FROM customers WHERE {condition}")  # noqa: S608 ours
            return int(found.fetchone()[0])
    except sqlite3.OperationalError:
        return 0
