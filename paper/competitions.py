"""The A3 board of a competition (排行榜)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from paper.figures import Fingerprint, Rate
from paper.letterheads import Letterhead
from paper.lines import fitting_size
from paper.merging import About
from paper.pages import compose, printable
from paper.proofs import Expected
from paper.single import single

PERSONS = 20
TITLE_WIDTH, PERSON_UNIT = 260.0, 44.0  # mm
NAME_WIDTHS = {1: 190.0, 2: 70.0}  # mm, by divisions side by side


@dataclass(frozen=True)
class BoardUnit:
    """One unit's line; move: ranks gained (+) or lost (-); confirmed: confirmed items over customers."""

    rank: int
    name: str
    score: float
    tied: bool = False
    move: int | None = None
    completeness: Rate | None = None
    accuracy: Rate | None = None
    confirmed: Rate | None = None
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


def board(facts: Board, letterhead: Letterhead) -> bytes:
    """The board for the wall: A3 upright, divisions side by side, then the best persons."""
    best = max((line.score for division in facts.divisions for line in division.units), default=0.0)
    html = compose(
        "board.html",
        letterhead,
        title=facts.title,
        board=facts,
        persons=facts.persons[:PERSONS],
        title_size=fitting_size(facts.title, TITLE_WIDTH, largest=48, smallest=16, face="xiaobiaosong"),
        share=lambda score: max(0.0, min(100.0, 100 * score / best)) if best > 0 else 0.0,
        name_size=lambda name, columns: fitting_size(name, NAME_WIDTHS[columns], largest=24, smallest=9),
        tall=any(line.accuracy for division in facts.divisions for line in division.units),
        unit_size=lambda name: fitting_size(name, PERSON_UNIT, largest=13, smallest=7, face="fangsong"),
    )
    texts = [("标题", printable(facts.title)), *_names(facts)]
    expected = Expected(facts.title, 0, texts)
    return single(html, About(facts.title, facts.as_of.date()), letterhead=letterhead, expected=[expected])


def _names(facts: Board) -> list[tuple[str, str]]:
    """The first unit of each division that the first page holds."""
    return [("单位", printable(division.units[0].name)) for division in facts.divisions[:2] if division.units]
