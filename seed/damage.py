"""What befalls honest values on their way into an old system: kinds of damage at known rates, and the truth.

`verdict` and `reason` say what the judge should answer, knowing the unit, the bureau's own telephones and the numbers
that stand on too many customers. A kind that no rule can find is not `seen`: the value is wrong or another person's,
but well formed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from seed.customers import Row
from seed.names import pick

Mar = Callable[[Random, str, Row], str]
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
TRADITIONAL = str.maketrans("广东区镇号单园华庄龙凤达岭乐县", "廣東區鎮號單園華莊龍鳳達嶺樂縣")
REGION = "广东省佛山市"
OLD_COUNTIES = {"佛山市南海区": "南海市", "佛山市顺德区": "顺德市", "佛山市高明区": "高明市"}
COUNTIES = ("佛山市南海区", "佛山市顺德区", "佛山市高明区", "佛山市禅城区", "佛山市三水区")
PLACEHOLDERS = ("无", "不详", "暂无", "0", "-", "/", "N/A", "没有")
LABELS = ("手机：{}", "电话{}", "手机号码 {}", "TEL:{}")
NOTES = ("{}(儿子)", "{}（晚上打）", "{} 李生", "{}（管理处）")
LAYOUTS = ("{0} {1} {2}", "{0}-{1}-{2}", "+86 {0}{1}{2}", "0086{0}{1}{2}", " {0}{1}{2} ")
REPEATED = ("13888888888", "13911111111")
SAMPLES = ("13812345678", "13800138000", "13123456789")
PROPERTY_MANAGER = "13802570987"  # given for hundreds of tenants
DEAD = ("{}(空号)", "{} 已停机", "{}（打不通）")
OTHER_CITIES = (
    "广东省深圳市福田区福华一路12号",
    "湖南省长沙市芙蓉区五一路88号",
    "广西壮族自治区梧州市万秀区大中路5号",
)
SERVICE_NUMBERS = ("95598", "10086", "110", "12345", "10000")
RETIRED = ("0732", "0733")
LENGTHENED, FIRST_LENGTHENED = ("0731", "0732", "0733", "0551", "0851"), "2009-06-28"
FOREIGN_POSTCODES = ("430074", "410005", "100020", "330006", "610041", "530022")
CITY_POSTCODES = ("510000", "518000", "523000", "516001")  # main offices of other cities of the province
TITLES = ("先生", "生", "小姐", "女士", "师傅", "老板")
JUNK_NAMES = ("测试", "用户", "同上", "无名")
WRONG_MAILBOXES = ("qq.con", "gmial.com", "163.cm")


@dataclass(frozen=True)
class Kind:
    """One kind of damage: the field it befalls, its rate among the cells it can befall, the right answer."""

    key: str
    field: str
    rate: float
    mar: Mar
    verdict: str
    reason: str = ""
    befalls: Callable[[Row], bool] = lambda row: True
    swaps_with: str = ""
    seen: bool = True
    also: tuple[str, ...] = ()  # what may rightly be said besides


class Damage(NamedTuple):
    """One line of the truth table: the cell, what befell it, what stood there, what the judge should say."""

    row: int
    account: str
    field: str
    kind: str
    original: str
    written: str
    verdict: str
    reason: str
    seen: bool


class Misfortune:
    """Damages rows; knows the numbers of the bureau's own staff, which some put in for a customer's."""

    def __init__(self, staff_numbers: Iterable[str]) -> None:
        kinds = (*KINDS, staff_number(tuple(staff_numbers)))
        self.by_field: dict[str, tuple[Kind, ...]] = {}
        for kind in kinds:
            self.by_field[kind.field] = (*self.by_field.get(kind.field, ()), kind)
        self.shares = [(field, sum(kind.rate for kind in found)) for field, found in self.by_field.items()]

    def strike(self, rng: Random, number: int, row: Row) -> tuple[Row, list[Damage]]:
        """The row as the old system has it, and the truth about every cell that was damaged."""
        written, found = row, []
        for field, share in self.shares:
            draw = rng.random()
            if draw < share and row[field] and written[field] == row[field]:
                kind = self._drawn(field, draw)
                if kind.befalls(row):
                    written = dict(written) if written is row else written
                    found.extend(_mar(kind, rng, row, written))
        return written, [_truth(kind, field, number, (row, written)) for kind, field in found]

    def _drawn(self, field: str, draw: float) -> Kind:
        kinds = self.by_field[field]
        for kind in kinds:
            draw -= kind.rate
            if draw < 0:
                return kind
        return kinds[-1]


def _mar(kind: Kind, rng: Random, row: Row, written: Row) -> list[tuple[Kind, str]]:
    written[kind.field] = kind.mar(rng, row[kind.field], row)
    if not kind.swaps_with:
        return [(kind, kind.field)]
    written[kind.swaps_with] = row[kind.field]
    return [(kind, kind.field), (kind, kind.swaps_with)]


def _truth(kind: Kind, field: str, number: int, rows: tuple[Row, Row]) -> Damage:
    row, written = rows
    cell = (row["户号"], field, kind.key, row[field], written[field])
    return Damage(number, *cell, kind.verdict, kind.reason, kind.seen)


def _one_of(forms: tuple[str, ...]) -> Mar:
    """Put the value into one of some forms."""
    return lambda rng, value, row: pick(rng, forms).format(value)


def _instead(texts: tuple[str, ...]) -> Mar:
    """Write one of some texts in place of the value."""
    return lambda rng, value, row: pick(rng, texts)


def _with_postcode(rng: Random, value: str, row: Row) -> str:
    """The address with the postcode of another province or of another city beside it."""
    return pick(rng, ("{1} {0}", "{0} 邮编{1}")).format(
        value, pick(rng, (*FOREIGN_POSTCODES, *CITY_POSTCODES))
    )


def _swap_letters(rng: Random, value: str, row: Row) -> str:
    return value.replace("0", "O", 1) if "0" in value else value.replace("1", "l", 1)


def _count_up(rng: Random, value: str, row: Row) -> str:
    return value[:5] + pick(rng, ("345678", "987654", "234567"))


def _pattern(rng: Random, value: str, row: Row) -> str:
    return value[:3] + pick(rng, ("12121212", "36363636", "52525252"))


def _cover(rng: Random, value: str, row: Row) -> str:
    return value[:3] + "****" + value[7:]


def _extend(rng: Random, value: str, row: Row) -> str:
    return value + pick(rng, ("转{}", "-{}", " 分机{}")).format(int(rng.random() * 800) + 100)


def _other_county(rng: Random, value: str, row: Row) -> str:
    return value.replace(next(new for new in COUNTIES if new in value), "佛山市天河区")


def _lose_character(rng: Random, value: str, row: Row) -> str:
    return value[0] + pick(rng, "?□") + value[2:]


def _lay_out(rng: Random, value: str, row: Row) -> str:
    return pick(rng, LAYOUTS).format(value[:3], value[3:7], value[7:])


def _lose_digit(rng: Random, value: str, row: Row) -> str:
    at = 3 + int(rng.random() * 8)
    return value[:at] + value[at + 1 :]


def _add_digit(rng: Random, value: str, row: Row) -> str:
    at = 3 + int(rng.random() * 8)
    return value[:at] + value[at] + value[at:]


def _turn_digits(rng: Random, value: str, row: Row) -> str:
    at = next((at for at in range(7, 10) if value[at] != value[at + 1]), 7)
    return value[:at] + value[at + 1] + value[at] + value[at + 2 :]


def _two_numbers(rng: Random, value: str, row: Row) -> str:
    second = f"{value[:7]}{(int(value[7:]) + 1357) % 10000:04d}"
    return value + pick(rng, ("/", "、", ";", " ")) + second


def _seven_digits(areas: tuple[str, ...]) -> Mar:
    """A number of elsewhere as it was before it was lengthened."""
    return lambda rng, value, row: (
        f"{pick(rng, areas)}-{2 + int(rng.random() * 6)}{int(rng.random() * 900000) + 100000}"
    )


def _old_county(rng: Random, value: str, row: Row) -> str:
    new = next(new for new in OLD_COUNTIES if new in value)
    return value.replace(new, OLD_COUNTIES[new])


def _cut_short(rng: Random, value: str, row: Row) -> str:
    return value.rstrip("0123456789一二三四五六七八号房室座幢栋单元队巷之")


def _without_room(rng: Random, value: str, row: Row) -> str:
    return value[: max(value.rfind(sign) for sign in "座幢栋") + 1]


def _wrong_mailbox(rng: Random, value: str, row: Row) -> str:
    return value.split("@")[0] + "@" + pick(rng, WRONG_MAILBOXES)


def _wrong_id(rng: Random, value: str, row: Row) -> str:
    return value[:9] + str((int(value[9]) + 1) % 10) + value[10:]


def _has_room(row: Row) -> bool:
    return "单元" in row["用电地址"]


def _is_village(row: Row) -> bool:
    return "队" in row["用电地址"]


def _had_other_county(row: Row) -> bool:
    return any(new in row["用电地址"] for new in OLD_COUNTIES)


def _names_a_county(row: Row) -> bool:
    return any(county in row["用电地址"] for county in COUNTIES)


def _is_older_than_upgrades(row: Row) -> bool:
    return bool(row["录入时间"]) and row["录入时间"] < FIRST_LENGTHENED


def _has_landline(row: Row) -> bool:
    return bool(row["固定电话"])


def staff_number(numbers: tuple[str, ...]) -> Kind:
    """What hasty staff do: their own number for the customer's."""
    return Kind("staff_number", "手机", 0.004, _instead(numbers), "suspect", "office_number")


