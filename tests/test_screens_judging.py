import pytest
from browsing import browse
from counting import kept, with_local_numbers
from factories import make_staff, make_unit
from sqlalchemy import select

from models import ContactCount, CountSet
from services import count_checks
from services.counts import recount
from workflows import engine


@pytest.mark.slow
def test_a_steward_looks_ahead_and_then_judges_again(app, session):
    with_local_numbers(session, make_unit(session), 2, raw="+86 757 8633 4455", value="+8675786334455")
    client = browse(app, session, make_staff(session, "data_steward"))
    page = client.post("/admin/judging/plan", data={"kinds": ["landline"]}).headers["Location"]
    assert client.post(f"{page}/begin").status_code == 409
    engine.drain()
    shown = client.get(page).text
    assert "开始重新判定" in shown and "判定的改变" in shown
    client.post(f"{page}/begin")
    engine.drain()
    session.expire_all()
    row = session.scalars(select(CountSet)).one()
    assert (row.state, row.figures["done"]["changed"]) == ("current", 2)
    assert "在用" in client.get("/admin/judging/").text and "开始重新判定" not in client.get(page).text


def test_wrong_counts_stand_on_the_home_page_until_they_are_counted_again(app, session):
    unit = make_unit(session)
    with_local_numbers(session, unit, 2)
    session.add(ContactCount(set_id=0, unit_id=unit.id, kind="email", verdict="valid", number=7))
    session.flush()
    count_checks.keep_result(session, count_checks.check(session).as_json())
    client = browse(app, session, make_staff(session, "data_steward"))
    assert "项质量统计和资料对不上" in client.get("/admin/").text
    assert "现用的值" in client.get("/admin/judging/").text
    client.post("/admin/judging/recount")
    engine.drain()
    assert "项质量统计和资料对不上" not in client.get("/admin/").text


def test_whoever_only_reads_rules_cannot_judge_again(app, session):
    client = browse(app, session, make_staff(session, "auditor"))
    assert client.get("/admin/judging/").status_code == 200
    assert {client.post(f"/admin/judging/{name}").status_code for name in ("plan", "recount", "check")} == {403}


def test_this_moments_figures_open_the_units_below(app, session):
    unit = make_unit(session, name="桂城所")
    with_local_numbers(session, unit, 2, kind="mobile")
    client = browse(app, session, make_staff(session, "data_steward"))
    shown = client.get("/admin/live_figures/").text
    assert f"unit={unit.id}" in shown and "33.33%" in shown and "2/6" in shown
    assert "（没有）" in client.get(f"/admin/live_figures/?unit={unit.id}").text


def test_other_required_fields_count_everybody_again(app, session):
    with_local_numbers(session, make_unit(session), 2)
    before = kept(session)
    client = browse(app, session, make_staff(session, "data_steward"))
    client.post("/admin/required_fields/change", {"required": ["low_voltage_residential/landline"]})
    engine.drain()
    session.expire_all()
    assert session.scalars(select(CountSet.state)).one() == "current"
    after = kept(session)
    recount(session)
    assert kept(session) == after != before
