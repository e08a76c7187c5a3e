"""A dirty file judged, repaired, undone and done again, a month assessed, sampled, audited, published, and recounted by
an outsider: from the exported files alone, with the scripts of the manual."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from datetime import date, datetime, timedelta

import pytest
from changing import applied, taken_back
from factories import make_staff
from importing import state_of
from sampling import AFTER, NUMBER, PERIOD, commit, draw, make_bureau
from sqlalchemy import select

from models import Assessment, Publication, Sample, Staff, Unit
from models.clock import ZONE, move_to
from models.home import CHECKOUT
from models.people import root_unit
from screens.commands import main
from seed import files as customer_files
from seed import staffing
from seed.bureau import make_bureau as generated_bureau
from services import (
    assessments,
    audits,
    files,
    publication_files,
    publications,
    sample_papers,
    samples,
    units,
)
from services.audits import Finding

ROWS, SIZE = 300, 60
EXPORTED, LAST_DAY = date(2026, 11, 21), datetime(2026, 11, 22, 12, tzinfo=ZONE)
VERDICTS = (
    "right",
    "right",
    "wrong",
    "right",
    "not_reached",
    "right",
    "right",
    "refused",
    "right",
    "unverifiable",
)
OUTCOMES = ("rows", "created", "updated", "unchanged", "proposed", "rejected")


def script(path, part):
    """A script of the manual, by a part of it, as whoever reads the manual would save it."""
    manual = (CHECKOUT / "docs" / "manual.zh.md").read_text("utf-8")
    path.write_text(
        next(code for code in re.findall(r"```python\n(.*?)```", manual, re.S) if part in code), "utf-8"
    )
    return path


def told_by(*words):
    """What an outsider's program prints; it gets no environment of the installation."""
    command = [sys.executable, "-I", *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}
    )
    return done.stdout.splitlines()


def audit(session, sample, auditor, checker):
    """Key and check every drawn item, with all verdicts there are, and end the audit."""
    items = list(audits.items_of(session, sample))
    found = {item.id: Finding("call", VERDICTS[place % len(VERDICTS)]) for place, item in enumerate(items)}
    audits.key(session, found, staff=auditor)
    audits.check(session, list(found), staff=checker)
    audits.close(session, sample, staff=checker)
    return len(found)


def published(session, path):
    """The last run published, and its package."""
    run = session.scalars(select(Assessment).order_by(Assessment.id.desc()).limit(1)).one()
    made = publications.publish(session, run, staff=make_staff(session, "department_head"))
    session.commit()
    publication_files.write_package(session, made, path)
    return made


def tampered(package, name, change, entry=""):
    """A package of which one file was changed."""
    other = package.with_name(f"{name}.zip")
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(other, "w") as target:
        for one in source.namelist():
            text = source.read(one).decode()
            target.writestr(one, change(text) if one == (entry or name) else text)
    return other


DESIGNS = {
    "by item": {},
    "by account": {"counted_by": "account"},
    "large share by account": {"counted_by": "account", "size": 23},
    "census": {"size": 1000},
    "systematic": {"method": "systematic", "size": 9},
    "exact by item": {"interval": "exact"},
    "exact by account": {"counted_by": "account", "interval": "exact"},
    "by books": {"method": "pps", "clusters": 3, "size": 6},
}


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS)
def test_outsider_finds_accuracy_and_interval_of_every_design(session, tmp_path, design):
    one, other = make_staff(session, "auditor"), make_staff(session, "auditor")
    county = make_bureau(session)
    sample = draw(session, county, **{"size": 8, "staff": one} | DESIGNS[design])
    audit(session, sample, one, other)
    asked = assessments.question(session, PERIOD, root_unit(session), allow_empty=True)
    assessments.keep(session, assessments.count(session, asked), staff_id=None)
    package = tmp_path / "package.zip"
    published(session, package)
    assert told_by(script(tmp_path / "recount.py", "rule_members.csv"), package) == ["0"]


@pytest.mark.slow
def test_outsider_takes_the_nearest_sample_of_each_unit(session, tmp_path):
    one, other = make_staff(session, "auditor"), make_staff(session, "auditor")
    county = make_bureau(session)
    station = session.scalars(select(Unit).where(Unit.parent_id == county.id).order_by(Unit.code)).first()
    both = [commit(session, unit, size, staff=one) for unit, size in ((station, 3), (county, 8))]
    move_to(session, AFTER)
    for sample in both:
        samples.draw(session, sample, NUMBER, staff=one)
        audit(session, sample, one, other)
    asked = assessments.question(session, PERIOD, county, allow_empty=True)
    assessments.keep(session, assessments.count(session, asked), staff_id=None)
    package, program = tmp_path / "package.zip", script(tmp_path / "recount.py", "rule_members.csv")
    published(session, package)
    assert told_by(program, package) == ["0"]
    for name, old, new in (("audits.csv", ",1,1,0,0\n", ",2,0,0,0\n"), ("strata.csv", ",C1\n", ",S2\n")):
        assert told_by(program, tampered(package, name, lambda text, a=old, b=new: text.replace(a, b))) != [
            "0"
        ]


