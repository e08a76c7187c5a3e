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
_FEW = 6  # different digits: more than that cannot repeat or form a pattern, but for 1234 1234


def fake_reasons(digits: str) -> tuple[str, ...]:
    """Why a mobile or the local part of a landline (at most eleven digits) is not believable; empty when it is."""
    is_counting = ("45" in digits or "90" in digits or "54" in digits or "09" in digits) and _counts(digits)
    if len(set(digits)) > _FEW and not is_counting and "1234" not in digits and "4321" not in digits:
        return ("known_dummy",) if _is_dummy(digits) else ()
    return _reasons(digits, is_counting)


def _counts(digits: str) -> bool:
    """Whether six digits run up or down; any such run holds 45, 90, 54 or 09."""
    return not _RUNS.isdisjoint([digits[start : start + 6] for start in range(len(digits) - 5)])


def _is_dummy(digits: str) -> bool:
    return digits in _DUMMIES or (digits.startswith("13800") and bool(_CENTRES.fullmatch(digits)))


def _reasons(digits: str, is_counting: bool) -> tuple[str, ...]:
    found = ["known_dummy"] if _is_dummy(digits) else []
    if _REPEATED.search(digits):
        found.append("repeated_digits")
    if is_counting:
        found.append("sequential_digits")
    if not found and _PATTERNED.search(digits):
        found.append("patterned_digits")
    return tuple(found)
