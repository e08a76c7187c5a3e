"""Nobody sees or changes another unit's rows: by id, by a key in a form, in bulk, by look-up, list or search."""

import re

import pytest
from browsing import browse
from factories import make_contact, make_customer, make_letter, make_staff, make_unit
from sqlalchemy import select

from models import Contact, Customer, Leave, Role, Staff, Territory, Trace, Visit
from models.clock import today, utcnow
from services.contacts import Draft, record

CANARY_NAME, CANARY_NUMBER, CANARY_ACCOUNT = "金丝雀芳", "+8613987654321", "0699000000077"
CANARIES = ("金丝", "4321", CANARY_ACCOUNT)
POSTED = {
    "confirmed": "1",
    "purpose": "service",
    "source": "counter",
    "kind": "mobile",
    "text": "13812345678",
}


@pytest.fixture
def foreign(session):
    """A customer of another unit with everything that hangs on it, and a person there; the ids by name of table."""
    unit = make_unit(session)  # its name is no secret: boards and bulletins name every unit
    person = make_staff(session, "account_manager", unit, name="金丝员工", username="canary")
    customer = make_customer(session, unit, name=CANARY_NAME, account_no=CANARY_ACCOUNT, manager_id=person.id)
    contact = make_contact(session, customer, value=CANARY_NUMBER, raw="13987654321")
    letter = make_letter(session, customer)
    facts = {"customer_id": customer.id, "unit_id": unit.id, "created_at": utcnow()}
    visit = Visit(origin="by_hand", state="assigned", staff_id=person.id, token="CANARY0001", **facts)
    area = Territory(unit_id=unit.id, kind="meter_book", code="金丝册", staff_id=person.id)
    leave = Leave(staff_id=person.id, starts_on=today(session), ends_on=today(session))
    draft = Draft(customer.id, unit.id, "wechat", "金丝微信", "金丝微信", "valid", "cleanup")
    session.add_all([visit, area, leave])
    waiting = record(session, [draft]).ids[0]
    session.commit()
    return {
        "unit": unit.id, "staff": person.id, "customer": customer.id, "contact": contact.id, "proposal": waiting,
        "letter": letter.id, "visit": visit.id, "territory": area.id, "leave": leave.id,
    }  # fmt: skip


def everything(session, *, unit, scope):
    """A person of a unit who holds every permission, with one scope: only the scope keeps anything away."""
    permissions = sorted({name for role in session.scalars(select(Role)) for name in role.permissions})
    role = Role(name=f"all_{scope}", label="全部", scope=scope, permissions=permissions)
    session.add(role)
    staff = make_staff(session, unit=unit)
    staff.roles = [role]
    session.commit()
    return staff


def addresses(app, ids):
    """Every rule with its address; where it carries an id, that of the foreign row it means, else each of them."""
    for rule in app.url_map.iter_rules():
        meant = [ids[name] for name in ids for argument in rule.arguments if argument.startswith(name)]
        named = rule.arguments - {"filename", "export_type"}
        for key in dict.fromkeys(meant or (ids.values() if named else [0])):
            yield rule, re.sub(r"<[^>]+>", str(key), rule.rule)


def row_of(app, rule, ids):
    """The foreign row that a form of this screen would name as `id` or `rowid`."""
    screen = getattr(app.view_functions[rule.endpoint], "__self__", None)
    table = getattr(screen, "table", None) or {"proposals": Contact, "visits": Visit}.get(
        rule.endpoint.split(".")[0]
    )
    if rule.endpoint.startswith("proposals."):
        return ids["proposal"]
    return ids.get(table.__name__.lower(), ids["customer"]) if table else ids["customer"]


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["unit", "own"])
def test_no_page_shows_a_foreign_row(app, session, foreign, scope):
    browser = browse(app, session, everything(session, unit=make_unit(session), scope=scope))
    for rule, path in addresses(app, foreign):
        if "GET" not in rule.methods or rule.endpoint in ("static", "admin.static", "accounts.alive"):
            continue
        asked = f"?id={row_of(app, rule, foreign)}&unit={foreign['unit']}&staff={foreign['staff']}"
        for query in ("",) if rule.arguments else ("", asked):
            text = browser.get(path + query).get_data(as_text=True)
            shown = [canary for canary in CANARIES if canary in text]
            assert not shown, f"{path}{query} shows {shown}"


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["unit", "own"])
def test_no_form_changes_a_foreign_row(app, session, foreign, scope):
    browser = browse(app, session, everything(session, unit=make_unit(session), scope=scope))
    before = frozen(session)
    keys = {f"{name}_id": key for name, key in foreign.items()} | foreign
    for rule, path in addresses(app, foreign):
        if "POST" not in rule.methods or rule.endpoint in ("accounts.sign_out", "accounts.language"):
            continue
        row = row_of(app, rule, foreign)
        browser.post(path + f"?id={row}", POSTED | keys | {"id": row, "rowid": row})
    assert frozen(session) == before


