"""`demo` in a process of its own: the whole loop on a small bureau, and what it leaves behind."""

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pypdfium2
import pytest

from models.home import CHECKOUT

pytestmark = pytest.mark.slow
CUSTOMERS = 200


def _command(home, *words, check=True):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, str(CHECKOUT / "app.py"), *words]
    return subprocess.run(
        command,
        env=kept | {"LAMPLIGHTER_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=600,
        check=check,
    )


def _demo(home, *words, check=True):
    return _command(home, "demo", "--customers", str(CUSTOMERS), "--no-serve", "--json", *words, check=check)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="module")
def played(home):
    return json.loads(_demo(home).stdout)


def _query(home, text):
    connection = sqlite3.connect(home / "lamplighter.db")
    try:
        return connection.execute(text).fetchall()
    finally:
        connection.close()


def test_counts_are_those_of_the_tables(home, played):
    assert played["customers"] == CUSTOMERS == _query(home, "select count(*) from customers")[0][0]
    assert played["letters"] == _query(home, "select count(*) from letters")[0][0] > 10
    assert played["visits"] == _query(home, "select count(*) from visits")[0][0] > 0
    assert (
        played["notices"]
        == _query(home, "select count(*) from notices where issued_at is not null")[0][0]
        > 1
    )
    assert 0 < played["applied"] <= played["returned"] < played["letters"]


def test_every_scanned_side_is_accounted_for(home, played):
    states = dict(_query(home, "select state, count(*) from sheets group by state"))
    assert sum(states.values()) == _query(home, "select sum(sides) from scan_batches")[0][0]
    assert states["keyed"] > 0 and states["accepted"] > 0 and states["front"] > 0
    assert set(states) <= {"keyed", "accepted", "front", "blank", "unidentified"}
    assert _query(home, "select count(*) from key_jobs where state != 'done'")[0][0] == 0
    read = _query(home, "select count(*) from sheets where keying_id is not null")[0][0]
    assert read <= played["returned"] <= read + states.get("unidentified", 0)


def test_papers_lie_where_the_result_says(played):
    paths = {name: Path(path) for name, path in played["artifacts"].items()}
    assert all(path.is_dir() or path.stat().st_size > 100 for path in paths.values())
    assert {"letters", "board", "bulletin"} < set(paths)
    assert any(name.startswith("walk_list") for name in paths) and any(
        name.startswith("notice") for name in paths
    )
    letters = pypdfium2.PdfDocument(paths["letters"])
    assert len(letters) == played["pages"] == 2 * played["letters"]
    letters.close()


def test_every_recipient_ends_in_one_outcome(home, played):
    outcomes = Counter(row[0] for row in _query(home, "select outcome from recipients"))
    excluded = _query(home, "select count(*) from recipients where exclusion != ''")[0][0]
    assert None not in outcomes and outcomes["excluded"] == excluded
    assert sum(outcomes.values()) == excluded + played["letters"]


def test_all_runs_are_done_and_the_clock_shows_today(home, played):
    runs = dict(_query(home, "select workflow_key, state from runs"))
    loop = {"contact_survey", "labour_competition", "door_to_door", "assessment_notice"}
    assert {key: runs[key] for key in loop} == dict.fromkeys(loop, "done")
    offset = _query(home, "select value from settings where key = 'clock_offset_seconds'")[0][0]
    assert abs(float(offset)) < 5


def test_other_commands_take_what_demo_names(home, played, tmp_path):
    standings = json.loads(_command(home, "standings", played["competition"], "--json").stdout)
    assert [row["rank"] for row in standings["rows"]][:1] == [1]
    made = json.loads(
        _command(home, "notices", str(played["assessment"]), "-o", str(tmp_path), "--json").stdout
    )
    assert len(made["notices"]) == played["notices"]
    again = _command(home, "print", played["campaign"], "-o", str(tmp_path / "again.pdf"), "--json")
    assert json.loads(again.stdout)["letters"] == played["letters"]
    assert (tmp_path / "again.pdf").read_bytes() == Path(played["artifacts"]["letters"]).read_bytes()


def test_nothing_runs_on_afterwards(home, played):
    with os.scandir("/proc") as entries:
        commands = [Path(entry.path) / "environ" for entry in entries if entry.name.isdigit()]
    left = [path for path in commands if f"LAMPLIGHTER_HOME={home}".encode() in _content(path)]
    assert not left


def _content(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_demo_refuses_a_home_with_other_customers(home, played):
    connection = sqlite3.connect(home / "lamplighter.db")
    with connection:
        connection.execute("delete from settings where key = 'demo'")
    connection.close()
    done = _demo(home, check=False)
    assert done.returncode == 1
    assert "不是演示生成的客户" in json.loads(done.stdout)["error"]
    assert _query(home, "select count(*) from customers")[0][0] == CUSTOMERS


@pytest.mark.parametrize("words", [("--customers", "0"), ("--customers", "many"), ("--seed", "x")])
def test_wrong_usage_ends_with_two(tmp_path, words):
    assert _command(tmp_path, "demo", *words, check=False).returncode == 2
