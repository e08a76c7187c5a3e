import pypdfium2
import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import Visit, WalkList
from services import visits, walk_lists
from services.visits import Need, Report


def door(session, unit, place, **facts):
    customer = make_customer(session, unit, **facts)
    address = f"广东省佛山市禅城区{place}"
    make_contact(session, customer, "supply_address", raw=address, value=address)
    return customer


@pytest.fixture
def round_of_five(session):
    """A person with five doors, three in an estate and two on a road, who can walk three a day."""
    unit = make_unit(session)
    manager = make_staff(session, "account_manager", unit, capacity=3)
    places = [
        "季华路4号",
        "季华路1号",
        "祖庙路8号金色家园2栋301室",
        "祖庙路8号金色家园1栋201室",
        "祖庙路8号金色家园1栋1201室",
    ]
    needs = [Need(door(session, unit, place).id, unit.id, "silent") for place in places]
    visits.make_visits(session, needs)
    return manager


def test_doors_come_in_walking_order_as_many_a_day_as_one_can_walk(session, round_of_five):
    made = walk_lists.make_lists(session, [round_of_five.id])
    assert [row.doors for row in made] == [3, 2] and made[0].day < made[1].day
    rows = [
        row
        for walk_list in made
        for group in walk_lists.facts_of(session, walk_list)["groups"]
        for row in group["rows"]
    ]
    tails = [row["address"] for row in rows]
    assert [tail.split("区")[-1][-6:] for tail in tails if "季华" in tail] == ["季华路1号", "季华路4号"]
    estate = [tail for tail in tails if "金色家园" in tail]
    assert [tail.split("金色家园")[1] for tail in estate] == ["1栋1201室", "1栋201室", "2栋301室"]


def test_a_door_is_on_one_list_only(session, round_of_five):
    walk_lists.make_lists(session, [round_of_five.id])
    assert walk_lists.make_lists(session, [round_of_five.id]) == []


def test_who_was_not_met_comes_on_a_later_list(session, round_of_five):
    walk_lists.make_lists(session, [round_of_five.id])
    visit = session.scalars(select(Visit).order_by(Visit.id)).first()
    visits.record_visit(session, visit, Report("not_met"), staff=round_of_five)
    assert walk_lists.make_lists(session, [round_of_five.id]) == []
    (later,) = walk_lists.make_lists(session, [round_of_five.id], day=visit.next_on)
    assert later.doors == 1


def test_numbers_count_through_a_day(session, round_of_five):
    made = walk_lists.make_lists(session, [round_of_five.id])
    other = make_staff(session, "account_manager")
    customer = door(session, other.unit, "汾江路5号", manager_id=other.id)
    visits.make_visits(session, [Need(customer.id, customer.unit_id, "silent")])
    (second,) = walk_lists.make_lists(session, [other.id])
    assert (made[0].number[-3:], second.number[-3:]) == ("001", "002")


@pytest.mark.slow
def test_the_printed_list_holds_every_door(session, round_of_five, tmp_path):
    walk_lists.make_lists(session, [round_of_five.id])
    walk_list = session.scalars(select(WalkList).order_by(WalkList.id)).first()
    facts = walk_lists.facts_of(session, walk_list)
    path = tmp_path / "list.pdf"
    path.write_bytes(walk_lists.lay_out(facts))
    text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(path))
    assert walk_list.number in text
    assert all(row["account_no"] in text for group in facts["groups"] for row in group["rows"])
    assert walk_lists.keep_print(session, walk_list.id, str(path)) == {"lists": 1, "doors": 3}
