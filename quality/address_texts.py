"""The text of an address made plain: characters, labels, and what does not belong to it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import opencc

from quality.texts import flatten

_LABEL = re.compile(r"^(?:(?:用电|装表|通讯|通信|联系|邮寄|家庭|详细|现|客户)?(?:地址|住址)|住|地点)[:：\s]+")
_POSTCODE = re.compile(r"^\d{6}(?=[^\d号]*[\u4e00-\u9fff])(?!号)|[(\s]*(?:邮编|邮政编码)[:：\s]*\d{6}\)?")
_PHONE = re.compile(
    r"[(\s,，]*(?:电话|手机|联系电话|tel)?[:：\s]*(?<!\d)1[3-9]\d{9}(?!\d)\)?$", re.IGNORECASE
)
_LONG_NUMBER = re.compile(r"\d{6}")  # without one there is neither postcode nor phone
_AS_WRITTEN = frozenset(
    "乾於昇夥徵淩堃"
)  # traditional forms that stand in names written otherwise in simplified
_WIDE = re.compile(r"[０-９Ａ-Ｚａ-ｚ]")  # punctuation in full width is ordinary Chinese
_EDGES = ",，。.;；、:：'\""


class PlainText(NamedTuple):
    """An address without spaces, labels and numbers of other kinds; what had to be mended, and a postcode beside it."""

    text: str
    repairs: tuple[str, ...] = ()
    postcode: str = ""


def tidy(text: str) -> PlainText:
    """Plain characters without spaces, labels, postcodes and phones; with what had to be mended."""
    narrow = flatten(text)
    flat = _simplify(narrow)
    clean, postcode = _without_numbers(_LABEL.sub("", flat))
    repairs = ["address_characters"] if flat != narrow or _WIDE.search(text) else []
    repairs += ["address_noise"] if clean != flat else []
    return PlainText("".join(clean.split()).strip(_EDGES), tuple(repairs), postcode)


def _without_numbers(text: str) -> tuple[str, str]:
    """A text without the postcode and the phone beside it, and that postcode."""
    if not _LONG_NUMBER.search(text):
        return text, ""
    postcode = _POSTCODE.search(text)
    digits = "".join(char for char in postcode.group() if char.isdecimal()) if postcode else ""
    return _PHONE.sub("", _POSTCODE.sub("", text)), digits


def _simplify(text: str) -> str:
    """Traditional characters as simplified ones; what GB 2312 holds is simplified already."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return "".join(_simplify_run(run) for run in re.split(f"([{''.join(_AS_WRITTEN)}])", text))
    return text


def _simplify_run(run: str) -> str:
    return run if run in _AS_WRITTEN else _converter().convert(run)


@lru_cache(maxsize=1)
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
