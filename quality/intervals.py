"""Intervals of rates: Wilson, Clopper-Pearson, exact for small units, and weighted estimates of stratified samples.

Closed forms and bisection over exact tails, so that nothing heavy is imported; the tests hold them against scipy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import exp, lgamma, log, log1p, sqrt

from quality.sampling import normal_quantile

STEPS = 60
ROUNDING = 1e-12
TERMS, NEAR, TINY = 20_000, 1e-15, 1e-300  # of the continued fraction of the incomplete beta function
SMALL_UNIT = 0.05  # share of a unit that was drawn, from which the finite population is taken into account


@dataclass(frozen=True)
class Interval:
    """Where a rate lies with the given confidence, both ends from 0 to 1; `method` names how it was found."""

    low: float
    high: float
    method: str = field(default="", compare=False)


@dataclass(frozen=True)
class Cluster:
    """What was found at one account (or meter book): items found right of items audited, and whom it stands for."""

    stratum: str
    weight: float
    right: int
    audited: int


@dataclass(frozen=True)
class Estimate:
    """A weighted rate with its interval, and how many independent findings the sample is worth."""

    rate: float
    interval: Interval
    effective: float


def wilson(right: float, number: float, *, confidence: float = 0.95) -> Interval:
    """The score interval of Wilson 1927; never leaves 0 to 1 and never has no width."""
    _check(right, number)
    z = normal_quantile(confidence)
    share, square = right / number, z * z / number
    middle = (share + square / 2) / (1 + square)
    half = z * sqrt(share * (1 - share) / number + square / (4 * number)) / (1 + square)
    low, high = (0.0 if right == 0 else middle - half), (1.0 if right == number else middle + half)
    return Interval(max(0.0, low), min(1.0, high), "wilson")


def clopper_pearson(right: float, number: float, *, confidence: float = 0.95) -> Interval:
    """The exact interval of Clopper and Pearson 1934: both binomial tails at half the error.

    Numbers need not be whole: with the effective number of a design it is that of Korn and Graubard 1998.
    """
    _check(right, number)
    error = (1 - confidence) / 2
    low = _share_with_tail(right, number, error) if right else 0.0
    high = 1 - _share_with_tail(number - right, number, error) if right < number else 1.0
    return Interval(low, high, "exact")


def hypergeometric(right: int, number: int, population: int, *, confidence: float = 0.95) -> Interval:
    """The exact interval of a share of a small population, by inversion of both tails (Buonaccorsi 1987).

    All who would not make the finding too unlikely: at least `right`, or at most `right`, each at least half the error.
    """
    _check(right, number)
    if number > population:
        raise ValueError("more were audited than there are")
    error, most = (1 - confidence) / 2 - ROUNDING, population - (number - right)
    tail = _Tail(number, population)
    low = _first(right, most, lambda good: tail.at_least(right, good) >= error)
    fewest = _first(
        number - right, population - right, lambda bad: tail.at_least(number - right, bad) > error
    )
    return Interval(low / population, (population - fewest) / population, "hypergeometric")


METHODS: dict[str, Callable[[float, float], Interval]] = {"wilson": wilson, "exact": clopper_pearson}


def of_unit(right: int, number: int, population: int, *, method: str = "wilson") -> Interval:
    """The interval of one unit by accounts: hypergeometric where the sample is a good share of the unit, else as
    chosen."""
    if population and number <= population and number / population >= SMALL_UNIT:
        return hypergeometric(right, number, population)
    return METHODS[method](right, number)


def weighted(
    clusters: Sequence[Cluster], drawn: dict[str, tuple[int, int]], *, method: str = "wilson"
) -> Estimate | None:
    """The rate of right items, each cluster counted for those it stands for; None where nothing was audited.

    Ratio estimator p = Σ w r / Σ w a over strata; variance by linearisation (Cochran 1977, 6.5 and 5A.; strata with one
    cluster take the spread of all); interval: that of `method` with the effective number p(1-p)/v (Franco, Little,
    Louis, Slud 2019). `drawn` gives each stratum's clusters drawn and clusters there are.
    """
    kept = [one for one in clusters if one.audited]
    total = sum(one.weight * one.audited for one in kept)
    if not total:
        return None
    rate = min(1.0, sum(one.weight * one.right for one in kept) / total)
    if len(kept) == len(clusters) and all(number >= population for number, population in drawn.values()):
        return Estimate(rate, Interval(rate, rate, "census"), float(sum(one.audited for one in kept)))
    spread = _variance(clusters, drawn, rate) / total**2
    items = float(sum(one.audited for one in kept))
    effective = min(items, rate * (1 - rate) / spread) if spread > 0 and 0 < rate < 1 else float(len(kept))
    return Estimate(rate, METHODS[method](rate * effective, effective), effective)


def _variance(clusters: Sequence[Cluster], drawn: dict[str, tuple[int, int]], rate: float) -> float:
    """Of Σ w (r - p a): within strata, each with its finite population correction."""
    scores: dict[str, list[float]] = defaultdict(list)
    for one in clusters:
        scores[one.stratum].append(one.weight * (one.right - rate * one.audited))
    every = _spread([score for found in scores.values() for score in found])
    found = 0.0
    for stratum, values in scores.items():
        number, population = drawn[stratum]
        within = _spread(values) if len(values) > 1 else every
        found += max(0.0, 1 - number / population) * len(values) * within
    return found


def _spread(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _check(right: float, number: float) -> None:
    if not 0 <= right <= number or number <= 0:
        raise ValueError("found right must lie between nothing and the number audited")


def _share_with_tail(right: float, number: float, error: float) -> float:
    """The share of a binomial for which P(X >= right) is just the error: P is the incomplete beta function."""
    low, high = 0.0, 1.0
    for _step in range(STEPS):
        share = (low + high) / 2
        tail = _beta(share, right, number - right + 1)
        low, high = (low, share) if tail > error else (share, high)
    return (low + high) / 2


def _beta(share: float, a: float, b: float) -> float:
    """The regularised incomplete beta function (Abramowitz and Stegun 26.5.8), from the side that converges sooner."""
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(share) + b * log1p(-share))
    if share < (a + 1) / (a + b + 2):
        return front * _fraction(share, a, b) / a
    return 1 - front * _fraction(1 - share, b, a) / b


def _fraction(share: float, a: float, b: float) -> float:
    """Its continued fraction, term by term after Lentz."""
    above, below = 1.0, _safe(1 - (a + b) * share / (a + 1))
    below = 1 / below
    found = below
    for m in range(1, TERMS):
        even = m * (b - m) * share / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * share / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            below, above = 1 / _safe(1 + term * below), _safe(1 + term / above)
            found *= above * below
        if abs(above * below - 1) < NEAR:
            break
    return found


def _safe(number: float) -> float:
    return number if abs(number) > TINY else TINY


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The first number from `low` for which something holds that holds for all after it, `high` among them."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def log_choose(number: int, chosen: int) -> float:
    """The logarithm of how many ways there are to choose."""
    return lgamma(number + 1) - lgamma(chosen + 1) - lgamma(number - chosen + 1)


@dataclass(frozen=True)
class _Tail:
    """P(X >= k) when `number` are drawn from `population`, of whom `good` are good."""

    number: int
    population: int

    def at_least(self, right: int, good: int) -> float:
        top, bad = min(self.number, good), self.population - good
        whole = log_choose(self.population, self.number)
        ways = range(max(right, self.number - bad), top + 1)
        return _sum(log_choose(good, k) + log_choose(bad, self.number - k) - whole for k in ways)


def _sum(logarithms: Iterable[float]) -> float:
    return min(1.0, sum(exp(one) for one in logarithms))
