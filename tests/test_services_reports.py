import re

import pypdfium2
import pytest
from factories import make_contact, make_customer, make_staff
from python_calamine import CalamineWorkbook
from reporting import assessed_bureau
from sqlalchemy import update

from models import AssessmentResult
from services import Refused, files, publications, report_papers, reports


@pytest.fixture
def bureau(session, shell):
    unit, stations = assessed_bureau(session, shell)
    return session, unit, stations


def make(session, unit, staff):
    return reports.make(session, [unit], "2026-11", staff=staff)[0]


def table(facts, caption):
    found = [one for part in facts["parts"] for one in part["tables"]] + facts["annexes"]
    return next(one for one in found if one["caption"].startswith(caption))


def column(told, heading):
    at = [one[0].replace("\n", "") for one in told["columns"]].index(heading)
    return [row[at] for row in told["rows"]]


def flat(text):
    return re.sub(r"\s", "", text)


@pytest.mark.slow
def test_changes_on_month_and_year_are_percentage_points(bureau):
    session, unit, _stations = bureau
    told = table(reports.preview(session, unit, "2026-11"), "各项指标")
    first = dict(zip([one[0].replace("\n", "") for one in told["columns"]], told["rows"][0], strict=True))
    assert (first["指标"], first["客户"], first["分子"], first["分母"]) == ("完整率", "存量客户", "15", "20")
    assert (first["比率"], first["环比（百分点）"], first["同比（百分点）"]) == ("75.00%", "+15.00", "+50.00")
    assert (first["目标值"], first["结论"]) == ("96.00%", "低于基本值")


@pytest.mark.slow
def test_what_to_mend_first_is_named(bureau):
    session, unit, stations = bureau
    facts = reports.preview(session, unit, "2026-11")
    gains = table(facts, "改好后提高最多的")
    assert sum(map(int, column(gains, "项数"))) == 5
    assert sum(map(float, column(gains, "改好后提高（百分点）"))) == pytest.approx(25)
    problems = table(facts, "主要问题")
    assert problems["rows"][0] == ["手机", "缺失", "5", "100.00%"]
    assert {name for name in column(gains, "单位")} <= {station.name for station in stations}


@pytest.mark.slow
def test_issues_are_counted_by_state(bureau):
    session, unit, _stations = bureau
    told = table(reports.preview(session, unit, "2026-11"), "问题清单")
    at = column(told, "规则").index("手机已录入")
    assert column(told, "待整改")[at] == "5" and column(told, "已整改待复核")[at] == "10"


@pytest.mark.slow
def test_a_station_has_a_report_of_its_own(bureau):
    session, _unit, stations = bureau
    facts = reports.preview(session, stations[0], "2026-11")
    assert facts["unit"] == "石湾供电所" and column(table(facts, "各项指标"), "分母")[0] == "10"
    assert "各单位结果" not in [part["heading"] for part in facts["parts"]] and facts["annexes"] == []


def test_a_month_without_a_run_is_refused(bureau):
    session, unit, _stations = bureau
    with pytest.raises(Refused, match="还没有质量评价"):
        reports.preview(session, unit, "2026-09")


@pytest.mark.slow
def test_a_large_run_is_not_previewed_but_made(bureau, monkeypatch):
    session, unit, _stations = bureau
    monkeypatch.setattr(reports, "PREVIEWED", 5)
    with pytest.raises(Refused, match="先生成月报"):
        reports.preview(session, unit, "2026-11")
    made = make(session, unit, make_staff(session, "data_steward", unit))
    assert reports.preview(session, unit, "2026-11") == reports.contents(made)


@pytest.mark.slow
def test_a_kept_report_stays_the_same(bureau):
    session, unit, stations = bureau
    steward = make_staff(session, "data_steward", unit)
    made = make(session, unit, steward)
    before = reports.contents(made)
    make_contact(session, make_customer(session, stations[0]))
    assert make(session, unit, steward) is made
    assert reports.preview(session, unit, "2026-11") == before


