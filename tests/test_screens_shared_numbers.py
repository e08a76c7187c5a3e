"""One number on many customers on screen: the list, one number, allowing it, stopping it."""

from browsing import browse
from factories import make_contact, make_customer, make_staff
from sqlalchemy import func, select

from models import Contact, SharedNumber
from services import shared_numbers
from workflows import engine

NUMBER = "+8613800138999"


def shared(session, customers=5):
    rows = [make_contact(session, make_customer(session), value=NUMBER) for _ in range(customers)]
    make_contact(session, rows[0].customer, "landline", value="+8675783335555")
    make_contact(session, rows[1].customer, "landline", value="+8675783335555")
    shared_numbers.count(session)
    return session.scalars(select(SharedNumber)).one().id, rows


def test_a_steward_finds_allows_and_doubts_a_number_again(app, session, shell):
    key, _rows = shared(session)
    browser = browse(app, session, make_staff(session, "data_steward"))
    listed = browser.get("/admin/shared_numbers/?allowed=no&class=residential").get_data(as_text=True)
    assert f"/admin/shared_numbers/{key}" in listed
    assert "13800138999" not in listed
    page = browser.get(f"/admin/shared_numbers/{key}").get_data(as_text=True)
    assert page.count("<line ") == 5 + 2
    form = {"role": "landlord", "reason": "租赁合同 3 号", "until": ""}
    assert browser.post(f"/admin/shared_numbers/{key}/allow", form).status_code == 303
    assert "租赁合同 3 号" in browser.get(f"/admin/shared_numbers/{key}").get_data(as_text=True)
    assert f"/admin/shared_numbers/{key}" not in browser.get("/admin/shared_numbers/?allowed=no").get_data(as_text=True)
    assert browser.post(f"/admin/shared_numbers/{key}/disallow").status_code == 303
    assert shared_numbers.shared_values(session) == {NUMBER}


def test_a_bad_day_loses_nothing_and_allows_nothing(app, session, shell):
    key, _rows = shared(session)
    browser = browse(app, session, make_staff(session, "data_steward"))
    browser.post(f"/admin/shared_numbers/{key}/allow", {"role": "agent", "reason": "x", "until": "明天"})
    assert shared_numbers.shared_values(session) == {NUMBER}


def test_stopping_proposes_for_the_picked_customers(app, session, shell):
    key, rows = shared(session)
    browser = browse(app, session, make_staff(session, "clerk"))
    picks = [str(row.id) for row in rows[:3]]
    browser.post(f"/admin/shared_numbers/{key}/stop", {"rowid": picks, "evidence": "录音 9"})
    assert session.scalar(select(func.count()).where(Contact.state == "proposed")) == 3


def test_counting_with_another_limit_changes_the_list(app, session, shell):
    shared(session, customers=4)
    browser = browse(app, session, make_staff(session, "data_steward"))
    assert browser.post("/admin/shared_numbers/count", {"limit": "4"}).status_code == 303
    engine.drain()
    assert "没有一号多户" in browser.get("/admin/shared_numbers/").get_data(as_text=True)


def test_a_viewer_and_strange_keys_find_nothing(app, session, shell):
    key, _rows = shared(session)
    assert browse(app, session, make_staff(session, "viewer")).get(f"/admin/shared_numbers/{key}").status_code == 403
    steward = browse(app, session, make_staff(session, "data_steward"))
    assert [steward.get(f"/admin/shared_numbers/{wrong}").status_code for wrong in (0, 99999, 2**70)] == [404] * 3
