"""Pages of the customer list: every row once and in order, whichever way they are read, also while rows come in."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest
from factories import draft_of, make_contacts, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import Customer, SearchRow
from models.clock import utcnow
from models.scope import ALL, Scope, working_as
from models.search import note
from services import customer_pages, customer_walks, search
from services.customer_pages import Wanted
from services.search_texts import CLASS_BITS, CLOSED, NONE, REACH_BITS, VERDICT_BITS

MOBILE_NONE = VERDICT_BITS["mobile", NONE]
MOBILE_SUSPECT = VERDICT_BITS["mobile", "suspect"]
SORTS = [("account_no", False), ("opened_on", False), ("changed_at", True), ("opened_on", True)]


@pytest.fixture(autouse=True, params=[customer_pages.MANY, 3], ids=["by set", "by order"])
def many(request, monkeypatch):
    monkeypatch.setattr(customer_pages, "MANY", request.param)
    monkeypatch.setattr(customer_walks, "NEAR", request.param)
    return request.param


@pytest.fixture
def units(session):
    return [make_unit(session, name=f"{number}所") for number in range(4)]


@pytest.fixture
def customers(session, units):
    days = [None, date(2020, 1, 1), date(2020, 1, 1), date(2021, 5, 6)]
    made = [make_customer(session, units[n % 3], opened_on=days[n % 4], name=f"客户{n}") for n in range(23)]
    for number, row in enumerate(made):
        row.changed_at = utcnow() - timedelta(days=number % 5)
        row.customer_class = "high_voltage" if number % 6 == 0 else "low_voltage_residential"
    judged = {row: "suspect" if number % 3 else "valid" for number, row in enumerate(made) if number % 2}
    make_contacts(session, [draft_of(session, row, verdict=verdict) for row, verdict in judged.items()])
    made[7].closed_on = date(2024, 1, 1)
    session.flush()
    note(session, [row.id for row in made])
    return made


def walked(session, wanted, *, back=False):
    """All ids of a list, page by page to its end; with `back`, from its end to its beginning."""
    found, page = [], customer_pages.page(session, wanted)
    if back:
        while page.more:
            page = customer_pages.page(session, replace(wanted, after=page.ids[-1]))
        last = list(page.ids)
        while (
            page.has_place
            and page.ids
            and (page := customer_pages.page(session, replace(wanted, before=page.ids[0]))).ids
        ):
            last = [*page.ids, *last]
        return last
    while page.ids:
        found += page.ids
        if not page.more:
            break
        page = customer_pages.page(session, replace(wanted, after=page.ids[-1]))
    return found


def scanned(session, wanted, keep=lambda row: True):
    rows = [
        row
        for row in session.scalars(select(SearchRow))
        if row.facets & wanted.care == wanted.want and keep(row)
    ]
    rows.sort(key=lambda row: (getattr(row, wanted.sort), row.customer_id), reverse=wanted.descending)
    return [row.customer_id for row in rows]


@pytest.mark.slow
def test_pages_give_every_row_once_in_order(session, customers):
    asked = [(), (MOBILE_NONE,), (CLASS_BITS["high_voltage"], MOBILE_SUSPECT), (CLOSED,), (REACH_BITS[NONE],)]
    search.keep(session)
    for (sort, descending), bits in product(SORTS, asked):
        wanted = Wanted(sort=sort, descending=descending, size=3)
        for bit in bits:
            wanted = wanted.having(bit)
        expected = scanned(session, wanted)
        assert walked(session, wanted) == expected
        assert walked(session, wanted, back=True) == expected


def test_rows_that_come_in_meanwhile_shift_nothing(session, units, customers):
    wanted, seen = Wanted(size=4), []
    page = customer_pages.page(session, wanted)
    while page.more:
        seen += page.ids
        make_customer(session, units[1], account_no=f"05{len(seen):05}")  # before all others
        page = customer_pages.page(session, replace(wanted, after=page.ids[-1]))
    assert [*seen, *page.ids] == [row.id for row in customers if row.closed_on is None]


def test_unit_manager_text_and_facets_narrow_together(session, units, customers):
    manager = make_staff(session, "account_manager", units[0])
    for row in customers[::3]:
        row.manager_id = manager.id
    session.flush()
    wanted = Wanted(text="客户1", unit_id=units[0].id, manager_id=manager.id, size=2).having(MOBILE_NONE)
    expected = [
        row.id for n, row in enumerate(customers) if "客户1" in row.name and n % 3 == 0 and n % 2 == 0
    ]
    assert walked(session, wanted) == expected and len(expected) == 2
    assert walked(session, replace(wanted, unit_id=units[1].id)) == []


@pytest.mark.slow
def test_a_scope_limits_every_way(session, units, customers):
    manager = make_staff(session, "account_manager", units[2])
    customers[2].manager_id = customers[3].manager_id = manager.id
    session.flush()
    for wanted in (
        Wanted(size=2),
        Wanted(text="客户", size=2),
        Wanted(size=2).having(MOBILE_NONE).closed_too(),
    ):
        with working_as(session, Scope(units[2].path)):
            found = walked(session, wanted)
            assert {n % 3 for n, row in enumerate(customers) if row.id in found} == {2}
        with working_as(session, Scope(units[2].path, manager.id, own=True)):
            assert walked(session, wanted) == [customers[2].id]
    with working_as(session, ALL):
        assert set(walked(session, Wanted(text="客户").closed_too())) == {row.id for row in customers}


def test_counted_where_few_and_by_entry_where_many(session, customers, many):
    found = customer_pages.page(session, Wanted(text="客户", sort="opened_on", size=5))
    told = (found.number, found.is_exact, found.sort)
    assert told == ((22, True, "opened_on") if many > 3 else (5, False, "entry"))
    for text, number in (("客户22", 1), ("查无此人", 0)):
        found = customer_pages.page(session, Wanted(text=text))
        assert (found.number, found.is_exact) == (number, True)


def test_nobody_without_a_scope(session, customers):
    session.commit()
    with working_as(session, None):
        assert (
            customer_pages.page(session, Wanted(text="客户")).ids
            == customer_pages.page(session, Wanted()).ids
            == ()
        )


def test_a_place_that_is_gone_starts_afresh(session, customers):
    first = customer_pages.page(session, Wanted(size=3))
    assert customer_pages.page(session, Wanted(size=3, after=10**9)).ids == first.ids and first.more
    assert (
        session.get_one(Customer, first.ids[0]).account_no
        < session.get_one(Customer, first.ids[1]).account_no
    )
