"""What befalls honest values on their way into an old system: kinds of damage at known rates, and the truth.

`verdict` and `reason` say what the judge should answer. A kind that no look at one value can find is not
`seen`: the value is wrong or another person's, but well formed.
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
PLACEHOLDERS = ("无", "不详", "暂无", "0", "-", "/", "N/A", "没有")
LABELS = ("手机：{}", "电话{}", "手机号码 {}", "TEL:{}")
NOTES = ("{}(儿子)", "{}（晚上打）", "{} 李生", "{}（管理处）")
LAYOUTS = ("{0} {1} {2}", "{0}-{1}-{2}", "+86 {0}{1}{2}", "0086{0}{1}{2}", " {0}{1}{2} ")
MADE_UP = ("13888888888", "13812345678", "13800138000", "13911111111", "13123456789")
SERVICE_NUMBERS = ("95598", "10086", "110", "12345", "10000")
RETIRED = ("0732", "0733")
FOREIGN_POSTCODES = ("430074", "410005", "100020", "330006", "610041", "530022")
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
        kinds = (*KINDS, _staff_number(tuple(staff_numbers)))
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


def _swap_letters(rng: Random, value: str, row: Row) -> str:
    return value.replace("0", "O", 1) if "0" in value else value.replace("1", "l", 1)


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


def _retired(rng: Random, value: str, row: Row) -> str:
    return f"{pick(rng, RETIRED)}-{2 + int(rng.random() * 6)}{int(rng.random() * 900000) + 100000}"


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


def _has_landline(row: Row) -> bool:
    return bool(row["固定电话"])


def _staff_number(numbers: tuple[str, ...]) -> Kind:
    return Kind("staff_number", "手机", 0.004, _instead(numbers), "valid", seen=False)


KINDS = (
    Kind("layout", "手机", 0.05, _lay_out, "valid"),
    Kind("full_width", "手机", 0.01, lambda r, v, w: v.translate(FULL_WIDTH), "repairable", "full_width"),
    Kind("label", "手机", 0.012, _one_of(LABELS), "repairable", "label"),
    Kind("note", "手机", 0.012, _one_of(NOTES), "repairable", "note"),
    Kind("letter_for_digit", "手机", 0.004, _swap_letters, "repairable", "letter_for_digit"),
    Kind("spreadsheet_float", "手机", 0.008, _one_of(("{}.0",)), "repairable", "spreadsheet_number"),
    Kind("stray_zero", "手机", 0.008, _one_of(("0{}",)), "repairable", "stray_zero"),
    Kind("two_numbers", "手机", 0.015, _two_numbers, "repairable", "several_numbers"),
    Kind("digit_lost", "手机", 0.018, _lose_digit, "invalid", "wrong_length"),
    Kind("digit_added", "手机", 0.008, _add_digit, "invalid", "wrong_length"),
    Kind("made_up", "手机", 0.016, _instead(MADE_UP), "suspect"),
    Kind("placeholder", "手机", 0.018, _instead(PLACEHOLDERS), "missing"),
    Kind("left_blank", "手机", 0.05, _instead(("",)), "missing"),
    Kind("service_number", "手机", 0.003, _instead(SERVICE_NUMBERS), "invalid", "service_number"),
    Kind(
        "swapped_columns", "手机", 0.03, lambda r, v, w: w["固定电话"], "valid", "other_kind",
        befalls=_has_landline, swaps_with="固定电话",
    ),
    Kind("turned_digits", "手机", 0.006, _turn_digits, "valid", seen=False),
    Kind("missing_area_code", "固定电话", 0.15, lambda r, v, w: v[-8:], "repairable", "missing_area_code"),
    Kind("retired_number", "固定电话", 0.012, _retired, "repairable", "number_upgraded"),
    Kind("missing_room", "用电地址", 0.02, _without_room, "invalid", "no_room", befalls=_has_room),
    Kind("cut_short", "用电地址", 0.03, _cut_short, "invalid", "too_short", befalls=_is_village),
    Kind("old_county_name", "用电地址", 0.03, _old_county, "repairable", befalls=_had_other_county),
    Kind("traditional", "用电地址", 0.01, lambda r, v, w: v.translate(TRADITIONAL), "repairable"),
    Kind("full_width_address", "用电地址", 0.01, lambda r, v, w: v.translate(FULL_WIDTH), "repairable"),
    Kind("region_left_out", "用电地址", 0.1, lambda r, v, w: v.removeprefix(REGION), "repairable"),
    Kind("other_province_postcode", "邮政编码", 0.01, _instead(FOREIGN_POSTCODES), "suspect"),
    Kind("postcode_short", "邮政编码", 0.006, lambda r, v, w: v[:5], "invalid", "postcode_length"),
    Kind("postcode_blank", "邮政编码", 0.05, _instead(("", "无")), "missing"),
    Kind("title_only", "联系人", 0.05, lambda r, v, w: v[0] + pick(r, TITLES), "suspect", "title_only"),
    Kind("junk_name", "联系人", 0.008, _instead(JUNK_NAMES), "invalid"),
    Kind("mailbox_typo", "电子邮箱", 0.03, _wrong_mailbox, "suspect"),
    Kind("mailbox_cut", "电子邮箱", 0.02, lambda r, v, w: v.replace("@", ""), "invalid", "email_syntax"),
    Kind("wrong_id", "身份证号", 0.01, _wrong_id, "invalid", "id_checksum"),
)  # fmt: skip
