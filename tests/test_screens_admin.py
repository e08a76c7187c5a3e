"""Flask-Admin's traps, each closed: what it would do by itself, and what this house does."""

import io
import re
from datetime import date
from types import SimpleNamespace

import pytest
from browsing import browse
from factories import make_customer, make_staff, make_unit
from sqlalchemy import Column, Double, Uuid

from models import Holiday, Policy, Reason, SavedFilter, Staff, Target, Territory, Trace, Unit
from models.people import root_unit
from screens.forms import Converter

DAY = date(2026, 10, 1)


@pytest.fixture
def admin(app, session):
    return browse(app, session, make_staff(session, "administrator"))


@pytest.fixture
def steward(app, session):
    return browse(app, session, make_staff(session, "data_steward"))


@pytest.mark.slow
def test_every_page_brings_its_own_policy_and_no_script_inside(admin):
    for path in (
        "/login",
        "/admin/",
        "/admin/staff/",
        "/admin/staff/new/",
        "/admin/holidays/",
        "/admin/roles/",
    ):
        answer = admin.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self' 'nonce-" in policy and "unsafe" not in policy
        assert not re.search(r"\son[a-z]+=|\sstyle=|javascript:|<script(?![^>]*\ssrc=)", answer.text), path
        assert {"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy"} <= set(answer.headers.keys())


def test_two_answers_never_share_a_nonce(admin):
    nonces = {
        re.search(r"nonce-([^']+)'", admin.get("/admin/").headers["Content-Security-Policy"])[1]
        for _ in range(3)
    }
    assert len(nonces) == 3


def test_deleting_asks_first_even_where_no_script_ran(session, admin):
    path, form = "/admin/holidays/delete/", {"id": "2026-10-01"}
    answer = admin.post(path, form)
    assert "删除后不能恢复" in answer.text and session.get(Holiday, DAY) is not None
    session.rollback()
    assert admin.post(path, form | {"confirmed": "1"}).status_code == 302
    session.expire_all()
    assert session.get(Holiday, DAY) is None
    assert session.query(Trace).filter_by(action="holiday.deleted").count() == 1


def test_a_bulk_action_asks_first_and_does_all_or_nothing(session, admin):
    days = ["2026-10-01", "2026-10-02"]
    form = {"action": "delete", "rowid": days}
    before = session.query(Holiday).count()
    assert "删除后不能恢复" in admin.post("/admin/holidays/action/", form).text
    admin.post("/admin/holidays/action/", form | {"rowid": [*days, "1999-01-01"], "confirmed": "1"})
    assert session.query(Holiday).count() == before
    admin.post("/admin/holidays/action/", form | {"confirmed": "1"})
    assert session.query(Holiday).count() == before - 2


def test_actions_are_refused_to_whoever_only_reads(session, steward):
    form = {"action": "delete", "rowid": "2026-10-01", "confirmed": "1"}
    assert steward.post("/admin/holidays/action/", form).status_code == 403
    assert steward.post("/admin/holidays/delete/", {"id": "2026-10-01", "confirmed": "1"}).status_code == 403
    assert steward.post("/admin/holidays/action/", form | {"action": "nonsense"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/admin/staff/new/",
        "/admin/holidays/delete/",
        "/admin/holidays/action/",
        "/admin/units/search",
        "/logout",
    ],
)
def test_nothing_is_written_without_the_token(session, admin, path):
    session.commit()
    answer = admin.client.post(path, data={"id": "2026-10-01", "confirmed": "1"})
    assert answer.status_code == 400 and "表单已过期" in answer.text


@pytest.mark.parametrize("key", ["1,2", "-1", "0", "x", "", "9" * 30, "1.5", "１", "null"])
def test_a_key_that_cannot_be_is_no_error(admin, key):
    for path in (
        f"/admin/units/edit/?id={key}",
        f"/admin/targets/edit/?id={key}",
        f"/admin/holidays/edit/?id={key}",
    ):
        assert admin.get(path).status_code in (302, 403, 404)


@pytest.mark.parametrize(
    "query", ["page=99999999999999999999", "page=-5", "sort=999", "sort=x&desc=9", "page_size=1000000"]
)
def test_wild_numbers_in_an_address_are_no_error(admin, query):
    assert admin.get(f"/admin/staff/?{query}").status_code == 200


def test_a_search_of_any_length_stays_out_of_the_address(session, admin):
    answer = admin.post("/admin/staff/search", {"q": "张" * 100_000})
    assert answer.status_code == 303 and re.search(r"\?find=\d+$", answer.headers["Location"])
    assert admin.get(answer.headers["Location"]).status_code == 200
    assert len(session.query(SavedFilter).one().values["q"]) == 60
    assert "%E5" not in admin.get("/admin/staff/?search=张三").text


def test_a_search_is_its_owner_s_alone(app, session, admin):
    make_staff(session, name="独孤求败")
    place = admin.post("/admin/staff/search", {"q": "独孤"}).headers["Location"]
    page = admin.get(place).text
    assert "独孤求败" in page and page.count("<tr>") == 2
    other = browse(app, session, make_staff(session, "administrator")).get(place).text
    assert other.count("<tr>") > 2


def test_filters_come_from_the_list_of_choices(session, admin):
    unit = make_unit(session)
    make_staff(session, name="所里的人", unit=unit)
    assert "所里的人" in admin.get(f"/admin/staff/?unit={unit.id}").text
    assert "所里的人" not in admin.get(f"/admin/staff/?unit={unit.parent_id}").text
    assert "所里的人" in admin.get("/admin/staff/?unit=1 OR 1=1").text


