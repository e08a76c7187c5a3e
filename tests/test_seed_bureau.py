"""The generated bureau: units, people, telephone numbers, streets."""

from collections import Counter
from itertools import islice
from random import Random

import pytest

from seed import permissions_by_role
from seed.bureau import make_bureau
from seed.phones import landline, load_blocks, mobile
from seed.streets import AREA_SIZE, areas, door


@pytest.fixture(scope="module")
def bureau():
    return make_bureau(7)


def test_same_seed_makes_same_bureau(bureau):
    assert make_bureau(7) == bureau
    assert make_bureau(8).staff != bureau.staff


def test_bureau_has_twelve_units_and_sixty_staff(bureau):
    kinds = Counter(unit.kind for unit in bureau.units)
    assert (len(bureau.units), len(bureau.staff)) == (12, 60)
    assert kinds == {"bureau": 1, "county_bureau": 4, "supply_station": 6, "team": 1}


def test_parents_stand_before_children(bureau):
    seen = {""}
    for unit in bureau.units:
        assert unit.parent in seen
        seen.add(unit.code)


def test_logins_and_names_are_unique_and_roles_known(bureau):
    assert len({who.login for who in bureau.staff}) == len({who.name for who in bureau.staff}) == 60
    assert {who.role for who in bureau.staff} <= set(permissions_by_role())
    assert all(who.login.rstrip("0123456789").isalpha() and who.login.isascii() for who in bureau.staff)


def test_every_served_unit_has_an_account_manager(bureau):
    assert all(bureau.teams[unit.code, "account_manager"] for unit in bureau.served_units())


def test_mobiles_use_allotted_blocks():
    blocks, rng = load_blocks(), Random(1)
    known = {block for operator in blocks.home for block in operator} | set(blocks.away)
    numbers = [mobile(rng, blocks) for _ in range(500)]
    assert {number[:7] for number in numbers} <= known
    assert all(len(number) == 11 for number in numbers)


def test_landlines_have_area_code_and_eight_digits():
    area, number = landline(Random(1), "0757").split("-")
    assert (area, len(number), number[0] in "2345678") == ("0757", 8, True)


def test_doors_of_an_area_differ(bureau):
    for area in islice(areas(bureau, seed=3), 40):
        doors = [door(area, place, Random(1)) for place in range(AREA_SIZE)]
        assert len(set(doors)) == AREA_SIZE, area.sort
        assert doors[0].startswith(area.unit.region)


def test_every_served_unit_gets_several_areas_and_books(bureau):
    found = list(islice(areas(bureau, seed=3), 200))
    counts = Counter(area.unit.code for area in found)
    books = {area.unit.code: {a.book for a in found if a.unit == area.unit} for area in found}
    assert set(counts) == {unit.code for unit in bureau.served_units()}
    assert all(len(names) > 1 for names in books.values())
