"""The measures of contact quality: what one required item of one customer adds to numerators and denominators.

Indicators of GB/T 36344-2018: completeness 0201, validity 0302, timeliness 0502.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntFlag

GOOD = ("valid", "repairable")
MEASURES = ("completeness", "validity", "timeliness", "accuracy")
Z95 = 1.959963984540054


class Bit(IntFlag):
    """What one member counts in; the numbers are stored in members files and never change."""

    REQUIRED = 1
    RECORDED = 2
    GOOD = 4
    VALID = 8
    DUE = 16
    IN_TIME = 32
    UNDATED = 64


# What a member must have, all of it, to count above and below the line. `recorded` is the other way of counting
# timeliness: recorded in time / recorded, instead of / due.
NUMERATOR = {
    "completeness": Bit.RECORDED,
    "validity": Bit.GOOD,
    "timeliness": Bit.IN_TIME,
    "timeliness/recorded": Bit.IN_TIME | Bit.RECORDED,
}
DENOMINATOR = {
    "completeness": Bit.REQUIRED,
    "validity": Bit.RECORDED,
    "timeliness": Bit.DUE,
    "timeliness/recorded": Bit.DUE | Bit.RECORDED,
}
TIMELINESS = ("due", "recorded")


@dataclass(frozen=True)
class Recorded:
    """The value that counts for a required item at the cut-off: its verdict, and who recorded it."""

    verdict: str
    recorder_id: int | None


@dataclass(frozen=True)
class Member:
    """One required item of one customer in a run: the row behind the figures."""

    customer_id: int
    kind: str
    unit_id: int
    staff_id: int | None
    cohort: str
    customer_class: str
    bits: int


@dataclass(frozen=True)
class Due:
    """When an item is due, and the first day a value of it was recorded; not `is_dated` where one has no day."""

    day: date
    first_recorded: date | None
    is_dated: bool = True


def bits_of(value: Recorded | None, due: Due | None) -> int:
    """What one required item counts in. `due` is given only where its due day lies in the period."""
    bits = Bit.REQUIRED
    if value is not None and value.verdict != "missing":
        bits |= Bit.RECORDED
        bits |= Bit.GOOD if value.verdict in GOOD else Bit(0)
        bits |= Bit.VALID if value.verdict == "valid" else Bit(0)
    if due is None:
        return int(bits)
    if due.first_recorded is not None and due.first_recorded <= due.day:
        return int(bits | Bit.DUE | Bit.IN_TIME)
    return int(bits | (Bit.DUE if due.is_dated else Bit.UNDATED))


def way_of(measure: str, timeliness: str) -> str:
    """The way a measure is counted: its key in NUMERATOR and DENOMINATOR."""
    return f"{measure}/{timeliness}" if measure == "timeliness" and timeliness == "recorded" else measure


def has(bits: int, wanted: int) -> bool:
    """Whether a member has all of what is wanted."""
    return bits & wanted == wanted


def tally(members: Iterable[Member]) -> Counter[tuple[int, int | None, str, int]]:
    """Count members by unit, person, cohort and bits."""
    found: Counter[tuple[int, int | None, str, int]] = Counter()
    for member in members:
        found[member.unit_id, member.staff_id, member.cohort, member.bits] += 1
    return found
