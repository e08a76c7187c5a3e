import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections import Counter
from datetime import date, datetime

import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import delete, select

from models import AssessmentResult, CustomerVersion, Publication, RuleResult, Trace
from models.clock import ZONE, move_to, utcnow
from models.home import CHECKOUT
from models.publications import PublishedForGood
from services import Refused, assessments, files, publication_checks, publication_files, publications
from services.gaps import gaps
from services.trends import change, trend


@pytest.fixture
def bureau(session, shell):
    """Two stations on 20 November 2026 with a few customers, and who may publish."""
    move_to(session, datetime(2026, 11, 20, 12, tzinfo=ZONE))
    bureau = make_unit(session)
    for number, unit in enumerate((make_unit(session, bureau), make_unit(session, bureau))):
        for at in range(3):
            row = make_customer(
                session, unit, meter_book=f"B{number}", opened_on=date(2020 + 6 * (at == 2), 1, 1)
            )
            version = {
                "customer_class": row.customer_class,
                "opened_on": row.opened_on,
                "valid_from": utcnow(),
            }
            session.add(CustomerVersion(customer_id=row.id, unit_id=unit.id, **version))
            if at:
                value = {"raw": f"138{number}{at}006612", "value": f"+86138{number}{at}006612"}
                make_contact(session, row, recorder_id=shell.id, **value)
    session.flush()
    return session, bureau, make_staff(session, "department_head")


def assess(session, unit, period="2026-11"):
    asked = assessments.question(session, period, unit)
    return assessments.keep(session, assessments.count(session, asked), staff_id=None)


def unpacked(path):
    with zipfile.ZipFile(path) as package:
        tables = {
            name: list(csv.DictReader(io.StringIO(package.read(name).decode())))
            for name in package.namelist()
            if name.endswith(".csv")
        }
        return json.loads(package.read("results.json")), tables


def below(tables):
    """The unit codes under each, itself included, as an outsider finds them."""
    parents = {row["code"]: row["parent"] for row in tables["units.csv"]}

    def above(code):
        return [code, *(above(parents[code]) if parents.get(code) else [])]

    return {code: {one for one in parents if code in above(one)} for code in parents}


def test_a_published_run_never_changes(bureau):
    session, unit, head = bureau
    run = assess(session, unit)
    made = publications.publish(session, run, staff=head)
    assert (made.number, run.state) == ("2026-0001", "locked")
    assert files.sha256_of(files.location(made.sha256)) == made.sha256
    session.commit()
    rows = (select(AssessmentResult), select(RuleResult), select(Publication))
    changes = [
        (session.scalars(query).first(), name)
        for query, name in zip(rows, ("numerator", "grade", "reason"), strict=True)
    ]
    for row, name in [*changes, (run, "customers")]:
        setattr(row, name, 99)
        with pytest.raises(PublishedForGood):
            session.flush()
        session.rollback()
        session.delete(row)
        with pytest.raises(PublishedForGood):
            session.flush()
        session.rollback()
    for row, _name in changes:
        with pytest.raises(PublishedForGood):
            session.execute(delete(type(row)))
    assert publication_checks.look(session, session.scalars(select(Publication)).one()).ok
    action = session.scalars(select(Trace).where(Trace.action == "assessment.published")).one()
    assert action.details["sha256"] == made.sha256


@pytest.mark.slow
@pytest.mark.parametrize("name", ["numerator", "weighted", "low", "high"])
def test_a_changed_digit_is_found_even_where_the_count_stands(bureau, name):
    session, unit, head = bureau
    made = publications.publish(session, assess(session, unit), staff=head)
    told = json.loads(json.dumps(publication_checks.contents(made)))
    assert publication_checks.is_same(session, made, told)
    told["measures"][0][name] = 0.125
    assert not publication_checks.is_same(session, made, told)


def test_a_correction_is_a_new_publication_linked_to_the_old_one(bureau):
    session, unit, head = bureau
    first = publications.publish(session, assess(session, unit), staff=head)
    again = assess(session, unit)
    with pytest.raises(Refused, match="更正"):
        publications.publish(session, again, staff=head)
    second = publications.publish(session, again, staff=head, reason="漏导一批")
    assert (second.replaces_id, second.number) == (first.id, "2026-0002")
    assert publications.corrected_by(session, first) is second
    assert publications.standing(session, "2026-11", unit.id) is second
    with pytest.raises(Refused):
        publications.publish(session, again, staff=head, reason="再来")


def test_who_may_not_publish_is_refused(bureau):
    session, unit, _head = bureau
    with pytest.raises(Refused):
        publications.publish(session, assess(session, unit), staff=make_staff(session, "clerk"))


