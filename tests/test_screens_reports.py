import re
from io import BytesIO

import pytest
from browsing import browse
from factories import make_staff
from python_calamine import CalamineWorkbook
from reporting import assess, assessed_bureau

from services import publications, reports
from workflows import engine

PERIOD = "2026-11"


@pytest.fixture
def bureau(session, shell):
    return assessed_bureau(session, shell)


def address(unit, view="show"):
    return f"/admin/reports/{view}?unit={unit.id}&period={PERIOD}"


def publish(session, unit, units):
    rows = reports.make(session, units, PERIOD, staff=make_staff(session, "data_steward", unit))
    publications.publish(session, rows[0].assessment, staff=make_staff(session, "department_head", unit))
    return rows


def cells(page):
    """The tables of a page: rows of texts, without headings."""
    tables = re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    rows = [re.findall(r"<tr>(.*?)</tr>", one, re.DOTALL) for one in tables]
    plain = [[re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in one] for one in rows]
    return [[[re.sub(r"<[^>]+>", "", cell) for cell in row] for row in one] for one in plain]


@pytest.mark.slow
def test_the_workbook_is_the_page(app, session, bureau):
    unit, _stations = bureau
    steward = browse(app, session, make_staff(session, "data_steward", unit))
    page, file = steward.get(address(unit)).text, steward.get(address(unit, "xlsx"))
    book = CalamineWorkbook.from_filelike(BytesIO(file.data))
    sheets = [book.get_sheet_by_index(at).to_python()[1:] for at in range(1, len(book.sheet_names))]
    assert [rows for rows in sheets if rows] == cells(page) and len(cells(page)) > 8
    assert "草稿" in page and "<svg" in page


@pytest.mark.slow
def test_figures_of_the_page_open_their_lists(app, session, bureau):
    unit, _stations = bureau
    steward = browse(app, session, make_staff(session, "data_steward", unit))
    links = set(re.findall(r'<td[^>]*><a href="([^"]+)">', steward.get(address(unit)).text))
    assert len(links) > 15
    for link in links:
        assert steward.get(link.replace("&amp;", "&")).status_code == 200, link


@pytest.mark.slow
def test_all_staff_of_a_unit_see_its_published_report(app, session, bureau):
    unit, stations = bureau
    clerk = browse(app, session, make_staff(session, "clerk", stations[0]))
    assert clerk.get(address(stations[0])).status_code == 404
    publish(session, unit, [unit, *stations])
    session.commit()
    page = clerk.get(address(stations[0])).text
    assert "已发布" in page and "人员完整率" not in page and "草稿" not in page
    assert clerk.get(address(stations[1])).status_code == clerk.get(address(unit)).status_code == 404
    listed = clerk.get("/admin/reports/").text
    assert "石湾供电所" in listed and "=1+1供电所" not in listed
    assert "份质量月报新发布" in clerk.get("/admin/").text


@pytest.mark.slow
def test_a_corrected_report_is_no_longer_offered(app, session, bureau):
    unit, stations = bureau
    first = publish(session, unit, [stations[0]])[0]
    session.commit()
    assert reports.published(session) == [first]

    again = assess(session, unit, PERIOD)
    publications.publish(session, again, staff=make_staff(session, "department_head", unit), reason="更正")
    assert reports.published(session) == []


@pytest.mark.slow
def test_a_run_of_the_engine_makes_the_reports(app, session, bureau):
    unit, stations = bureau
    steward = browse(app, session, make_staff(session, "data_steward", unit))
    sent = {"unit": unit.id, "period": PERIOD, "below": "1"}
    assert steward.post("/admin/reports/make", data=sent).status_code == 303
    engine.drain()
    session.expire_all()
    assert [row.unit_id for row in reports.drafts(session)] == [unit.id, *(one.id for one in stations)]
    viewer = browse(app, session, make_staff(session, "viewer", unit))
    assert viewer.post("/admin/reports/make", data=sent).status_code == 403


@pytest.mark.slow
def test_report_of_no_unit_asks_for_one(app, session, bureau):
    steward = browse(app, session, make_staff(session, "data_steward"))
    answer = steward.get(f"/admin/reports/show?unit=&period={PERIOD}")
    assert answer.status_code == 422
    assert "请先选择单位" in answer.get_data(as_text=True)
    answer = steward.post("/admin/reports/make", {"unit": "", "period": PERIOD}, follow_redirects=True)
    assert answer.status_code == 200
    assert "请先选择单位" in answer.get_data(as_text=True)
