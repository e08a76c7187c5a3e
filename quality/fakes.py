"""Numbers that nobody was given: the same digit, counting, patterns, and the examples everybody types."""

from __future__ import annotations

import re

_UP = "01234567890123456789"
_RUNS = frozenset(row[start : start + 6] for row in (_UP, _UP[::-1]) for start in range(len(row) - 5))

_REPEATED = re.compile(r"(\d)\1{5}")
_PATTERNED = re.compile(r"(\d\d)\1{3}|(\d{3})\2{2}|(?:1234){2}|(?:4321){2}")
# 13800138000 is a top-up line, 13800xxx500 are message centres, 13123456789 is libphonenumber's own example.
_DUMMIES = frozenset(("13800138000", "13123456789", "13812345678", "12345678", "1234567"))
_CENTRES = re.compile(r"13800\d{3}500")
_ANY = re.compile(r"(\d\d)\1{3}|(\d{3})\2{2}")


def fake_reasons(digits: str) -> tuple[str, ...]:
    """Why a mobile or the local part of a landline (at most eleven digits) is not believable; empty when it is."""
    may_count = (  # each run of six up or down holds one of these threes, and so do 1234 and 4321
        "123" in digits or "345" in digits or "789" in digits
        or "321" in digits or "543" in digits or "987" in digits
    )  # fmt: skip
    may_repeat = digits.count(digits[5:6]) > 5  # of eleven digits, the sixth belongs to every six in a row
    if may_count or may_repeat or digits[:5] == "13800":
        return _reasons(digits)
    fourth = digits[3:4]  # of eleven digits, the fourth to the seventh belong to every pattern
    may_be_pattern = fourth == digits[5:6] or fourth == digits[6:7]
    return _reasons(digits) if may_be_pattern and _ANY.search(digits) else ()


def _counts(digits: str) -> bool:
    return not _RUNS.isdisjoint([digits[start : start + 6] for start in range(len(digits) - 5)])


def _is_dummy(digits: str) -> bool:
    return digits in _DUMMIES or (digits.startswith("13800") and bool(_CENTRES.fullmatch(digits)))


def _reasons(digits: str) -> tuple[str, ...]:
    found = ["known_dummy"] if _is_dummy(digits) else []
    if _REPEATED.search(digits):
        found.append("repeated_digits")
    if _counts(digits):
        found.append("sequential_digits")
    if not found and _PATTERNED.search(digits):
        found.append("patterned_digits")
    return tuple(found)
