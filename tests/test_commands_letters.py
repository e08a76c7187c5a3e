"""`print` and `undelivered` as outsiders call them: fields, exit codes, messages."""

import csv
import json
import os

import pikepdf
import pytest
from factories import make_customer, make_letter, make_staff
from sqlalchemy import select

import screens.commands as commands
from models import Letter, PrintRun, Staff, Trace
from models.clock import today
from services import files


@pytest.fixture(autouse=True)
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def play(core, session, capsys):
    """Run a command line against the test database; returns exit code and what `--json` printed."""

    def run(*words):
        session.commit()
        code = commands.main([*words, "--json"], lambda: core)
        session.expire_all()
        return code, json.loads(capsys.readouterr().out or "{}")

    return run


@pytest.fixture
def letters(session, tmp_path):
    """Two letters with a file each of two blank pages that differ in size."""
    found = [make_letter(session, make_customer(session), state="composed", posted_at=None)]
    found.append(make_letter(session, make_customer(session), found[0].campaign, state="composed", posted_at=None))
    for number, letter in enumerate(found, 1):
        path = tmp_path / f"{number}.pdf"
        with pikepdf.new() as pdf:
            for _page in range(2):
                pdf.add_blank_page(page_size=(100 * number, 100))
            pdf.save(path)
        run = session.get_one(PrintRun, letter.print_run_id)
        run.sha256, run.state = files.store(session, path, path.name, "application/pdf").sha256, "composed"
    return found


def sizes(path):
    with pikepdf.open(path) as pdf:
        return [int(page.MediaBox[2]) for page in pdf.pages]


def test_print_writes_file_and_register_and_marks_once(session, play, letters, tmp_path):
    campaign, out = letters[0].campaign.code, tmp_path / "out.pdf"
    code, said = play("print", campaign, "-o", str(out))
    assert code == 0 and {"letters", "pages", "seconds", "pages_per_second", "bytes"} <= set(said)
    assert (said["letters"], said["pages"], said["bytes"]) == (2, 4, out.stat().st_size)
    assert sizes(out) == [100, 100, 200, 200]
    assert {row.state for row in session.scalars(select(Letter))} == {"printed"}
    first = out.read_bytes()
    assert play("print", campaign, "-o", str(out), "--reason", "卡纸")[0] == 0 and out.read_bytes() == first
    rows = session.scalars(select(Trace).where(Trace.action.like("campaign.printed%")).order_by(Trace.id))
    said = [(row.action, row.details["reason"]) for row in rows]
    assert said == [("campaign.printed", ""), ("campaign.printed_again", "卡纸")]


def test_print_takes_a_range_and_the_register_has_no_live_formula(session, play, letters, tmp_path):
    letters[1].facts = {**letters[1].facts, "letter": {**letters[1].facts["letter"], "account_no": "=1+1"}}
    out = tmp_path / "part.pdf"
    assert play("print", str(letters[0].campaign_id), "-o", str(out), "--from", "2", "--to", "2")[1]["letters"] == 1
    assert sizes(out) == [200, 200] and letters[0].state == "composed"
    with open(tmp_path / "part.csv", encoding="utf-8-sig", newline="") as file:
        head, row = csv.reader(file)
    assert row[head.index("户号")] == "'=1+1" and row[head.index("查询码")] == letters[1].token


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["HD190001-01", "-o", "x.pdf"], "没有核对活动"),
        (["{code}", "-o", "no/such/folder/x.pdf"], "没有目录"),
        (["{code}", "-o", "x.doc"], "pdf"),
        (["{code}", "-o", "x.pdf", "--from", "9"], "没有可打印的函件"),
        (["{code}", "-o", "x.pdf", "--as", "nobody"], "没有可用的账号"),
    ],
)
def test_print_says_what_is_wrong(play, letters, words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said = play("print", *(word.format(code=letters[0].campaign.code) for word in words))
    assert code == 1 and message in said["error"]


def test_a_viewer_may_not_print(session, play, letters, tmp_path):
    viewer = make_staff(session, "viewer")
    code, said = play("print", letters[0].campaign.code, "-o", str(tmp_path / "x.pdf"), "--as", viewer.username)
    assert code == 1 and "权限" in said["error"] and not (tmp_path / "x.pdf").exists()


def test_undelivered_tells_letter_contact_and_next(session, play):
    letter = make_letter(session, make_customer(session))
    code, said = play("undelivered", letter.token, "--reason", "unknown_person")
    assert code == 0 and said["letter"] == letter.facts["letter"]["serial"] and said["next"] == "visit"
    assert said["contact"] == {"kind": "supply_address", "result": "refuted"} and letter.state == "undelivered"
    again, refused = play("undelivered", letter.token, "--reason", "unknown_person")
    assert again == 1 and "已登记过退信" in refused["error"]


def test_undelivered_with_an_unknown_reason_lists_them(session, play):
    letter = make_letter(session, make_customer(session))
    code, said = play("undelivered", letter.token, "--reason", "lost")
    assert code == 1 and "no_such_number" in said["error"] and letter.undelivered_at is None


def test_commands_trace_who_acted(session, play):
    letter = make_letter(session, make_customer(session))
    clerk = make_staff(session, "clerk")
    play("undelivered", letter.token, "--reason", "other", "--as", clerk.username)
    row = session.scalars(select(Trace).where(Trace.action == "letter.undelivered")).one()
    assert session.get_one(Staff, row.actor_id).username == clerk.username and row.at.date() <= today(session)


def test_replies_travel_by_sealed_files(session, play, tmp_path, monkeypatch):
    make_letter(session, make_customer(session))
    monkeypatch.setenv("LAMPLIGHTER_EXCHANGE_KEY", "ab" * 32)
    out, back = str(tmp_path / "open.lampx"), str(tmp_path / "answers.lampx")
    code, said = play("replies", "export", out)
    assert code == 0 and (said["letters"], said["closed"]) == (0, 0) and said["bytes"] == os.path.getsize(out)
    assert play("replies", "load", out) == (0, {"letters": 0, "closed": 0, "received": 0})
    assert play("replies", "collect", back)[1]["answers"] == 0
    nothing = {"answers": 0, "recorded": 0, "known": 0, "duplicates": 0, "unknown": 0}
    assert play("replies", "import", back) == (0, nothing)
    code, said = play("replies", "import", out)
    assert code == 1 and "打不开" in said["error"]
