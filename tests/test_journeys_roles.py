"""The main task of each role, in a real browser on the real app, as the manual tells it; the desk has its own file."""

import csv
from contextlib import contextmanager

import pytest
from driving import NARROW, driven, serious_findings
from factories import ADDRESS, make_contact, make_customer, make_staff, make_unit
from importing import bring_in
from needs import needs_chromium
from sqlalchemy import select

from models import Contact, Customer, CustomerVersion, ImportBatch, Notice, Staff, Unit, Visit, WalkList
from models.clock import now, period_of, today, utcnow
from services import assessments, notices, traces, visits
from services.visits import Need
from workflows import engine, runs

pytestmark = [pytest.mark.slow, pytest.mark.browser, needs_chromium]

HEADINGS = ("用电客户编号", "客户姓名", "手机号码", "装表地址", "报装日期")
ROWS = (
    ("0601000001", "霍丽文", "138-2280 2465(妻子)", ADDRESS, "2019-03-05"),
    ("0601000002", "伍国强", "1390280024", ADDRESS, "2020.4.6"),
    ("", "无号人", "13822802465", ADDRESS, ""),
)


@contextmanager
def at_work(app, session, staff, **options):
    """A browser of this person; every page left behind is accessible."""
    with driven(app, session, staff, **options) as page:
        yield page
        looked_at(page)


def looked_at(page):
    assert serious_findings(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], page.url


def agree(page, button):
    """Press a button that asks first, and say yes."""
    page.get_by_role("button", name=button, exact=True).click()
    page.locator("dialog[open]").get_by_role("button", name="确定").click()


def test_an_administrator_adds_a_unit_and_a_person_in_it(app, session):
    with at_work(app, session, make_staff(session, "administrator")) as page:
        page.goto("/")
        page.get_by_role("link", name="单位一览", exact=True).first.click()
        page.get_by_role("link", name="新增").click()
        page.wait_for_url("**/new/**")
        page.get_by_label("名称").fill("白沙供电所")
        page.get_by_label("代码").fill("075001")
        page.get_by_label("类型").select_option(label="供电所")
        looked_at(page)
        page.get_by_role("button", name="保存", exact=True).click()
        page.get_by_role("link", name="人员", exact=True).click()
        page.get_by_role("link", name="新增").click()
        page.wait_for_url("**/new/**")
        page.get_by_label("姓名").fill("梁经")
        page.get_by_label("登录名").fill("liangjing")
        page.get_by_label("单位", exact=True).fill("白沙")
        page.get_by_role("option", name="白沙供电所").click()
        page.get_by_label("客户经理").check()
        looked_at(page)
        page.get_by_role("button", name="保存", exact=True).click()
        page.get_by_text("一次性密码").first.wait_for()
    session.expire_all()
    person = session.scalars(select(Staff).where(Staff.username == "liangjing")).one()
    assert session.get(Unit, person.unit_id).code == "075001" and person.must_change
    assert [role.name for role in person.roles] == ["account_manager"]


def mobiles(session):
    """Values and verdicts; the transaction ends here, since the pages are written by another one."""
    found = session.execute(select(Contact.value, Contact.verdict).where(Contact.kind == "mobile")).all()
    session.rollback()
    return sorted(map(tuple, found))


def test_a_steward_brings_a_dirty_file_in_and_takes_it_back(app, session, tmp_path):
    path = tmp_path / "客户.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows((HEADINGS, *ROWS))
    with at_work(app, session, make_staff(session, "data_steward")) as page:
        page.goto("/")
        page.get_by_role("link", name="导入", exact=True).click()
        page.get_by_label("导入一个文件").set_input_files(path)
        page.get_by_role("button", name="上传并查看").click()
        page.get_by_text("GB18030").wait_for()
        page.get_by_label("“报装日期”对应到").select_option(label="立户日期")
        looked_at(page)
        page.get_by_role("button", name="开始导入").click()
        page.wait_for_url("**/admin/imports/*")
        engine.drain()
        page.reload()
        page.locator(".figures div", has_text="拒收").get_by_role("link").click()
        page.get_by_text("没有户号").wait_for()
        looked_at(page)
        page.go_back()
        with page.expect_download() as download:
            page.get_by_role("button", name="下载错误清单").click()
        errors = download.value.path().read_text("gb18030")
        assert "无号人" in errors and "霍丽文" not in errors
        assert mobiles(session) == [("", "invalid"), ("+8613822802465", "repairable")]
        page.goto("/admin/imports/")
        page.locator("main td a").first.click()
        looked_at(page)
        agree(page, "撤销这一批")
        page.wait_for_load_state()
        engine.drain()
        page.reload()
    session.expire_all()
    assert session.scalars(select(ImportBatch.state)).one() == "undone"
    assert session.scalars(select(Customer).where(Customer.closed_on.is_(None))).all() == []


