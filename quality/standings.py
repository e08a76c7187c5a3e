"""Standings: one pure function with one tie rule, for boards, bulletins and frozen results alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scored:
    """One competitor: its code (breaks no tie, only orders it), its name, and its score."""

    code: str
    name: str
    score: float


@dataclass(frozen=True)
class Ranked:
    """A competitor with its place; `tied` when another has the same score."""

    rank: int
    tied: bool
    code: str
    name: str
    score: float


def standings(competitors: Iterable[Scored]) -> list[Ranked]:
    """Equal score = equal rank, the next rank skipped (1 2 2 4); equals stand in the order of their codes.

    Scores are compared to two decimals, as they are printed.
    """
    ordered = sorted(competitors, key=lambda one: (-round(one.score, 2), one.code))
    scores = [round(one.score, 2) for one in ordered]
    number, place = Counter(scores), {score: at for at, score in reversed(list(enumerate(scores, 1)))}
    return [
        Ranked(place[score], number[score] > 1, one.code, one.name, score)
        for one, score in zip(ordered, scores, strict=True)
    ]


def mark(rate: float | None, floor: float, target: float) -> float | None:
    """A rate as a mark from 0 to 100: full at the target, half at the floor, straight lines between and below."""
    if rate is None:
        return None
    if rate >= target:
        return 100.0
    if rate >= floor:
        return 50 + 50 * (rate - floor) / (target - floor) if target > floor else 100.0
    return 50 * rate / floor if floor else 0.0


def deduction(
    rate: float | None, target: float, *, per_tenth: float = 0.05, limit: float = 2.0
) -> float | None:
    """Points taken for a rate below its target: `per_tenth` for each 0.1 percentage point, `limit` at most."""
    if rate is None or rate >= target:
        return None
    return -min(limit, round((target - rate) * 1000) * per_tenth)
