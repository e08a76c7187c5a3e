"""The A3 board of a competition (排行榜)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from paper.figures import Fingerprint, Rate


@dataclass(frozen=True)
class BoardUnit:
    """One unit's line; move is ranks gained (+) or lost (-) since the last board."""

    rank: int
    name: str
    score: float
    tied: bool = False
    move: int | None = None
    completeness: Rate | None = None
    accuracy: Rate | None = None
    confirmed_this_week: int | None = None


@dataclass(frozen=True)
class BoardPerson:
    rank: int
    name: str
    unit: str
    score: float
    tied: bool = False
    move: int | None = None


@dataclass(frozen=True)
class Division:
    name: str
    units: tuple[BoardUnit, ...]


@dataclass(frozen=True)
class Board:
    """No personal data of customers stands on a board."""

    title: str
    period: str
    as_of: dt.datetime
    divisions: tuple[Division, ...]
    persons: tuple[BoardPerson, ...] = ()
    rule: str = ""
    small_units: str = ""
    frozen: bool = False
    fingerprint: Fingerprint | None = None
    copy: int = 1
