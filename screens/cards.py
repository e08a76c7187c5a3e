"""Cards of the home page: what waits for a person, as a number that opens its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models import Staff

TONES = ("calm", "care", "alarm")


@dataclass(frozen=True)
class Line:
    """One line of a card: text, its address, and a small word beside it (a date, a state)."""

    text: Any
    link: str = ""
    beside: Any = ""


@dataclass(frozen=True)
class Card:
    """One card: a number with its word, opened by `link`; `tone` is calm, care or alarm; up to five lines below."""

    title: Any
    number: int
    link: str
    tone: str = "calm"
    note: Any = ""
    lines: Sequence[Line] = ()


Source = Callable[[Session, Staff], Card | None]
