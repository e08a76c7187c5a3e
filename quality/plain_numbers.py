"""What libphonenumber answers for plain cells, from its own metadata and many times faster.

Digits with separators, a country code, full-width forms, a few letters or words around one number are answered; the
patterns are compiled from the metadata of the installed library at first use, so an update of it changes both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from phonenumbers import PhoneMetadata

_TYPES = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail",
)  # fmt: skip
_LONGEST = 60  # characters of a plain cell
_SHORTEST = 2  # digits of a national number, fewer are none for the library
_LONGEST_NUMBER = 17  # digits

# What the library takes as punctuation within a number is dropped, full-width digits are made plain. Left out are
# x, ~ and whatever else may begin an extension.
_TABLE: dict[int, str | None] = dict.fromkeys(map(ord, " -()[]./\u00a0\u3000（）［］－．／‐‑‒–—―−ー"))
_TABLE |= {ord("０") + digit: str(digit) for digit in range(10)} | {ord("＋"): "+"}
_PUNCTUATION = str.maketrans(_TABLE)
_START = re.compile(r"[+\d]")
_DIGITS = re.compile(r"\+?[0-9]*")
_LETTERED = re.compile(r"\+?([0-9]*)([OoIl][0-9OoIl]*)")
_WORDS = "\u4e00-\u9fff"
_UNREADABLE = re.compile(
    rf"\+?[0-9{_WORDS}、；，。：]*(?:[{_WORDS}]|[、；，。：](?=.*[0-9]))[0-9{_WORDS}、；，。：]*"
)


@dataclass(frozen=True)
class Plan:
    """China's numbering plan as the metadata has it, compiled."""

    mobile: re.Pattern[str]
    valid: re.Pattern[str]
    general: re.Pattern[str]
    abroad: re.Pattern[str]
    trunk: re.Pattern[str]
    lengths: frozenset[int]


def plain_mobile(digits: str) -> str:
    """The E.164 of eleven plain digits that the library knows as a mobile, else an empty text."""
    return "+86" + digits if _plan().mobile.fullmatch(digits) else ""


def plain_number(text: str) -> str | None:
    """The library's E.164 of a cell, an empty text where it finds no valid number, None where it must be asked."""
    if mobile := plain_mobile(text):
        return mobile
    plan = _plan()
    if text.isdigit() and text.isascii():
        return _decide(text, plan)
    if len(text) > _LONGEST or plan.trunk.groups > 1:
        return None
    return _read(text.translate(_PUNCTUATION), plan)


@cache
def _plan() -> Plan:
    data: Any = PhoneMetadata.metadata_for_region("CN")
    known = [
        desc for desc in (getattr(data, part) for part in _TYPES) if desc and desc.national_number_pattern
    ]
    parts = [_with_lengths(desc.national_number_pattern, desc.possible_length) for desc in known]
    general = data.general_desc.national_number_pattern
    return Plan(
        mobile=re.compile(data.mobile.national_number_pattern, re.ASCII),
        valid=re.compile(rf"(?=(?:{general})$)(?:{'|'.join(parts)})"),
        general=re.compile(general),
        abroad=re.compile(data.international_prefix),
        trunk=re.compile(data.national_prefix_for_parsing),
        lengths=frozenset(data.general_desc.possible_length),
    )


def _with_lengths(pattern: str, lengths: tuple[int, ...]) -> str:
    either = "|".join(rf"\d{{{length}}}" for length in lengths)
    return rf"(?:(?=(?:{either})$)(?:{pattern}))" if lengths else rf"(?:{pattern})"


def _read(text: str, plan: Plan) -> str | None:
    """A cell without its punctuation."""
    start = _START.search(text)
    if not start:
        return ""
    tail = text[start.start() :]
    if _DIGITS.fullmatch(tail):
        return _decide(tail, plan)
    if lettered := _LETTERED.fullmatch(tail):
        return _read_lettered(tail, lettered, plan)
    return "" if _UNREADABLE.fullmatch(tail) else None


def _read_lettered(tail: str, lettered: re.Match[str], plan: Plan) -> str | None:
    """One or two letters among digits are dropped, three are dialled; before the third digit nothing is read."""
    if len(lettered.group(1)) < 3:
        return ""
    digits = re.sub("[OoIl]", "", tail)
    return _decide(digits, plan) if len(tail) - len(digits) < 3 else None


def _decide(digits: str, plan: Plan) -> str | None:
    national = _national(digits, plan)
    if not national:
        return national
    return "+86" + national if plan.valid.fullmatch(national) else ""


def _national(digits: str, plan: Plan) -> str | None:
    """The national number within dialled digits; empty when too short or too long, None for other countries."""
    rest = _after_abroad(digits, plan)
    if rest is None:
        national = _after_country(digits, plan)
    elif len(rest) <= _SHORTEST:
        return ""
    elif rest.startswith("86"):
        national = rest[2:]
    else:
        return None
    if len(national) < _SHORTEST:
        return ""
    stripped = _after_trunk(national, plan)
    if len(stripped) in plan.lengths or len(stripped) > max(plan.lengths):
        national = stripped
    return national if len(national) <= _LONGEST_NUMBER else ""


def _after_abroad(digits: str, plan: Plan) -> str | None:
    """The digits after a plus or an international prefix; None when there is neither."""
    if digits.startswith("+"):
        return digits[1:]
    dialled = plan.abroad.match(digits)
    if not dialled or digits[dialled.end() : dialled.end() + 1] == "0":
        return None
    return digits[dialled.end() :]


def _after_country(digits: str, plan: Plan) -> str:
    """The digits without a country code that stands there unmarked, if it is one."""
    if not digits.startswith("86"):
        return digits
    stripped = _after_trunk(digits[2:], plan)
    is_better = plan.general.fullmatch(stripped) and not plan.general.fullmatch(digits)
    return stripped if is_better or len(digits) > max(plan.lengths) else digits


def _after_trunk(digits: str, plan: Plan) -> str:
    """The digits without the trunk 0 or a carrier's code, unless that spoils a possible number."""
    trunk = plan.trunk.match(digits)
    if not trunk:
        return digits
    rest = digits[trunk.end() :]
    is_spoiled = plan.general.fullmatch(digits) and not plan.general.fullmatch(rest)
    return digits if is_spoiled else rest