def frozen(session):
    """What the foreign rows say, in plain values."""
    session.rollback()
    session.expire_all()
    tables = (Customer, Contact, Visit, Territory, Leave, Staff)
    rows = {
        table.__name__: session.scalars(select(table).order_by(table.__table__.c.id)).all()
        for table in tables
    }
    return {
        name: [
            [getattr(row, column.key) for column in row.__table__.columns] for row in found if is_foreign(row)
        ]
        for name, found in rows.items()
    }


def is_foreign(row):
    text = " ".join(str(getattr(row, column.key)) for column in row.__table__.columns)
    return "金丝" in text or "13987654321" in text or "CANARY" in text or CANARY_ACCOUNT in text


def test_whoever_is_responsible_sees_the_same_rows(app, session, foreign):
    browser = browse(app, session, make_staff(session, "data_steward"))
    assert CANARY_ACCOUNT in browser.get("/admin/customers/").text
    assert "4321" in browser.get(f"/admin/customers/{foreign['customer']}").text
    assert "金丝员工" in browser.get("/admin/staff/").text


def test_search_finds_nothing_foreign(app, session, foreign):
    browser = browse(app, session, make_staff(session, "clerk", make_unit(session)))
    for text in (CANARY_ACCOUNT, "13987654321", "金丝"):
        answer = browser.post("/admin/customers/search", {"q": text}, follow_redirects=True)
        assert "没有符合条件的客户" in answer.text


def test_a_foreign_key_in_a_form_is_refused(app, session, foreign):
    home = make_unit(session)
    head = browse(app, session, make_staff(session, "station_head", home))
    own = make_staff(session, "account_manager", home)
    session.commit()
    form = {"kind": "meter_book", "code": "B1", "unit": home.id, "staff": own.id}
    for name in ("unit", "staff"):
        head.post("/admin/territories/new/", form | {name: foreign[name]})
    assert session.query(Territory).count() == 1
    head.post("/admin/territories/new/", form)
    assert session.query(Territory).count() == 2


def test_a_foreign_row_survives_bulk_deletion(app, session, foreign):
    head = browse(app, session, make_staff(session, "station_head", make_unit(session)))
    answer = head.post(
        "/admin/territories/action/", {"action": "delete", "rowid": foreign["territory"], "confirmed": "1"}
    )
    assert answer.status_code == 302 and session.query(Territory).count() == 1


def test_proposals_are_decided_in_one_s_own_unit(app, session, foreign):
    stranger = browse(app, session, make_staff(session, "team_leader", make_unit(session)))
    stranger.post("/admin/proposals/approve", {"rowid": foreign["proposal"]})
    assert session.get_one(Contact, foreign["proposal"]).state == "proposed"
    session.rollback()
    leader = browse(app, session, make_staff(session, "team_leader"))
    leader.post("/admin/proposals/approve", {"rowid": foreign["proposal"]})
    session.expire_all()
    assert session.get_one(Contact, foreign["proposal"]).state == "current"


def test_an_account_manager_sees_own_customers_only(app, session):
    unit = make_unit(session)
    manager = make_staff(session, "account_manager", unit)
    own = make_customer(session, unit, manager_id=manager.id)
    other = make_customer(session, unit)
    browser = browse(app, session, manager)
    page = browser.get("/admin/customers/").text
    assert own.account_no in page and other.account_no not in page
    assert browser.get(f"/admin/customers/{own.id}").status_code == 200
    assert browser.get(f"/admin/customers/{other.id}").status_code == 404


def test_nobody_reveals_a_foreign_customer(app, session, foreign):
    browser = browse(app, session, make_staff(session, "clerk", make_unit(session)))
    answer = browser.post(f"/admin/customers/{foreign['customer']}/reveal", {"purpose": "service"})
    assert answer.status_code == 404
    assert not session.query(Trace).filter_by(action="customer.revealed").count()
