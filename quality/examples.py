"""Two cells from the field for every reason, judged as those of a bureau in Foshan: what the pages of reasons show."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from typing import NamedTuple

from quality import RULES, judge
from quality.divisions import Place
from quality.phone_examples import COLUMNS, WITHOUT_AREA
from quality.phone_examples import EXAMPLES as PHONES
from quality.places import PlateChange, TownRename, gather
from quality.reasons import REASONS_BY_RULE
from quality.verdicts import Context, Verdict

NANHAI = "广东省佛山市南海区"
FOSHAN = Context(
    "0757",
    "广东省佛山市",
    offices=frozenset({"+8675782340987"}),
    shared=frozenset({"+8613802570987"}),
)
HEBEI = Context("0311", "河北省石家庄市")  # the postcodes of which begin with 0
OWN_PLACES = frozenset(("plate_changed", "town_renamed"))
ELSEWHERE = {"place_uncertain": Context("0757"), "postcode_zero": HEBEI}

EXAMPLES: dict[str, tuple[str, str]] = {
    "blank": ("", "   "),
    "placeholder": ("无", "N/A"),
    "characters": ("大沥Ａ组", "ｂ线１２３"),
    "address_characters": (f"{NANHAI}桂城街道南新三路５号", "廣東省佛山市南海區桂城街道南新三路5號"),
    "address_noise": (f"地址:{NANHAI}桂城街道南新三路5号", f"528200{NANHAI}桂城街道南新三路5号"),
    "repeated_prefix": (f"广东省{NANHAI}桂城街道南新三路5号", "广东省佛山市佛山市南海区桂城街道南新三路5号"),
    "district_renamed": ("广东省南海市桂城街道南新三路5号", "广东省佛山市高明市荷城街道跃华路16号"),
    "town_renamed": (f"{NANHAI}平洲镇永安中路12号", f"{NANHAI}黄岐镇建设路8号"),
    "plate_changed": (f"{NANHAI}桂城街道南新三路5号", "南海区桂城街道南新三路5号"),
    "region_left_out": ("南海区桂城街道南新三路7号", "桂城街道南新三路7号"),
    "province_conflict": ("湖南省佛山市南海区桂城街道南新三路7号", "广西佛山市禅城区汾江南路18号"),
    "county_conflict": ("广东省佛山市天河区南新三路7号", "广东省佛山市番禺区市桥街道繁华路3号"),
    "town_conflict": (f"{NANHAI}石湾镇街道惠景三路15号", "广东省佛山市禅城区桂城街道南新三路7号"),
    "postcode_conflict": (f"430074 {NANHAI}桂城街道南新三路7号", f"{NANHAI}桂城街道南新三路7号 邮编:100020"),
    "district_divided": ("浙江省杭州市江干区凯旋路8号", "江苏省苏州市吴县木渎镇中山路1号"),
    "outside_region": ("湖南省长沙市芙蓉区五一路88号", "广东省深圳市福田区福华一路12号"),
    "place_uncertain": ("鼓楼区中山路1号", "朝阳区建国路88号"),
    "two_addresses": (f"{NANHAI}桂城街道南新三路7号或者南新四路9号", "桂城南新三路7号/大沥镇振兴路2号"),
    "relative_place": ("桂城街道南新三路5号隔壁", "大沥镇振兴路12号对面"),
    "too_short": (f"{NANHAI}桂城街道", "佛山市南海区"),
    "no_room": (f"{NANHAI}桂城街道怡翠花园3座", "桂城街道南新三路7号2栋"),
    "refers_elsewhere": ("同上", "同用电地址"),
    "not_an_address": ("已拆", "老王家"),
    "postcode_format": ("５２８２００", "528200.0"),
    "postcode_zero": ("50000", "62650"),
    "postcode_length": ("52820", "5282000"),
    "postcode_unknown": ("988200", "288200"),
    "postcode_other_province": ("430074", "100020"),
    "postcode_dummy": ("111111", "123456"),
    "email_characters": ("lihong＠163.com", "zhangwei@qq。com"),
    "email_label": ("邮箱:lihong@163.com", "lihong1988@163.com(公司)"),
    "several_emails": ("lihong@163.com;zhangwei@qq.com", "lihong@163.com / zhangwei@qq.com"),
    "email_bad_part": ("lihong@163.com;zhangwei@", "lihong@163.com;zhangwei@qq"),
    "email_domain_typo": ("lihong@gmial.com", "zhangwei@qq.con"),
    "email_dummy": ("test@test.com", "abc@qq.com"),
    "email_syntax": ("lihong163.com", "lihong@"),
    "name_characters": ("张伟　ＬＥＥ", "阿依古丽.买买提"),
    "name_note": ("李红(妻子)", "李红女士"),
    "several_names": ("李红/张伟", "李小红 张伟"),
    "title_only": ("张先生", "老王"),
    "single_character": ("王", "李"),
    "repeated_characters": ("王王王", "李李李"),
    "lost_character": ("王?明", "李□"),
    "digits_in_name": ("王小明1", "李红88"),
    "name_masked": ("王*明", "李XX"),
    "junk_name": ("测试", "业主"),
    "not_a_name": ("……", "88888888"),
    "id_characters": ("身份证:440601199001011230", "44060119900101123０"),
    "id_fifteen_digits": ("440601900101123", "440622750315201"),
    "id_other_kind": ("91350100M000100Y43", "91350100M000100Y43"),
    "id_unknown_area": ("440699199001011236", "999901199001011232"),
    "id_birth_date": ("440111199002301235", "440601187001011232"),
    "id_checksum": ("440601199001011231", "440601199001011235"),
    "id_length": ("44060119900101123", "12345678"),
    "id_digits_lost": ("4.40601E+17", "4.406011990010E+17"),
    "id_masked": ("440601********1236", "4406011990****1236"),
    "wechat_characters": ("微信号:lihong_1988", "ｌｉｈｏｎｇ1988"),
    "wechat_refers": ("同手机号", "手机同号"),
    "wechat_dummy": ("13800138000", "13888888888"),
    "wechat_nickname": ("阿红", "南海小王"),
    "wechat_syntax": ("li", "1988-03"),
}


class Shown(NamedTuple):
    """One example: the column that it stands in, the cell, and what the judge says."""

    field: str
    text: str
    verdict: Verdict


def rule_of(code: str) -> str:
    """The rule that gives a reason; KeyError for a code that is none."""
    return next(key for key, reasons in REASONS_BY_RULE.items() if code in reasons) if code else ""


def examples(code: str) -> list[Shown]:
    """The examples of one reason, judged."""
    texts = PHONES.get(code) or EXAMPLES[code]
    field = COLUMNS.get(code) or RULES[rule_of(code)].fields[-1 if rule_of(code) == "judge_name" else 0]
    return [Shown(field, text, judge(field, text, _context(code))) for text in texts]


def _context(code: str) -> Context:
    if code in WITHOUT_AREA:
        return replace(FOSHAN, area_code="")
    return ELSEWHERE.get(code) or (with_places() if code in OWN_PLACES else FOSHAN)


@cache
def with_places() -> Context:
    """The bureau of the examples with places of its own: a plate changed, two towns renamed."""
    place = Place("广东省", "佛山市", "南海区")
    plate = PlateChange(("南新三路", "5号"), ("南新三路", "105号"), date(2024, 6, 1))
    towns = [TownRename(place, "平洲镇", "桂城街道", 2005), TownRename(place, "黄岐镇", "大沥镇", 2004)]
    return replace(FOSHAN, places=gather(town_renames=towns, plates=[plate]))
