import random

import pytest

from quality.addresses import AddressParts, split_address
from quality.routes import door_of, numeral, place_of, walking_key

REGION = "广东省佛山市"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9号", 9),
        ("十号", 10),
        ("十二栋", 12),
        ("二十单元", 20),
        ("三十五", 35),
        ("乙栋", 0),
        ("", 0),
        ("一〇一", 101),
    ],
)
def test_numbers_are_read_in_digits_and_characters(text, expected):
    assert numeral(text) == expected


def test_estates_go_by_building_unit_floor_top_down_and_room():
    doors = [
        AddressParts(
            estate="金色家园", building=f"{building}栋", unit=f"{unit}单元", room=f"{floor}0{room}室"
        )
        for building in (2, 10)
        for unit in (1, 2)
        for floor in (12, 3)
        for room in (1, 2)
    ]
    shuffled = random.Random(7).sample(doors, len(doors))
    assert sorted(shuffled, key=walking_key) == doors


def test_single_houses_go_along_the_odd_side_then_the_even_side():
    doors = [AddressParts(road="汾江路", number=f"{number}号") for number in (1, 3, 11, 2, 4, 10)]
    assert sorted(reversed(doors), key=walking_key) == doors


def test_a_door_keeps_what_is_needed_to_find_it():
    parts = split_address("广东省佛山市禅城区汾江中路121号金色家园3栋2单元1203室", REGION)
    assert place_of(parts) == "金色家园"
    assert door_of(parts).endswith("3栋2单元1203室") and "佛山" not in door_of(parts)
