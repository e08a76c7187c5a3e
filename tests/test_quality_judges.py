"""Names, e-mails, postcodes, identity numbers, WeChat accounts, dates, and the one way in to all judges."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric

from quality import RULES, judge
from quality.dates import parse_date, parse_moment
from quality.emails import judge_email
from quality.ids import judge_id
from quality.names import judge_name
from quality.postcodes import PREFIXES, judge_postcode
from quality.reasons import REASONS_BY_RULE
from quality.texts import judge_text
from quality.verdicts import REASONS, Context
from quality.wechats import judge_wechat

FOSHAN = Context(area_code="0757", region="广东省佛山市")
FIELDS = [field for rule in RULES.values() for field in rule.fields]


def card(first17: str) -> str:
    """A made-up identity card with a right check digit."""
    return first17 + str(ric.calc_check_digit(first17 + "0"))


@pytest.mark.parametrize(
    ("text", "verdict", "kind", "values", "reason"),
    [
        ("张伟", "valid", "person", "张伟", ""),
        ("张 伟", "valid", "person", "张伟", ""),
        ("张　伟", "valid", "person", "张伟", ""),
        ("欧阳修", "valid", "person", "欧阳修", ""),
        ("李连生", "valid", "person", "李连生", ""),
        ("㛃䶮", "valid", "person", "㛃䶮", ""),
        ("𠮷田暠", "valid", "person", "𠮷田暠", ""),
        ("阿卜杜拉·买买提", "valid", "person", "阿卜杜拉·买买提", ""),
        ("John Smith", "valid", "person", "John Smith", ""),
        ("佛山市恒达五金有限公司", "valid", "company", "佛山市恒达五金有限公司", ""),
        ("恒达(佛山)电子厂", "valid", "company", "恒达(佛山)电子厂", ""),
        ("恒达（佛山）电子厂", "valid", "company", "恒达（佛山）电子厂", ""),
        ("石湾村民委员会", "valid", "company", "石湾村民委员会", ""),
        ("佛山市第一中学", "valid", "company", "佛山市第一中学", ""),
        ("阿卜杜拉•买买提", "repairable", "person", "阿卜杜拉·买买提", "name_characters"),
        ("阿卜杜拉.买买提", "repairable", "person", "阿卜杜拉·买买提", "name_characters"),
        ("ＡＢＣ贸易有限公司", "repairable", "company", "ABC贸易有限公司", "name_characters"),
        ("张\u200b伟", "repairable", "person", "张伟", "name_characters"),
        ("张伟先生", "repairable", "person", "张伟", "name_note"),
        ("张伟（业主）", "repairable", "person", "张伟", "name_note"),
        ("张伟13923112345", "repairable", "person", "张伟", "name_note"),
        ("张伟/李芳", "repairable", "person", "张伟;李芳", "several_names"),
        ("张伟、李芳", "repairable", "person", "张伟;李芳", "several_names"),
        ("张小伟 李芳", "repairable", "person", "张小伟;李芳", "several_names"),
        ("张伟 李芳 王强", "repairable", "person", "张伟;李芳;王强", "several_names"),
        ("王 明", "valid", "person", "王明", ""),
        ("欧阳 娜娜", "valid", "person", "欧阳娜娜", ""),
        ("买买提 艾力", "valid", "person", "买买提艾力", ""),
        ("张先生", "suspect", "person", "张先生", "title_only"),
        ("欧阳女士", "suspect", "person", "欧阳女士", "title_only"),
        ("老王", "suspect", "person", "老王", "title_only"),
        ("陈总", "suspect", "person", "陈总", "title_only"),
        ("李经理", "suspect", "person", "李经理", "title_only"),
        ("啊啊啊", "suspect", "person", "啊啊啊", "repeated_characters"),
        ("李", "suspect", "person", "李", "single_character"),
        ("张?", "suspect", "person", "张?", "lost_character"),
        ("张\ufffd", "suspect", "person", "张\ufffd", "lost_character"),
        ("张伟2", "suspect", "person", "张伟2", "digits_in_name"),
        ("测试", "invalid", "none", "", "junk_name"),
        ("测试用户01", "invalid", "none", "", "junk_name"),
        ("用户", "invalid", "none", "", "junk_name"),
        ("同上", "invalid", "none", "", "junk_name"),
        ("1", "invalid", "none", "", "junk_name"),
        ("xxx1", "suspect", "person", "xxx1", "digits_in_name"),
        ("张**", "invalid", "none", "", "name_masked"),
        ("13923112345", "invalid", "none", "", "not_a_name"),
        ("无", "missing", "none", "", "placeholder"),
        ("不详", "missing", "none", "", "placeholder"),
        ("", "missing", "none", "", "blank"),
    ],
)
def test_name_of_a_contact_person(text: str, verdict: str, kind: str, values: str, reason: str) -> None:
    found = judge_name(text, "person")
    assert (found.verdict, found.kind, ";".join(found.values)) == (verdict, kind, values)
    assert reason in found.reasons or not reason


@pytest.mark.parametrize("text", ["张伟/李芳", "张伟（业主）", "张伟、李芳"])
def test_name_in_the_contract_is_kept_whole(text: str) -> None:
    assert (judge_name(text, "name").verdict, judge_name(text, "name").value) == ("valid", text)


@pytest.mark.parametrize(
    ("text", "verdict", "values", "reason"),
    [
        ("zhang.wei@qq.com", "valid", "zhang.wei@qq.com", ""),
        (" Zhang@QQ.COM ", "valid", "Zhang@qq.com", ""),
        ("wu_x+bill@fs.csg.cn", "valid", "wu_x+bill@fs.csg.cn", ""),
        ("zhang＠163．com", "repairable", "zhang@163.com", "email_characters"),
        ("zhang@163。com", "repairable", "zhang@163.com", "email_characters"),
        ("zhang @ 163.com", "repairable", "zhang@163.com", "email_characters"),
        ("zhang@163.com.", "repairable", "zhang@163.com", "email_characters"),
        ("<zhang@163.com>", "repairable", "zhang@163.com", "email_characters"),
        ("邮箱:zhang@163.com", "repairable", "zhang@163.com", "email_label"),
        ("zhang@163.com(张伟)", "repairable", "zhang@163.com", "email_label"),
        ("zhang@163.com;li@qq.com", "repairable", "zhang@163.com;li@qq.com", "several_emails"),
        ("zhang@163.com;li@qq", "repairable", "zhang@163.com", "email_bad_part"),
        ("zhang@163.com/li@qq.con", "repairable", "zhang@163.com", "email_bad_part"),
        ("zhang@gmial.com", "suspect", "zhang@gmial.com", "email_domain_typo"),
        ("zhang@qq.con", "suspect", "zhang@qq.con", "email_domain_typo"),
        ("zhang@fs.gov.con", "suspect", "zhang@fs.gov.con", "email_domain_typo"),
        ("test@qq.com", "suspect", "test@qq.com", "email_dummy"),
        ("zhang@example.com", "suspect", "zhang@example.com", "email_dummy"),
        ("zhang163.com", "invalid", "", "email_syntax"),
        ("zhang@163", "invalid", "", "email_syntax"),
        ("@163.com", "invalid", "", "email_syntax"),
        ("zh..ang@163.com", "invalid", "", "email_syntax"),
        ("张伟@163.com", "invalid", "", "email_syntax"),
        ("12345678", "invalid", "", "email_syntax"),
        ("无", "missing", "", "placeholder"),
    ],
)
def test_email(text: str, verdict: str, values: str, reason: str) -> None:
    found = judge_email(text)
    assert (found.verdict, ";".join(found.values)) == (verdict, values)
    assert reason in found.reasons or not reason


@pytest.mark.parametrize(
    ("text", "verdict", "value", "reason"),
    [
        ("528000", "valid", "528000", ""),
        (" 528000 ", "valid", "528000", ""),
        ("５２８０００", "repairable", "528000", "postcode_format"),
        ("528000.0", "repairable", "528000", "postcode_format"),
        ("邮编:528000", "repairable", "528000", "postcode_format"),
        ("'528000", "repairable", "528000", "postcode_format"),
        ("100020", "suspect", "100020", "postcode_other_province"),
        ("123456", "suspect", "123456", "postcode_dummy"),
        ("522222", "valid", "522222", ""),
        ("511111", "valid", "511111", ""),
        ("52800", "invalid", "", "postcode_length"),
        ("5280000", "invalid", "", "postcode_length"),
        ("880000", "invalid", "", "postcode_unknown"),
        ("佛山", "invalid", "", "postcode_length"),
        ("000000", "missing", "", "placeholder"),
        ("", "missing", "", "blank"),
    ],
)
def test_postcode(text: str, verdict: str, value: str, reason: str) -> None:
    found = judge_postcode(text, "postcode", FOSHAN)
    assert (found.verdict, found.value) == (verdict, value)
    assert reason in found.reasons or not reason


def test_postcode_gets_the_zero_of_its_province_back() -> None:
    found = judge_postcode("10020", "postcode", Context(region="内蒙古呼和浩特市"))
    assert (found.verdict, found.value, found.reasons) == ("repairable", "010020", ("postcode_zero",))


def test_every_province_has_a_postcode() -> None:
    assert len({province for provinces in PREFIXES.values() for province in provinces}) == 34


@pytest.mark.parametrize(
    ("text", "verdict", "kind", "reason"),
    [
        (card("11010519491231002"), "valid", "ric", ""),
        (card("11010519491231002").lower(), "valid", "ric", ""),
        ("110105 19491231 002X", "valid", "ric", ""),
        ("11010519491231002Ｘ", "repairable", "ric", "id_characters"),
        ("110105491231002", "repairable", "ric", "id_fifteen_digits"),
        ("110105194912310021", "invalid", "none", "id_checksum"),
        (card("11010518491231002"), "suspect", "ric", "id_birth_date"),
        (card("11010519491331002"), "suspect", "ric", "id_birth_date"),
        (card("99999919491231002"), "suspect", "ric", "id_unknown_area"),
        ("1.10105194912310E+17", "invalid", "none", "id_digits_lost"),
        ("110105********002X", "invalid", "none", "id_masked"),
        ("11010519491231", "invalid", "none", "id_length"),
        ("440623198801160003", "invalid", "none", "id_checksum"),
        ("91350100M000100Y43", "valid", "uscc", "id_other_kind"),
        ("无", "missing", "none", "placeholder"),
    ],
)
def test_identity_number(text: str, verdict: str, kind: str, reason: str) -> None:
    found = judge_id(text, "id_number")
    assert (found.verdict, found.kind) == (verdict, kind)
    assert reason in found.reasons or not reason


@pytest.mark.parametrize(
    ("text", "verdict", "reason"),
    [
        ("91350100M000100Y43", "valid", ""),
        ("91350100m000100y43", "valid", ""),
        ("91350100M000100Y44", "invalid", "id_checksum"),
        (card("11010519491231002"), "valid", "id_other_kind"),
        ("9135010", "invalid", "id_length"),
    ],
)
def test_social_credit_code(text: str, verdict: str, reason: str) -> None:
    found = judge_id(text, "uscc")
    assert found.verdict == verdict
    assert reason in found.reasons or not reason


@pytest.mark.parametrize(
    ("text", "verdict", "value", "reason"),
    [
        ("wxid_abc123", "valid", "wxid_abc123", ""),
        ("13923112345", "valid", "13923112345", ""),
        ("28571346", "valid", "28571346", ""),
        ("微信:zhang_wei", "repairable", "zhang_wei", "wechat_characters"),
        ("139 2311 2345", "repairable", "13923112345", "wechat_characters"),
        ("13800138000", "suspect", "13800138000", "wechat_dummy"),
        ("同手机号", "invalid", "", "wechat_refers"),
        ("快乐每一天", "invalid", "", "wechat_nickname"),
        ("abc", "invalid", "", "wechat_syntax"),
        ("无", "missing", "", "placeholder"),
    ],
)
def test_wechat_account(text: str, verdict: str, value: str, reason: str) -> None:
    found = judge_wechat(text)
    assert (found.verdict, found.value) == (verdict, value)
    assert reason in found.reasons or not reason


@pytest.mark.parametrize(
    "text",
    ["2026-01-05", "2026/1/5", "2026.1.5", "20260105", "2026年1月5日", "2026-01-05 08:30", "46027", "46027.0",
     "2026-01-05T08:30:00", "２０２６－０１－０５", "20260105.0"],
)  # fmt: skip
def test_date_is_read(text: str) -> None:
    assert parse_date(text) == date(2026, 1, 5)


@pytest.mark.parametrize("text", ["", "2026-13-01", "2026-02-30", "5/1/2026", "无", "去年", "123", "99999999"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize("text", ["2026-01-05 08:30:00", "2026/1/5 8:30", "20260105083000", "46027.3541666667"])
def test_moment_is_in_the_given_zone(text: str) -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    assert parse_moment(text, shanghai) == datetime(2026, 1, 5, 0, 30, tzinfo=UTC)


def test_other_text_only_has_to_be_there() -> None:
    assert judge_text("桂城1号").verdict == "valid"
    assert (judge_text("桂城１号").verdict, judge_text("桂城１号").value) == ("repairable", "桂城1号")
    assert judge_text("—").verdict == "missing"


def test_rules_are_registered_under_the_names_of_their_functions() -> None:
    assert [rule.function.__name__ for rule in RULES.values()] == list(RULES)
    assert len(FIELDS) == len(set(FIELDS))


def test_a_reason_belongs_to_exactly_one_rule() -> None:
    assert set(REASONS_BY_RULE) == set(RULES)
    assert sum(map(len, REASONS_BY_RULE.values())) == len(REASONS)


def test_unknown_field_is_judged_as_text() -> None:
    assert judge("colour", "蓝").verdict == "valid"


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "a", "a@", ",", "路", "张 ", "(", "广东省", "1-", "·", "１", "\u200b", "."]
)
def test_huge_cell_is_judged_at_once(piece: str) -> None:
    started = time.process_time()
    for field in FIELDS:
        assert judge(field, piece * 16_000, FOSHAN).verdict in ("invalid", "missing", "valid", "repairable")
        judge(field, piece * 90, FOSHAN)
    assert time.process_time() - started < 1


@given(
    field=st.sampled_from(FIELDS),
    text=st.one_of(
        st.text(max_size=40),
        st.text(alphabet="张王先生公司测试abc@.163com;、()（）0123456789X*微信QQ邮编号同上·\u200b", max_size=30),
    ),
)
@settings(max_examples=150)
def test_any_text_in_any_field_is_judged_the_same_again(field: str, text: str) -> None:
    verdict = judge(field, text, FOSHAN)
    assert all(reason in REASONS for reason in verdict.reasons)
    assert len(verdict.values) == len(verdict.kinds) == len(verdict.extensions)
    assert len(";".join(verdict.reasons)) <= 200
    for value in verdict.values:
        again = judge(field, value, FOSHAN)
        assert again.values == (value,), (verdict, again)
        assert len(value) <= 400
