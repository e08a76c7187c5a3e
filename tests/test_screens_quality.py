import re
from datetime import datetime

import pytest
from browsing import browse
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import CustomerVersion, Issue, Publication, Rule
from models.clock import ZONE, move_to, utcnow
from services import assessments, issues, rule_versions
from services.rules import FUNCTIONS


@pytest.fixture
def assessed(app, session, shell):
    """A station whose one customer of two lacks a mobile, assessed in November 2026; its manager, its run."""
    move_to(session, datetime(2026, 11, 20, 12, tzinfo=ZONE))
    unit = make_unit(session)
    manager = make_staff(session, "account_manager", unit)
    for number in range(2):
        row = make_customer(session, unit, manager_id=manager.id, meter_book="B1")
        facts = {"customer_class": row.customer_class, "manager_id": manager.id, "opened_on": row.opened_on}
        session.add(CustomerVersion(customer_id=row.id, unit_id=unit.id, valid_from=utcnow(), **facts))
        if number:
            make_contact(session, row)
    asked = assessments.question(session, "2026-11", unit)
    run = assessments.keep(session, assessments.count(session, asked), staff_id=None)
    for _chunk in issues.follow(session, run):
        session.flush()
    session.commit()
    return app, session, unit, manager, run


def filled(page):
    """The values of a form as a browser would send them."""
    text = page.get_data(as_text=True)
    tags = [dict(re.findall(r'(\w+)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", text)]
    found = {
        tag["name"]: tag.get("value", "") for tag in tags if tag.get("type") != "checkbox" and "name" in tag
    }
    found.pop("csrf_token")
    for name, body in re.findall(r'<select[^>]*name="(\w+)">(.*?)</select>', text, re.S):
        chosen = re.search(r'value="([^"]*)" selected', body)
        found[name] = chosen[1] if chosen else ""
    for name in ("kinds", "classes"):
        found[name] = re.findall(rf'name="{name}" value="([^"]*)" checked', text)
    return found | {"enabled": "1", "may_be_empty": "1", "opens_issues": "1"}


def test_a_steward_changes_a_rule_by_its_form(app, session):
    steward = browse(app, session, make_staff(session, "data_steward"))
    address = "/admin/rules/one_number_one_customer"
    form = filled(steward.get(address))
    assert form["most"] == "3" and form["kinds"] == ["mobile"]
    wrong = steward.post(f"{address}/change", {**form, "most": "0"})
    assert wrong.status_code == 422 and "不能小于 1" in wrong.get_data(as_text=True)
    assert steward.post(f"{address}/change", {**form, "most": "5", "target": "97"}).status_code == 303
    new = rule_versions.newest(session, "one_number_one_customer")
    assert (new.version, new.parameters, new.target) == (2, {"most": 5}, 0.97)
    stale = steward.post(f"{address}/change", {**form, "most": "6"})
    assert stale.status_code == 422 and "更新的版本" in stale.get_data(as_text=True)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_makes_a_rule_without_typing_code(app, session, function):
    steward = browse(app, session, make_staff(session, "data_steward"))
    form = filled(steward.get(f"/admin/rules/new?function={function}"))
    ticked = {"accepted": ["valid"], "reasons": ["known_dummy"]}
    answer = steward.post("/admin/rules/add", {**form, **ticked, "label": "新规则", "code": "fresh_one"})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert session.scalars(select(Rule).where(Rule.code == "fresh_one")).one().function == function


def test_who_only_reads_rules_changes_none(app, session):
    reader = browse(app, session, make_staff(session, "service_specialist"))
    assert "disabled" in reader.get("/admin/rules/phone_format").get_data(as_text=True)
    assert reader.post("/admin/rules/phone_format/change").status_code == 403
    assert reader.get("/admin/rules/nothing_like_it").status_code == 404


@pytest.mark.slow
def test_every_rate_of_a_run_opens_its_records(assessed):
    app, session, unit, manager, run = assessed
    steward = browse(app, session, make_staff(session, "data_steward"))
    page = steward.get(f"/admin/assessments/{run.id}?unit={unit.id}").get_data(as_text=True)
    links = set(re.findall(r'href="(/admin/assessments/\d+/rule-records[^"]+)"', page))
    assert len(links) > 10
    rule = rule_versions.newest(session, "mobile_recorded")
    people = steward.get(f"/admin/assessments/{run.id}/rules/{rule.id}?unit={unit.id}").get_data(as_text=True)
    assert manager.name in people and "50.00%" in people
    rows = {}
    for part in ("counted", "met", "failed"):
        address = f"/admin/assessments/{run.id}/rule-records?rule={rule.id}&part={part}&unit={unit.id}"
        rows[part] = steward.get(address).get_data(as_text=True).count("<tr><td")
    assert rows == {"counted": 2, "met": 1, "failed": 1}
    assert steward.get(f"/admin/assessments/{run.id}/rule-records?rule=0&unit={unit.id}").status_code == 409


def test_an_owner_sees_own_issues_and_another_waives_them(assessed):
    app, session, unit, manager, _run = assessed
    own = browse(app, session, manager)
    assert "个问题由我整改" in own.get("/admin/").get_data(as_text=True)
    listed = own.get(f"/admin/issues/?owner={manager.id}&state=pending").get_data(as_text=True)
    assert "不符合“手机已录入”" in listed and "补录" in listed
    key = session.scalars(select(Issue.id).where(Issue.rule_code == "mobile_recorded")).one()
    assert own.post("/admin/issues/waive", {"rowid": key, "choice": "refuses"}).status_code == 403
    head = browse(app, session, make_staff(session, "station_head", unit))
    head.post("/admin/issues/waive", {"rowid": key, "choice": "refuses", "back": "/admin/issues/"})
    assert session.get(Issue, key).state == "waived"
    assert "客户拒绝提供" in head.get("/admin/issues/?state=waived").get_data(as_text=True)
    head.post("/admin/issues/reinstate", {"rowid": key, "back": "/admin/issues/"})
    session.expire_all()
    assert session.get(Issue, key).state == "open"


@pytest.mark.slow
def test_a_customers_page_lists_its_issues(assessed):
    app, session, _unit, manager, _run = assessed
    key = session.scalars(select(Issue.customer_id).where(Issue.rule_code == "mobile_recorded")).one()
    page = browse(app, session, manager).get(f"/admin/customers/{key}").get_data(as_text=True)
    assert "手机已录入" in page and "待整改" in page


def test_published_results_are_read_by_all_staff_and_exported_by_some(assessed):
    app, session, _unit, _manager, run = assessed
    head = browse(app, session, make_staff(session, "department_head"))
    assert head.post(f"/admin/assessments/{run.id}/publish").status_code == 303
    number = session.scalars(select(Publication.number)).one()
    reader = browse(app, session, make_staff(session, "agent"))
    assert number in reader.get("/admin/publications/").get_data(as_text=True)
    assert "一致" in reader.get(f"/admin/publications/{number}").get_data(as_text=True)
    assert reader.post(f"/admin/publications/{number}/package").status_code == 403
    package = head.post(f"/admin/publications/{number}/package")
    assert package.mimetype == "application/zip" and package.data[:2] == b"PK"
    assert head.post(f"/admin/publications/{number}/accounts").status_code == 403


def test_trends_and_gaps_lead_to_their_records(assessed):
    app, session, unit, _manager, run = assessed
    steward = browse(app, session, make_staff(session, "data_steward"))
    assert "手机已录入" in steward.get(f"/admin/trends/?unit={unit.id}").get_data(as_text=True)
    page = steward.get(f"/admin/trends/gaps/{run.id}?unit={unit.id}").get_data(as_text=True)
    assert "补齐后完整率提高" in page
    link = re.search(r'href="(/admin/assessments/[^"]+kind=mobile[^"]*)"', page)[1].replace("&amp;", "&")
    assert steward.get(link).get_data(as_text=True).count("<tr><td") == 1
