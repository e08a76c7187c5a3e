"""The screens of units, staff, roles and the home page, as administrators and the six roles meet them."""

import re

import pytest
from browsing import browse
from factories import make_contact, make_customer, make_staff, make_unit

from models import ImportBatch, Leave, Role, Run, Staff, Trace, Unit
from models.clock import utcnow
from models.people import root_unit
from screens.access import SIGNED_IN
from screens.pages import HOME_CARDS

SIX = ("administrator", "data_steward", "clerk", "station_head", "account_manager", "auditor")
OTHERS = (
    "viewer",
    "service_specialist",
    "agent",
    "meter_reader",
    "team_leader",
    "department_head",
    "bureau_leader",
)


@pytest.fixture
def admin(app, session):
    return browse(app, session, make_staff(session, "administrator"))


def test_a_new_person_gets_a_password_that_is_shown_once(session, admin):
    unit = make_unit(session)
    form = {"name": "李四", "username": "lisi", "unit": unit.id, "roles": ["clerk"], "capacity": "20"}
    page = admin.post("/admin/staff/new/", form).text
    password = re.search(r'class="code once">([^<]+)<', page)[1]
    person = session.query(Staff).filter_by(username="lisi").one()
    assert (
        person.must_change and person.unit_id == unit.id and password not in admin.get("/admin/staff/").text
    )
    client = admin.client.application.test_client()
    token = {"csrf_token": admin.token}
    with client.session_transaction() as cookie, admin.client.session_transaction() as own:
        cookie["csrf_token"] = own["csrf_token"]
    session.commit()
    assert client.post("/login", data={"username": "lisi", "password": password, **token}).status_code == 303


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": ""}, "请填写姓名"),
        ({"unit": ""}, "请选择单位"),
        ({"capacity": "很多"}, "0 到 200"),
        ({"capacity": "²"}, "0 到 200"),
        ({"username": "shell"}, "已经有人用了"),
        ({"password": "1"}, "密码太弱"),
        ({"roles": ["administrator", "auditor"]}, "不同的人"),
    ],
)
def test_a_person_that_may_not_be_stays_in_the_form(session, admin, form, said):
    usual = {
        "name": "李四",
        "username": "lisi",
        "unit": root_unit(session).id,
        "roles": ["clerk"],
        "job": "柜员甲",
    }
    answer = admin.post("/admin/staff/new/", usual | form)
    assert answer.status_code == 422 and said in answer.text and 'value="柜员甲"' in answer.text
    assert session.query(Staff).count() == 2


def test_nobody_raises_themselves(session, admin):
    own = session.query(Staff).filter(Staff.username != "shell").one()
    form = {"name": own.name, "unit": own.unit_id, "roles": ["administrator", "data_steward"]}
    assert "不能修改自己的角色" in admin.post(f"/admin/staff/edit/?id={own.id}", form).text
    role = session.query(Role).filter_by(name="administrator").one().id
    session.rollback()
    page = admin.post(
        "/admin/roles/change", {"role": role, "permission": ["customers.view"]}, follow_redirects=True
    )
    assert "自己所在的角色" in page.text


def test_an_account_is_closed_and_reset(session, admin):
    person = make_staff(session, password="old")
    admin.post("/admin/staff/active", {"id": person.id, "active": "0", "confirmed": "1"})
    session.expire_all()
    assert not person.active
    assert "一次性密码" in admin.post("/admin/staff/password", {"id": person.id}).text
    session.expire_all()
    assert person.must_change and person.password != "old"


def test_the_matrix_is_ticked_by_role(session, admin):
    role = session.query(Role).filter_by(name="viewer").one()
    page = admin.get(f"/admin/roles/?role={role.id}").text
    assert page.count("checked") == len(role.permissions) and "disabled" not in page
    admin.post("/admin/roles/change", {"role": role.id, "permission": ["notices.view", "made.up"]})
    session.expire_all()
    assert role.permissions == ["notices.view"]


