"""What every rule needs first: text without invisible characters, and whether a cell says anything at all."""

from __future__ import annotations

import re
import unicodedata

from quality.verdicts import NOWHERE, REPAIRABLE, VALID, Context, Verdict, missing, one

PLACEHOLDERS = frozenset(
    "无 无无 没有 没 暂无 暂缺 暂时没有 不详 不明 不知 不知道 不清楚 未知 未填 未填写 未登记 未录入 未提供 未留"
    " 无法提供 空 空白 缺 缺失"
    " 号码不详 电话不详 手机不详 暂无电话 暂无手机 暂无号码 无手机号 无手机号码 无联系人电话"
    " 无号码 无电话 无手机 无联系电话 无联系方式 没有电话 没有手机 无地址 无邮箱 没有邮箱 无微信 没有微信 无邮编"
    " 无联系人 待补 待补充 待定 待查 待核实 略"
    " n/a na n.a. n.a null none nil nan #n/a #n/a! #null! #value! #ref! #name? (null) (空) (无) [null] <null>"
    " nosuch undefined"
    " tbd unknown - -- --- — —— – / // \\ . .. ... … * ** *** **** ? ?? ??? 、 , ，"
    " 。 _ __ ___ x xx xxx × ○ 〇 ~ ` ' \" + = =="
    " 0 00 000 0000 00000 000000 0000000 00000000 000000000 0000000000 00000000000 0.0 0.00".split()
)

_INVISIBLE = {ord(char): None for char in "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u061c"} | {
    code: None for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)
}
_SPACES = re.compile(r"\s+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """A text with a sign in place of what no database keeps as text: NUL and halves of a pair."""
    return _UNSTORABLE.sub("\ufffd", text)


def flatten(text: str) -> str:
    """Compatibility forms made plain (full-width to half-width), invisible characters dropped, spaces made single."""
    if not (text.isprintable() and unicodedata.is_normalized("NFKC", text)):
        text = unicodedata.normalize("NFKC", text.translate(_INVISIBLE))
    return _SPACES.sub(" ", text).strip() if " " in text or not text.isprintable() else text


def read_missing(text: str) -> Verdict | None:
    """The verdict `missing` for a blank cell or a placeholder, else None."""
    if not text or text.isspace():
        return missing("blank")
    if text.isascii() and text.isprintable():
        return missing("placeholder") if text.lower().replace(" ", "") in PLACEHOLDERS else None
    flat = flatten(text)
    if not flat or not any(map(str.isprintable, flat)):
        return missing("blank")
    return missing("placeholder") if flat.lower().replace(" ", "") in PLACEHOLDERS else None


def judge_text(text: str, field: str = "text", context: Context = NOWHERE) -> Verdict:
    """Whether a cell says anything, for fields without a rule of their own; its standard form is plain characters."""
    nothing = read_missing(text)
    if nothing:
        return nothing
    value = flatten(text)
    if value == " ".join(text.split()):
        return one(VALID, field, value)
    return one(REPAIRABLE, field, value, reasons=("characters",))
