"""Samples, audits and batch acceptance as people meet them: designed, promised, drawn, keyed, checked, ended."""

import re

import pytest
from browsing import browse
from driving import driven, serious_findings
from factories import make_contact, make_customer, make_staff
from needs import needs_chromium
from sampling import AFTER, NUMBER, PERIOD, commit, draw, make_bureau
from sqlalchemy import select

from models import AuditItem, BatchAudit, ImportBatch, Sample, Trace
from models.clock import move_to, utcnow
from services import assessments, audits, samples
from services.audits import Finding


@pytest.fixture
def auditor(session):
    return make_staff(session, "auditor", name="赵稽查")


@pytest.fixture
def county(session):
    return make_bureau(session, customers=6)


def page_of(response):
    assert response.status_code == 200, response.status_code
    text = response.get_data(as_text=True)
    response.close()
    return text


def keyed(items, verdict, **more):
    form = {f"{name}-{item.id}": value for item in items for name, value in more.items()}
    return (
        form
        | {f"verdict-{item.id}": verdict for item in items}
        | {f"mode-{item.id}": "call" for item in items}
    )


def test_design_says_how_many_and_commits(app, session, county, auditor):
    browser = browse(app, session, auditor)
    page = page_of(
        browser.get(f"/admin/samples/design?unit={county.id}&period={PERIOD}&precision=5&share=90")
    )
    assert "424" in page and "561" in page and "132" in page
    form = {"unit": county.id, "period": PERIOD, "size": "5", "method": "stratified", "counted_by": "item"}
    assert browser.post("/admin/samples/commit", form).status_code == 303
    sample = session.scalars(select(Sample)).one()
    page = page_of(browser.get(f"/admin/samples/{sample.id}"))
    assert sample.seed_sha256 in page
    assert samples._opened(sample) not in page and "公开号码（照原样填写）" not in page


@pytest.mark.parametrize(("unit", "period", "why"), [("", PERIOD, "请选择管辖范围内的单位"), ("x", "2026-13", "请选择"),
                                                     ("own", "abc", "无法识别")])  # fmt: skip
def test_design_of_no_unit_or_month_shows_the_form_again(app, session, county, auditor, unit, period, why):
    browser = browse(app, session, auditor)
    asked = {"unit": county.id if unit == "own" else unit, "period": period}
    answers = browser.get("/admin/samples/design", query_string=asked), browser.post("/admin/samples/commit", asked)
    for answer in answers:
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422
        assert why in page and 'action="/admin/samples/design"' in page


def test_empty_list_advises_by_what_one_may_do(app, session, county, auditor):
    assert "设计样本并作出承诺" in page_of(browse(app, session, auditor).get("/admin/samples/"))
    steward = browse(app, session, make_staff(session, "data_steward"))
    assert "由营销稽查员在考核期截止之前设计" in page_of(steward.get("/admin/samples/"))


