"""What libphonenumber does not know about China, line by line; dated facts; the prefilter held against the library."""

from __future__ import annotations

import random

import phonenumbers
import pytest

from quality import phones
from quality.area_codes import is_area_code, local_lengths
from quality.number_upgrades import UPGRADES, find_upgrade
from quality.phone_examples import COLUMNS, EXAMPLES, WITHOUT_AREA
from quality.phones import judge_phone
from quality.plain_numbers import plain_number
from quality.reasons import PHONE_REASONS
from quality.segment_homes import home_area
from quality.segments import SEGMENTS, segment_reason
from quality.verdicts import NOWHERE, Context

OFFICE, SHARED = "+8675782340987", "+8613802570987"
FOSHAN = Context("0757", "广东省佛山市", offices=frozenset((OFFICE,)), shared=frozenset((SHARED,)))
RETIRED = "0413 0410 0732 0733 0852 0853 0899 0890 0565 0378 0910".split()


@pytest.mark.parametrize(
    ("text", "verdict", "values", "reason"),
    [
        # 1: a local part does not begin with 0, 1 or 9
        ("0816-1234567", "invalid", "", "bad_local_digit"),
        ("010-12345678", "invalid", "", "bad_local_digit"),
        ("0757-02345678", "invalid", "", "bad_local_digit"),
        # 2: a service number with an area code is no landline
        ("028-95598", "invalid", "", "service_number"),
        ("010-10086", "invalid", "", "service_number"),
        # 3: no area code
        ("87634321", "repairable", "+8675787634321", "missing_area_code"),
        # 4: allotted, but not in the metadata
        ("14612340987", "valid", "+8614612340987", "iot_segment"),
        ("14812340987", "valid", "+8614812340987", "iot_segment"),
        ("14912340987", "valid", "+8614912340987", "iot_segment"),
        ("17412340987", "valid", "+8617412340987", "special_segment"),
        ("1064912409871", "valid", "+861064912409871", "iot_segment"),
        # 5: resellers are told apart
        ("16212340987", "valid", "+8616212340987", "virtual_operator"),
        ("16512340987", "valid", "+8616512340987", "virtual_operator"),
        ("16712340987", "valid", "+8616712340987", "virtual_operator"),
        ("17012340987", "valid", "+8617012340987", "virtual_operator"),
        ("17112340987", "valid", "+8617112340987", "virtual_operator"),
        # 7: extensions and several numbers
        ("13800138000转123", "suspect", "+8613800138000", "known_dummy"),
        ("0571-87634321-802", "valid", "+8657187634321", ""),
        ("13923112345/13923112346", "repairable", "+8613923112345;+8613923112346", "several_numbers"),
        # 8: its own example and other dummies
        ("13123456789", "suspect", "+8613123456789", "known_dummy"),
        ("13888888888", "suspect", "+8613888888888", "repeated_digits"),
        ("13800138000", "suspect", "+8613800138000", "known_dummy"),
        # 9: 0851 has eight digits since 2014
        ("0851-5812345", "repairable", "+8685185812345", "number_upgraded"),
        ("0851-85812345", "valid", "+8685185812345", ""),
        # three letters O are digits here, and no keypad
        ("139OO4O9112", "repairable", "+8613900409112", "letter_for_digit"),
        # a local number is not an area code with a service number (0834-95254)
        ("83495254", "repairable", "+8675783495254", "missing_area_code"),
        ("1 3 9 2 3 1 1 2 3 4 5", "valid", "+8613923112345", ""),
        ("0 7 5 7 8 3 3 3 1 2 3 4", "valid", "+8675783331234", ""),
        ("一三九2311二三四五", "repairable", "+8613923112345", "letter_for_digit"),
        ("〇七五七-83331234", "repairable", "+8675783331234", "letter_for_digit"),
        ("13923112345一号楼", "repairable", "+8613923112345", "note"),
        ("13923112345 (0757)83331234", "repairable", "+8613923112345;+8675783331234", "several_numbers"),
        ("8613923112345.0", "repairable", "+8613923112345", "spreadsheet_number"),
        ("086-13923112345", "repairable", "+8613923112345", "stray_zero"),
        ("0086-0757-83331234", "valid", "+8675783331234", ""),
        ("852-23456780", "repairable", "+85223456780", "missing_country_code"),
        ("85366123456", "repairable", "+85366123456", "missing_country_code"),
        ("886-912345678", "repairable", "+886912345678", "missing_country_code"),
        ("香港 91234567", "repairable", "+85291234567", "missing_country_code"),
        ("+81 3-1234-5678", "valid", "+81312345678", "foreign_number"),
        ("暂无电话", "missing", "", "placeholder"),
        ("号码不详", "missing", "", "placeholder"),
    ],
)
def test_what_the_library_gets_wrong_is_right_here(text: str, verdict: str, values: str, reason: str) -> None:
    given = judge_phone(text, "phone", FOSHAN)
    assert (given.verdict, ";".join(given.values)) == (verdict, values)
    assert reason in given.reasons if reason else set(given.reasons) <= {"segment_elsewhere"}


