"""Phone cells as they come: every row is a case met in the field, or a gap of libphonenumber for China."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.area_codes import is_area_code, local_lengths, plain_area_code
from quality.number_upgrades import UPGRADES
from quality.phones import judge_phone
from quality.segments import segment_reason
from quality.verdicts import REASONS, Context

FOSHAN = Context(area_code="0757", region="广东省佛山市")
NOTHING = Context()


@pytest.mark.parametrize(
    "text",
    [
        "13923112345",
        "139 2311 2345",
        "139-2311-2345",
        "(139)23112345",
        "+8613923112345",
        "+86-139-2311-2345",
        "(+86)13923112345",
        "0086 13923112345",
        "86 13923112345",
        "8613923112345",
        " 13923112345 ",
        "139\u200b23112345",
        "139\u00a02311\u00a02345",
        "139–2311–2345",
    ],
)
def test_format_alone_leaves_a_mobile_valid(text: str) -> None:
    verdict = judge_phone(text, "mobile")
    assert (verdict.verdict, verdict.kind, verdict.values) == ("valid", "mobile", ("+8613923112345",))
    assert verdict.reasons == ()


@pytest.mark.parametrize(
    ("text", "extension"),
    [
        ("0757-83331234", ""),
        ("(0757)83331234", ""),
        ("（0757）83331234", ""),
        ("0757 8333 1234", ""),
        ("075783331234", ""),
        ("+86 757 83331234", ""),
        ("+86 (0757) 83331234", ""),
        ("0086-757-83331234", ""),
        ("86-757-83331234", ""),
        ("0757—83331234", ""),
        ("0757-83331234转802", "802"),
        ("0757-83331234转分机802", "802"),
        ("0757-83331234-802", "802"),
        ("0757-83331234 ext. 802", "802"),
        ("0757-83331234 分机:802", "802"),
        ("0757-83331234(802)", "802"),
        ("0757-83331234#802", "802"),
        ("0757-83331234x802", "802"),
    ],
)
def test_format_and_extension_leave_a_landline_valid(text: str, extension: str) -> None:
    verdict = judge_phone(text, "landline")
    assert (verdict.verdict, verdict.kind, verdict.values) == ("valid", "landline", ("+8675783331234",))
    assert (verdict.extension, verdict.reasons) == (extension, ())


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ("１３９２３１１２３４５", "+8613923112345", "full_width"),
        ("𝟙𝟛𝟡𝟚𝟛𝟙𝟙𝟚𝟛𝟜𝟝", "+8613923112345", "full_width"),
        ("١٣٩٢٣١١٢٣٤٥", "+8613923112345", "full_width"),
        ("139O3112345", "+8613903112345", "letter_for_digit"),
        ("l39231l2345", "+8613923112345", "letter_for_digit"),
        ("一三九二三一一二三四五", "+8613923112345", "letter_for_digit"),
        ("13923112345.0", "+8613923112345", "spreadsheet_number"),
        ("1.3923112345E+10", "+8613923112345", "spreadsheet_number"),
        ("75783331234.0", "+8675783331234", "missing_zero"),
        ("13,923,112,345", "+8613923112345", "spreadsheet_number"),
        ("手机:13923112345", "+8613923112345", "label"),
        ("电话：13923112345", "+8613923112345", "label"),
        ("Tel: 0757-83331234", "+8675783331234", "label"),
        ("13923112345(张先生)", "+8613923112345", "note"),
        ("13923112345 儿子", "+8613923112345", "note"),
        ("2楼13923112345", "+8613923112345", "note"),
        ("'13923112345", "+8613923112345", "stray_characters"),
        ('="13923112345"', "+8613923112345", "stray_characters"),
        ("13923112345、", "+8613923112345", "stray_characters"),
        ("139.2311.2345", "+8613923112345", "stray_characters"),
        ("013923112345", "+8613923112345", "stray_zero"),
        ("00757-83331234", "+8675783331234", "stray_zero"),
        ("757-83331234", "+8675783331234", "missing_zero"),
        ("75783331234", "+8675783331234", "missing_zero"),
        ("83331234", "+8675783331234", "missing_area_code"),
        ("8333-1234", "+8675783331234", "missing_area_code"),
        ("83331234转802", "+8675783331234", "missing_area_code"),
        ("13923112345/13800571238", "+8613923112345;+8613800571238", "several_numbers"),
        ("13923112345、13800571238", "+8613923112345;+8613800571238", "several_numbers"),
        ("13923112345；13800571238", "+8613923112345;+8613800571238", "several_numbers"),
        ("13923112345，13800571238", "+8613923112345;+8613800571238", "several_numbers"),
        ("13923112345 13800571238", "+8613923112345;+8613800571238", "several_numbers"),
        ("13923112345\n13800571238", "+8613923112345;+8613800571238", "several_numbers"),
        ("1392311234513800571238", "+8613923112345;+8613800571238", "several_numbers"),
        ("13923112345或13800571238", "+8613923112345;+8613800571238", "several_numbers"),
        ("13923112345/13923112345", "+8613923112345", "several_numbers"),
        ("0757-83331234/83335678", "+8675783331234;+8675783335678", "several_numbers"),
        ("0571-87651299/87651288", "+8657187651299;+8657187651288", "several_numbers"),
        ("办:0757-83331234 手机:13923112345", "+8675783331234;+8613923112345", "several_numbers"),
        ("13923112345/1392311234", "+8613923112345", "bad_part"),
        ("13923112345;13888888888", "+8613923112345", "bad_part"),
        ("1392311234 13800571238", "+8613800571238", "bad_part"),
        ("95598/13923112345", "+8613923112345", "bad_part"),
        ("13923112345空号/13800571238", "+8613800571238", "bad_part"),
        ("旧13923112345 现13800571238", "+8613800571238", "bad_part"),
        ("0551-3312345", "+8655163312345", "number_upgraded"),
        ("0733-2812345", "+8673122812345", "number_upgraded"),
        ("0733-28213459", "+8673128213459", "number_upgraded"),
        ("0732-8212345", "+8673158212345", "number_upgraded"),
        ("0731-4412345", "+8673184412345", "number_upgraded"),
        ("0851-5812345", "+8685185812345", "number_upgraded"),
        ("0852-8612345", "+8685128612345", "number_upgraded"),
        ("0853-3312345", "+8685133312345", "number_upgraded"),
        ("0413-7612345", "+862457612345", "number_upgraded"),
        ("0410-4812345", "+862474812345", "number_upgraded"),
    ],
)
def test_certain_number_is_repairable(text: str, values: str, reason: str) -> None:
    verdict = judge_phone(text, "phone", FOSHAN)
    assert (verdict.verdict, ";".join(verdict.values)) == ("repairable", values)
    assert reason in verdict.reasons


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("13800138000", "known_dummy"),
        ("13123456789", "known_dummy"),
        ("13800757500", "known_dummy"),
        ("13888888888", "repeated_digits"),
        ("13900000012", "repeated_digits"),
        ("0757-88888888", "repeated_digits"),
        ("13912345678", "sequential_digits"),
        ("13987654321", "sequential_digits"),
        ("0757-23456789", "sequential_digits"),
        ("13812121212", "patterned_digits"),
        ("13123123123", "patterned_digits"),
        ("13912341234", "patterned_digits"),
        ("13800138000转123", "known_dummy"),
        ("１３８００１３８０００", "known_dummy"),
        ("15466012347", "rare_segment"),
        ("13923112345(空号)", "noted_dead"),
        ("13923112345 已停机", "noted_dead"),
        ("0899-8812345", "number_retired"),
        ("0378-2912345", "number_retired"),
        ("0414-2812345", "number_retired"),
        ("0871-3312345", "number_retired"),
        ("010-8333123", "number_retired"),
    ],
)
def test_number_nobody_believes_is_suspect(text: str, reason: str) -> None:
    verdict = judge_phone(text, "phone", FOSHAN)
    assert verdict.verdict == "suspect"
    assert reason in verdict.reasons
    assert verdict.values


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("95598", "service", "service_number"),
        ("12345", "service", "service_number"),
        ("110", "service", "service_number"),
        ("10086", "service", "service_number"),
        ("028-95598", "service", "service_number"),
        ("0757-12345", "service", "service_number"),
        ("010-12345678", "landline", "bad_local_digit"),
        ("0816-1234567", "landline", "bad_local_digit"),
        ("0757-03331234", "landline", "bad_local_digit"),
        ("0757-93331234", "landline", "bad_local_digit"),
        ("0757-8333123", "none", "wrong_length"),
        ("0999-83331234", "none", "wrong_length"),
        ("0123-83331234", "none", "unknown_area_code"),
        ("1392311234", "none", "wrong_length"),
        ("139231123456", "none", "wrong_length"),
        ("12345678901", "none", "wrong_length"),
        ("440601199001011234", "none", "wrong_length"),
        ("138****8000", "none", "masked"),
        ("1.38E+10", "none", "digits_lost"),
        ("1.39231E+10", "none", "digits_lost"),
        ("张三", "none", "not_a_number"),
        ("微信联系", "none", "not_a_number"),
    ],
)
def test_what_cannot_be_called_is_invalid(text: str, kind: str, reason: str) -> None:
    verdict = judge_phone(text, "phone", FOSHAN)
    assert (verdict.verdict, verdict.kind, verdict.values) == ("invalid", kind, ())
    assert reason in verdict.reasons


@pytest.mark.parametrize("text", ["83331234", "8333-1234", "3331234", "87654321"])
def test_local_number_without_any_area_code_is_invalid(text: str) -> None:
    verdict = judge_phone(text, "landline", NOTHING)
    assert (verdict.verdict, verdict.kind, verdict.reasons) == ("invalid", "landline", ("no_area_code",))


@pytest.mark.parametrize(
    "text", ["", " ", "\u3000", "\u200b", "无", "不详", "暂无", "0", "-", "/", "N/A", "无电话", "——", "None", "ＮＡ"]
)
def test_placeholder_is_missing(text: str) -> None:
    assert judge_phone(text).verdict == "missing"


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("14612340987", "mobile", "iot_segment"),
        ("14812340987", "mobile", "iot_segment"),
        ("14912340987", "mobile", "iot_segment"),
        ("1440012409871", "mobile", "iot_segment"),
        ("17401230987", "mobile", "special_segment"),
        ("16212340987", "mobile", "virtual_operator"),
        ("16512340987", "mobile", "virtual_operator"),
        ("16712340987", "mobile", "virtual_operator"),
        ("17012340987", "mobile", "virtual_operator"),
        ("17112340987", "mobile", "virtual_operator"),
        ("400-800-1299", "service", "hotline_number"),
        ("8008301299", "service", "hotline_number"),
        ("400-800-1299转2", "service", "hotline_number"),
        ("+852 2345 6780", "landline", "foreign_number"),
        ("00852-91234567", "mobile", "foreign_number"),
        ("+853 6612 3456", "mobile", "foreign_number"),
        ("+886 2 2345 6780", "landline", "foreign_number"),
        ("+1 (212) 555-0100", "mobile", "foreign_number"),
    ],
)
def test_unusual_number_is_valid_with_a_reason(text: str, kind: str, reason: str) -> None:
    verdict = judge_phone(text, "phone", FOSHAN)
    assert (verdict.verdict, verdict.kind, verdict.reasons) == ("valid", kind, (reason,))


@pytest.mark.parametrize("segment", ["130", "145", "147", "166", "172", "175", "178", "192", "195", "198", "199"])
def test_ordinary_segment_needs_no_reason(segment: str) -> None:
    verdict = judge_phone(f"{segment}12340987")
    assert (verdict.verdict, verdict.reasons) == ("valid", ())


@pytest.mark.parametrize(
    ("text", "column", "kind"), [("0757-83331234", "mobile", "landline"), ("13923112345", "landline", "mobile")]
)
def test_number_in_the_other_column_is_valid(text: str, column: str, kind: str) -> None:
    verdict = judge_phone(text, column)
    assert (verdict.verdict, verdict.kind, verdict.reasons) == ("valid", kind, ("other_kind",))


def test_every_value_has_its_own_kind_and_extension() -> None:
    verdict = judge_phone("0757-83331234转802/13923112345", "phone")
    assert verdict.kinds == ("landline", "mobile")
    assert verdict.extensions == ("802", "")


@pytest.mark.parametrize(("home", "verdict"), [("0551", "repairable"), ("0555", "suspect"), ("", "suspect")])
def test_divided_area_is_certain_only_at_home(home: str, verdict: str) -> None:
    assert judge_phone("0565-2312345", "phone", Context(area_code=home)).verdict == verdict


def test_eight_digits_after_the_upgrade_are_untouched() -> None:
    assert judge_phone("0551-63312345", "phone").values == ("+8655163312345",)
    assert judge_phone("0551-63312345", "phone").verdict == "valid"


@pytest.mark.parametrize("rule", UPGRADES, ids=lambda rule: rule.key)
def test_upgraded_number_is_valid_today(rule) -> None:
    if rule.prefix:
        new = f"{rule.new_area}-{rule.prefix}{rule.firsts[0]}" + "302917"
        assert judge_phone(new).verdict == "valid"
    assert rule.old_length not in local_lengths(rule.old_area)


def test_area_codes_are_those_of_the_metadata() -> None:
    codes = ["010", *(f"02{n}" for n in range(10)), *(f"0{n}" for n in range(300, 1000))]
    assert sum(map(is_area_code, codes)) > 300
    assert local_lengths("0757") == (8,)
    assert local_lengths("0816") == (7,)
    assert local_lengths("0851") == (8,)
    assert not is_area_code("0733")


@pytest.mark.parametrize(("text", "code"), [("757", "0757"), ("0757-", "0757"), ("010", "010"), ("123", ""), ("", "")])
def test_area_code_of_a_unit_is_read(text: str, code: str) -> None:
    assert plain_area_code(text) == code


def test_clean_mobiles_are_judged_as_the_library_does() -> None:
    rng = random.Random(7)
    for _ in range(3000):
        text = f"1{rng.randrange(3, 10)}{rng.randrange(10**9):09d}"
        verdict = judge_phone(text)
        number = phonenumbers.parse(text, "CN")
        if phonenumbers.is_valid_number(number):
            assert verdict.value == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            assert "rare_segment" not in verdict.reasons
        else:
            assert segment_reason(text)


def test_landlines_are_judged_as_the_library_does() -> None:
    rng = random.Random(8)
    for _ in range(2000):
        area = rng.choice(["010", "021", "0757", "0816", "0571", "0999", "0433"])
        text = f"{area}-{rng.choice('2345678')}{rng.randrange(10**6):06d}" + rng.choice(["", str(rng.randrange(10))])
        number = phonenumbers.parse(text, "CN")
        verdict = judge_phone(text)
        usable = verdict.verdict in ("valid", "suspect") and "number_retired" not in verdict.reasons
        assert usable == phonenumbers.is_valid_number(number), text


PHONE_LIKE = st.text(alphabet="0123456789+-()（） /、;,.转ext#*OolI１２３手机无空号\u200b", max_size=40)


@given(text=st.one_of(st.text(max_size=60), PHONE_LIKE), column=st.sampled_from(["mobile", "landline", "phone"]))
@settings(max_examples=200)
def test_any_text_gets_a_verdict_with_known_reasons(text: str, column: str) -> None:
    verdict = judge_phone(text, column, FOSHAN)
    assert all(reason in REASONS for reason in verdict.reasons)
    assert len(verdict.values) == len(verdict.kinds) == len(verdict.extensions)
    assert bool(verdict.values) == (verdict.verdict in ("valid", "repairable", "suspect"))
    assert len(";".join(verdict.reasons)) <= 200


@given(text=PHONE_LIKE)
@settings(max_examples=200)
def test_standard_value_is_judged_the_same_again(text: str) -> None:
    verdict = judge_phone(text, "phone", FOSHAN)
    for value in verdict.values:
        again = judge_phone(value, "phone", FOSHAN)
        assert again.values == (value,)
        if "noted_dead" not in verdict.reasons:
            assert again.verdict == ("suspect" if verdict.verdict == "suspect" else "valid")
