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
_ANY = re.compile(r"(\d)\1{5}|(\d\d)\2{3}|(\d{3})\3{2}|(?:1234){2}|(?:4321){2}|^13800\d{3}500$")


def fake_reasons(digits: str) -> tuple[str, ...]:
    """Why a mobile or the local part of a landline is not believable; empty when it is."""
    is_counting = not _RUNS.isdisjoint([digits[start : start + 6] for start in range(len(digits) - 5)])
    if not is_counting and digits not in _DUMMIES and not _ANY.search(digits):
        return ()
    found = []
    if digits in _DUMMIES or _CENTRES.fullmatch(digits):
        found.append("known_dummy")
    if _REPEATED.search(digits):
        found.append("repeated_digits")
    if is_counting:
        found.append("sequential_digits")
    if not found and _PATTERNED.search(digits):
        found.append("patterned_digits")
    return tuple(found)