@pytest.mark.parametrize("area", RETIRED)
def test_retired_area_code_is_known_but_not_in_force(area: str) -> None:
    assert not is_area_code(area)
    assert find_upgrade(area, "2812345")


@pytest.mark.parametrize("rule", UPGRADES, ids=lambda rule: rule.key)
def test_upgrade_makes_a_number_of_today_once(rule) -> None:
    old = rule.firsts[0] + "302917"
    new = rule.upgraded(old)
    assert rule.source and rule.since.year > 1994
    assert rule.old_length not in local_lengths(rule.new_area) and find_upgrade(rule.old_area, old) is rule
    if rule.prefix:
        assert judge_phone(new).verdict == "valid"
        assert find_upgrade(rule.new_area, rule.prefix + old) is None
    given = judge_phone(f"{rule.old_area}-{old}", "landline", Context(rule.home))
    assert given.values == ((new,) if rule.confirmed else (f"+86{rule.old_area[1:]}{old}",))
    assert given.verdict == ("repairable" if rule.confirmed else "suspect")


def test_keys_of_upgrades_differ() -> None:
    assert len({rule.key for rule in UPGRADES}) == len(UPGRADES)


def test_segments_have_a_source_and_stand_once() -> None:
    heads = [head for segment in SEGMENTS for head in segment.heads]
    assert len(set(heads)) == len(heads)
    assert all(segment.source and segment.carrier for segment in SEGMENTS)
    told = {segment.reason for segment in SEGMENTS}
    assert told == {"", "iot_segment", "special_segment", "virtual_operator"}


@pytest.mark.parametrize(
    ("mobile", "area"), [("13800750000", "0757"), ("13800010000", "010"), ("17999990000", "")]
)
def test_home_of_a_block_is_known(mobile: str, area: str) -> None:
    assert home_area(mobile) == area if area != "0757" else home_area(mobile).startswith("07")


@pytest.mark.parametrize(
    ("text", "context", "reasons"),
    [
        ("13800010987", FOSHAN, ("segment_elsewhere",)),
        ("13800010987", Context("010"), ()),
        ("13800010987", NOWHERE, ()),
        ("+86 138-0001-0987", FOSHAN, ("segment_elsewhere",)),
        ("13800010987转1", FOSHAN, ("segment_elsewhere",)),
        ("17012340987", FOSHAN, ("virtual_operator",)),
        ("14612340987", FOSHAN, ("iot_segment",)),
    ],
)
def test_another_city_is_a_soft_sign(text: str, context: Context, reasons: tuple[str, ...]) -> None:
    given = judge_phone(text, "mobile", context)
    assert (given.verdict, given.reasons) == ("valid", reasons)


@pytest.mark.parametrize(
    ("text", "verdict", "values", "reason"),
    [
        ("0757-82340987", "suspect", (OFFICE,), "office_number"),
        ("82340987转8", "suspect", (OFFICE,), "office_number"),
        ("13802570987", "suspect", (SHARED,), "shared_number"),
        ("１３８０２５７０９８７", "suspect", (SHARED,), "shared_number"),
        ("82340987/13923112345", "repairable", ("+8613923112345",), "bad_part"),
        ("13802570988", "valid", ("+8613802570988",), ""),
    ],
)
def test_number_that_is_hardly_the_customers_own_is_suspect(text, verdict, values, reason) -> None:
    given = judge_phone(text, "phone", FOSHAN)
    assert (given.verdict, given.values) == (verdict, values)
    assert reason in given.reasons or not reason


def test_every_reason_has_two_examples() -> None:
    assert set(EXAMPLES) == set(PHONE_REASONS)


