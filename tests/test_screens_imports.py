"""The import pages: upload, columns, progress, figures with their rows, error file, undo; and who may."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from browsing import browse
from factories import make_contact, make_customer, make_staff, make_unit
from importing import figures, state_of, values
from sqlalchemy import select

from models import BatchRow, ImportBatch, Run, Trace, TrialRow
from services import files
from workflows import engine

GOOD, OTHER = "13827465109", "13926148037"
TEXT = f"户号,户名,手机,联络电话,备注\n0600001,张三,{GOOD},,x\n0600002,李四,手机{OTHER},,y\n,无号,,,z\n"


@pytest.fixture
def steward(app, session):
    return browse(app, session, make_staff(session, "data_steward", name="数据专责"))


def upload(browser, text=TEXT, name="客户.csv", encoding="gb18030"):
    """Upload a file; the address of its page."""
    content = text if isinstance(text, bytes) else text.encode(encoding)
    answer = browser.post("/admin/imports/upload", {"file": (BytesIO(content), name)})
    return answer, answer.headers.get("Location", "")


def start(browser, page, **more):
    form = {"mode": "update", "unit": more.pop("unit", 1)} | more
    return browser.post(f"{page}/start", form)


def carry(session):
    session.commit()
    engine.drain()
    session.expire_all()


def columns(*fields):
    return {f"column-{place}": field for place, field in enumerate(fields)}


def test_an_upload_shows_its_format_its_rows_and_its_columns(session, steward):
    answer, page = upload(steward)
    shown = steward.get(page).text
    assert answer.status_code == 303 and "GB18030" in shown and "3 列，共 5 列" in shown
    assert GOOD in shown and 'aria-label="“联络电话”对应到"' in shown
    assert shown.count('value="mobile" selected') == 1


def test_a_file_is_brought_in_with_the_columns_a_person_chose(session, steward, root):
    _answer, page = upload(steward, TEXT.replace(",,x", f",{OTHER},x"))
    chosen = columns("account_no", "name", "mobile", "phone", "")
    assert start(steward, page, unit=root.id, **chosen).status_code == 303
    moving = steward.get(page).text
    assert 'hx-trigger="every 1s"' in moving and "排队中" in moving
    carry(session)
    ended = steward.get(f"{page}/progress")
    assert ended.headers["HX-Refresh"] == "true"
    batch = session.scalars(select(ImportBatch)).one()
    assert figures(batch) == {"created": 2, "rejected": 1} and session.scalars(select(Run)).one().state == "done"
    assert values(session, "mobile", account="0600001") == [f"+86{GOOD}", f"+86{OTHER}"]


def imported(session, steward, root, text=TEXT):
    _answer, page = upload(steward, text)
    start(steward, page, unit=root.id, **columns("account_no", "name", "mobile", "", ""))
    carry(session)
    return page


def test_every_figure_opens_its_rows_and_covers_values(session, steward, root):
    page = imported(session, steward, root)
    shown = steward.get(page).text
    assert f'{page}/rows?outcome=created">2</a>' in shown and f'{page}/rows?outcome=rejected">1</a>' in shown
    created = steward.get(f"{page}/rows?outcome=created").text
    assert "0600001" in created and "张*" in created and GOOD not in created and "138****5109" in created
    rejected = steward.get(f"{page}/rows?outcome=rejected").text
    assert "没有户号" in rejected and "0600001" not in rejected


def test_the_error_file_is_handed_out_and_that_is_traced(session, steward, root):
    page = imported(session, steward, root)
    answer = steward.post(f"{page}/errors")
    assert "attachment" in answer.headers["Content-Disposition"]
    lines = answer.data.decode("gb18030").splitlines()
    answer.close()
    assert lines[0] == "户号,户名,手机,联络电话,备注,拒收原因" and lines[1].startswith(",无号,,,z,原文件第 4 行")
    assert session.scalars(select(Trace.action).where(Trace.action == "import.errors_taken")).all()


@pytest.mark.slow
def test_an_undo_runs_and_says_what_it_left(session, steward, root):
    make_contact(session, make_customer(session, account_no="0600001", name="张三"), preferred=True)
    page = imported(session, steward, root)
    before = session.scalars(select(ImportBatch)).one()
    assert figures(before) == {"created": 1, "updated": 1, "rejected": 1}
    assert steward.post(f"{page}/undo").status_code == 303
    assert "撤销中" in steward.get(page).text
    again = steward.post(f"{page}/undo", follow_redirects=True).text
    assert "正在撤销" in again
    carry(session)
    shown = steward.get(page).text
    assert "已撤销" in shown and f'{page}/rows?undone=removed">1</a>' in shown
    assert list(state_of(session)) == ["0600001"] and values(session, "mobile") == ["+8613800001111"]


@pytest.mark.slow
def test_cleanups_are_offered_and_tried_as_a_batch_change(session, steward, root):
    page = imported(session, steward, root)
    assert "提出数据规范" in steward.get(page).text
    change = steward.post(f"{page}/cleanups").location
    carry(session)
    shown = steward.get(change).text
    assert "数据规范 客户.csv" in shown and ">提交审核<" in shown and "139****8037" in shown
    steward.post(f"{change}/submit")
    carry(session)
    assert values(session, "mobile", state="proposed") == [f"+86{OTHER}"]


@pytest.mark.slow
def test_a_trial_says_what_would_happen_and_writes_nothing(session, steward, root):
    make_contact(session, make_customer(session, account_no="0600001", name="张三"), preferred=True)
    before = state_of(session)
    _answer, page = upload(steward, TEXT.replace(",,y", ",12345,y"))
    form = {"mode": "update", "unit": root.id} | columns("account_no", "name", "mobile", "phone", "")
    assert steward.post(f"{page}/try", form).status_code == 303
    assert "正在试算" in steward.get(page).text
    carry(session)
    assert steward.get(f"{page}/trial/progress").headers["HX-Refresh"] == "true"
    shown = steward.get(page).text
    assert f'{page}/trial?outcome=created">1</a>' in shown and "最差的几行" in shown and "没有户号" in shown
    assert state_of(session) == before and session.query(BatchRow).count() == 0
    rows = steward.get(f"{page}/trial?figure=bad").text
    assert "12345" in rows and "1 格存疑或无效" in rows and "0600001" not in rows
    start(steward, page, unit=root.id, **columns("account_no", "name", "mobile", "phone", ""))
    carry(session)
    assert figures(session.query(ImportBatch).one()) == {"created": 1, "updated": 1, "rejected": 1}
    assert session.query(TrialRow).count() == 0


def test_the_next_file_with_the_same_headings_is_mapped_the_same_way(session, steward, root):
    _answer, page = upload(steward)
    start(steward, page, unit=root.id, mode="fill", **columns("account_no", "name", "mobile", "phone", "meter_book"))
    carry(session)
    _answer, page = upload(steward, TEXT.replace("联络电话", " 联络电话* "), name="下月.csv")
    shown = steward.get(page).text
    assert "已按上次的对应填好" in shown and "“客户.csv”" in shown
    assert 'value="meter_book" selected' in shown and 'value="phone" selected' in shown
    assert re.search(r'value="fill" checked', shown)
    _answer, page = upload(steward, TEXT.replace("联络电话", "别的电话"))
    assert "已按上次的对应填好" not in steward.get(page).text


def test_what_was_not_understood_is_listed(session, steward, root):
    text = "户号,户名,立户日期,客户经理\n1,张三,去年,查无此人\n2,李四,2024-01-01,\n"
    _answer, page = upload(steward, text)
    start(steward, page, unit=root.id, **columns("account_no", "name", "opened_on", "manager"))
    carry(session)
    assert "有 1 行的日期" in steward.get(page).text
    rows = steward.get(f"{page}/rows?notes=unread").text
    assert "立户日期：去年" in rows and "客户经理：查无此人" in rows and "李*" not in rows


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"%PDF-1.7", "a.pdf", "PDF"),
        (b"", "a.csv", "空的"),
        (b"PK\x03\x04broken", "a.xlsx", "a.xlsx"),
    ],
)
def test_what_is_no_table_is_refused_by_its_own_name(session, steward, content, name, message):
    steward.get("/admin/imports/")
    answer = steward.post("/admin/imports/upload", {"file": (BytesIO(content), name)}, follow_redirects=True)
    assert message in answer.text and session.scalars(select(ImportBatch)).all() == []
    assert list((files.location("00").parent.parent).rglob("upload")) == []


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (columns("", "name", "mobile", "", ""), "没有找到户号一列"),
        (columns("account_no", "name", "mobile", "mobile", ""), "对应到了同一项"),
    ],
)
def test_a_wrong_choice_of_columns_is_told_and_kept(session, steward, root, chosen, message):
    _answer, page = upload(steward)
    answer = start(steward, page, unit=root.id, **chosen)
    assert answer.status_code == 422 and message in answer.text and "客户.csv" in answer.text
    assert answer.text.count('value="name" selected') == 1
    assert session.scalars(select(ImportBatch.state)).all() == ["uploaded"]


def test_an_upload_can_be_discarded(session, steward):
    _answer, page = upload(steward)
    digest = session.scalars(select(ImportBatch.sha256)).one()
    session.commit()
    steward.post(f"{page}/discard")
    assert session.scalars(select(ImportBatch)).all() == [] and not files.location(digest).exists()


def test_an_auditor_looks_and_changes_nothing(app, session, steward, root):
    page = imported(session, steward, root)
    auditor = browse(app, session, make_staff(session, "auditor"))
    shown = auditor.get(page).text
    assert "各行结果" in shown and "撤销这一批" not in shown and "下载错误清单" not in shown
    for address in ("undo", "errors", "cleanups", "start", "discard"):
        assert auditor.post(f"{page}/{address}").status_code == 403
    assert auditor.post("/admin/imports/upload").status_code == 403


def test_batches_of_other_units_are_not_there(app, session, steward, root):
    page = imported(session, steward, root)
    mine = browse(app, session, make_staff(session, "data_steward", make_unit(session)))
    for address in ("", "/rows", "/progress"):
        assert mine.get(page + address).status_code == 404
    assert mine.post(f"{page}/undo").status_code == 404 and "客户.csv" not in mine.get("/admin/imports/").text


def test_a_stopped_run_is_said_with_its_reason(session, steward, root):
    _answer, page = upload(steward)
    start(steward, page, unit=root.id, **columns("account_no", "name", "mobile", "", ""))
    run = session.scalars(select(Run)).one()
    run.state, run.message = "failed", "磁盘满了"
    shown = steward.get(page).text
    assert "这一批停下来了" in shown and "磁盘满了" in shown and 'hx-trigger="every 1s"' not in shown