@pytest.fixture
def call(core, session, capsys):
    """Run a command line; what it printed as JSON. Nothing else may come to its output."""

    def run(*words):
        session.commit()
        before = os.umask(0o022)
        code = main([*map(str, words), "--json"], lambda: core)
        os.umask(before)
        session.expire_all()
        told = json.loads(capsys.readouterr().out)
        assert code == 0, told
        return told

    return run


def set_up(session, bureau, folder):
    """Units and staff on a day of the month that will be assessed, and the dirty file as the old system writes it."""
    move_to(session, LAST_DAY)
    staffing.write_units(bureau, folder / "units.csv")
    units.import_file(session, folder / "units.csv")
    staffing.set_up_staff(session, bureau, password="a long rehearsal password")
    lines = customer_files.lines(bureau, count=ROWS, seed=7, today=EXPORTED)
    customer_files.write_file(folder / "customers.csv", folder / "truth.csv", lines)
    return folder / "customers.csv"


def outcome(told):
    return {name: told[name] for name in OUTCOMES}


def reported(call, session, month, folder, whose):
    """The report of a published month, and the package that was written after it."""
    made = session.scalars(select(Publication).order_by(Publication.id.desc()).limit(1)).one()
    report = call("report", month, "-o", folder, *whose)
    assert report["published"] == made.number
    package = folder / "package.zip"
    publication_files.write_package(session, made, package)
    return package, report["files"][1]


@pytest.mark.slow
def test_dirty_file_becomes_a_published_month_that_an_outsider_recounts(call, session, shell, tmp_path):
    bureau = generated_bureau(1)
    path = set_up(session, bureau, tmp_path)
    steward, head, auditor = (
        session.scalars(select(Staff).where(Staff.username == bureau.one("FS", role).login)).one()
        for role in ("data_steward", "department_head", "auditor")
    )
    whose = ("--as", steward.username)

    tried = call("import", path, "--mode", "update", "--dry-run", *whose)
    first = call("import", path, "--mode", "update", *whose)
    assert outcome(tried) == outcome(first) and first["created"] == ROWS
    before = state_of(session)
    change = applied(session, steward, head, "cleanup")
    assert state_of(session) != before
    taken_back(session, change, steward)
    undone = call("undo", first["batch"], *whose)
    assert (undone["removed"], undone["restored"], undone["kept"]) == (ROWS, first["updated"], [])
    again = call("import", path, "--mode", "update", *whose)
    assert outcome(again) == outcome(first) and state_of(session) == before
    applied(session, steward, head, "cleanup")

    promised = call("sample", "commit", PERIOD, "--unit", "FS", "--size", SIZE, "--as", auditor.username)
    move_to(session, AFTER)
    call("assess", PERIOD, *whose)
    drawn = call("sample", "draw", PERIOD, "--unit", "FS", "--public", NUMBER, "--as", auditor.username)
    sample = session.scalars(select(Sample)).one()
    (tmp_path / "strata.csv").write_text(sample_papers.strata_text(session, sample), "utf-8", newline="")
    words = (
        PERIOD,
        "FS",
        drawn["seed"],
        NUMBER,
        files.location(sample.members_sha256),
        tmp_path / "strata.csv",
    )
    told = told_by(script(tmp_path / "redraw.py", "hmac"), *words)
    assert told[:2] == [promised["seed_sha256"], promised["frame_sha256"]]
    assert told[2:] == [f"{one['account']},{one['stratum']},{one['rank']}" for one in drawn["drawn"]]

    assert audit(session, sample, auditor, make_staff(session, "auditor")) > SIZE
    call("assess", PERIOD, *whose)
    package = tmp_path / "package.zip"
    made = published(session, package)
    assert told_by(script(tmp_path / "recount.py", "rule_members.csv"), package) == ["0"]
    with zipfile.ZipFile(package) as opened:
        assert hashlib.sha256(opened.read("results.json")).hexdigest() == made.sha256

    program = script(tmp_path / "recount_report.py", "reports.csv")
    package, report = reported(call, session, PERIOD, tmp_path / "november", whose)
    assert told_by(program, package, report) == ["0"]
    for name, old, new in (
        ("report-1/issues.csv", ",open,0,", ",open,1,"),
        ("report-1/lacks.csv", ",missing\n", ",unusable\n"),
        ("report-1/gained.csv", ",import,0,", ",visit,0,"),
        ("report-1/marks.csv", "0.95", "0.94"),
    ):
        changed = tampered(
            package, name.replace("/", "-"), lambda text, a=old, b=new: text.replace(a, b), entry=name
        )
        assert told_by(program, changed, report) != ["0"], name
    move_to(session, AFTER + timedelta(days=31))
    call("assess", "2026-12", *whose)
    published(session, tmp_path / "later.zip")
    package, report = reported(call, session, "2026-12", tmp_path / "december", whose)
    assert told_by(script(tmp_path / "recount.py", "rule_members.csv"), package) == ["0"]
    assert told_by(program, package, report) == ["0"]