def test_a_unit_is_made_below_another_and_moved(session, admin):
    left, right = make_unit(session, code="L"), make_unit(session, code="R")
    form = {"name": "新所", "code": "N1", "kind": "team", "parent": left.id}
    assert admin.post("/admin/units/new/", form).status_code == 302
    made = session.query(Unit).filter_by(code="N1").one()
    assert (made.path, made.area_code) == (f"{left.path}{made.id}/", "0757")
    admin.post("/admin/units/move", {"id": made.id, "parent": right.id})
    session.expire_all()
    assert made.path == f"{right.path}{made.id}/"
    page = admin.post("/admin/units/move", {"id": right.id, "parent": made.id}, follow_redirects=True).text
    assert "自己的下级" in page and session.query(Trace).filter_by(action="unit.moved").count() == 1


def test_leave_ends_after_it_begins(app, session):
    unit = make_unit(session)
    head = browse(app, session, make_staff(session, "station_head", unit))
    person = make_staff(session, "account_manager", unit)
    form = {"staff": person.id, "starts_on": "2026-12-02", "ends_on": "2026-12-01"}
    assert "不能早于" in head.post("/admin/leaves/new/", form).text
    head.post("/admin/leaves/new/", form | {"ends_on": "2026-12-05"})
    assert str(session.query(Leave).one()) == "2026-12-02–2026-12-05"


@pytest.mark.slow
@pytest.mark.parametrize("role", SIX + OTHERS)
def test_everybody_has_a_home(app, session, role):
    unit = make_unit(session)
    make_contact(session, make_customer(session, unit))
    browser = browse(app, session, make_staff(session, role, unit, name="王小明"))
    assert browser.get("/").headers["Location"] == "/admin/"
    page = browser.get("/admin/").text
    assert "您好，王小明" in page and "常用" in page
    links = set(re.findall(r'href="(/admin/[^"#]*|/m/[^"#]*)"', page.replace("&amp;", "&")))
    dead = {link: browser.get(link).status_code for link in links if "/static/" not in link}
    assert {status for status in dead.values()} <= {200}, dead


def test_figures_open_the_rows_behind_them(app, session):
    unit = make_unit(session)
    for verdict in ("valid", "valid", "invalid"):
        make_contact(session, make_customer(session, unit), verdict=verdict, raw="x", value="x")
    steward = browse(app, session, make_staff(session, "data_steward"))
    page = steward.get("/admin/").text.replace("&amp;", "&")
    assert "66.67%" in page
    link = re.search(r'href="(/admin/contacts/\?kind=mobile&verdict=invalid)">1<', page)[1]
    assert len(re.findall(r">06\d{11}</a>", steward.get(link).text)) == 1


def test_whoever_has_own_customers_sees_their_figures(app, session):
    unit = make_unit(session)
    manager = make_staff(session, "account_manager", unit)
    make_contact(session, make_customer(session, unit, manager_id=manager.id))
    make_contact(session, make_customer(session, unit), verdict="invalid")
    page = browse(app, session, manager).get("/admin/").text.replace("&amp;", "&")
    assert "我的客户" in page and "100.00%" in page
    assert re.search(r'kind=mobile&verdict=valid">1<', page) and 'verdict=invalid">1<' not in page


def test_the_state_of_the_system_is_asked_for_afterwards(session, admin):
    assert 'hx-get="/admin/health"' in admin.get("/admin/").text
    assert "数据库" in admin.get("/admin/health").text


def test_what_got_stuck_stands_on_the_home_page(app, session):
    steward = browse(app, session, make_staff(session, "data_steward"))
    assert "个流程实例要处理" not in steward.get("/admin/").text
    facts = {"unit_id": root_unit(session).id, "started_at": utcnow(), "tree": [], "version": 1}
    session.add(Run(workflow_key="contact_survey", title="春季核对", state="parked", **facts))
    batch = {"unit_id": root_unit(session).id, "created_at": utcnow(), "file_name": "客户.csv"}
    session.add(ImportBatch(state="failed", **batch))
    page = steward.get("/admin/").text
    assert "个流程实例要处理" in page and "春季核对" in page and "已搁置" in page
    assert "个导入批次未完成" in page and "客户.csv" in page
    assert "春季核对" not in browse(app, session, make_staff(session, "clerk")).get("/admin/").text


def test_every_card_names_a_permission_and_a_source():
    assert all(("." in permission or permission == SIGNED_IN) and callable(source) for permission, source in HOME_CARDS)
