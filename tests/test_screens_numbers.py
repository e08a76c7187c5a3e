"""Numbers that no row can have, and menus: what a person types or opens never ends in an error of the system."""

import io

import pytest
from browsing import browse
from factories import make_staff
from flask import request

from models import CountSet, Policy
from screens.rows import picked
from services import Refused
from services.campaigns import campaign_by_text

HUGE = "9" * 40


@pytest.fixture
def steward(app, session):
    return browse(app, session, make_staff(session, "data_steward"))


@pytest.mark.parametrize("path", ("assessments", "judging", "samples", "campaigns", "imports", "customers"))
def test_a_number_beyond_all_rows_is_a_page_that_is_not_there(steward, path):
    assert steward.get(f"/admin/{path}/{HUGE}").status_code == 404


@pytest.mark.parametrize("path", ("trends", "live_figures", "reach", "yields", "issues", "customers", "samples"))
def test_a_unit_beyond_all_rows_does_not_fail_a_page(steward, path):
    assert steward.get(f"/admin/{path}/?unit={HUGE}&find={HUGE}").status_code < 500


@pytest.mark.parametrize("asked", ("batch_change_lines/?change=", "samples/design?unit=1&size="))
def test_what_address_or_form_may_ask_does_not_fail_either(app, session, asked):
    auditor = browse(app, session, make_staff(session, "auditor"))
    assert auditor.get(f"/admin/{asked}{HUGE}").status_code < 500


@pytest.mark.parametrize("path", ("assessments/start", "judging/plan"))
def test_a_unit_beyond_all_rows_does_not_fail_a_form(steward, session, path):
    session.commit()
    assert steward.post(f"/admin/{path}", {"unit": HUGE, "period": "2026-10"}).status_code < 500


def test_what_no_database_keeps_is_shown_as_a_sign_wherever_it_was_typed(app):
    given = {"value": "139\x00", "file": (io.BytesIO(b"x"), "a\x00.png")}
    with app.test_request_context("/?find=a%00", method="POST", data=given):
        assert (request.args["find"], request.form["value"]) == ("a\ufffd", "139\ufffd")
        assert request.files["file"].filename == "a\ufffd.png"


def test_a_number_too_large_for_its_column_is_told_at_its_field(steward, session):
    before = session.query(Policy).count()
    session.commit()
    policy = {"position": HUGE, "source": "*", "kind": "*", "verdicts": "valid", "replaces": "*", "decision": "review"}
    answer = steward.post("/admin/policies/new/", policy)
    assert answer.status_code < 500
    assert "2147483647" in answer.text
    assert session.query(Policy).count() == before


def test_a_long_menu_is_open_where_one_is_and_a_short_one_everywhere(app, steward, session):
    page = steward.get("/admin/rules/").text
    assert page.count("<details open>") == 1
    assert page.index("<details open>") < page.index('aria-current="page"')
    short = browse(app, session, make_staff(session, "meter_reader")).get("/admin/").text
    assert "<details>" not in short


@pytest.mark.parametrize("field", ("position", "retry_after_days"))
def test_a_deadline_too_large_for_its_column_is_told_at_its_field(app, session, field):
    admin = browse(app, session, make_staff(session, "administrator"))
    session.commit()
    answer = admin.post("/admin/reasons/new/", {"label": "其他", "position": "1", field: HUGE})
    assert answer.status_code < 500 and "2147483647" in answer.text


@pytest.mark.parametrize("unit", ("-1", "abc", HUGE))
def test_judging_again_begins_for_no_unit_that_is_not_there(steward, session, unit):
    session.commit()
    steward.post("/admin/judging/plan", {"unit": unit})
    assert "请选择管辖范围内的单位" in steward.get("/admin/judging/").text
    assert session.query(CountSet).count() == 0


@pytest.mark.parametrize("text", ["²", "①", "-7", "0", "9" * 19, "9" * 5000])
def test_what_is_no_row_is_left_out_of_those_picked(text):
    assert picked([text, "7"]) == [7]


def test_a_campaign_is_not_asked_for_by_a_digit_that_is_no_number(session):
    with pytest.raises(Refused, match="没有核对活动"):
        campaign_by_text(session, "²")
