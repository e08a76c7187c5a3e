"""Where an address speaks of an entry of a list: real ways of writing doors, villages and roads."""

from __future__ import annotations

import pytest

from quality.batch_renames import Entry, find_places, find_plates, find_villages, index, tidy_number

REGION = "广东省佛山市"
TOWN = "广东省佛山市禅城区石湾镇街道"
PLATES = index(
    (
        Entry(2, "汾江南路", "文昌路20号", "18号"),
        Entry(3, "汾江南路", "文昌路22号", "18号之一"),
        Entry(4, "汾江南路", "文昌路3号", "8号", town="祖庙街道"),
        Entry(5, "汾江南路", "文昌路12弄3号", "12弄3号"),
    )
)
VILLAGES = index((Entry(2, "简村", "简村社区", town="西樵镇"), Entry(3, "大同", "大同村")))
ROADS = index((Entry(2, "汾江南路", "528051"), Entry(3, "石湾村", "528031")))


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (f"{TOWN}汾江南路18号", f"{TOWN}文昌路20号"),
        (f"{TOWN}汾江南路18号3座502房", f"{TOWN}文昌路20号3座502房"),
        (f"{TOWN}汾江南路18号之一", f"{TOWN}文昌路22号"),
        (f"{TOWN}汾江南路18号之二", None),
        (f"{TOWN}汾江南路18号院2座", None),
        (f"{TOWN}汾江南路18号楼2单元501", None),
        (f"{TOWN}汾江南路118号", None),
        (f"{TOWN}新汾江南路18号", None),
        (f"{TOWN}汾江南路8号", None),
        ("广东省佛山市禅城区祖庙街道汾江南路8号", "广东省佛山市禅城区祖庙街道文昌路3号"),
        ("广东省佛山市禅城区汾江南路8号", "广东省佛山市禅城区文昌路3号"),
        ("", None),
    ],
)
def test_a_plate_is_found_where_it_hangs(address, text):
    found = find_plates(address, PLATES, REGION)
    assert (found.text if found else None) == text


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("广东省佛山市南海区西樵镇简村东二组18号", "广东省佛山市南海区西樵镇简村社区东二组18号"),
        ("广东省佛山市南海区西樵镇简村村委会东二组18号", "广东省佛山市南海区西樵镇简村社区东二组18号"),
        ("广东省佛山市南海区丹灶镇简村东二组18号", None),
        ("广东省佛山市南海区西樵镇简村路18号", None),
    ],
)
def test_a_village_is_renamed_with_its_committee(address, text):
    found = find_villages(address, VILLAGES, REGION)
    assert (found.text if found else None) == text


@pytest.mark.parametrize(
    ("address", "code"),
    [(f"{TOWN}汾江南路99号", "528051"), (f"{TOWN}石湾村8号", "528031"), (f"{TOWN}同济路1号", None)],
)
def test_the_postcode_of_a_place_is_found(address, code):
    found = find_places(address, ROADS, REGION)
    assert (found.entries[0].new if found else None) == code


@pytest.mark.parametrize(
    ("text", "plate"), [("18", "18号"), ("１８号", "18号"), ("12弄3号", "12弄3号"), ("18-2", "18-2号")]
)
def test_a_plate_is_written_as_addresses_do(text, plate):
    assert tidy_number(text) == plate
