"""What belongs to one letter, as the short content of its pages: texts in their boxes, codes in their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from paper.boxes import Box
from paper.glyphs import Face, SetLine
from paper.matrices import packed

BLACK = (0.0, 0.0, 0.0)
Lines = tuple[tuple[str, ...], float]  # what SetText holds, as it comes from a spool


@dataclass(frozen=True)
class Look:
    """What the pages of a kind have in common: the page drawn under them, their height in points, and the places of
    the boxes among the values of a letter."""

    form: str
    height: float
    places: Mapping[str, int]


class Stamper:
    """Writes the content of pages of one kind: the shared page under the texts of its boxes."""

    def __init__(self, boxes: Iterable[Box], faces: Mapping[str, Face], look: Look) -> None:
        boxes, height = list(boxes), look.height
        self.head = f"/Sect<</MCID 0>>BDC{look.form} Do"
        self.codes = [_Code(box, height) for box in boxes if box.is_code]
        # A stable order by face and colour saves changes of both.
        texts = sorted((box for box in boxes if not box.is_code), key=lambda box: (box.face, box.colour))
        self.texts = [(look.places[box.name], _Text(box, faces[box.face], height)) for box in texts]

    def content(self, values: Sequence[Lines | None], codes: Mapping[str, str]) -> bytes:
        """The page of one letter; a box without value stays empty."""
        parts, font = [self.head, "BT"], ""
        colour: tuple[float, ...] = BLACK
        for at, text in self.texts:
            value = values[at]
            if value is None or not value[0]:
                continue
            if font != text.face.font:
                font = text.face.font
                parts.append(f"/{font} 1 Tf")
            if colour != text.colour:
                colour = text.colour
                parts.append("{:g} {:g} {:g} rg".format(*colour))
            text.add_to(parts, value)
        parts.append("ET" if colour == BLACK else "0 g ET")
        for code in self.codes:
            if found := codes.get(code.name):
                parts.append(code.drawn(found))
        parts.append("EMC")
        return " ".join(parts).encode("latin-1")


class _Code:
    """The place of a code: a 1-bit mask scaled to the box, so that each module is exact at any resolution."""

    def __init__(self, box: Box, height: float) -> None:
        self.name = box.name.removeprefix("code_")
        bottom = height - box.y - box.height
        self.place = f"q {box.width:.3f} 0 0 {box.height:.3f} {box.x:.3f} {bottom:.3f} cm BI"

    def drawn(self, text: str) -> str:
        side, modules = packed(text, "Q" if self.name != "reply" else "M")
        shape = f"{self.place}/W {side}/H {side}/IM true/D[1 0]"
        if b"EI" in modules:  # would look like the end of the picture
            return f"{shape}/F/AHx ID {modules.hex()}>EI Q"
        return f"{shape} ID {modules.decode('latin-1')}\nEI Q"


class _Text:
    """One box with its face: turns a set value into operators."""

    def __init__(self, box: Box, face: Face, height: float) -> None:
        self.box, self.face, self.page_height = box, face, height
        self.colour = box.colour
        self.left = box.align not in ("center", "right", "end")
        self.starts = lru_cache(maxsize=64)(self._starts)

    def add_to(self, parts: list[str], value: Lines) -> None:
        (lines, size), face = value, self.face
        shown = [line.translate(face.table) for line in lines]
        if not self.left or face.mixed and (face.lines or any(")Tj" in one for one in shown)):
            self._add_slowly(parts, lines, size)
            return
        for start, one in zip(self.starts(len(lines), size), shown, strict=True):
            parts.append(f"{start}({one})Tj")

    def _starts(self, count: int, size: float) -> list[str]:
        """The text matrices of so many lines that begin at the left edge."""
        return [self._matrix(size, self.box.x, y) for y in self.baselines([self.box.rise] * count, size)]

    def baselines(self, rises: list[float], size: float) -> list[float]:
        """The heights of baselines above the page's lower edge; a line of other fonts may be higher, as in CSS."""
        pitch, own = self.box.pitch_at(size), self.box.rise
        total = sum(pitch + abs(rise - own) * size for rise in rises)
        top = self.box.y + ((self.box.height - total) / 2 if self.box.middle else 0)
        found = []
        for rise in rises:
            found.append(self.page_height - top - pitch / 2 - max(rise, own) * size)
            top += pitch + abs(rise - own) * size
        return found

    def _matrix(self, scale: float, x: float, y: float) -> str:
        return f"{scale:.5g} 0 0 {scale:.5g} {x:.2f} {y:.2f} Tm"

    def _add_slowly(self, parts: list[str], lines: Iterable[str], size: float) -> None:
        """Lines that are not at the left, or not of the face's own font alone."""
        whole = [self.face.lines.get(line, line) for line in lines]
        heights = self.baselines([self._rise(line) for line in whole], size)
        for line, y in zip(whole, heights, strict=True):
            width = line.width if isinstance(line, SetLine) else sum(map(self.face.widths.__getitem__, line))
            x = self._left_edge(width * size)
            if isinstance(line, SetLine):
                parts.append(f"{self._matrix(size / line.size, x, y)} {line.drawn}/{self.face.font} 1 Tf")
            else:
                shown = f"({line.translate(self.face.table)})Tj"
                parts.append(self._matrix(size, x, y) + shown.replace("()Tj", ""))

    def _left_edge(self, width: float) -> float:
        if self.left:
            return self.box.x
        rest = self.box.width - width
        return self.box.x + (rest / 2 if self.box.align == "center" else rest)

    def _rise(self, line: str | SetLine) -> float:
        """How far below the middle of its line this line's baseline lies, in em."""
        if isinstance(line, SetLine):
            return (line.extents[0] - line.extents[1]) / 2
        if not self.face.mixed:
            return self.box.rise
        fonts = {self.face.fonts.get(one, self.face.font) for one in line}
        return self.box.rise if fonts == {self.face.font} else self.face.shift(fonts)
