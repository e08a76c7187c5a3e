"""Whether two accounts are one customer twice: names, doors and kinds of pairs, from cases of the field."""

import pytest

from quality.duplicates import Account, compare, door_key, match_keys, name_key, name_sound, place_key

HOME = "广东省佛山市南海区桂城街道南海大道12号3栋2单元501室"
NEXT = "广东省佛山市南海区桂城街道南海大道12号3栋2单元502室"
FAR = "广东省佛山市禅城区祖庙街道人民路8号"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("張偉", "张伟"),
        ("张伟先生", "张伟"),
        ("佛山市明华五金有限公司", "佛山市明华五金有限责任公司"),
        ("张　伟", "张伟"),
    ],
)
def test_names_that_say_the_same_have_one_key(first, second):
    assert name_key(first) == name_key(second)


def test_names_written_by_ear_sound_the_same():
    assert name_sound("张伟") == name_sound("章玮") != name_sound("李伟")


@pytest.mark.parametrize(
    "other",
    [
        "南海大道12号3栋2单元501室",
        "南海区南海大道12号三栋二单元501房",
        "南海大道12號3幢2單元501",
        "桂城街道南海大道12号3-2-501",
        "南海大道十二号3座2单元五〇一室",
    ],
)
def test_one_door_in_several_hands_has_one_key(other):
    assert door_key(other, "广东省佛山市南海区") == door_key(HOME, "广东省佛山市南海区") != ""


def test_neighbours_have_one_place_and_two_doors():
    assert place_key(HOME) == place_key(NEXT)
    assert door_key(HOME) != door_key(NEXT)
    assert door_key("南海大道12号3栋") == ""


def account(key, **facts):
    return Account(key, **{"name": "张伟", "address": HOME, "account_no": f"06{key}", **facts})


def ph(*numbers):
    return frozenset(numbers)


KINDS = [
    ("the same twice", {}, {}, "duplicate"),
    ("written by ear", {}, {"name": "章玮"}, "duplicate"),
    ("stray zeros in front", {"account_no": "0601"}, {"account_no": "000601", "address": ""}, "duplicate"),
    ("another person of the name in the same door", {"identity": "a"}, {"identity": "b"}, "family"),
    ("father and son in one door", {}, {"name": "张小明"}, "family"),
    ("landlord and tenant", {}, {"name": "李四"}, "tenancy"),
    ("a landlord's phone", {"phones": ph("1")}, {"name": "李四", "phones": ph("1"), "address": FAR}, "tenancy"),
    ("one owner, two flats", {"identity": "a"}, {"identity": "a", "address": NEXT}, "same_owner"),
    ("one owner, known by phone", {"phones": ph("1")}, {"phones": ph("1", "2"), "address": FAR}, "same_owner"),
    ("namesakes far apart", {"phones": ph("1")}, {"phones": ph("2"), "address": FAR}, "different"),
    ("neighbours", {"name": "李四"}, {"name": "王五", "address": NEXT}, "different"),
    ("nothing known", {"name": "", "address": ""}, {"name": "", "address": ""}, "different"),
]


@pytest.mark.parametrize(("what", "first", "second", "kind"), KINDS)
def test_a_pair_is_what_its_parts_say(what, first, second, kind):
    one, other = account(1, **first), account(2, **second)
    assert compare(one, other).kind == compare(other, one).kind == kind


def test_points_add_up_from_the_parts():
    found = compare(account(1, phones=ph("1"), identity="a"), account(2, phones=ph("1"), identity="a"))
    assert (found.kind, found.score) == ("duplicate", 100)
    assert compare(account(1), account(2, name="李四")).score == 10


def test_keys_hold_no_plain_text():
    keys = match_keys(account(1, phones=ph("+8613800138000"), identity="a"))
    assert len(keys) == 5
    assert not any("138" in key[:4] or "张" in key for key in keys)
