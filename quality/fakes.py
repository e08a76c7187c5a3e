"""Numbers that nobody was given: the same digit, counting, patterns, and the examples everybody types."""

from __future__ import annotations

import re

_UP = "01234567890123456789"
_RUNS = sorted({row[start : start + 6] for row in (_UP, _UP[::-1]) for start in range(len(row) - 5)})

_REPEATED = re.compile(r"(\d)\1{5}")
_SEQUENTIAL = re.compile("|".join(_RUNS))
_PATTERNED = re.compile(r"(?:(\d\d)\1{3}|(\d{3})\2{2}|(?:1234){2}|(?:4321){2})")
# 13800138000 is a top-up line, 13800xxx500 are message centres, 13123456789 is libphonenumber's own example.
_DUMMIES = re.compile(r"13800138000|13800\d{3}500|13123456789|13812345678|12345678|1234567")


def fake_reasons(digits: str) -> tuple[str, ...]:
    """Why a mobile or the local part of a landline is not believable; empty when it is."""
    found = []
    if _DUMMIES.fullmatch(digits):
        found.append("known_dummy")
    if _REPEATED.search(digits):
        found.append("repeated_digits")
    if _SEQUENTIAL.search(digits):
        found.append("sequential_digits")
    if not found and _PATTERNED.search(digits):
        found.append("patterned_digits")
    return tuple(found)
