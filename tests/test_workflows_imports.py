"""Imports, clean-ups and undos carried by the engine: chunk by chunk, and through kills."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from factories import make_staff, make_unit
from importing import figures, state_of, values, write_csv
from sqlalchemy import select

from models import Contact, ImportBatch, StoredFile
from models.clock import utcnow
from models.home import CHECKOUT
from services import Refused, files, imports, undo, uploads
from services.import_spools import spool_path
from services.imports import Plan
from workflows import engine, runs
from workflows import imports as steps

GOOD, OTHER = "13827465109", "13926148037"


def rows(number: int, **cells: str) -> list[dict[str, str]]:
    return [{"户号": f"06{place:07}", "户名": f"客户{place}", "手机": GOOD, **cells} for place in range(number)]


def uploaded(session, path, root, staff, **mapping):
    """A file as it stands after the person pressed 开始导入."""
    copy = path.with_suffix(".upload")
    copy.write_bytes(path.read_bytes())
    batch = uploads.receive(session, copy, path.name, staff)
    uploads.queue(session, batch, Plan("update", root, mapping), recorder=staff)
    run = runs.start(session, "import_file", {"import.batch": batch.id, "import.name": batch.file_name}, staff)
    batch.run_id = run.id
    session.commit()
    return batch, run


def carried(session):
    session.commit()
    engine.drain()
    session.expire_all()


@pytest.mark.slow
def test_an_upload_is_brought_in_and_forgotten(session, root, tmp_path):
    steward = make_staff(session, "data_steward")
    path = write_csv(tmp_path / "客户.csv", [*rows(1200), {"户号": "", "户名": "无号"}], encoding="gb18030")
    batch, run = uploaded(session, path, root, steward)
    upload = files.location(batch.sha256)
    assert upload.exists() and run.title == "导入客户资料 · 客户.csv"
    carried(session)
    assert (run.state, batch.state, figures(batch)) == ("done", "done", {"created": 1200, "rejected": 1})
    assert (batch.rows, batch.rows_done, run.facts["import"]["created"]) == (1201, 1201, 1200)
    assert not upload.exists() and not spool_path(batch.id).exists()
    assert session.scalars(select(StoredFile.name)).all() == ["客户-错误清单.csv"]


def test_columns_are_taken_as_the_person_mapped_them(session, root, tmp_path, shell):
    path = write_csv(tmp_path / "a.csv", [{"号": "0600001", "老板电话": GOOD, "手机": OTHER}])
    batch, _run = uploaded(session, path, root, shell, 号="account_no", 老板电话="mobile", 手机="")
    carried(session)
    assert figures(batch) == {"created": 1} and values(session, "mobile") == [f"+86{GOOD}"]
    assert session.scalars(select(Contact.field)).one() == "老板电话"


def test_a_file_that_breaks_off_fails_the_batch_and_not_the_workflow(session, root, tmp_path, shell):
    path = write_csv(tmp_path / "断了.csv", rows(30))
    with path.open("a", encoding="utf-8") as file:
        file.write(f'9,"{"x" * 140_000}\n')
    batch, run = uploaded(session, path, root, shell)
    carried(session)
    assert (run.state, batch.state) == ("done", "failed") and "断了.csv" in batch.error
    assert state_of(session) == {} and batch.sha256 == ""


def test_an_uploads_scope_is_its_recorders(session, root, tmp_path):
    mine = make_unit(session, name="本所")
    make_unit(session, name="外所")
    steward = make_staff(session, "data_steward", mine)
    session.commit()
    path = write_csv(tmp_path / "a.csv", [{"户号": "1", "供电单位": "本所"}, {"户号": "2", "供电单位": "外所"}])
    with pytest.raises(Refused, match="管辖范围"):
        uploaded(session, path, root, steward)
    session.rollback()
    batch, _run = uploaded(session, path, mine, steward)
    carried(session)
    assert figures(batch) == {"created": 1, "rejected": 1}


def test_a_lost_spool_is_laid_out_again(session, root, tmp_path, shell, monkeypatch):
    batch, _run = uploaded(session, write_csv(tmp_path / "a.csv", rows(5)), root, shell)
    begin, spool = imports.begin, spool_path(batch.id)

    def losing(*args):
        spool.unlink()
        begin(*args)

    monkeypatch.setattr(imports, "begin", losing)
    carried(session)
    assert figures(batch) == {"created": 5}


def test_undo_runs_as_a_workflow(session, root, tmp_path, shell):
    batch, _run = uploaded(session, write_csv(tmp_path / "a.csv", rows(3, 手机=f"手机{GOOD}")), root, shell)
    carried(session)
    undoing = runs.start(session, "undo_import", {"undo.batch": batch.id}, shell)
    session.commit()
    carried(session)
    assert (undoing.state, batch.state, batch.removed, undoing.facts["undo"]["removed"]) == ("done", "undone", 3, 3)
    assert state_of(session) == {} and undo.kept_rows(session, batch.id) == []


def test_abandoned_uploads_go_after_a_week(session, root, tmp_path, shell, monkeypatch):
    path = write_csv(tmp_path / "a.csv", rows(1))
    batch = uploads.receive(session, path, "a.csv", shell)
    session.commit()
    assert uploads.remove_abandoned(session) == 0
    week = uploads.timedelta(days=8)
    monkeypatch.setattr(uploads, "utcnow", lambda: utcnow() + week)
    upload, folder = files.location(batch.sha256), spool_path(0).parent / "killed"
    folder.mkdir(parents=True)
    (folder / "upload").write_text("x")
    os.utime(folder, (0, 0))
    assert uploads.remove_abandoned(session) == 1 and not upload.exists() and not folder.exists()
    assert session.scalars(select(ImportBatch)).all() == []


def test_the_same_file_uploaded_twice_is_kept_until_both_have_ended(session, root, tmp_path, shell):
    path = write_csv(tmp_path / "a.csv", rows(2))
    first, _run = uploaded(session, path, root, shell)
    second, _run = uploaded(session, path, root, shell)
    carried(session)
    assert (figures(first), figures(second)) == ({"created": 2}, {"unchanged": 2})


def test_every_part_of_a_plan_has_its_half():
    assert set(steps._PARTS) == {"begin", "chunk", "finish", "fail", "forget", "begin_undo", "undo", "finish_undo"}


PREPARE = """
import sys; from pathlib import Path; from sqlalchemy import select
from models import Staff, db; from models.people import root_unit; from models.scope import ALL, set_scope
from services import upgrades, uploads; from services.imports import Plan; from workflows import runs
upgrades.make_ready(app); session = db.session(); set_scope(session, ALL)
staff = session.scalars(select(Staff).where(Staff.username == "shell")).one()
batch = uploads.receive(session, Path(sys.argv[1]), "a.csv", staff)
uploads.queue(session, batch, Plan("insert", root_unit(session), {}), recorder=staff)
runs.start(session, "import_file", {"import.batch": batch.id}, staff)
session.commit()
"""
CARRY = """
from workflows import engine; print("begun", flush=True); engine.drain()
"""
LOOK = """
import json; from importing import figures, state_of; from models import ImportBatch, Run, db
from models.scope import ALL, set_scope
session = db.session(); set_scope(session, ALL); batch = session.query(ImportBatch).one()
facts = {"run": session.query(Run).one().state, "figures": figures(batch), "state": state_of(session)}
print(json.dumps(facts, default=str, ensure_ascii=False, sort_keys=True))
"""


class Home:
    """An installation of its own; each call is a process of its own."""

    def __init__(self, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LAMPLIGHTER_")}
        paths = f"{CHECKOUT}:{CHECKOUT / 'tests'}"
        self.environment = kept | {"LAMPLIGHTER_HOME": str(folder), "PYTHONPATH": paths}
        self.environment["LAMPLIGHTER_WORKFLOW_LEASE"] = "1"

    def begin(self, code: str, *words: str) -> subprocess.Popen[str]:
        head = "from app import create_app\napp = create_app()\napp.app_context().push()\n"
        command = [sys.executable, "-c", head + code, *words]
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True)

    def do(self, code: str, *words: str) -> dict[str, Any]:
        child = self.begin(code, *words)
        shown, _errors = child.communicate(timeout=120)
        assert child.returncode == 0
        return json.loads(shown.splitlines()[-1])


@pytest.mark.slow
def test_an_import_killed_again_and_again_ends_as_an_undisturbed_one(tmp_path):
    lines = [*rows(2000), *rows(50, 手机=OTHER), {"户号": "", "户名": "无号", "手机": ""}]
    path = write_csv(tmp_path / "a.csv", lines)
    calm, stormy = Home(tmp_path / "calm"), Home(tmp_path / "stormy")
    expected = calm.do(PREPARE + CARRY + LOOK, str(path))
    dice = random.Random(5)
    for code in (PREPARE + CARRY, CARRY, CARRY):
        child = stormy.begin(code, str(path))
        assert child.stdout is not None and child.stdout.readline() == "begun\n"
        time.sleep(dice.uniform(0.1, 1))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        time.sleep(1.1)
    found = stormy.do(CARRY + LOOK)
    assert found == expected and found["run"] == "done"
    assert found["figures"] == {"created": 2000, "updated": 50, "rejected": 1}
