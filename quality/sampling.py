"""Samples: how many, from which stratum, and who: every choice follows from published figures alone.

Neyman 1934 (proportional allocation), Hamilton's largest remainder, Cochran, Sampling Techniques 1977 (sizes with the
finite population correction, systematic and PPS draws), Cohen 1988 (arcsine power of two proportions).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import asin, ceil, sqrt
from statistics import NormalDist

SPAN = 1 << 256  # a digest of SHA-256 as a fraction of 1 is its number over this


@dataclass(frozen=True)
class Ranked:
    """One that was drawn: its key, its stratum, and its rank within it from 1."""

    key: str
    stratum: str
    rank: int


def allocate(populations: Mapping[str, int], size: int) -> dict[str, int]:
    """Places of each stratum: in proportion, the rest by largest remainder (equal remainders by name).

    Every stratum that has anybody gets one place where there are as many places as strata: a stratum that would get
    none gets one, and the others share what is left in the same way. ValueError unless 1 <= size <= all.
    """
    filled = {name: number for name, number in populations.items() if number}
    if not 0 < size <= sum(filled.values()):
        raise ValueError("the size lies outside the population")
    single: dict[str, int] = {}
    while True:
        places = _shared({name: filled[name] for name in filled if name not in single}, size - len(single))
        empty = [name for name, number in places.items() if not number]
        if not empty or size < len(filled):
            return dict.fromkeys(populations, 0) | places | single
        single |= dict.fromkeys(empty, 1)


def _shared(populations: Mapping[str, int], size: int) -> dict[str, int]:
    total = sum(populations.values())
    quotas = {name: divmod(size * number, total) for name, number in populations.items()}
    places = {name: whole for name, (whole, _rest) in quotas.items()}
    spare = size - sum(places.values())
    for name in sorted(quotas, key=lambda one: (-quotas[one][1], one))[:spare]:
        places[name] += 1
    return places


def commitment(seed: str) -> str:
    """What is published before the deadline: sha256 over the 64 hex digits of the seed."""
    return hashlib.sha256(seed.encode()).hexdigest()


def draw_key(seed: str, public_number: str) -> bytes:
    """The key of a draw: sha256 of the text `<seed, 64 hex digits>|<public number as typed>`."""
    return hashlib.sha256(f"{seed}|{public_number}".encode()).digest()


def token(key: bytes, message: str) -> str:
    """HMAC-SHA256 of a message, hex: what ranks are made of."""
    return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()


def stratified(
    members: Mapping[str, Sequence[str]], places: Mapping[str, int], key: bytes, head: str
) -> list[Ranked]:
    """The first of each stratum by ascending token of `<head>|<key of the member>`, strata in order of their names."""
    return [one for name in sorted(members) for one in _first(name, members[name], places[name], key, head)]


def _first(stratum: str, members: Iterable[str], number: int, key: bytes, head: str) -> list[Ranked]:
    ordered = sorted(members, key=lambda one: token(key, f"{head}|{one}"))
    return [Ranked(one, stratum, rank) for rank, one in enumerate(ordered[:number], 1)]


def start_of(key: bytes, head: str) -> int:
    """The random start of a systematic draw, in parts of SPAN: the token of `<head>|start` as a number."""
    return int(token(key, f"{head}|start"), 16)


def systematic(ordered: Sequence[str], size: int, start: int) -> list[str]:
    """Every N/n-th of an ordered list from a random start; the interval stays a fraction, so all are alike likely."""
    if not 0 < size <= len(ordered):
        raise ValueError("the size lies outside the population")
    return [ordered[(start + place * SPAN) * len(ordered) // (size * SPAN)] for place in range(size)]


def pps(sizes: Sequence[int], draws: int, start: int) -> list[int]:
    """Systematic draw with probability proportional to size: indexes in order, one a hit; large ones are hit again."""
    total, found, above, index = sum(sizes), [], 0, -1
    if draws < 1 or total < 1:
        raise ValueError("nothing to draw from")
    for place in range(draws):
        point = (start + place * SPAN) * total // (draws * SPAN)
        while above <= point:
            index += 1
            above += sizes[index]
        found.append(index)
    return found


def size_for(precision: float, population: int, *, share: float = 0.95, confidence: float = 0.95) -> int:
    """How many must be audited for an interval of ±`precision` around `share` (all from 0 to 1).

    n0 = z²p(1-p)/e², corrected for the finite population: n = n0 / (1 + (n0 - 1) / N), rounded up (Cochran 1977, 4.2).
    """
    if population < 1:
        return 0
    first = normal_quantile(confidence) ** 2 * share * (1 - share) / precision**2
    return max(1, min(population, ceil(first / (1 + (first - 1) / population) - 1e-9)))


def size_to_tell(higher: float, lower: float, *, confidence: float = 0.95, power: float = 0.8) -> int:
    """Audits that each of two units needs so that two rates are told apart (Cohen 1988, arcsine; to the nearest)."""
    effect = 2 * asin(sqrt(higher)) - 2 * asin(sqrt(lower))
    if not effect:
        raise ValueError("equal rates cannot be told apart")
    return round(2 * ((normal_quantile(confidence) + NormalDist().inv_cdf(power)) / effect) ** 2)


def normal_quantile(confidence: float) -> float:
    """z of a two-sided interval: 1.96 for 95 %."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