def test_refused_commitment_keeps_what_was_typed(app, session, county, auditor):
    browser = browse(app, session, auditor)
    form = {
        "unit": county.id,
        "period": PERIOD,
        "size": "5",
        "method": "pps",
        "clusters": "0",
        "counted_by": "account",
    }
    answer = browser.post("/admin/samples/commit", form | {"public_source": "双色球"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "先定抽几册" in page and 'value="双色球"' in page and 'value="pps" selected' in page


def test_draw_reveals_and_downloads(app, session, county, auditor):
    sample = commit(session, county, 5, staff=auditor)
    move_to(session, AFTER)
    browser = browse(app, session, auditor)
    where = f"/admin/samples/{sample.id}"
    assert "抽取之前不提供" in page_of(browser.post(f"{where}/members.txt", follow_redirects=True))
    assert browser.post(f"{where}/draw", {"public_number": ""}).status_code == 422
    assert browser.post(f"{where}/draw", {"public_number": NUMBER}).status_code == 303
    session.expire_all()
    page = page_of(browser.get(where))
    assert sample.seed in page and NUMBER in page
    assert len(page_of(browser.post(f"{where}/members.txt")).splitlines()) == 12
    assert page_of(browser.get(f"{where}/strata.csv")).startswith("\ufeffstratum,population,size")
    assert len(page_of(browser.post(f"{where}/drawn.csv")).splitlines()) == 6


@pytest.mark.slow
def test_findings_are_keyed_masked_and_checked_by_another(app, session, county, auditor):
    sample, other = draw(session, county, 3, staff=auditor), make_staff(session, "auditor")
    where = f"/admin/audits/{sample.id}"
    browser, items = browse(app, session, auditor), session.scalars(select(AuditItem)).all()
    page = page_of(browser.get(where))
    assert "138****1111" in page and "13800001111" not in page
    assert "13800001111" in page_of(browser.post(f"/admin/audits/sample/{sample.id}/plain"))
    assert session.scalar(select(Trace.id).where(Trace.action == "customer.revealed")) is not None
    assert browser.post(f"/admin/audits/sample/{sample.id}/key", keyed(items, "right")).status_code == 303
    ids = {"rowid": [item.id for item in items]}
    own = page_of(browser.post(f"/admin/audits/sample/{sample.id}/check", ids, follow_redirects=True))
    assert "请由另一人复核" in own
    second = browse(app, session, other)
    assert "已复核 6 项" in page_of(
        second.post(f"/admin/audits/sample/{sample.id}/check", ids, follow_redirects=True)
    )
    assert "核查已结束" in page_of(second.post(f"{where}/close", follow_redirects=True))
    assert "100.00%" in page_of(second.get(f"/admin/samples/{sample.id}"))


@pytest.mark.slow
def test_accuracy_of_an_assessment_opens_the_items_behind_it(app, session, county, auditor):
    sample = draw(session, county, 3, staff=auditor)
    items = audits.items_of(session, sample)
    audits.key(session, {item.id: Finding("call", "right") for item in items[:4]}, staff=auditor)
    asked = assessments.question(session, PERIOD, county, allow_empty=True)
    run = assessments.keep(session, assessments.count(session, asked), staff_id=None)
    browser = browse(app, session, auditor)
    page = page_of(browser.get(f"/admin/assessments/{run.id}?unit={county.id}"))
    links = re.findall(rf"/admin/audits/of/{PERIOD}\?unit={county.id}&amp;cohort=\w+&amp;state=judged", page)
    found = [page_of(browser.get(link.replace("&amp;", "&"), follow_redirects=True)) for link in set(links)]
    assert sum(one.count('name="rowid"') for one in found) == 4


@pytest.mark.slow
def test_refused_finding_loses_nothing_that_was_typed(app, session, county, auditor):
    sample = draw(session, county, 3, staff=auditor)
    browser, item = browse(app, session, auditor), session.scalars(select(AuditItem)).first()
    form = keyed([item], "wrong", correct="13911112222", evidence="")
    answer = browser.post(f"/admin/audits/sample/{sample.id}/key", form)
    assert answer.status_code == 422
    assert 'value="13911112222"' in answer.get_data(as_text=True)
    session.expire_all()
    assert item.verdict == ""


@pytest.mark.slow
def test_items_are_assigned_and_wait_on_the_home_page(app, session, county, auditor):
    sample = draw(session, county, 3, staff=auditor)
    browser = browse(app, session, auditor)
    page = page_of(
        browser.post(f"/admin/audits/{sample.id}/share", {"person": [auditor.id]}, follow_redirects=True)
    )
    assert "已分派 6 项" in page
    assert ">6</span> 我的核查" in page_of(browser.get("/admin/"))
    assert "赵稽查" in page_of(browser.get(f"/admin/audits/{sample.id}?mine=1"))


def test_agent_keys_and_does_not_check_or_draw(app, session, county, auditor):
    sample = draw(session, county, 3, staff=auditor)
    browser, items = (
        browse(app, session, make_staff(session, "agent")),
        session.scalars(select(AuditItem)).all(),
    )
    page = page_of(browser.get(f"/admin/audits/{sample.id}"))
    assert "保存本页" in page and "复核选中的" not in page
    assert browser.post(f"/admin/audits/sample/{sample.id}/key", keyed(items, "refused")).status_code == 303
    assert (
        browser.post(f"/admin/audits/sample/{sample.id}/check", {"rowid": [items[0].id]}).status_code == 403
    )
    assert browser.get(f"/admin/samples/{sample.id}").status_code == 403


@pytest.mark.slow
def test_batch_is_planned_drawn_and_returned_with_the_way_to_undo(app, session, auditor):
    steward, other = make_staff(session, "data_steward"), make_staff(session, "auditor")
    batch = ImportBatch(unit_id=steward.unit_id, recorder_id=steward.id, file_name="第三方.csv", state="done")
    batch.created_at = utcnow()
    session.add(batch)
    session.flush()
    customer = make_customer(session)
    for _place in range(8):
        make_contact(session, customer, batch_id=batch.id, recorder_id=steward.id)
    browser, second = browse(app, session, auditor), browse(app, session, other)
    assert "第三方.csv" in page_of(browser.get("/admin/batch_audits/"))
    assert "这一批共 8 个值" in page_of(browser.get(f"/admin/batch_audits/plan/{batch.id}"))
    assert browser.post(f"/admin/batch_audits/plan/{batch.id}", {"aql": "3"}).status_code == 422
    assert browser.post(f"/admin/batch_audits/plan/{batch.id}", {"aql": "6.5"}).status_code == 303
    audit, items = session.scalars(select(BatchAudit)).one(), session.scalars(select(AuditItem)).all()
    assert browser.post(f"/admin/audits/batch/{audit.id}/key", keyed(items, "wrong")).status_code == 303
    second.post(f"/admin/audits/batch/{audit.id}/check", {"rowid": [item.id for item in items]})
    page = page_of(second.post(f"/admin/batch_audits/{audit.id}/decide", follow_redirects=True))
    assert "退回这一批" in page and f"/admin/imports/{batch.id}" in page


@pytest.mark.slow
def test_sheets_come_as_files_and_a_print_is_numbered(app, session, county, auditor):
    sample = draw(session, county, 3, staff=auditor)
    browser = browse(app, session, auditor)
    assert browser.get(f"/admin/samples/{sample.id}/announcement.pdf").data.startswith(b"%PDF")
    for copy in (1, 2):
        assert browser.post(f"/admin/audits/{sample.id}/worksheet.pdf", {}).data.startswith(b"%PDF")
        details = session.scalars(
            select(Trace.details).where(Trace.action == "audit.printed").order_by(Trace.id.desc())
        ).first()
        assert details["copy"] == copy


@pytest.mark.slow
@needs_chromium
def test_verdicts_are_keyed_without_a_mouse(app, session, county, auditor):
    where = f"/admin/audits/{draw(session, county, 3, staff=auditor).id}"
    with driven(app, session, auditor) as page:
        page.goto(where)
        page.locator("select[data-verdict]").first.focus()
        for digit in "1112":
            page.keyboard.press(digit)
        assert page.evaluate("document.activeElement.name").startswith("correct-")
        assert serious_findings(page) == []
        page.get_by_role("button", name="保存本页").click()
        page.wait_for_selector(".message.success")
    session.expire_all()
    verdicts = session.scalars(select(AuditItem.verdict).order_by(AuditItem.id)).all()
    assert verdicts == ["right", "right", "right", "wrong", "", ""]