@pytest.mark.slow
def test_the_units_below_get_theirs_too(bureau):
    session, unit, stations = bureau
    units = reports.with_below(session, unit, "2026-11")
    assert units == [unit, *stations]
    made = reports.make(session, units, "2026-11", staff=make_staff(session, "data_steward", unit))
    assert [row.unit_id for row in made] == [one.id for one in units] and len(
        {row.sha256 for row in made}
    ) == 3


def test_nobody_makes_a_report_without_the_permission(bureau):
    session, unit, _stations = bureau
    with pytest.raises(Refused, match=r"reports\.run"):
        make(session, unit, make_staff(session, "viewer", unit))


@pytest.mark.slow
def test_a_run_that_does_not_recount_gives_no_report(bureau):
    session, unit, _stations = bureau
    table = AssessmentResult.__table__
    session.connection().execute(update(table).where(table.c.measure == "completeness").values(numerator=1))
    with pytest.raises(Refused, match="复算"):
        make(session, unit, make_staff(session, "data_steward", unit))


@pytest.mark.slow
def test_a_report_is_a_draft_until_its_run_is_published(bureau):
    session, unit, _stations = bureau
    made = make(session, unit, make_staff(session, "data_steward", unit))
    assert made.is_draft and reports.published(session) == []
    publication = publications.publish(session, made.assessment, staff=make_staff(session, "department_head"))
    assert reports.published(session) == [made]
    assert reports.published_as(session, reports.contents(made)) == publication.number


@pytest.mark.slow
def test_a_changed_file_is_not_shown(bureau):
    session, unit, _stations = bureau
    made = make(session, unit, make_staff(session, "data_steward", unit))
    files.location(made.sha256).write_text("{}")
    with pytest.raises(Refused, match="被改动过"):
        reports.contents(made)


@pytest.mark.slow
def test_the_workbook_has_the_rows_of_the_screen_in_their_order(bureau, tmp_path):
    session, unit, _stations = bureau
    facts = reports.preview(session, unit, "2026-11")
    for persons in (True, False):
        path = tmp_path / f"{persons}.xlsx"
        report_papers.workbook(facts, "", path, persons=persons)
        shown = report_papers.shown(facts, persons=persons)
        told = [one for part in shown["parts"] for one in part["tables"]] + shown["annexes"]
        book = CalamineWorkbook.from_path(path)
        sheets = [book.get_sheet_by_index(at + 1).to_python() for at in range(len(told))]
        assert [rows[1:] for rows in sheets] == [one["rows"] for one in told]
        assert any("人员" in one["caption"] for one in told) == persons
    assert "=1+1供电所" in [cell for rows in sheets for row in rows for cell in row]


@pytest.mark.slow
def test_the_same_report_gives_the_same_workbook(bureau, tmp_path):
    session, unit, _stations = bureau
    facts = reports.preview(session, unit, "2026-11")
    made = [tmp_path / "a.xlsx", tmp_path / "b.xlsx"]
    for path in made:
        report_papers.workbook(facts, "2026-0001", path, persons=True)
    assert files.sha256_of(made[0]) == files.sha256_of(made[1])


@pytest.mark.slow
def test_the_paper_holds_every_figure_of_the_screen(bureau):
    session, unit, _stations = bureau
    facts = reports.preview(session, unit, "2026-11")
    content = report_papers.pdf(facts, "", persons=True)
    assert content == report_papers.pdf(facts, "", persons=True)
    with pypdfium2.PdfDocument(content) as document:
        pages = [flat(page.get_textpage().get_text_range()) for page in document]
    whole, shown = "".join(pages), report_papers.shown(facts, persons=True)
    for one in [*(one for part in shown["parts"] for one in part["tables"]), *shown["annexes"]]:
        assert all(flat(cell) in whole for row in one["rows"] for cell in row), one["caption"]
    assert all("草稿" in text and f"共{len(pages)}页" in text for text in pages)
    assert f"核验{reports.digest(facts)[:8]}" in pages[0] and "-11南海供电局" in pages[0]
    assert "草稿" not in flat(
        pypdfium2.PdfDocument(report_papers.pdf(facts, "2026-0001", persons=True))[0]
        .get_textpage()
        .get_text_range()
    )
