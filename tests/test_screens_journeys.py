"""In a real Chromium under the strict policy: signing in, asking before doing, filters, rows inside forms, looks.

While a page is driven the test reads nothing: one writer at a time, and its own session would be it.
"""

import importlib
from datetime import date

import pytest
from conftest import overrides
from driving import NARROW, barriers, chromium, driven, serious_findings, served, settle
from factories import make_contact, make_customer, make_staff, make_unit
from flask_admin.model.form import InlineFormAdmin
from flask_security import hash_password
from needs import needs_chromium

from models import Contact, Division, DivisionUnit, Holiday, Territory, db
from models.clock import today
from models.people import root_unit
from screens.base import Screen
from screens.pickers import units_in_scope
from services.competitions import Plan, create

pytestmark = [pytest.mark.slow, pytest.mark.browser, needs_chromium]


@pytest.fixture
def unit(session):
    return make_unit(session, name="祖庙供电所")


@pytest.fixture
def customer(session, unit):
    row = make_customer(session, unit, name="欧阳建国")
    make_contact(session, row)
    make_contact(session, row, "landline", raw="1", value="", verdict="invalid", reasons="wrong_length")
    return row


def assert_no_barrier(page, path):
    page.goto(path)
    settle(page)
    assert barriers(page) == [], path


def test_signing_in_leads_to_one_s_own_work(app, core, session, unit):
    with core.app_context():
        password = hash_password("Lamp-2026")
    make_staff(session, "clerk", unit, username="wangfang", name="王芳", password=password)
    session.commit()
    with served(app) as address, chromium().new_page(locale="zh-CN") as page:
        assert_no_barrier(page, f"{address}/admin/customers/")
        assert page.evaluate("document.activeElement.id") == "username"
        page.fill("#username", "wangfang")
        page.fill("#password", "wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=alert]:has-text('登录名或密码不正确')")
        page.fill("#password", "Lamp-2026")
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/customers/")
        assert page.inner_text("h1") == "用电客户"


@pytest.mark.parametrize("role", ["clerk", "administrator", "auditor"])
def test_the_home_page_has_no_barrier(app, session, unit, customer, role):
    with driven(app, session, make_staff(session, role, unit)) as page:
        assert_no_barrier(page, "/admin/")


def test_the_customer_page_has_no_barrier(app, session, unit, customer):
    paths = ("/admin/customers/", f"/admin/customers/{customer.id}", f"/admin/customers/{customer.id}/add")
    with driven(app, session, make_staff(session, "clerk", unit)) as page:
        for path in paths:
            assert_no_barrier(page, path)


@pytest.mark.parametrize(
    ("role", "paths"),
    [
        ("administrator", "units staff staff/new roles holidays reasons letterheads"),
        ("data_steward", "contacts proposals required_fields targets policies policies/new"),
        ("auditor", "traces roles"),
    ],
)
def test_the_settings_have_no_barrier(app, session, unit, customer, role, paths):
    with driven(app, session, make_staff(session, role)) as page:
        for path in paths.split():
            assert_no_barrier(page, f"/admin/{path}/")


def test_a_customer_is_found_revealed_and_changed(app, session, unit, customer):
    number, place = customer.account_no, f"/admin/customers/{customer.id}"
    with driven(app, session, make_staff(session, "clerk", unit)) as page:
        page.goto("/admin/")
        page.keyboard.press("/")
        page.keyboard.type(number)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{place}")
        page.click("text=查看明文")
        page.check("#p-service")
        assert not serious_findings(page)
        page.click("#reveal .btn-primary")
        page.wait_for_selector(".plain:has-text('13800001111')")
        page.goto(place)
        page.click(".version >> text=更换")
        page.fill("#text", "13725551608")
        page.click("main .btn-primary")
        page.wait_for_selector(".message.success")
    assert session.query(Contact).filter_by(value="+8613725551608", state="current").count() == 1


def test_deleting_asks_and_a_no_is_a_no(app, session, unit):
    before = session.query(Holiday).count()
    with driven(app, session, make_staff(session, "administrator")) as page:
        page.goto("/admin/holidays/?year=2026")
        page.click("tbody tr:first-child .btn-danger")
        page.click("dialog .btn-secondary")
        page.click("tbody tr:first-child .btn-danger")
        page.click("dialog .btn-primary")
        page.wait_for_selector(".message.success")
    assert session.query(Holiday).count() == before - 1


