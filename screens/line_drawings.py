"""A line of rates over the months, drawn in the page: no script, printable, with the numbers in the table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, EDGE = 120.0, 28.0, 3.0


@dataclass(frozen=True)
class Dot:
    """One month of the line: where it lies, and its rate."""

    x: float
    y: float
    period: str
    rate: float


@dataclass(frozen=True)
class Drawing:
    """The dots of a line, and its pieces: a month without a rate breaks it."""

    dots: Sequence[Dot]
    lines: Sequence[str]


def drawing(periods: Sequence[str], rates: Sequence[float | None]) -> Drawing | None:
    """The line of some months, stretched between its lowest and highest rate; None below two months."""
    known = [rate for rate in rates if rate is not None]
    if len(known) < 2:
        return None
    low, high = min(known), max(known)
    step = (WIDTH - 2 * EDGE) / (len(rates) - 1)
    dots, lines, piece = [], [], []
    for at, (period, rate) in enumerate(zip(periods, rates, strict=True)):
        if rate is None:
            lines, piece = [*lines, piece], []
            continue
        share = (rate - low) / (high - low) if high > low else 0.5
        dot = Dot(EDGE + at * step, HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE), period, rate)
        dots.append(dot)
        piece = [*piece, f"{dot.x:.1f},{dot.y:.1f}"]
    return Drawing(dots, [" ".join(one) for one in (*lines, piece) if len(one) > 1])
