import csv
import re
from io import BytesIO, StringIO

import pytest
from browsing import browse
from factories import make_contact, make_customer, make_staff, make_unit
from python_calamine import CalamineWorkbook
from reporting import assessed_bureau
from sqlalchemy import select

from models import Trace
from screens import masking
from screens.exports import text_of
from screens.looks import badge_text, joined
from services import exports

REASON = {"reason": "核对九月缺手机的客户"}


@pytest.fixture
def station(session):
    """A station with three customers, one of whom looks like a formula."""
    unit = make_unit(session)
    for name in ("=1+1", "张三丰", "李四光"):
        make_contact(session, make_customer(session, unit, name=name))
    make_customer(session, make_unit(session), name="别处的")
    return unit


def rows_of(answer):
    assert answer.status_code == 200, answer.text
    return CalamineWorkbook.from_filelike(BytesIO(answer.data)).get_sheet_by_index(0).to_python()


def exported(session):
    session.expire_all()
    return session.scalars(select(Trace).where(Trace.action == "list.exported")).all()


def shown_rows(page):
    found = re.findall(r"<tr>(.*?)</tr>", page[page.index("<tbody>") : page.index("</tbody>")], re.DOTALL)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in found]


def test_an_export_has_the_rows_of_the_page_masked_and_marked(app, session, station):
    steward = make_staff(session, "data_steward", station)
    browser = browse(app, session, steward)
    accounts = [re.sub("<[^>]+>", "", row[0]) for row in shown_rows(browser.get("/admin/customers/").text)]
    rows = rows_of(browser.post("/admin/customers/export", data=REASON | {"kind": "xlsx"}))
    assert [row[0] for row in rows[2:]] == accounts and len(accounts) == 3
    assert steward.username in rows[0][0] and REASON["reason"] in rows[0][0] and "已脱敏" in rows[0][0]
    assert not any("张三丰" in cell or "13800001111" in cell for row in rows for cell in row)
    (trace,) = exported(session)
    assert (trace.actor_id, trace.details["rows"], trace.details["reason"]) == (
        steward.id,
        3,
        REASON["reason"],
    )


@pytest.mark.parametrize("reason", ["", "查", "   "])
def test_no_export_without_a_reason(app, session, station, reason):
    browser = browse(app, session, make_staff(session, "data_steward", station))
    answer = browser.post("/admin/customers/export", data={"reason": reason, "kind": "xlsx"})
    assert answer.status_code != 200 and exported(session) == []


def test_plain_values_only_for_those_who_may_and_ask(app, session, station):
    browser = browse(app, session, make_staff(session, "data_steward", station))
    sent = REASON | {"kind": "xlsx", "plain": "1"}
    cells = [cell for row in rows_of(browser.post("/admin/customers/export", data=sent)) for cell in row]
    assert {"=1+1", "张三丰", "李四光"} <= set(cells) and any("13800001111" in cell for cell in cells)
    assert exported(session)[-1].details["plain"] is True and masking.name_text("张三丰") != "张三丰"
    head = browse(app, session, make_staff(session, "station_head", station))
    assert head.post("/admin/issues/export", data=sent).status_code != 200
    assert head.post("/admin/customers/export", data=REASON).status_code == 403


def test_csv_cells_are_no_formulas(app, session, station):
    browser = browse(app, session, make_staff(session, "data_steward", station))
    answer = browser.post("/admin/customers/export", data=REASON | {"kind": "csv", "plain": "1"})
    rows = list(csv.reader(StringIO(answer.data.decode("utf-8-sig"))))
    assert "'=1+1" in [row[1] for row in rows[2:]] and rows[1][0] == "户号"


def test_filters_of_the_page_hold_for_its_export(app, session, station):
    row = make_customer(session, station, customer_class="high_voltage")
    browser = browse(app, session, make_staff(session, "data_steward", station))
    rows = rows_of(browser.post("/admin/customers/export", data=REASON | {"class": "high_voltage"}))
    assert [one[0] for one in rows[2:]] == [row.account_no]


@pytest.mark.slow
def test_all_records_behind_a_figure_are_exported(app, session, shell):
    unit, stations = assessed_bureau(session, shell)
    browser = browse(app, session, make_staff(session, "data_steward", unit))
    query = f"measure=completeness&part=denominator&unit={unit.id}"
    run = re.search(r"/admin/assessments/(\d+)", browser.get("/admin/assessments/").text)[1]
    page = shown_rows(browser.get(f"/admin/assessments/{run}/records?{query}").text)
    rows = rows_of(browser.post(f"/admin/assessments/{run}/records/export?{query}", data=REASON))[2:]
    assert [row[0] for row in rows] == [re.sub("<[^>]+>", "", one[0]) for one in page] and len(rows) == 20
    head = browse(app, session, make_staff(session, "station_head", stations[0]))
    own = rows_of(head.post(f"/admin/assessments/{run}/records/export?{query}", data=REASON))[2:]
    assert len(own) == 10


def test_mark_up_leaves_no_trace_in_a_file():
    assert text_of(joined("张*", badge_text("bad", "存疑"))) == "张* 存疑"
    assert text_of(None) == "" and text_of("<b>李四</b>") == "<b>李四</b>"


def test_an_export_that_is_too_large_is_refused_and_leaves_nothing(app, session, station, monkeypatch):
    monkeypatch.setattr(exports, "MOST", 2)
    browser = browse(app, session, make_staff(session, "data_steward", station))
    answer = browser.post("/admin/customers/export", data=REASON | {"kind": "csv"})
    assert answer.status_code != 200 and exported(session) == []