KINDS = (
    Kind("layout", "手机", 0.05, _lay_out, "valid"),
    Kind("full_width", "手机", 0.01, lambda r, v, w: v.translate(FULL_WIDTH), "repairable", "full_width"),
    Kind("label", "手机", 0.012, _one_of(LABELS), "repairable", "label"),
    Kind("note", "手机", 0.012, _one_of(NOTES), "repairable", "note"),
    Kind("letter_for_digit", "手机", 0.004, _swap_letters, "repairable", "letter_for_digit"),
    Kind("spreadsheet_float", "手机", 0.008, _one_of(("{}.0",)), "repairable", "spreadsheet_number"),
    Kind("spreadsheet_rounding", "手机", 0.002, _one_of(("1.38E+10", "1.39E+10")), "invalid", "digits_lost"),
    Kind("stray_zero", "手机", 0.008, _one_of(("0{}",)), "repairable", "stray_zero"),
    Kind("two_numbers", "手机", 0.015, _two_numbers, "repairable", "several_numbers"),
    Kind("digit_lost", "手机", 0.018, _lose_digit, "invalid", "wrong_length"),
    Kind("digit_added", "手机", 0.008, _add_digit, "invalid", "wrong_length"),
    Kind("repeated", "手机", 0.006, _instead(REPEATED), "suspect", "repeated_digits"),
    Kind("sample", "手机", 0.006, _instead(SAMPLES), "suspect", "known_dummy", also=("sequential_digits",)),
    Kind("counted_up", "手机", 0.003, _count_up, "suspect", "sequential_digits"),
    Kind("patterned", "手机", 0.003, _pattern, "suspect", "patterned_digits"),
    Kind("noted_dead", "手机", 0.004, _one_of(DEAD), "suspect", "noted_dead", also=("note",)),
    Kind("covered", "手机", 0.003, _cover, "invalid", "masked"),
    Kind("placeholder", "手机", 0.018, _instead(PLACEHOLDERS), "missing", "placeholder"),
    Kind("left_blank", "手机", 0.05, _instead(("",)), "missing", "blank"),
    Kind("service_number", "手机", 0.003, _instead(SERVICE_NUMBERS), "invalid", "service_number"),
    Kind("property_manager", "手机", 0.006, _instead((PROPERTY_MANAGER,)), "suspect", "shared_number"),
    Kind(
        "swapped_columns", "手机", 0.03, lambda r, v, w: w["固定电话"], "valid", "other_kind",
        befalls=_has_landline, swaps_with="固定电话",
    ),
    Kind("turned_digits", "手机", 0.006, _turn_digits, "valid", seen=False),
    Kind("missing_area_code", "固定电话", 0.15, lambda r, v, w: v[-8:], "repairable", "missing_area_code"),
    Kind("retired_number", "固定电话", 0.012, _seven_digits(RETIRED), "repairable", "number_upgraded"),
    Kind("extension", "固定电话", 0.02, _extend, "valid"),
    Kind(
        "number_before_upgrade", "固定电话", 0.12, _seven_digits(LENGTHENED), "repairable", "number_upgraded",
        befalls=_is_older_than_upgrades,
    ),
    Kind("missing_room", "用电地址", 0.02, _without_room, "invalid", "no_room", befalls=_has_room),
    Kind("cut_short", "用电地址", 0.03, _cut_short, "invalid", "too_short", befalls=_is_village),
    Kind(
        "old_county_name", "用电地址", 0.03, _old_county, "repairable", "district_renamed",
        befalls=_had_other_county, also=("region_left_out",),
    ),
    Kind(
        "other_county", "用电地址", 0.008, _other_county, "suspect", "county_conflict", befalls=_names_a_county,
        also=("outside_region",),
    ),
    Kind("other_city", "用电地址", 0.006, _instead(OTHER_CITIES), "suspect", "outside_region"),
    Kind("refers_elsewhere", "用电地址", 0.004, _instead(("同上", "同上址")), "invalid", "refers_elsewhere"),
    Kind("address_label", "用电地址", 0.006, _one_of(("地址:{}", "用电地址：{}")), "repairable", "address_noise"),
    Kind("traditional", "用电地址", 0.01, lambda r, v, w: v.translate(TRADITIONAL), "repairable", "address_characters"),
    Kind(
        "full_width_address", "用电地址", 0.01, lambda r, v, w: v.translate(FULL_WIDTH), "repairable",
        "address_characters",
    ),
    Kind("region_left_out", "用电地址", 0.1, lambda r, v, w: v.removeprefix(REGION), "repairable", "region_left_out"),
    Kind(
        "postcode_of_elsewhere", "用电地址", 0.006, _with_postcode, "suspect", "postcode_conflict",
        also=("address_noise",),
    ),
    Kind("other_postcode", "邮政编码", 0.01, _instead(FOREIGN_POSTCODES), "suspect", "postcode_other_province"),
    Kind("postcode_short", "邮政编码", 0.006, lambda r, v, w: v[:5], "invalid", "postcode_length"),
    Kind("postcode_blank", "邮政编码", 0.03, _instead(("",)), "missing", "blank"),
    Kind("postcode_none", "邮政编码", 0.02, _instead(("无",)), "missing", "placeholder"),
    Kind("title_only", "联系人", 0.05, lambda r, v, w: v[0] + pick(r, TITLES), "suspect", "title_only"),
    Kind("junk_name", "联系人", 0.008, _instead(JUNK_NAMES), "invalid", "junk_name"),
    Kind("relation_noted", "联系人", 0.01, _one_of(("{}(儿子)", "{}（妻）")), "repairable", "name_note"),
    Kind("character_lost", "联系人", 0.006, _lose_character, "suspect", "lost_character"),
    Kind("mailbox_typo", "电子邮箱", 0.03, _wrong_mailbox, "suspect", "email_domain_typo"),
    Kind("mailbox_cut", "电子邮箱", 0.02, lambda r, v, w: v.replace("@", ""), "invalid", "email_syntax"),
    Kind("same_as_mobile", "微信", 0.02, _instead(("同手机号", "同手机")), "invalid", "wechat_refers"),
    Kind("wrong_id", "身份证号", 0.01, _wrong_id, "invalid", "id_checksum"),
    Kind("covered_id", "身份证号", 0.006, lambda r, v, w: v[:6] + "********" + v[14:], "invalid", "id_masked"),
)  # fmt: skip