@pytest.mark.parametrize(("reason", "text"), [(one, text) for one, both in EXAMPLES.items() for text in both])
def test_example_gives_its_reason(reason: str, text: str) -> None:
    context = NOWHERE if reason in WITHOUT_AREA else FOSHAN
    assert reason in judge_phone(text, COLUMNS.get(reason, "phone"), context).reasons


def library(text: str) -> str:
    """What the plain library makes of a cell."""
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


AREAS = "010 021 0757 0816 0571 0999 0433 0851 0754 0898 757 10 86757 +86757 0086757".split()
HEADS = [
    "",
    "+86",
    "86",
    "0086",
    "0",
    "+860",
    "00",
    "17911",
    "12520",
    "1795100",
    "+852",
    "860",
    "0017",
    "000",
]
ALPHABETS = (
    "0123456789",
    "0123456789 -()/.+",
    "01234567890123456789OolI",
    "01234567890123456789转手机、，；（）／０１２３４５＋",
)
DIRT = [
    "{}",
    "+86 {}",
    "0086{}",
    "86{}",
    "手机:{}",
    "{}/{}",
    "{}转802",
    "{}(张)",
    "（{}）",
    "{}.0",
    "{}、{}",
    " {} ",
]


def cells(rng: random.Random, count: int) -> list[str]:
    """Phone cells of all kinds: digits at random, numbers with heads and area codes, numbers in dirty forms."""
    return [rng.choice((_noise, _headed, _local, _dirty))(rng) for _ in range(count)]


def _digits(rng: random.Random, count: int, alphabet: str = ALPHABETS[0]) -> str:
    return "".join(rng.choices(alphabet, k=count))


def _noise(rng: random.Random) -> str:
    return _digits(rng, rng.randrange(20), rng.choice(ALPHABETS))


def _headed(rng: random.Random) -> str:
    return rng.choice(HEADS) + _digits(rng, rng.randrange(1, 13))


def _local(rng: random.Random) -> str:
    return rng.choice(AREAS) + rng.choice(("", "-", " ")) + _digits(rng, rng.choice((5, 6, 7, 8, 9)))


def _dirty(rng: random.Random) -> str:
    number = f"1{rng.randrange(3, 10)}{rng.randrange(10**9):09d}"
    made = rng.choice(DIRT).format(number, number[::-1])
    return made.replace("0", "O") if rng.random() < 0.1 else made


def _wrong(texts: list[str]) -> list[tuple[str, str]]:
    """Cells that the prefilter decides, and decides otherwise than the library."""
    decided = ((text, plain_number(text)) for text in texts)
    return [(text, answer) for text, answer in decided if answer is not None and answer != library(text)]


@pytest.mark.parametrize("seed", range(10))
def test_prefilter_answers_what_the_library_answers(seed: int) -> None:
    texts = cells(random.Random(seed), 10_000)
    assert _wrong(texts) == []
    assert sum(plain_number(text) is None for text in texts) < len(texts) / 8


def test_prefilter_knows_every_five_digit_segment() -> None:
    assert _wrong([f"1{head:04d}{head % 997:06d}" for head in range(10_000)]) == []


@pytest.mark.slow
def test_prefilter_answers_what_the_library_answers_a_million_times() -> None:
    rng = random.Random(99)
    assert all(_wrong(cells(rng, 50_000)) == [] for _ in range(20))


@pytest.mark.slow
@pytest.mark.parametrize("tenth", range(10))
def test_prefilter_knows_every_seven_digit_segment(tenth: int) -> None:
    assert _wrong([f"1{tenth}{tail:05d}{tail % 9973:04d}" for tail in range(100_000)]) == []


def test_clean_mobiles_are_valid_exactly_where_the_library_says_so() -> None:
    for head in range(13_000, 20_000):
        text = f"{head}207469"
        known = bool(library(text))
        given = judge_phone(text, "mobile")
        assert (given.verdict == "valid" and given.values == (f"+86{text}",)) or not known, text
        assert known or segment_reason(text), text


@pytest.mark.slow
def test_short_ways_answer_what_the_splitter_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(4)
    judged = [(text, rng.choice(("mobile", "landline", "phone")), FOSHAN) for text in cells(rng, 4000)]
    short = [judge_phone(*one) for one in judged]
    for way in ("_judge_mobile", "_judge_plain", "_judge_common"):
        monkeypatch.setattr(phones, way, lambda *_: None)
    long = [judge_phone(*one) for one in judged]
    assert [pair for pair in zip(judged, short, long, strict=True) if pair[1] != pair[2]] == []
