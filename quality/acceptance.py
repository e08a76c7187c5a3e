"""Acceptance of a batch by sampling: GB/T 2828.1-2012 (= ISO 2859-1:1999), level II, single plans indexed by AQL.

For passing or returning a batch only; published percentages are estimated, never read from an AQL. Normal and
tightened inspection; reduced inspection is an option of the standard that is not taken here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

# Table 1, general inspection level II: the largest lot of each code letter.
LETTERS = (
    (8, "A"),
    (15, "B"),
    (25, "C"),
    (50, "D"),
    (90, "E"),
    (150, "F"),
    (280, "G"),
    (500, "H"),
    (1200, "J"),
    (3200, "K"),
    (10_000, "L"),
    (35_000, "M"),
    (150_000, "N"),
    (500_000, "P"),
)
LAST_LETTER = "Q"
LOTS = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000)
SIZES = dict(zip("ABCDEFGHJKLMNPQR", LOTS, strict=True))
AQLS = (0.65, 1.0, 1.5, 2.5, 4.0, 6.5)

# Tables 2-A and 2-B: acceptance numbers from the letter that accepts none on; "v" and "^" send to the next plan below
# or above. Each step of the AQL moves the column up by one letter.
COLUMNS = {
    "normal": (0, "^", "v", 1, 2, 3, 5, 7, 10, 14, 21),
    "tightened": (0, "v", "v", 1, 2, 3, 5, 8, 12, 18),
}
FIRST = {
    "normal": dict(zip(AQLS, "FEDCBA", strict=True)),
    "tightened": dict(zip(AQLS, "GFEDCB", strict=True)),
}


@dataclass(frozen=True)
class Plan:
    """How many are drawn, up to how many wrong ones the batch is accepted, and from how many it is returned."""

    letter: str
    size: int
    accepts: int
    rejects: int


def code_letter(population: int) -> str:
    """The code letter of a lot at level II; ValueError below 2."""
    if population < 2:
        raise ValueError("a lot has at least two items")
    return next((letter for largest, letter in LETTERS if population <= largest), LAST_LETTER)


def plan_for(population: int, aql: float, *, inspection: str = "normal") -> Plan:
    """The single plan of a lot; where its sample would be the whole lot, all are inspected against the same number."""
    letters = list(SIZES)
    place, step = letters.index(code_letter(population)), 0
    while isinstance(found := _entry(letters[place], aql, inspection), str):
        step = step or (1 if found == "v" else -1)
        place += step
    letter = letters[place]
    return Plan(letter, min(SIZES[letter], population), found, found + 1)


def _entry(letter: str, aql: float, inspection: str) -> int | str:
    letters, column = list(SIZES), COLUMNS[inspection]
    place = letters.index(letter) - letters.index(FIRST[inspection][aql])
    if place < 0:
        return "v"
    return column[place] if place < len(column) else "^"


def accept_probability(plan: Plan, share: float) -> float:
    """The operating characteristic: how likely a lot with this share of wrong items is accepted (binomial)."""
    return sum(
        comb(plan.size, k) * share**k * (1 - share) ** (plan.size - k) for k in range(plan.accepts + 1)
    )


def limiting_share(plan: Plan, *, probability: float = 0.1) -> float:
    """The share of wrong items that is still accepted with this probability (LQ10)."""
    low, high = 0.0, 1.0
    for _step in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if accept_probability(plan, middle) > probability else (low, middle)
    return (low + high) / 2


def next_inspection(history: Sequence[bool]) -> str:
    """The severity of the next lot from the accepted (True) and returned lots of one sender, oldest first (9.3, 9.4).

    Two returned of five or fewer in a row: tightened. Five in a row accepted: normal again. Five returned in all while
    tightened: `stopped`, nothing more is taken by sampling until the sender has mended its ways.
    """
    severity, since = "normal", []
    for accepted in history:
        since.append(accepted)
        if severity == "normal" and since[-5:].count(False) >= 2:
            severity, since = "tightened", []
        elif severity == "tightened" and since.count(False) >= 5:
            return "stopped"
        elif severity == "tightened" and len(since) >= 5 and all(since[-5:]):
            severity, since = "normal", []
    return severity
