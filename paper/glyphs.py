"""The glyphs of a print run: one subset of each font, in which a text is written as its UTF-16 code units.

A character whose look depends on nothing around it is plain: its text needs no setting. A line with any other (right
to left, joined or combining, pictures) is set as a whole by the layout engine, once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from paper.fonts import first_widths, strangers
from paper.pages import GETA
from paper.pdf import PaperError

# Latin, Greek, Cyrillic, signs and punctuation, Han and kana without marks that combine, full width, later Han
_SIMPLE = (
    "\x20-\x7e\xa0-\xac\xae-\u02af\u0370-\u0482\u048a-\u052f\u1e00-\u1fff\u2010-\u2013\u2016-\u2027\u2030-\u205e\u20a0-\u20bf"
    "\u2100-\u25ff\u2e80-\u3029\u3030-\u3096\u309b-\u33ff\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffee"
    "\U00020000-\U0003ffff"
)
_ESCAPED = {ord(one): "\\" + one for one in "()\\"} | {ord("\r"): "\\r"}
_JOINED = re.compile(f"[^{_SIMPLE}]")
_MANY = 100  # entries of one section of a CMap
_SYSTEM = b"/CIDSystemInfo<</Registry(Adobe)/Ordering(%b)/Supplement 0>>def/CMapName/%b def/CMapType %d def\n"


@lru_cache(maxsize=32)
def not_plain(families: tuple[str, ...], folder: str = "") -> re.Pattern[str]:
    """Finds what the first installed of some families does not show by a glyph of its own, in two bytes."""
    widths = first_widths(families, folder)
    return strangers(one for one in widths if one <= "\uffff" and not _JOINED.match(one))


@dataclass
class Wanted:
    """What a run sets in one face: plain characters, others that stand alone, and lines that are set as a whole."""

    plain: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    lines: set[str] = field(default_factory=set)

    def add(self, lines: Iterable[str]) -> None:
        """Take lines that are not all plain."""
        for line in lines:
            if _JOINED.search(line):
                self.lines.add(line)
            else:
                self.others.update(line)

    def update(self, more: Wanted) -> None:
        """Take what another part of the run wants too."""
        self.plain |= more.plain
        self.others |= more.others
        self.lines |= more.lines

    def told(self) -> dict[str, Any]:
        """As the layout is asked for it, always in the same order."""
        return {
            "characters": "".join(sorted(self.plain | self.others | {GETA})),
            "lines": sorted(self.lines),
        }


@dataclass(frozen=True)
class SetLine:
    """A line set as a whole: operators for a text matrix of 1/`size`, width in em, ascent and descent in em."""

    drawn: str
    size: float
    width: float
    extents: tuple[float, float]


class Face:
    """The glyphs of one face: `font` is its own, others stand in where it lacks a character."""

    def __init__(self, told: Mapping[str, Any], fonts: Mapping[str, Any], plain: Iterable[str]) -> None:
        glyphs: dict[str, tuple[str, int, float]] = {
            one: tuple(glyph) for one, glyph in told["glyphs"].items()
        }
        self.font = _own_font(glyphs, plain)
        self.extents: dict[str, tuple[float, float]] = {font: (one[0], one[1]) for font, one in fonts.items()}
        self.numbers = {
            ord(one): glyph
            for one, (font, glyph, _) in glyphs.items()
            if font == self.font and one <= "\uffff"
        }
        self.table = _Table({ord(one): self._bytes(*glyph) for one, glyph in glyphs.items()}, ord(GETA))
        self.widths = _Widths({one: glyph[2] for one, glyph in glyphs.items()}, GETA)
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

    def encoding(self) -> bytes:
        """The CMap from UTF-16 code units to the glyphs of the face's own font."""
        entries = [b"<%04x> %d" % entry for entry in sorted(self.numbers.items())]
        return _cmap(entries, "cid", _SYSTEM % (b"Identity", b"UTF16", 1))

    def to_unicode(self) -> bytes:
        """The CMap that says that the codes are the text."""
        entries = [b"<%04x> <%04x>" % (code, code) for code in sorted(self.numbers)]
        return _cmap(entries, "bf", _SYSTEM % (b"UCS", b"Adobe-Identity-UCS", 2))

    def _bytes(self, font: str, glyph: int, _width: float) -> str:
        number = "".join(_ESCAPED.get(one, chr(one)) for one in divmod(glyph, 256))
        return number if font == self.font else f")Tj/{font} 1 Tf({number})Tj/{self.font} 1 Tf("


def _own_font(glyphs: Mapping[str, tuple[str, int, float]], plain: Iterable[str]) -> str:
    """The font of all plain characters; what is written as their codes can stand in no other."""
    uses = Counter(glyphs[one][0] for one in plain)
    if len(uses) > 1:
        own = uses.most_common(1)[0][0]
        strange = "".join(sorted(one for one in plain if glyphs[one][0] != own))
        raise PaperError(f"“{strange[:20]}”在本机的字体里与其他字不是同一款，不能套印。请检查字体的安装。")
    return next(iter(uses), glyphs[GETA][0])


def _cmap(entries: list[bytes], kind: str, system: bytes) -> bytes:
    parts = [b"/CIDInit/ProcSet findresource begin 12 dict begin begincmap\n", system]
    parts.append(b"1 begincodespacerange <0000> <ffff> endcodespacerange\n")
    for start in range(0, len(entries), _MANY):
        section = entries[start : start + _MANY]
        name = kind.encode()
        parts.append(b"%d begin%bchar\n%b\nend%bchar\n" % (len(section), name, b"\n".join(section), name))
    parts.append(b"endcmap CMapName currentdict/CMap defineresource pop end end")
    return b"".join(parts)


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