def test_an_outsider_derives_every_figure_from_the_package(bureau, tmp_path):
    session, unit, head = bureau
    made = publications.publish(session, assess(session, unit), staff=head)
    publication_files.write_package(session, made, tmp_path / "package.zip")
    told, tables = unpacked(tmp_path / "package.zip")
    under, names = below(tables), {"completeness": ("recorded", "required"), "validity": ("good", "recorded")}
    for figure in told["measures"]:
        units = {figure["unit"]} if figure["person"] else under[figure["unit"]]
        above, over = names.get(figure["measure"], ("in_time", "due"))
        rows = [
            row
            for row in tables["members.csv"]
            if row["unit"] in units
            and figure["cohort"] in ("all", row["cohort"])
            and figure["person"] in (None, row["person"])
        ]
        numbers = (sum(int(row[above]) for row in rows), sum(int(row[over]) for row in rows))
        if figure["measure"] != "accuracy":
            assert numbers == (figure["numerator"], figure["denominator"]), figure
    directions = {rule["code"]: rule["direction"] for rule in told["rules"]}
    for figure in told["results"]:
        units = {figure["unit"]} if figure["person"] else under[figure["unit"]]
        said = Counter(
            row[f"rule:{figure['rule']}"]
            for row in tables["rule_members.csv"]
            if row["unit"] in units
            and figure["cohort"] in ("all", row["cohort"])
            and figure["person"] in (None, row["person"])
        )
        counted = said["1" if directions[figure["rule"]] == "larger" else "0"]
        assert (counted, said["0"] + said["1"]) == (figure["numerator"], figure["denominator"]), figure


def test_the_script_of_the_manual_finds_every_figure_right(bureau, tmp_path):
    session, unit, head = bureau
    made = publications.publish(session, assess(session, unit), staff=head)
    publication_files.write_package(session, made, tmp_path / "package.zip")
    manual = (CHECKOUT / "docs" / "manual.zh.md").read_text("utf-8")
    script = next(
        code for code in re.findall(r"```python\n(.*?)```", manual, re.S) if "rule_members.csv" in code
    )
    told, _tables = unpacked(tmp_path / "package.zip")
    assert len(told["results"]) > 50
    command = [sys.executable, "-c", script, str(tmp_path / "package.zip")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "0\n"


def test_a_package_holds_no_account_number_and_the_key_file_needs_its_permission(bureau, tmp_path, shell):
    session, unit, head = bureau
    made = publications.publish(session, assess(session, unit), staff=head)
    publication_files.write_package(session, made, tmp_path / "package.zip")
    with zipfile.ZipFile(tmp_path / "package.zip") as package:
        assert not any(b"0600" in package.read(name) for name in package.namelist() if name.endswith(".csv"))
    with pytest.raises(Refused):
        publication_files.write_accounts(session, made, tmp_path / "keys.csv", staff=head)
    publication_files.write_accounts(
        session, made, tmp_path / "keys.csv", staff=make_staff(session, "data_steward")
    )
    keys = list(csv.DictReader(io.StringIO((tmp_path / "keys.csv").read_text("utf-8-sig"))))
    _told, tables = unpacked(tmp_path / "package.zip")
    assert {row["key"] for row in keys} == {row["key"] for row in tables["members.csv"]}
    assert len({row["account_no"] for row in keys}) == 6


def test_a_trend_takes_what_is_published_and_tells_changes_in_points(bureau):
    session, unit, head = bureau
    assess(session, unit, "2026-10")
    published = assess(session, unit)
    publications.publish(session, published, staff=head)
    assess(session, unit)
    points = trend(session, unit)
    assert [point.period for point in points] == ["2026-10", "2026-11"]
    assert (points[1].run_id, points[1].published) == (published.id, "2026-0001")
    before, after = (point.figures["mobile_recorded"].rate for point in points)
    assert change(points, "mobile_recorded") == pytest.approx((after - before) * 100)
    assert change(points, "mobile_recorded", back=12) is None


def test_gaps_name_the_books_where_mending_pays_most(bureau):
    session, unit, _head = bureau
    run = assess(session, unit)
    found = gaps(session, run, unit)
    lacking = {(gap.group, gap.kind, gap.what): gap.number for gap in found}
    assert lacking["B0", "mobile", "missing"] == 1
    assert lacking["B1", "postcode", "missing"] == 3
    assert found == sorted(found, key=lambda gap: -gap.gain)
    required = 6 * 3
    assert found[0].gain == pytest.approx(found[0].number / required)
