"""What belongs to one copy, as the short content of its pages: texts in their boxes, codes in their places.

A text of plain characters is written at once, as UTF-16 in a font that is encoded so. Any other is a form of its own,
drawn when the whole run is known (see `Drawing`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from paper.boxes import Box, fit
from paper.fonts import ems
from paper.glyphs import Face, SetLine, Wanted, not_plain
from paper.lines import SetText, Value
from paper.matrices import packed

BLACK = (0.0, 0.0, 0.0)
KNOWN = 500  # values of a box that are kept ready: what many copies share comes early
_SPECIAL = b"\\()\r"
_ESCAPED = ((b"\\", b"\\\\"), (b"(", b"\\("), (b")", b"\\)"), (b"\r", b"\\r"))


def tag(*parts: object) -> str:
    """A short name in a file that follows from what it names alone, whoever gives it."""
    return hashlib.blake2s(repr(parts).encode(), digest_size=6).hexdigest()


def font_name(face: str) -> str:
    """The name of the font in which plain texts of a face are written."""
    return f"T{tag(face)}"


@dataclass(frozen=True)
class Look:
    """What pages of a kind share: the form drawn under them, their height in points, the folder of own fonts."""

    form: str
    height: float
    folder: str = ""


@dataclass(frozen=True)
class Drawing:
    """A set text with characters that are not plain, on its page."""

    box: Box
    height: float
    lines: tuple[str, ...]
    size: float

    def content(self, face: Face) -> bytes:
        """The operators that draw it, in the fonts of the laid-out file."""
        whole = [face.lines.get(line, line) for line in self.lines]
        rises = [_rise(line, self.box, face) for line in whole]
        heights = baselines(self.box, self.height, rises, size=self.size)
        colour = "{:g} {:g} {:g} rg".format(*self.box.colour)
        parts = [colour, "BT", f"/{face.font} 1 Tf"]
        for line, y in zip(whole, heights, strict=True):
            width = line.width if isinstance(line, SetLine) else sum(map(face.widths.__getitem__, line))
            x = left_edge(self.box, width * self.size)
            if isinstance(line, SetLine):
                parts.append(f"{_matrix(self.size / line.size, x, y)} {line.drawn}/{face.font} 1 Tf")
            else:
                shown = f"({line.translate(face.table)})Tj"
                parts.append(_matrix(self.size, x, y) + shown.replace("()Tj", ""))
        return " ".join([*parts, "ET"]).encode("latin-1")


@dataclass
class Needs:
    """What pages need besides their own content: glyphs by face, and drawings by name."""

    faces: dict[str, Wanted] = field(default_factory=dict)
    drawings: dict[str, Drawing] = field(default_factory=dict)

    def face(self, key: str) -> Wanted:
        return self.faces.setdefault(key, Wanted())

    def taken(self) -> Needs:
        """What was needed since the last time."""
        taken = Needs(dict(self.faces), dict(self.drawings))
        self.faces.clear()
        self.drawings.clear()
        return taken

    def update(self, more: Needs) -> None:
        """Take what other pages need too."""
        for key, wanted in more.faces.items():
            self.face(key).update(wanted)
        self.drawings |= more.drawings


class Stamper:
    """Writes the content of pages of one kind: the shared page under the texts of its boxes."""

    def __init__(self, boxes: Iterable[Box], look: Look, needs: Needs) -> None:
        boxes, self.needs = list(boxes), needs
        self.cut: dict[tuple[str, Value], SetText] = {}
        # A stable order by face and colour saves changes of both.
        texts = sorted((box for box in boxes if not box.is_code), key=lambda box: (box.face, box.colour))
        self.texts = [(box.name, _Text(box, look, needs, self.cut)) for box in texts]
        self.codes = [_Code(box, look.height) for box in boxes if box.is_code]
        changes = "".join(f"{_change(box, last)}%b" for last, box in zip([None, *texts], texts, strict=False))
        end = "ET" if not texts or texts[-1].colour == BLACK else "0 g ET"
        codes = "%b" * len(self.codes)
        self.pattern = f"/Sect<</MCID 0>>BDC/{look.form} Do BT{changes} {end}{codes} EMC".encode()

    def content(self, values: Mapping[str, Value], codes: Mapping[str, str]) -> bytes:
        """The page of one copy; a box without value stays empty."""
        texts = [text[values.get(name, "")] for name, text in self.texts]
        drawn = [code.drawn(codes.get(code.name)) for code in self.codes]
        return self.pattern % (*texts, *drawn)

    def cut_texts(self, values: Mapping[str, Value]) -> Iterator[tuple[str, SetText]]:
        """The texts of a copy whose end had to be cut off, by the names of their boxes."""
        for name, _text in self.texts:
            if found := self.cut.get((name, values.get(name, ""))):
                yield name, found

    def mention_faces(self) -> None:
        """Need the faces of all boxes, whether text stands in them or not: the pages name them."""
        for _name, text in self.texts:
            self.needs.face(text.box.face)


def _change(box: Box, last: Box | None) -> str:
    """The operators that change face and colour where a box has another than the one before."""
    font = f"/{font_name(box.face)} 1 Tf" if last is None or box.face != last.face else ""
    is_same = box.colour == (BLACK if last is None else last.colour)
    return font + ("" if is_same else " {:g} {:g} {:g} rg".format(*box.colour))


class _Code:
    """The place of a code: a 1-bit mask scaled to the box, so that each module is exact at any resolution."""

    def __init__(self, box: Box, height: float) -> None:
        self.name = box.name.removeprefix("code_")
        self.error = "M" if self.name == "reply" else "Q"
        bottom = height - box.y - box.height
        self.place = f" q {box.width:.3f} 0 0 {box.height:.3f} {box.x:.3f} {bottom:.3f} cm BI".encode()
        self.shapes: dict[int, bytes] = {}

    def drawn(self, text: str | None) -> bytes:
        if not text:
            return b""
        side, modules = packed(text, self.error)
        shape = self.shapes.get(side) or self._shape(side)
        if b"EI" in modules:  # would look like the end of the picture
            return b"%b/F/AHx ID %b>EI Q" % (shape, modules.hex().encode())
        return b"%b ID %b\nEI Q" % (shape, modules)

    def _shape(self, side: int) -> bytes:
        self.shapes[side] = b"%b/W %d/H %d/IM true/D[1 0]" % (self.place, side, side)
        return self.shapes[side]


class _Text(dict[Value, bytes]):
    """One box: each value as the operators that show it."""

    def __init__(self, box: Box, look: Look, needs: Needs, cut: dict[tuple[str, Value], SetText]) -> None:
        super().__init__()
        self.box, self.look, self.needs, self.cut = box, look, needs, cut
        self.strange = not_plain(box.families, look.folder).search
        self.width = ems(box.families, look.folder).__getitem__
        self.ems = box.width / box.size
        self.is_left = box.align not in ("center", "right", "end")
        self.starts = lru_cache(maxsize=64)(self._starts)

    def __missing__(self, value: Value) -> bytes:
        line = _line(value)
        if line is None or self.strange(line) or sum(map(self.width, line)) > self.ems:
            operators = self._set(value)
        else:  # plain, on one line, at the box's own size: most are so
            operators = self._written((line,), self.box.size)
        if len(self) < KNOWN:
            self[value] = operators
        return operators

    def _set(self, value: Value) -> bytes:
        """A value that has to be shrunk, broken into lines or drawn, or comes so."""
        text = fit(self.box, value, folder=self.look.folder)
        if text.cut:
            self.cut[self.box.name, value] = text
        if not any(map(self.strange, text.lines)):
            return self._written(text.lines, text.size)
        self.needs.face(self.box.face).add(text.lines)
        drawing = Drawing(self.box, self.look.height, text.lines, text.size)
        self.needs.drawings[name := f"V{tag(self.look.form, drawing)}"] = drawing
        return b" ET/%b Do BT" % name.encode()

    def _written(self, lines: tuple[str, ...], size: float) -> bytes:
        """The operators of plain lines."""
        self.needs.face(self.box.face).plain.update(*lines)
        starts = self.starts(len(lines), size)
        if not self.is_left:
            edges = [left_edge(self.box, sum(map(self.width, line)) * size) for line in lines]
            starts = [start % edge for start, edge in zip(starts, edges, strict=True)]
        return b"".join([b"%b(%b)Tj" % shown for shown in zip(starts, map(_string, lines), strict=True)])

    def _starts(self, count: int, size: float) -> list[bytes]:
        """The text matrices of so many plain lines; where they begin is left open unless it is the left edge."""
        heights = baselines(self.box, self.look.height, [self.box.rise] * count, size=size)
        x = f"{self.box.x:.2f}" if self.is_left else "%.2f"
        return [f" {size:.5g} 0 0 {size:.5g} {x} {y:.2f} Tm".encode() for y in heights]


def _line(value: Value) -> str | None:
    """A value that is one line, as it is set."""
    if isinstance(value, str):
        return " ".join(value.split()) or None
    return value[0] or None if isinstance(value, tuple) and len(value) == 1 else None


def _string(line: str) -> bytes:
    """A line as the inside of a PDF string."""
    code = line.encode("utf-16-be")
    if len(code.translate(None, _SPECIAL)) < len(code):
        for one, escaped in _ESCAPED:
            code = code.replace(one, escaped)
    return code


def baselines(box: Box, height: float, rises: list[float], *, size: float) -> list[float]:
    """The heights of baselines above the page's lower edge; a line of other fonts may be higher, as in CSS."""
    pitch, own = box.pitch_at(size), box.rise
    total = sum(pitch + abs(rise - own) * size for rise in rises)
    top = box.y + ((box.height - total) / 2 if box.middle else 0)
    found = []
    for rise in rises:
        found.append(height - top - pitch / 2 - max(rise, own) * size)
        top += pitch + abs(rise - own) * size
    return found


def left_edge(box: Box, width: float) -> float:
    """Where a line of so many points begins."""
    if box.align not in ("center", "right", "end"):
        return box.x
    rest = box.width - width
    return box.x + (rest / 2 if box.align == "center" else rest)


def _matrix(scale: float, x: float, y: float) -> str:
    return f"{scale:.5g} 0 0 {scale:.5g} {x:.2f} {y:.2f} Tm"


def _rise(line: str | SetLine, box: Box, face: Face) -> float:
    """How far below the middle of its line this line's baseline lies, in em."""
    if isinstance(line, SetLine):
        return (line.extents[0] - line.extents[1]) / 2
    fonts = {face.fonts.get(one, face.font) for one in line}
    return box.rise if fonts == {face.font} else face.shift(fonts)