def test_rows_are_picked_and_deleted_together(app, session, unit):
    session.query(Holiday).delete()
    session.add_all(Holiday(day=date(2026, 5, number), kind="holiday", name="试") for number in range(1, 6))
    with driven(app, session, make_staff(session, "administrator")) as page:
        page.goto("/admin/holidays/")
        assert page.is_disabled("#bulk button")
        page.check("[data-pick-all]")
        page.uncheck("tbody tr:first-child [name=rowid]")
        assert page.inner_text("[data-picked]") == "4"
        page.click("#bulk button")
        page.click("dialog .btn-primary")
        page.wait_for_selector(".message.success")
    assert [row.day.day for row in session.query(Holiday)] == [5]


def test_a_filter_acts_when_it_is_chosen(app, session, unit):
    make_staff(session, name="所里的人", unit=unit)
    key = str(unit.id)
    with driven(app, session, make_staff(session, "administrator")) as page:
        page.goto("/admin/staff/")
        page.select_option("#f-unit", key)
        page.wait_for_url("**unit=*")
        assert page.locator("tbody tr").count() == 1
        page.fill("#f-find", "没有这个人")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=没有符合条件的记录")


def test_a_long_list_is_chosen_by_typing(app, session, unit):
    key = make_staff(session, "account_manager", unit, name="独孤求败").id
    with driven(app, session, make_staff(session, "station_head", unit)) as page:
        page.goto("/admin/territories/new/")
        page.fill("#staff-text", "独孤")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        assert page.input_value("#staff-text") == "独孤求败"
        page.fill("#code", "B-01")
        page.click("main .btn-primary")
        page.wait_for_selector(".message.success")
    assert session.query(Territory).one().staff_id == key


def test_typing_is_not_lost_by_leaving(app, session, unit):
    with driven(app, session, make_staff(session, "administrator")) as page:
        asked = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        page.goto("/admin/units/new/")
        page.type("#name", "新所")
        page.click("nav >> text=人员", no_wait_after=True)
        page.wait_for_timeout(300)
        assert asked == ["beforeunload"] and page.input_value("#name") == "新所"


def test_the_menu_opens_on_a_phone(app, session, unit):
    with driven(app, session, make_staff(session, "administrator"), size=NARROW) as page:
        page.goto("/admin/")
        assert not page.is_visible("nav >> text=人员")
        page.click("[data-toggle-menu]")
        page.click("nav >> text=人员")
        page.wait_for_url("**/admin/staff/")


class Members(InlineFormAdmin):
    form_columns = ("id", "unit")
    form_args = {"unit": {"query_factory": units_in_scope, "allow_blank": False}}


class Groups(Screen):
    """A screen with rows inside its form, as a helper of this test only."""

    table = Division
    permission = change_permission = "units.edit"
    label = "分组"
    can_edit = True
    form_columns = ("name",)
    inline_models = (Members(DivisionUnit),)


@pytest.fixture
def grouped(core):
    """An app of its own with that screen, on the same database."""
    made = importlib.import_module("app").create_web(**overrides())
    made.extensions["admin"][0].add_view(Groups.mounted("groups"))
    yield made
    with made.app_context():
        db.engine.dispose()


def test_rows_inside_a_form_are_added_without_inline_scripts(grouped, session, shell):
    units = [make_unit(session) for _ in range(2)]
    day = today(session)
    period = {"starts_on": day, "ends_on": day, "points": {"mobile": 1}, "divisions": {"A组": [units[0].id]}}
    create(session, Plan("c1", "竞赛", **period), unit=root_unit(session))
    place = f"/admin/groups/edit/?id={session.query(Division).one().id}"
    keys = [unit.id for unit in units]
    with driven(grouped, session, make_staff(session, "administrator")) as page:
        page.goto(place)
        page.click("[data-inline-add]")
        assert page.locator(".inline-row").count() == 2
        page.click("[data-inline-add]")
        page.locator("[data-inline-remove]").last.click()
        page.locator(".inline-row select").last.select_option(str(keys[1]))
        page.click("main .btn-primary")
        page.wait_for_selector(".message.success")
        page.goto(place)
        page.locator(".inline-row [name^=del-]").first.check()
        page.click("main .btn-primary")
        page.wait_for_selector(".message.success")
    assert [row.unit_id for row in session.query(DivisionUnit)] == [keys[1]]
