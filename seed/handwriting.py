"""A hand that fills in forms: ticks, digits, Chinese and scrawls, drawn on the picture of a printed page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from PIL import ImageDraw, ImageFont

BASE_DPI = 300
BASE = BASE_DPI / 25.4  # pixels a millimetre
DIGITS = {
    "0": [(0.5, 0), (0.1, 0.3), (0.1, 0.7), (0.5, 1), (0.9, 0.7), (0.9, 0.3), (0.5, 0)],
    "1": [(0.3, 0.2), (0.55, 0), (0.5, 1)],
    "2": [(0.1, 0.25), (0.5, 0), (0.9, 0.3), (0.1, 1), (0.9, 0.95)],
    "3": [(0.1, 0.05), (0.85, 0.05), (0.4, 0.45), (0.9, 0.7), (0.5, 1), (0.1, 0.85)],
    "4": [(0.6, 0), (0.1, 0.65), (0.95, 0.65), (0.7, 0.35), (0.68, 1)],
    "5": [(0.9, 0), (0.2, 0.02), (0.15, 0.45), (0.7, 0.45), (0.85, 0.75), (0.5, 1), (0.1, 0.9)],
    "6": [(0.8, 0), (0.2, 0.45), (0.15, 0.85), (0.5, 1), (0.85, 0.75), (0.5, 0.5), (0.2, 0.7)],
    "7": [(0.1, 0.05), (0.9, 0.05), (0.4, 1)],
    "8": [
        (0.5, 0.45),
        (0.15, 0.2),
        (0.5, 0),
        (0.85, 0.2),
        (0.5, 0.45),
        (0.1, 0.75),
        (0.5, 1),
        (0.9, 0.75),
        (0.5, 0.45),
    ],
    "9": [(0.85, 0.3), (0.5, 0.5), (0.15, 0.25), (0.5, 0), (0.85, 0.3), (0.75, 1)],
}


Box = Mapping[str, Any]


class Pen:
    """One person's hand."""

    def __init__(self, draw: ImageDraw.ImageDraw, dice: Random, *, ink: int, width: float) -> None:
        self._draw, self._dice, self._ink, self._width = draw, dice, ink, width

    def mark(self, box: Box, how: str) -> None:
        x, y, size = box["x"] + self._dice.gauss(0, 0.3), box["y"] + self._dice.gauss(0, 0.3), box["w"]
        if how == "fill":
            return self._fill(x, y, size)
        for points in _STROKES[how]:
            self._line([(x + px * size + self._off(), y + py * size + self._off()) for px, py in points])

    def write(self, box: Box, text: str) -> None:
        if box["kind"] == "comb":
            cells = round(box["w"] / 6)
            digits = [one for one in text if one in DIGITS] or [
                self._dice.choice("0123456789") for _ in range(cells)
            ]
            for at, digit in enumerate(digits[:cells]):
                self._digit(box["x"] + 6 * at + 1.5, box["y"] + 1.5, digit)
        elif text:
            self._text(box, text)
        else:
            self.scrawl(box, letters=self._dice.randint(2, 5))

    def scrawl(self, box: Box, *, letters: int) -> None:
        """Strokes that look like writing from afar."""
        room = min(box["w"] - 3, letters * 8)
        x = box["x"] + 1 + self._dice.random() * max(0.0, box["w"] - room - 3)
        for at in range(letters):
            left, wide = x + at * room / letters, room / letters * 0.8
            for _stroke in range(self._dice.randint(3, 6)):
                points = [
                    (left + self._dice.random() * wide, box["y"] + 1.4 + self._dice.random() * 5)
                    for _ in range(3)
                ]
                self._line(points)

    def _digit(self, x: float, y: float, digit: str) -> None:
        self._line([(x + px * 3 + self._off(), y + py * 4.6 + self._off()) for px, py in DIGITS[digit]])

    def _text(self, box: Box, text: str) -> None:
        size = min(5.2, (box["w"] - 3) / max(len(text), 1))
        font = _hand(round(size * BASE))
        at = ((box["x"] + 1.5) * BASE, (box["y"] + 7 - size) * BASE - size * BASE * 0.2)
        self._draw.text(at, text, fill=self._ink, font=font)

    def _fill(self, x: float, y: float, size: float) -> None:
        for at in range(14):
            level = y + 0.2 + at * (size - 0.4) / 13
            self._line([(x + 0.2 + self._off(), level), (x + size - 0.2 + self._off(), level + 0.2)])

    def _off(self) -> float:
        return self._dice.gauss(0, 0.12)

    def _line(self, points: Sequence[tuple[float, float]]) -> None:
        pixels = [(x * BASE, y * BASE) for x, y in points]
        self._draw.line(pixels, fill=self._ink, width=max(2, round(self._width * BASE)), joint="curve")


_STROKES = {
    "tick": [[(0.15, 0.5), (0.4, 0.85), (1.1, -0.1)]],
    "cross": [[(0.1, 0.1), (0.9, 0.9)], [(0.9, 0.1), (0.1, 0.9)]],
    "dash": [[(0.1, 0.5), (0.9, 0.45)]],
    "scribble": [[(0.1, 0.3), (0.9, 0.2), (0.1, 0.5), (0.9, 0.5), (0.2, 0.8), (0.8, 0.8)]],
}


def _hand(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The most handwritten Chinese face of this machine; its default face where it has none."""
    found = next((path for path in _FACES if Path(path).exists()), None)
    return ImageFont.truetype(found, size) if found else ImageFont.load_default(size)


_FACES = (
    "/usr/share/fonts/truetype/arphic-gkai00mp/gkai00mp.ttf",
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
)
