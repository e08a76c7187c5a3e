"""How numbers and dates are written on paper: one way for every document."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from models.words import INTERVALS

NOTHING = "—"


@dataclass(frozen=True)
class Rate:
    """A share with both its numbers; when it was sampled low and high bound the weighted estimate, by `method`."""

    numerator: int
    denominator: int
    low: float | None = None
    high: float | None = None
    estimate: float | None = None
    method: str = ""

    @property
    def value(self) -> float | None:
        if not self.denominator:
            return None
        return self.numerator / self.denominator if self.estimate is None else self.estimate


@dataclass(frozen=True)
class Fingerprint:
    """What lets a sheet be checked against the system: run, time of the data, sha256 and trace anchor."""

    run: str
    taken_at: dt.datetime
    digest: str
    anchor: str = ""


def percent(share: float | None) -> str:
    """98.40%; an em dash where there is nothing to divide by."""
    return NOTHING if share is None else f"{share * 100:.2f}%"


def rate(figure: Rate | None) -> str:
    return percent(figure.value) if figure else NOTHING


def fraction(figure: Rate | None) -> str:
    """1230/1250, the two numbers behind a rate."""
    return f"{figure.numerator}/{figure.denominator}" if figure else NOTHING


def interval(figure: Rate | None) -> str:
    """93.1～97.8: the bounds of a sampled rate in per cent."""
    if figure is None or figure.low is None or figure.high is None:
        return NOTHING
    return f"{figure.low * 100:.1f}～{figure.high * 100:.1f}"


def interval_told(figure: Rate | None) -> str:
    """93.1～97.8（威尔逊）: the bounds with the name of their method, for running text."""
    bounds = interval(figure)
    name = INTERVALS.get(figure.method, "") if figure else ""
    return f"{bounds}（{name}）" if name and bounds != NOTHING else bounds


def interval_note(found: Iterable[Rate | None]) -> str:
    """What must be said once under a table of sampled rates; nothing where none was sampled."""
    names = dict.fromkeys(INTERVALS[one.method] for one in found if one and one.method in INTERVALS)
    if not names:
        return ""
    return f"准确率按各层权数加权估计，旁列准确项和核查项；95%区间的算法：{'、'.join(names)}。"


def points(difference: float | None) -> str:
    """The difference of two rates in 百分点 (never in per cent), with its sign."""
    if difference is None:
        return NOTHING
    text = f"{abs(difference) * 100:.2f}"
    return text if float(text) == 0 else f"{'+' if difference > 0 else '−'}{text}"


def count(number: int | None) -> str:
    return NOTHING if number is None else str(number)


def score(number: float | Decimal | None) -> str:
    """Two decimals; a loss has a real minus sign."""
    return NOTHING if number is None else f"{number:.2f}".replace("-", "−")


def signed_score(number: float | Decimal | None) -> str:
    """+2.00, −1.50: points given or taken."""
    if number is None:
        return NOTHING
    return f"{'−' if number < 0 else '+' if number > 0 else ''}{abs(number):.2f}"


def rank(number: int | None, *, tied: bool = False) -> str:
    if number is None:
        return NOTHING
    return f"并列{number}" if tied else str(number)


def move(places: int | None) -> str:
    """↑2, ↓1, — : how many ranks up or down since last time."""
    if not places:
        return NOTHING
    return f"{'↑' if places > 0 else '↓'}{abs(places)}"


def long_date(day: dt.date | None) -> str:
    """2026年11月21日, as it stands in running text."""
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


def short_date(day: dt.date | None) -> str:
    """2026-11-21, as it stands in tables."""
    return day.strftime("%Y-%m-%d") if day else ""


def cutoff(day: dt.date) -> str:
    return f"截至{day.month}月{day.day}日24时"


def as_of(moment: dt.datetime) -> str:
    """截至11月21日18时; minutes only where they are not nought."""
    minutes = f"{moment.minute}分" if moment.minute else ""
    return f"截至{moment.month}月{moment.day}日{moment.hour}时{minutes}"


def month(period: str) -> str:
    """2026年11月 for the period `2026-11`; anything else stays as it is."""
    year, dash, number = period.partition("-")
    return f"{year}年{int(number)}月" if dash and number.isdigit() else period
