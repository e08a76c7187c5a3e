import pytest
from browsing import browse
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import Contact, Visit
from services import visits, walk_lists
from services.visits import Need


@pytest.fixture
def unit(session):
    """A supply station."""
    return make_unit(session)


def door(session, unit, **facts):
    customer = make_customer(session, unit, name="王小明", **facts)
    address = "广东省佛山市禅城区季华路4号"
    make_contact(session, customer, "supply_address", raw=address, value=address)
    (key,) = visits.make_visits(session, [Need(customer.id, unit.id, "silent")])
    return session.get_one(Visit, key)


def test_a_visit_is_recorded_from_the_phone(app, session, unit):
    manager = make_staff(session, "account_manager", unit)
    visit = door(session, unit)
    token = visit.token
    phone = browse(app, session, manager)
    assert "季华路4号" in phone.get("/m/").text
    page = phone.get(f"/m/{token}").text
    assert "王小明" in page
    form = {"result": "verified", "text_mobile": "13800002222", "relation": "self", "form_key": "k1"}
    assert phone.post(f"/m/{token}", form).status_code == 303
    assert session.scalars(select(Visit.state)).one() == "done"
    assert session.scalars(select(Contact.value).where(Contact.kind == "mobile")).one() == "+8613800002222"


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "走访结果"),
        ({"result": "not_met", "text_mobile": "13800002222"}, "只保留"),
        ({"result": "verified", "reply_mobile": "new"}, "没有填写"),
        ({"result": "verified", "reply_mobile": "same", "text_mobile": "13800002222"}, "只保留"),
    ],
)
def test_a_mistake_brings_the_form_back(app, session, unit, form, sentence):
    manager = make_staff(session, "account_manager", unit)
    token = door(session, unit).token
    answer = browse(app, session, manager).post(f"/m/{token}", form)
    assert answer.status_code == 422 and sentence in answer.text
    assert session.scalars(select(Visit.attempts)).one() == 0


def test_another_persons_door_stays_closed(app, session, unit):
    make_staff(session, "account_manager", unit)
    token = door(session, unit).token
    other = browse(app, session, make_staff(session, "account_manager", unit))
    assert "王小明" not in other.get(f"/m/{token}").text
    other.post(f"/m/{token}", {"result": "not_met"})
    assert session.scalars(select(Visit.attempts)).one() == 0
    assert "季华路" not in other.get("/m/").text


def test_a_given_back_visit_goes_to_the_station_head(app, session, unit):
    manager = make_staff(session, "account_manager", unit)
    visit = door(session, unit)
    browse(app, session, manager).post(f"/m/{visit.token}/give_back", {"reason": "道路封闭"})
    head = browse(app, session, make_staff(session, "station_head", unit))
    assert "道路封闭" in head.get("/admin/visits/?state=given_back").text


def test_picked_visits_are_assigned_within_the_unit_only(app, session, unit):
    key = door(session, unit).id
    stranger = make_staff(session, "account_manager", make_unit(session)).id
    manager = make_staff(session, "account_manager", unit).id
    head = browse(app, session, make_staff(session, "station_head", unit))
    for person, expected in ((stranger, None), (manager, manager)):
        head.post("/admin/visits/assign", {"rowid": str(key), "person": str(person)})
        assert session.scalars(select(Visit.staff_id)).one() == expected


def test_foreign_visits_are_not_assigned(app, session, unit):
    visit = door(session, unit)
    key, other = visit.id, make_unit(session)
    manager = make_staff(session, "account_manager", other).id
    head = browse(app, session, make_staff(session, "station_head", other))
    head.post("/admin/visits/assign", {"rowid": str(key), "person": str(manager)})
    assert session.scalars(select(Visit.staff_id)).one() is None


def test_a_clerk_keys_a_result_from_paper_in_the_visitors_name(app, session, unit):
    manager = make_staff(session, "account_manager", unit).id
    token = door(session, unit).token
    clerk = browse(app, session, make_staff(session, "clerk", unit))
    assert clerk.post("/admin/visits/key", {"code": token.lower()}).headers["Location"].endswith(token)
    clerk.post(f"/admin/visits/key/{token}", {"result": "verified", "text_mobile": "13800002222"})
    assert session.scalars(select(Contact.recorder_id).where(Contact.kind == "mobile")).one() == manager


@pytest.mark.slow
def test_walk_lists_are_made_and_printed(app, session, unit):
    make_staff(session, "account_manager", unit)
    door(session, unit)
    head = browse(app, session, make_staff(session, "station_head", unit))
    head.post("/admin/visits/lists", {})
    (key,) = session.scalars(select(walk_lists.WalkList.id)).all()
    answer = head.get(f"/admin/visits/lists/{key}.pdf")
    assert answer.data.startswith(b"%PDF") and "attachment" in answer.headers["Content-Disposition"]
    other = browse(app, session, make_staff(session, "station_head", make_unit(session)))
    assert other.get(f"/admin/visits/lists/{key}.pdf").status_code >= 400


def test_home_shows_what_waits_at_the_doors(app, session, unit):
    manager = make_staff(session, "account_manager", unit)
    door(session, unit)
    assert "季华路4号" in browse(app, session, manager).get("/admin/").text
    head = browse(app, session, make_staff(session, "station_head", unit))
    assert "待安排的走访" in head.get("/admin/").text