def test_columns_that_are_not_in_the_form_are_not_written(session, admin):
    unit = make_unit(session)
    session.commit()
    form = {
        "name": "新名",
        "code": unit.code,
        "kind": "team",
        "deadline_days": "3",
        "path": "/",
        "parent_id": "",
        "id": "777",
    }
    admin.post(f"/admin/units/edit/?id={unit.id}", form | {"parent": ""})
    session.expire_all()
    assert (unit.name, unit.deadline_days) == ("新名", 3)
    assert unit.path == f"{root_unit(session).path}{unit.id}/" and unit.parent_id == root_unit(session).id


def test_a_person_s_columns_are_not_written_from_outside(session, admin):
    person = make_staff(session, password="kept")
    session.commit()
    form = {"name": "李四", "unit": person.unit_id, "roles": "clerk", "capacity": "9"}
    admin.post(
        f"/admin/staff/edit/?id={person.id}", form | {"password": "x", "username": "root", "active": "0"}
    )
    session.expire_all()
    assert (person.name, person.capacity) == ("李四", 9)
    assert (person.password, person.active) == ("kept", True) and person.username.startswith("staff")


def test_exports_and_lookups_of_the_library_are_shut(admin):
    for path in ("export/csv/", "export/xlsx/", "ajax/lookup/?name=unit&query=x"):
        assert admin.get(f"/admin/staff/{path}").status_code == 404
    assert admin.post("/admin/staff/ajax/update/", {"list_form_pk": "1", "name": "x"}).status_code == 403


@pytest.mark.parametrize("kind", [Double(), Uuid()])
def test_no_column_type_vanishes_from_a_form(kind):
    converter = Converter(None, SimpleNamespace(form_choices=None))
    assert converter.get_converter(Column("x", kind)) is not None


def test_a_rate_is_typed_in_per_cent(session, steward):
    row = session.query(Target).first()
    page = steward.get(f"/admin/targets/edit/?id={row.id}").text
    assert re.search(r'name="floor"[^>]*value="98"', page)
    form = {"measure": row.measure, "cohort": row.cohort, "floor": "97.5", "target": "99", "stretch": "100"}
    steward.post(f"/admin/targets/edit/?id={row.id}", form)
    session.expire_all()
    assert (row.floor, row.target, row.stretch) == (0.975, 0.99, 1.0)
    assert "依次不降低" in steward.post(f"/admin/targets/edit/?id={row.id}", form | {"floor": "99.9"}).text


def test_a_policy_ticks_its_verdicts(session, steward):
    row = session.query(Policy).filter_by(position=40).one()
    page = steward.get(f"/admin/policies/edit/?id={row.id}").text
    assert re.findall(r'checked[^>]*value="(\w+)"', page) == ["valid", "repairable"]
    form = {"position": "40", "source": "import", "kind": "*", "replaces": "*", "decision": "wait"}
    steward.post(f"/admin/policies/edit/?id={row.id}", form | {"verdicts": ["valid", "suspect"]})
    session.expire_all()
    assert (row.verdicts, row.decision) == ("valid,suspect", "wait")
    assert "position" not in session.query(Trace).filter_by(action="policy.changed").one().details["fields"]


def test_a_reason_keeps_its_consequences(session, admin):
    row = session.query(Reason).filter_by(list="undelivered", code="unclaimed").one()
    page = admin.get(f"/admin/reasons/edit/?id={row.id}").text
    assert re.search(r'checked[^>]*name="makes_visit"', page) and re.search(
        r'name="retry_after_days"[^>]*value="30"', page
    )
    admin.post(
        f"/admin/reasons/edit/?id={row.id}",
        {"label": "逾期", "position": "6", "makes_visit": "y", "outcome": ""},
    )
    session.expire_all()
    assert (row.label, row.consequences) == ("逾期", {"makes_visit": True})


def test_a_second_row_of_the_same_is_refused(app, session):
    unit = make_unit(session)
    make_customer(session, unit)
    head = browse(app, session, make_staff(session, "station_head", unit))
    person = make_staff(session, "account_manager", unit)
    session.add(Territory(unit_id=unit.id, kind="unit", code="", staff_id=person.id))
    session.commit()
    again = {"unit": unit.id, "kind": "unit", "code": "", "staff": person.id}
    assert "已有相同的记录" in head.post("/admin/territories/new/", again).text
    assert session.query(Territory).count() == 1


def test_an_upload_that_is_too_large_says_so(app, admin, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 100)
    answer = admin.post("/admin/staff/new/", {"file": (io.BytesIO(b"x" * 1000), "a.csv")})
    assert answer.status_code == 413 and "文件太大" in answer.text


@pytest.mark.parametrize("path", ["/admin/nothing/", "/admin/customers/abc", "/nope"])
def test_what_is_not_there_is_a_plain_page(steward, path):
    answer = steward.get(path)
    assert answer.status_code == 404 and "没有这个页面" in answer.text and "用电客户" in answer.text


def test_a_required_field_is_ticked(session, steward):
    steward.post("/admin/required_fields/change", {"required": ["high_voltage/mobile", "nonsense/mobile"]})
    assert session.query(Trace).filter_by(action="required_field.changed").count() == 1
    page = steward.get("/admin/required_fields/").text
    assert re.findall(r'value="([^"]+)"[^>]*checked', page) == ["high_voltage/mobile"]


def test_staff_and_units_of_the_root_are_listed(session, admin):
    assert session.query(Unit).count() == 1 and session.query(Staff).count() == 2
    assert admin.get("/admin/units/").text.count("<tr>") == 2
