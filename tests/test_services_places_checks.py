"""Addresses that share no street with their transformer area or meter book."""

import pytest
from factories import make_contact, make_customer, make_unit

from models.clock import utcnow
from quality.neighbours import places_of, posted_apart, stand_apart
from quality.rules import NoParameters, Record
from services.assessed import Item
from services.places_checks import outliers, postcode_outliers
from services.rule_sets import FINDERS, Asked

STREET = "广东省佛山市禅城区祖庙街道汾江南路{}号"
ESTATE = "广东省佛山市禅城区祖庙街道季华路18号翠湖花园{}座1单元101室"


def _area(session, unit, address, count, **facts):
    for number in range(1, count + 1):
        _live(session, make_customer(session, unit, **facts), address.format(number))


def _live(session, customer, address):
    return make_contact(session, customer, kind="supply_address", raw=address, value=address)


def _find(session, unit):
    session.flush()
    return [one for chunk in outliers(session, unit.id) for one in chunk]


@pytest.mark.slow
@pytest.mark.parametrize("area", ["transformer_area", "meter_book"])
def test_address_on_another_street_than_its_area_is_found(session, area):
    unit, other = make_unit(session), make_unit(session)
    _area(session, unit, STREET, 12, **{area: "T1"})
    _area(session, other, ESTATE, 12, **{area: "T1"})
    stray = make_customer(session, unit, **{area: "T1"})
    wrong = _live(session, stray, "广东省佛山市顺德区大良街道东乐路3号")
    (found,) = _find(session, unit)
    assert (found.customer_id, found.contact_id, found.area, found.code) == (stray.id, wrong.id, area, "T1")
    assert (found.place, found.neighbours) == ("汾江南路", 13)


@pytest.mark.slow
def test_book_of_several_streets_has_no_outlier(session):
    unit = make_unit(session)
    for street in ("汾江南路", "永安路", "跃进路", "季华路"):
        _area(session, unit, STREET.replace("汾江南路", street), 5, meter_book="B1")
    assert _find(session, unit) == []


@pytest.mark.slow
def test_customer_is_told_once_by_its_smaller_area(session):
    unit = make_unit(session)
    _area(session, unit, STREET, 12, transformer_area="T1", meter_book="B1")
    _area(session, unit, ESTATE, 12, transformer_area="T2", meter_book="B1")
    stray = make_customer(session, unit, transformer_area="T2", meter_book="B1")
    _live(session, stray, STREET.replace("汾江", "同济").format(9))
    assert [(one.area, one.code, one.place) for one in _find(session, unit)] == [
        ("transformer_area", "T2", "季华路")
    ]


def test_postcode_of_another_office_than_its_book_is_found(session):
    unit = make_unit(session)
    for _number in range(12):
        home = make_customer(session, unit, meter_book="B1")
        make_contact(session, home, kind="postcode", raw="528200", value="528200")
    stray = make_customer(session, unit, meter_book="B1")
    make_contact(session, stray, kind="postcode", raw="510600", value="510600")
    session.flush()
    (found,) = [one for chunk in postcode_outliers(session, unit.id) for one in chunk]
    assert (found.customer_id, found.place, found.neighbours) == (stray.id, "5282", 13)
    assert posted_apart({number: f"52{number}000" for number in range(12)}) == {}


def test_few_or_mixed_neighbours_say_nothing():
    few = {number: STREET.format(number) for number in range(8)} | {8: "广东省佛山市顺德区大良街道东乐路3号"}
    mixed = {
        number: f"广东省佛山市禅城区第{'一二三四五六七八九十甲乙'[number]}大街1号" for number in range(12)
    }
    assert stand_apart(few) == stand_apart(mixed) == {}


def test_same_street_in_another_town_stands_apart():
    area = {number: STREET.format(number) for number in range(12)} | {
        99: "广东省佛山市禅城区南庄镇汾江南路3号"
    }
    assert stand_apart(area) == {99: "汾江南路"}


def test_places_of_an_address_are_its_town_road_village_and_estate():
    assert places_of(ESTATE.format(1)) == ("town:祖庙街道", "road:季华路", "estate:翠湖花园")
    assert places_of("广东省佛山市南海区大沥镇水头村三队二巷5号") == ("town:大沥镇", "village:水头村")


def test_rule_finds_the_postcode_that_disagrees_with_its_neighbours(session):
    unit = make_unit(session)
    kept = []
    for number in range(13):
        home = make_customer(session, unit, transformer_area="T1")
        code = "510600" if number == 12 else "528200"
        kept.append(make_contact(session, home, kind="postcode", raw=code, value=code))
    session.flush()
    finder = FINDERS["is_posted_with_neighbours"](session, Asked(utcnow(), [unit.id]), NoParameters())
    whose = (unit.id, None, "existing", "", None, "")
    items = [Item(one.customer_id, *whose, Record("postcode", contact_id=one.id)) for one in kept]
    assert [finder(item) for item in items] == [False] * 12 + [True]
