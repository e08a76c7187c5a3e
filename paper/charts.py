"""Charts drawn as SVG: told apart by hatching, dashes and marks, never by colour; each stands beside its table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 1560  # tenths of a millimetre: the type area
TEXT = 30
BAR, PITCH, LEFT, RIGHT = 34, 56, 360, 170
TOP, FOOT = 30, 92
PLOT = 420
LABELS = 300
STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
DASHES = ("", "26 12", "4 10", "30 10 4 10")
INK, PAPER = "#000", "#fff"


@dataclass(frozen=True)
class Bar:
    """One bar: its name, its share (0 to 1), and the share that it should reach."""

    label: str
    value: float
    target: float | None = None

    @property
    def falls_short(self) -> bool:
        """Whether the bar is hatched."""
        return self.target is not None and self.value < self.target


@dataclass(frozen=True)
class Series:
    """One line: its name and its shares (0 to 1), one a month; a month without one breaks it."""

    label: str
    values: tuple[float | None, ...]


def bars(entries: Sequence[Bar], *, font: str = "") -> Markup:
    """Lying bars from 0 to 100 %: grey where the target is reached, hatched where not; a stroke marks the target."""
    body = "".join(_bar(entry, 8 + at * PITCH) for at, entry in enumerate(entries))
    told = "；".join(f"{entry.label} {_percent(entry.value)}" for entry in entries)
    return _drawing(len(entries) * PITCH + 12, body, told, font=font)


def lines(periods: Sequence[str], entries: Sequence[Series], *, font: str = "") -> Markup:
    """Lines over the months, each with its own dash and mark and its name at its end."""
    scale = _scale([value for entry in entries for value in entry.values if value is not None])
    across = (WIDTH - LABELS - 120) / max(1, len(periods) - 1)
    places = [110 + at * across for at in range(len(periods))]
    parts = [*_grid(scale), *_months(periods, places)]
    ends = _apart([_height(_last(entry), scale) for entry in entries])
    for at, entry in enumerate(entries):
        parts += [*_line(entry, at, places, scale), _ending(entry, at, ends[at])]
    told = "；".join(f"{entry.label} {_percent(_last(entry))}" for entry in entries)
    return _drawing(TOP + PLOT + FOOT, "".join(parts), told, font=font)


def _drawing(height: int, body: str, told: str, *, font: str) -> Markup:
    family = f' font-family="{escape(font)}"' if font else ""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {WIDTH} {height}" role="img"'
    return Markup(f'{head} aria-label="{escape(told)}" font-size="{TEXT}"{family}>{body}</svg>')  # noqa: S704 escaped


def _bar(entry: Bar, top: int) -> str:
    length = max(0.0, min(1.0, entry.value)) * (WIDTH - LEFT - RIGHT)
    fill = PAPER if entry.falls_short else "#9a9a9a"
    drawn = f'height="{BAR}" fill="{fill}" stroke="{INK}" stroke-width="2"'
    box = f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" {drawn}/>'
    hatch = _hatch(LEFT, top, length) if entry.falls_short else ""
    size = min(TEXT, (LEFT - 20) / max(1, len(entry.label)))  # a long name is set smaller, never cut
    name = _text(LEFT - 14, top + 28, entry.label, anchor="end", size=size)
    return (
        box
        + hatch
        + _target(entry, top)
        + name
        + _text(WIDTH - 8, top + 28, _percent(entry.value), anchor="end")
    )


def _target(entry: Bar, top: int) -> str:
    if entry.target is None:
        return ""
    x = LEFT + entry.target * (WIDTH - LEFT - RIGHT)
    return _stroke((x, top - 7), (x, top + BAR + 7), width=6)


def _hatch(left: float, top: float, length: float) -> str:
    """Strokes at 45° that end where the bar ends."""
    found = []
    at = 14.0
    while at < length + BAR:
        begin, end = max(0.0, at - BAR), min(at, length)
        found.append(f"M{left + begin:.1f} {top + at - begin:.1f}L{left + end:.1f} {top + at - end:.1f}")
        at += 14
    return f'<path d="{"".join(found)}" stroke="{INK}" stroke-width="2.5" fill="none"/>' if found else ""


@dataclass(frozen=True)
class Scale:
    """The lowest and highest share that is drawn, and the distance of the lines behind."""

    low: float
    high: float
    step: float


def _scale(values: Sequence[float]) -> Scale:
    low, high = min(values, default=0.0), max(values, default=1.0)
    step = next((one for one in STEPS if (high - low) / one <= 4), STEPS[-1])
    bottom = max(0.0, math.floor(low / step + 1e-9) * step)
    top = min(1.0, math.ceil(high / step - 1e-9) * step)
    return Scale(bottom, top if top > bottom else bottom + step, step)


def _height(value: float | None, scale: Scale) -> float:
    share = ((value or scale.low) - scale.low) / (scale.high - scale.low)
    return TOP + PLOT * (1 - share)


def _grid(scale: Scale) -> Iterator[str]:
    for at in range(round((scale.high - scale.low) / scale.step) + 1):
        value = scale.low + at * scale.step
        y = _height(value, scale)
        yield f'<path d="M110 {y:.1f}H{WIDTH - LABELS}" stroke="#b0b0b0" stroke-width="1.5" fill="none"/>'
        yield _text(98, y + 10, f"{value * 100:.1f}%", anchor="end")


def _months(periods: Sequence[str], places: Sequence[float]) -> Iterator[str]:
    for at, (period, x) in enumerate(zip(periods, places, strict=True)):
        if at == 0 or period.endswith("-01"):
            yield _text(x, TOP + PLOT + 84, f"{period[:4]}年", anchor="middle")
        yield _text(x, TOP + PLOT + 48, f"{int(period[5:])}月", anchor="middle")


def _line(entry: Series, at: int, places: Sequence[float], scale: Scale) -> Iterator[str]:
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, value in zip(places, entry.values, strict=True):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((x, _height(value, scale)))
    dash = f' stroke-dasharray="{DASHES[at % 4]}"' if DASHES[at % 4] else ""
    for piece in pieces:
        spots = " ".join(f"{x:.1f},{y:.1f}" for x, y in piece)
        if len(piece) > 1:
            yield f'<polyline points="{spots}" fill="none" stroke="{INK}" stroke-width="4"{dash}/>'
        yield from (_mark(at, x, y) for x, y in piece)


def _mark(at: int, x: float, y: float) -> str:
    """Disc, square, triangle, lozenge: one a line."""
    drawn = f'fill="{INK if at % 2 == 0 else PAPER}" stroke="{INK}" stroke-width="3"'
    if at % 4 == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" {drawn}/>'
    outlines = {
        1: ((-8, -8), (8, -8), (8, 8), (-8, 8)),
        2: ((0, -11), (10, 8), (-10, 8)),
        3: ((0, -12), (10, 0), (0, 12), (-10, 0)),
    }
    spots = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in outlines[at % 4])
    return f'<polygon points="{spots}" {drawn}/>'


def _ending(entry: Series, at: int, y: float) -> str:
    x = WIDTH - LABELS + 30
    return _mark(at, x, y) + _text(x + 20, y + 10, f"{entry.label} {_percent(_last(entry))}")


def _apart(heights: Sequence[float]) -> list[float]:
    """Places for the names at the ends of lines, none upon another."""
    placed, last = [0.0] * len(heights), -1e9
    for at in sorted(range(len(heights)), key=lambda one: heights[one]):
        last = placed[at] = max(heights[at], last + TEXT + 8)
    over = max(0.0, last - (TOP + PLOT + 10))
    return [y - over for y in placed]


def _last(entry: Series) -> float | None:
    return next((value for value in reversed(entry.values) if value is not None), None)


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value * 100:.2f}%"


def _stroke(begin: tuple[float, float], end: tuple[float, float], *, width: int) -> str:
    path = f"M{begin[0]:.1f} {begin[1]:.1f}L{end[0]:.1f} {end[1]:.1f}"
    return f'<path d="{path}" stroke="{INK}" stroke-width="{width}" fill="none"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: float = TEXT) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:.1f}">{escape(text)}</text>'
    )
