"""The glyphs of a print run: one subset of each font, and each text as the operators that draw it.

A character whose look depends on nothing around it is looked up; a line with any other (right to left, joined or
combining, pictures) is set as a whole by the layout engine, once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from paper.pages import GETA

# Latin, Greek, Cyrillic, signs and punctuation, Han and kana without marks that combine, full width, later Han
_SIMPLE = (
    "\x20-\x7e\xa0-\xac\xae-\u02af\u0370-\u0482\u048a-\u052f\u1e00-\u1fff\u2010-\u2013\u2016-\u2027\u2030-\u205e\u20a0-\u20bf"
    "\u2100-\u25ff\u2e80-\u3029\u3030-\u3096\u309b-\u33ff\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffee"
    "\U00020000-\U0003ffff"
)
_ESCAPED = {ord(one): "\\" + one for one in "()\\"} | {ord("\r"): "\\r"}
_JOINED = re.compile(f"[^{_SIMPLE}]")


@dataclass
class Wanted:
    """What a run sets in one face: single characters, and lines that are set as a whole."""

    characters: set[str] = field(default_factory=set)
    lines: set[str] = field(default_factory=set)

    def add(self, lines: Iterable[str]) -> None:
        """Take lines of a value."""
        for line in lines:
            if line.isascii() or not _JOINED.search(line):
                self.characters.update(line)
            else:
                self.lines.add(line)

    def told(self) -> dict[str, Any]:
        """As the layout is asked for it, always in the same order."""
        return {"characters": "".join(sorted(self.characters | {GETA})), "lines": sorted(self.lines)}


@dataclass(frozen=True)
class SetLine:
    """A line set as a whole: operators for a text matrix of 1/`size`, width in em, ascent and descent in em."""

    drawn: str
    size: float
    width: float
    extents: tuple[float, float]


class Face:
    """The glyphs of one face: `font` is its own, others stand in where it lacks a character."""

    def __init__(self, told: Mapping[str, Any], fonts: Mapping[str, Any]) -> None:
        glyphs: dict[str, tuple[str, int, float]] = {
            one: tuple(glyph) for one, glyph in told["glyphs"].items()
        }
        uses = Counter(font for font, _glyph, _width in glyphs.values())
        self.font = glyphs[GETA][0] if len(uses) < 2 else uses.most_common(1)[0][0]
        self.extents: dict[str, tuple[float, float]] = {font: (one[0], one[1]) for font, one in fonts.items()}
        self.table = _Table({ord(one): self._bytes(*glyph) for one, glyph in glyphs.items()}, ord(GETA))
        self.widths = _Widths({one: glyph[2] for one, glyph in glyphs.items()}, GETA)
        self.mixed = len(uses) > 1 or bool(told["lines"])
        self.fonts = {one: glyph[0] for one, glyph in glyphs.items()}
        self.lines = {
            text: SetLine(
                line["drawn"], line["size"], line["width"], (line["extents"][0], line["extents"][1])
            )
            for text, line in told["lines"].items()
        }

    def shift(self, fonts: Iterable[str]) -> float:
        """How far below its line's middle a baseline lies where these fonts stand together, in em."""
        found = [self.extents[font] for font in fonts if font in self.extents]
        return (max(one[0] for one in found) - max(one[1] for one in found)) / 2

    def _bytes(self, font: str, glyph: int, _width: float) -> str:
        number = "".join(_ESCAPED.get(one, chr(one)) for one in divmod(glyph, 256))
        return number if font == self.font else f")Tj/{font} 1 Tf({number})Tj/{self.font} 1 Tf("


class _Table(dict[int, str]):
    """Character -> the two bytes of its glyph in a PDF string; what no font has is 〓."""

    def __init__(self, glyphs: dict[int, str], other: int) -> None:
        super().__init__(glyphs)
        self._other = glyphs[other]

    def __missing__(self, _code: int) -> str:
        return self._other


class _Widths(dict[str, float]):
    def __init__(self, widths: dict[str, float], other: str) -> None:
        super().__init__(widths)
        self._other = widths[other]

    def __missing__(self, _one: str) -> float:
        return self._other
