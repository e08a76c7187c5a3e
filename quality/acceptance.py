"""Acceptance of a batch by sampling: GB/T 2828.1-2012 (= ISO 2859-1:1999), level II, single plans indexed by AQL.

For passing or returning a batch only; published percentages are estimated, never read from an AQL. Normal, tightened
and reduced inspection with the switching rules between them (9.3, 9.4).
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
REDUCED_LOTS = (2, 2, 2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800)
LETTER_ROWS = "ABCDEFGHJKLMNPQR"
SIZES = {
    "normal": dict(zip(LETTER_ROWS, LOTS, strict=True)),
    "tightened": dict(zip(LETTER_ROWS, LOTS, strict=True)),
    "reduced": dict(zip(LETTER_ROWS, REDUCED_LOTS, strict=True)),
}
AQLS = (0.65, 1.0, 1.5, 2.5, 4.0, 6.5)

# Tables 2-A, 2-B and 2-C: acceptance numbers from the letter that accepts none on; "v" and "^" send to the next plan
# below or above. Each step of the AQL moves the column up by one letter. Since the edition of 1999 (China: 2012) a lot
# is rejected from Ac + 1 on in all three; the gap that reduced inspection had before is gone.
COLUMNS = {
    "normal": (0, "^", "v", 1, 2, 3, 5, 7, 10, 14, 21),
    "tightened": (0, "v", "v", 1, 2, 3, 5, 8, 12, 18),
    "reduced": (0, "^", "v", "v", 1, 2, 3, 5, 6, 8, 10),
}
FIRST = {
    "normal": dict(zip(AQLS, "FEDCBA", strict=True)),
    "tightened": dict(zip(AQLS, "GFEDCB", strict=True)),
    "reduced": dict(zip(AQLS, "FEDCBA", strict=True)),
}
MAY_REDUCE = 30  # the switching score from which reduced inspection may be chosen


@dataclass(frozen=True)
class Plan:
    """How many are drawn, up to how many wrong ones the batch is accepted, and from how many it is returned."""

    letter: str
    size: int
    accepts: int
    rejects: int


@dataclass(frozen=True)
class Lot:
    """An earlier lot: how it was inspected, how many wrong ones its plan accepted, how many there were."""

    inspection: str
    accepts: int
    wrong: int

    @property
    def is_accepted(self) -> bool:
        """Whether it was taken."""
        return self.wrong <= self.accepts


@dataclass(frozen=True)
class Standing:
    """How the next lot is to be inspected, and the switching score of a sender under normal inspection."""

    severity: str
    score: int = 0

    @property
    def may_reduce(self) -> bool:
        """Whether reduced inspection may be chosen (or gone on with)."""
        return self.severity == "reduced" or (self.severity == "normal" and self.score >= MAY_REDUCE)


def code_letter(population: int) -> str:
    """The code letter of a lot at level II; ValueError below 2."""
    if population < 2:
        raise ValueError("a lot has at least two items")
    return next((letter for largest, letter in LETTERS if population <= largest), LAST_LETTER)


def plan_for(population: int, aql: float, *, inspection: str = "normal") -> Plan:
    """The single plan of a lot; where its sample would be the whole lot, all are inspected against the same number."""
    place, step = LETTER_ROWS.index(code_letter(population)), 0
    while isinstance(found := _entry(LETTER_ROWS[place], aql, inspection), str):
        step = step or (1 if found == "v" else -1)
        place += step
    letter = LETTER_ROWS[place]
    return Plan(letter, min(SIZES[inspection][letter], population), found, found + 1)


def _entry(letter: str, aql: float, inspection: str) -> int | str:
    column = COLUMNS[inspection]
    place = LETTER_ROWS.index(letter) - LETTER_ROWS.index(FIRST[inspection][aql])
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


def next_standing(history: Sequence[Lot]) -> Standing:
    """The severity of the next lot from the earlier lots of one sender, oldest first (9.3, 9.4).

    Two returned of five or fewer in a row: tightened. Five in a row accepted: normal again. Five returned in all while
    tightened: `stopped`, nothing more is taken by sampling until the sender has mended its ways. Reduced only where the
    score has reached 30 and somebody decided for it (the lot was inspected so); one lot returned, or one inspected
    normally again: normal, and the score begins at nought.
    """
    found, since = Standing("normal"), list[bool]()
    for lot in history:
        found, since = _chosen(found, lot, since)
        since.append(lot.is_accepted)
        after = _after(found, lot, since)
        if after.severity == "stopped":
            return after
        since = since if after.severity == found.severity else []
        found = after
    return found


def _chosen(found: Standing, lot: Lot, since: list[bool]) -> tuple[Standing, list[bool]]:
    """What a person may choose: reduced once the score allows it, and back to normal at any time."""
    if found.may_reduce and found.severity == "normal" and lot.inspection == "reduced":
        return Standing("reduced", found.score), []
    if found.severity == "reduced" and lot.inspection == "normal":
        return Standing("normal"), []
    return found, since


def _after(found: Standing, lot: Lot, since: Sequence[bool]) -> Standing:
    if found.severity == "reduced":
        return found if lot.is_accepted else Standing("normal")
    if found.severity == "tightened":
        if since.count(False) >= 5:
            return Standing("stopped")
        return Standing("normal") if len(since) >= 5 and all(since[-5:]) else found
    if since[-5:].count(False) >= 2:
        return Standing("tightened")
    return Standing("normal", _score(found.score, lot))


def _score(score: int, lot: Lot) -> int:
    """9.3.3.2, single plans: two points for an accepted lot whose plan accepts at most one; else three, if one step of
    the AQL tighter (the acceptance number before it in the column, at the same size) would have accepted it too."""
    if not lot.is_accepted:
        return 0
    if lot.accepts < 2:
        return score + 2
    numbers = [one for one in COLUMNS["normal"] if isinstance(one, int)]
    tighter = max(one for one in numbers if one < lot.accepts)
    return score + 3 if lot.wrong <= tighter else 0