@pytest.fixture
def unit(session):
    return make_unit(session, name="白沙供电所")


def door(session, unit):
    customer = make_customer(session, unit, name="霍丽文")
    make_contact(session, customer, "supply_address", raw=ADDRESS, value=ADDRESS)
    make_contact(session, customer, "mobile", raw="13802800246", value="+8613802800246")
    facts = {"customer_class": customer.customer_class, "opened_on": customer.opened_on, "valid_from": utcnow()}
    session.add(CustomerVersion(customer_id=customer.id, unit_id=unit.id, **facts))
    visits.make_visits(session, [Need(customer.id, unit.id, "silent")])
    return customer


def test_a_station_head_hands_doors_out_and_signs_for_a_notice(app, session, root, unit):
    head, manager = (make_staff(session, role, unit) for role in ("station_head", "account_manager"))
    walker = manager.id
    for _ in range(3):
        door(session, unit)
    question = assessments.question(session, period_of(today(session)), root)
    run = assessments.keep(session, assessments.count(session, question), staff_id=None)
    for row in notices.compose(session, run, drafted_by_id=None):
        row.state, row.number, row.issued_at = "issued", 1, utcnow()
    with at_work(app, session, head) as page:
        page.goto("/admin/visits/")
        page.get_by_label("分派给").select_option(value=str(walker))
        for box in page.locator("[name=rowid]").all():
            box.check()
        looked_at(page)
        page.get_by_role("button", name="分派选中的").click()
        page.wait_for_selector(".message.success")
        page.get_by_role("link", name="走访清单").click()
        page.get_by_role("button", name="生成走访清单").click()
        page.wait_for_selector(".message.success")
        looked_at(page)
        with page.expect_download() as download:
            page.get_by_role("link", name="下载 PDF").first.click()
        assert download.value.path().read_bytes().startswith(b"%PDF")
        page.goto("/admin/notices/")
        page.locator("main td a", has_text="通知单").first.click()
        looked_at(page)
        page.get_by_role("button", name="以白沙供电所名义签收").click()
        page.wait_for_selector(".message.success")
    session.expire_all()
    assert {one.staff_id for one in session.scalars(select(Visit))} == {walker}
    assert session.scalars(select(WalkList.staff_id)).one() == walker
    signed = select(Notice.state).where(Notice.kind == "assessment_notice")
    assert session.scalars(signed).one() == "acknowledged"


def test_an_account_manager_keys_a_visit_on_the_phone(app, session, unit):
    manager = make_staff(session, "account_manager", unit)
    customer = door(session, unit)
    visit = session.scalars(select(Visit)).one()
    visit.staff_id, visit.state = manager.id, "assigned"
    with at_work(app, session, manager, size=NARROW) as page:
        page.goto("/m/")
        looked_at(page)
        page.locator(".phone-doors a").first.click()
        page.get_by_text("已见面并核对").click()
        page.locator("[name=reply_mobile][value=new] + span").click()
        page.locator("[name=text_mobile]").fill("139 2280 0246")
        page.get_by_label("答复人与户主关系").select_option(label="本人")
        looked_at(page)
        page.get_by_role("button", name="保存走访结果").click()
        page.wait_for_url("**/m/")
    session.expire_all()
    current = select(Contact.value).where(Contact.customer_id == customer.id, Contact.kind == "mobile")
    assert session.scalars(select(Visit.state)).one() == "done"
    assert "+8613922800246" in session.scalars(current).all()


def test_an_auditor_opens_a_figure_down_to_the_trace(app, session, unit, shell, tmp_path):
    path = tmp_path / "customers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows((("户号", "户名", "手机", "用电地址"), *(row[:4] for row in ROWS[:2])))
    bring_in(session, path, unit=unit)
    period = now(session).strftime("%Y-%m")
    runs.start(session, "assessment", {"assess.period": period}, shell)
    session.commit()
    engine.drain()
    traces.seal(session)
    with at_work(app, session, make_staff(session, "auditor")) as page:
        page.goto("/")
        looked_at(page)
        page.locator("nav summary", has_text="数据质量").click()
        page.get_by_role("link", name="质量评价", exact=True).first.click()
        page.get_by_role("link", name=period, exact=True).click()
        looked_at(page)
        page.locator("td.rate small a").nth(1).click()
        page.get_by_text("0601000001").first.wait_for()
        looked_at(page)
        page.locator("nav summary", has_text="监督").click()
        page.get_by_role("link", name="服务痕迹").first.click()
        page.locator("main tbody").get_by_text("导入", exact=False).first.wait_for()
        assert page.locator("main tbody tr").count() >= 2
