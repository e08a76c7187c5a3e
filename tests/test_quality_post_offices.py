"""Postcodes against cities: told only where both are certain."""

import pytest

from quality.addresses import judge_address
from quality.divisions import Place, cities_of, provinces
from quality.post_offices import is_of_other_city
from quality.verdicts import Context

OWN = Context("0757", "广东省佛山市")


@pytest.mark.parametrize(
    ("postcode", "province", "city", "is_other"),
    [
        ("510000", "广东省", "佛山市", True), ("518001", "广东省", "佛山市", True),
        ("510030", "广东省", "深圳市", True),
        ("528200", "广东省", "佛山市", False),  # an office of its own
        ("528400", "广东省", "佛山市", False),  # Zhongshan shares the district 528
        ("511400", "广东省", "佛山市", False),  # no main office
        ("641400", "四川省", "成都市", False),  # Jianyang came from Ziyang and kept its postcode
        ("238000", "安徽省", "合肥市", False),  # Chaohu was a city of its own
        ("271100", "山东省", "济南市", False),  # so was Laiwu
        ("236000", "安徽省", "合肥市", False),  # two cities give the same main office
        ("071000", "河北省", "石家庄市", True),  # the 0 in front that the list leaves out
        ("510000", "广东省", "", False), ("", "广东省", "佛山市", False),
    ],
)  # fmt: skip
def test_only_the_main_office_of_another_city_is_told(postcode, province, city, is_other):
    assert is_of_other_city(postcode, Place(province, city, "")) is is_other


def test_main_offices_of_nearly_all_cities_are_known():
    cities = [(province, city) for province in provinces() for city in cities_of(province)]
    far = [one for one in cities if is_of_other_city("200000"[:3] + "000", Place(*one, ""))]
    assert not far  # Shanghai is no city of a province
    assert sum(is_of_other_city("510000", Place(*one, "")) for one in cities) > 330


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("510000 广东省佛山市南海区桂城街道南新三路7号", "suspect"),
        ("广东省佛山市南海区桂城街道南新三路7号 邮编518000", "suspect"),
        ("桂城街道南新三路7号 邮编510000", "suspect"),
        ("528200 广东省佛山市南海区桂城街道南新三路7号", "repairable"),
        ("528251 广东省佛山市南海区桂城街道南新三路7号", "repairable"),
    ],
)
def test_address_beside_a_postcode_of_another_city_is_suspect(text, verdict):
    found = judge_address(text, "supply_address", OWN)
    assert (found.verdict, "postcode_conflict" in found.reasons) == (verdict, verdict == "suspect")
