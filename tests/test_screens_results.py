import re
from datetime import date, timedelta

import pytest
from browsing import browse
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import Competition, CustomerVersion, Notice, RequiredField
from models.clock import period_of, today, utcnow
from services import assessments, boards, competitions, notices
from services.competitions import Plan


@pytest.fixture
def assessed(session, root):
    """One assessment of the running month with a unit of two customers, one of them without a mobile."""
    session.query(RequiredField).delete()
    session.add(RequiredField(customer_class="low_voltage_residential", kind="mobile"))
    unit = make_unit(session, name="石湾供电所")
    for number in range(2):
        row = make_customer(session, unit)
        facts = {"customer_class": row.customer_class, "opened_on": row.opened_on, "valid_from": utcnow()}
        session.add(CustomerVersion(customer_id=row.id, unit_id=unit.id, **facts))
        if number:
            make_contact(session, row)
    session.flush()
    question = assessments.question(session, period_of(today(session)), root)
    return assessments.keep(session, assessments.count(session, question), staff_id=None), unit


def competition(session, unit):
    day = today(session)
    period = {"starts_on": day, "ends_on": day + timedelta(days=3)}
    return competitions.create(
        session, Plan("c1", "核实竞赛", points={"mobile": 2}, divisions={"A": [unit.id]}, **period), unit=unit
    )


@pytest.mark.slow
def test_every_figure_opens_its_records(app, session, assessed):
    run, unit = assessed
    steward = browse(app, session, make_staff(session, "data_steward"))
    page = steward.get(f"/admin/assessments/{run.id}").text
    assert "石湾供电所" in page and "50.00%" in page
    for part, rows in (("numerator", 1), ("denominator", 2), ("rest", 1)):
        address = f"/admin/assessments/{run.id}/records?measure=completeness&part={part}&unit={unit.id}"
        assert len(re.findall(r"<tr><td", steward.get(address).text)) == rows


def test_records_of_other_units_stay_closed(app, session, assessed):
    run, unit = assessed
    head = browse(app, session, make_staff(session, "station_head", make_unit(session)))
    address = f"/admin/assessments/{run.id}/records?measure=completeness&part=denominator&unit={unit.id}"
    assert "没有这样的记录" in head.get(address).text
    assert "石湾供电所" not in head.get(f"/admin/assessments/{run.id}?unit={unit.id}").text


@pytest.mark.parametrize("query", ["measure=x", "measure=completeness&part=x"])
def test_a_figure_that_does_not_exist_is_refused(app, session, assessed, query):
    steward = browse(app, session, make_staff(session, "data_steward"))
    assert steward.get(f"/admin/assessments/{assessed[0].id}/records?{query}").status_code == 409


def test_a_station_head_signs_for_what_addresses_the_station(app, session, assessed):
    run, unit = assessed
    rows = notices.compose(session, run, drafted_by_id=None)
    for row in rows:
        row.state, row.number, row.issued_at = "issued", 1, utcnow()
    head = browse(app, session, make_staff(session, "station_head", unit))
    notice = rows[1].id
    assert "以石湾供电所名义签收" in head.get(f"/admin/notices/{notice}").text
    head.post(f"/admin/notices/{notice}/acknowledge", {"objects": "yes", "rebuttal": "户号有误"})
    session.expire_all()
    assert session.get_one(Notice, notice).state == "rebutted"
    other = browse(app, session, make_staff(session, "station_head", make_unit(session)))
    assert other.get(f"/admin/notices/{notice}").status_code == 404


def test_a_competition_is_set_up_without_code(app, session):
    unit = make_unit(session)
    organiser = browse(app, session, make_staff(session, "union_organiser"))
    form = {"name": "百日竞赛", "code": "brjs", "starts_on": "2026-12-01", "ends_on": "2026-12-31"}
    form |= {"points_mobile": "2", f"unit_{unit.id}": "a", "division_a": "城区组"}
    assert organiser.post("/admin/competitions/new", form).status_code == 303
    row = session.scalars(select(Competition)).one()
    assert (row.points, row.divisions[0].name, row.starts_on) == (
        {"mobile": 2.0},
        "城区组",
        date(2026, 12, 1),
    )
    assert "百日竞赛" in organiser.get(f"/admin/competitions/{row.id}").text


@pytest.mark.parametrize(
    "wrong",
    [{"starts_on": ""}, {"points_mobile": "nan"}, {"points_mobile": "x"}, {"code": "竞赛"}, {"unit_x": "a"}],
)
def test_a_wrong_form_comes_back_as_it_was_filled_in(app, session, wrong):
    unit = make_unit(session)
    organiser = browse(app, session, make_staff(session, "union_organiser"))
    form = {
        "name": "百日竞赛",
        "code": "brjs",
        "starts_on": "2026-12-01",
        "ends_on": "2026-12-31",
        "points_mobile": "2",
    }
    answer = organiser.post("/admin/competitions/new", form | {f"unit_{unit.id}": "a"} | wrong)
    assert answer.status_code == 422 and "百日竞赛" in answer.text and "message danger" in answer.text


def test_the_wall_screen_opens_by_login_or_by_key_only(app, session):
    unit = make_unit(session)
    row = competition(session, unit)
    key = boards.issue_key(session, row, "大厅")
    viewer = browse(app, session, make_staff(session, "viewer"))
    stranger = app.test_client()
    assert stranger.get("/board/c1").status_code == 401
    assert stranger.get("/board/c1?key=wrong").status_code == 401
    assert "核实竞赛" in stranger.get(f"/board/c1?key={key}").text
    assert "核实竞赛" in viewer.get("/board/c1").text
    assert viewer.get("/board/nothing").status_code == 404
    assert stranger.get("/board/c1/revision").json == {"revision": 0}


def test_the_revision_asks_for_one_row_and_sets_no_cookie(app, session):
    competition(session, make_unit(session))
    session.commit()
    answer = app.test_client().get("/board/c1/revision")
    assert "Set-Cookie" not in answer.headers
    assert app.test_client().get("/board/x/revision").status_code == 404
