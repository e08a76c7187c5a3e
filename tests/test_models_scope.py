import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import func, select, update
from sqlalchemy.orm import aliased

from models import Contact, Customer, Territory, Visit
from models.clock import utcnow
from models.scope import ALL, OutOfScope, Scope, set_scope, working_as
from services.people import scope_of


@pytest.fixture
def two(session):
    """Two units with a customer each."""
    units = [make_unit(session), make_unit(session)]
    customers = [make_customer(session, unit) for unit in units]
    for customer in customers:
        make_contact(session, customer)
    session.commit()
    return units, customers


def test_no_scope_means_no_rows(session, two):
    set_scope(session, None)
    assert session.scalars(select(Customer)).all() == []


def test_unit_scope_reaches_own_unit_and_below(session, two):
    (unit, _other), (own, foreign) = two
    below = make_customer(session, make_unit(session, unit))
    session.flush()
    set_scope(session, Scope(path=unit.path))
    assert set(session.scalars(select(Customer.id))) == {own.id, below.id}
    assert session.get(Customer, foreign.id, populate_existing=True) is None
    assert session.scalar(select(func.count()).select_from(Contact)) == 1


def test_bulk_update_stays_inside(session, two):
    (unit, _other), (_own, foreign) = two
    set_scope(session, Scope(path=unit.path))
    session.execute(update(Customer).values(name="改"))
    set_scope(session, ALL)
    assert session.scalar(select(Customer.name).where(Customer.id == foreign.id)) == "张三"


def test_writing_into_another_unit_is_refused(session, two):
    (unit, other), (own, _foreign) = two
    set_scope(session, Scope(path=unit.path))
    own.unit_id = other.id
    with pytest.raises(OutOfScope):
        session.flush()
    session.rollback()


def test_foreign_customer_by_key_is_refused(session, two):
    (unit, _other), (_own, foreign) = two
    set_scope(session, Scope(path=unit.path))
    facts = {
        "kind": "mobile",
        "verdict": "valid",
        "source": "visit",
        "state": "proposed",
        "created_at": utcnow(),
    }
    session.add(Contact(customer_id=foreign.id, unit_id=unit.id, **facts))
    with pytest.raises(OutOfScope):
        session.flush()
    session.rollback()


def test_account_manager_reaches_own_customers_and_meter_books(session, two):
    (unit, _other), (own, _foreign) = two
    manager = make_staff(session, "account_manager", unit)
    own.manager_id = manager.id
    book = make_customer(session, unit, meter_book="B7")
    make_customer(session, unit, meter_book="B8")
    session.add(Territory(unit_id=unit.id, kind="meter_book", code="B7", staff_id=manager.id))
    session.flush()
    set_scope(session, scope_of(session, manager))
    assert set(session.scalars(select(Customer.id))) == {own.id, book.id}
    assert session.scalar(select(func.count()).select_from(Contact)) == 1


def test_visit_is_reached_by_whom_it_is_assigned_to(session, two):
    (unit, _other), (own, _foreign) = two
    manager = make_staff(session, "account_manager", unit)
    facts = {
        "customer_id": own.id,
        "unit_id": unit.id,
        "origin": "by_hand",
        "state": "open",
        "created_at": utcnow(),
    }
    for token, staff_id in (("A" * 10, manager.id), ("B" * 10, None)):
        session.add(Visit(token=token, staff_id=staff_id, **facts))
    session.flush()
    set_scope(session, scope_of(session, manager))
    assert session.scalars(select(Visit.token)).all() == ["A" * 10]


def test_working_as_all_gives_back_the_scope(session, two):
    set_scope(session, None)
    with working_as(session, ALL):
        assert session.scalar(select(func.count()).select_from(Customer)) == 2
    assert session.scalars(select(Customer)).all() == []


def test_the_same_statement_keeps_to_whoever_asks(session, two):
    (unit, other), (own, foreign) = two
    manager = make_staff(session, "account_manager", unit)
    own.manager_id = manager.id
    session.commit()
    here, there, one, two_ids = Scope(unit.path), Scope(other.path), {own.id}, {own.id, foreign.id}
    mine = Scope(unit.path, manager.id, own=True), Scope(unit.path, manager.id + 1, own=True)
    asked = [
        (here, one),
        (there, {foreign.id}),
        (mine[0], one),
        (mine[1], set()),
        (None, set()),
        (ALL, two_ids),
    ]
    other_name = aliased(Customer)
    for scope, found in asked * 2:  # the second round meets statements that are kept compiled
        session.expunge_all()
        set_scope(session, scope)
        assert set(session.scalars(select(Customer.id))) == found, scope
        assert {row.customer_id for row in session.scalars(select(Contact))} == found, scope
        assert (
            set(session.scalars(select(other_name.id).join(Contact, Contact.customer_id == other_name.id)))
            == found
        ), scope


def test_rows_loaded_on_demand_keep_to_the_scope_of_the_moment(session, two):
    path = two[0][0].path
    for _round in range(2):
        session.expunge_all()
        set_scope(session, ALL)
        contacts = session.scalars(select(Contact).order_by(Contact.id)).all()
        set_scope(session, Scope(path))
        assert [contact.customer is not None for contact in contacts] == [True, False]
