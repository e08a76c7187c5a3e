"""A dirty file judged, repaired, undone and done again, a month assessed, sampled, audited, published, and recounted by
an outsider: from the exported files alone, with the scripts of the manual."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from datetime import date, datetime
from decimal import Decimal

import pytest
from changing import applied, taken_back
from factories import make_staff
from importing import state_of
from python_calamine import CalamineWorkbook
from sampling import AFTER, NUMBER, PERIOD, commit, draw, make_bureau
from sqlalchemy import select

from models import Assessment, Sample, Staff, Unit
from models.clock import ZONE, move_to
from models.home import CHECKOUT
from models.people import root_unit
from models.quality_words import MEASURES
from models.words import COHORTS
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


def tampered(package, name, change):
    """A package of which one file was changed."""
    other = package.with_name(f"{name}.zip")
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(other, "w") as target:
        for one in source.namelist():
            text = source.read(one).decode()
            target.writestr(one, change(text) if one == name else text)
    return other


DESIGNS = {
    "by item": {},
    "by account": {"counted_by": "account"},
    "large share by account": {"counted_by": "account", "size": 23},
    "census": {"size": 1000},
    "systematic": {"method": "systematic", "size": 9},
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


def cells_of(path):
    """The tables of a report's workbook by caption: a row is a dict by heading."""
    book = CalamineWorkbook.from_path(path)
    for name in book.sheet_names[1:]:
        heading, *rows = book.get_sheet_by_name(name).to_python()
        yield name.split(" ", 1)[1], [dict(zip(heading, row, strict=True)) for row in rows]


def percent(above, below):
    return f"{Decimal(100 * above) / Decimal(below):.2f}%"


def check_report(path, package):
    """Every figure of the report's tables of measures, rules and units is one of the package, written out."""
    with zipfile.ZipFile(package) as opened:
        told = json.loads(opened.read("results.json"))
        names = {
            row["code"]: row["name"] for row in csv.DictReader(io.StringIO(opened.read("units.csv").decode()))
        }
    rules = {rule["code"]: rule["label"] for rule in told["rules"]}
    rows = [row for row in told["measures"] + told["results"] if row["person"] is None and row["denominator"]]
    both = {
        (row.get("measure") or rules[row["rule"]], names[row["unit"]], row["cohort"]): row for row in rows
    }
    tables, root, looked_at = dict(cells_of(path)), told["unit_name"], 0
    for name, unit, cohort, cells in asked_of(tables, root):
        row = both[name, unit, cohort]
        written = (
            str(row["numerator"]),
            str(row["denominator"]),
            percent(row["numerator"], row["denominator"]),
        )
        assert cells[:3] == written, (name, unit, cohort)
        if name == "accuracy" and cells[3:]:
            assert cells[3] == f"{100 * row['low']:.1f}～{100 * row['high']:.1f}"
        looked_at += 1
    return looked_at + sum(check_scores(told, names, tables))


def check_scores(told, names, tables):
    """The score of each unit is the mean of how far its measures come between nothing, floor and target."""
    for code, label in (("new", "新装客户"), ("existing", "存量客户")):
        marks = {row["measure"]: row for row in told["targets"] if row["cohort"] == code}
        for row in tables[f"{label}各单位结果明细"]:
            found = [
                mark_of(one["rate"], marks[one["measure"]])
                for one in told["measures"]
                if (names[one["unit"]], one["person"], one["cohort"]) == (row["单位"], None, code)
                and one["measure"] in marks and one["denominator"]
            ]  # fmt: skip
            assert row["得分"] == f"{round(sum(found) / len(found), 2):.2f}"
            yield 1


def mark_of(rate, marks):
    floor, target = marks["floor"], marks["target"]
    if rate < floor:
        return 50 * rate / floor
    return 100 if rate >= target else 50 + 50 * (rate - floor) / (target - floor)


def asked_of(tables, root):
    """What the report says: measure or rule, unit, cohort, and numerator, denominator, rate and interval as written."""
    cohorts = {f"{label}": code for code, label in COHORTS.items()}
    measures = {label: code for code, label in MEASURES.items()}
    for row in tables["各项指标"]:
        cells = (row["分子"], row["分母"], row["比率"], row["95%区间（%）"])
        yield measures[row["指标"]], root, cohorts[row["客户"]], cells
    for row in tables["各规则的结果（全部客户）"]:
        yield row["规则"], root, "all", (row["分子"], row["分母"], row["比率"])
    for row in tables["各单位结果（全部客户，按完整率由高到低）"]:
        for label in ("完整率", "有效率", "及时率", "准确率"):
            if row.get(label, "—") != "—":
                rate, fraction = row[label].split()
                interval = (row["95%区间（%）"],) if label == "准确率" else ()
                yield measures[label], row["单位"], "all", (*fraction.split("/"), rate, *interval)
    for code, label in (("new", "新装客户"), ("existing", "存量客户")):
        for row in tables[f"{label}各单位结果明细"]:
            yield "completeness", row["单位"], code, (row["已录项"], row["应录项"], row["完整率"])
            if row["抽查项"] != "—":
                cells = (row["准确项"], row["抽查项"], row["准确率"], row["95%区间（%）"])
                yield "accuracy", row["单位"], code, cells


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
    report = call("report", PERIOD, "-o", tmp_path / "report", *whose)
    assert report["published"] == made.number
    assert check_report(report["files"][1], package) > 40
