"""Templates that are laid out once: where the boxes of their variable text stand, and how a text is set in one.

The author writes plain HTML and CSS; an element with `data-field="name"` is the box of that value. Its place, width,
height, font, size, pitch and alignment are read off the laid-out page. A box whose height holds several lines at some
size gets several; a text is shrunk in steps of one point to SMALLEST, and only then cut and reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from paper.codes import Stamp
from paper.fonts import MM_PER_PT
from paper.lines import SetText, Setting, Value, set_text
from paper.pdf import Box as Anchor
from paper.pdf import Job, LaidOut, PaperError, lay_out

SMALLEST = 5.0  # pt
ALMOST = 0.02  # of a line: a box that lacks no more than this holds the line
FAULTS = {
    "inline": "夹在其他文字中间，请让它单独占一行或一个方框",
    "width": "没有固定宽度，请在样式里写明宽度",
    "height": "没有固定高度，请在样式里写明高度",
    "spacing": "设了字距、缩进或字偶距，变动文字的框不能用这些样式",
}


@dataclass(frozen=True)
class Box:
    """The box of one variable: places and sizes in points from the top left of its page.

    `pitch` is the distance of lines in em unless `fixed_pitch` gives it in points; `rise` is how far a baseline lies
    below the middle of its line, in em.
    """

    name: str
    page: int
    x: float
    y: float
    width: float
    height: float
    size: float
    pitch: float
    fixed_pitch: float
    rise: float
    align: str
    middle: bool
    face: str
    families: tuple[str, ...]
    colour: tuple[float, ...]
    text: str
    faults: tuple[str, ...]

    def pitch_at(self, size: float) -> float:
        """The distance of two lines at a size, all in points."""
        return self.fixed_pitch or self.pitch * size

    @property
    def area(self) -> Anchor:
        """Left, top, right and bottom in mm."""
        left, top = self.x * MM_PER_PT, self.y * MM_PER_PT
        return left, top, left + self.width * MM_PER_PT, top + self.height * MM_PER_PT

    @property
    def is_code(self) -> bool:
        """Whether a code stands in it instead of text."""
        return self.name.startswith("code_")


@dataclass(frozen=True)
class Template:
    """A laid-out template: its boxes page by page, the anchors of each page in mm, and its pages without variables."""

    boxes: tuple[tuple[Box, ...], ...]
    anchors: tuple[dict[str, Anchor], ...]
    pdf: bytes

    @property
    def texts(self) -> tuple[Box, ...]:
        """The boxes of texts on all pages."""
        return tuple(box for page in self.boxes for box in page if not box.is_code)

    def stamps(self, codes: Mapping[str, str], page: int) -> list[Stamp]:
        """The codes of one letter on a page, with their places in mm."""
        places = [(codes.get(box.name.removeprefix("code_")), box) for box in self.boxes[page] if box.is_code]
        return [
            Stamp(text, box.x * MM_PER_PT, box.y * MM_PER_PT, box.width * MM_PER_PT)
            for text, box in places
            if text
        ]


@lru_cache(maxsize=32)
def compiled(html: str, what: str, folder: str = "") -> Template:
    """Lay a template out, once for the same text; a box that cannot be stamped is refused by its name."""
    laid_out = lay_out(Job(html, what, folder=folder, fields=True))
    pages = tuple(tuple(boxes_of(laid_out, page)) for page in range(laid_out.pages))
    faults = [
        f"{what}：“{box.name}”{FAULTS[fault]}。" for page in pages for box in page for fault in box.faults
    ]
    if faults:
        raise PaperError("".join(faults))
    return Template(pages, tuple(laid_out.anchors), laid_out.pdf)


def boxes_of(laid_out: LaidOut, page: int) -> Iterator[Box]:
    """The boxes of one page as the layout told them."""
    for told in laid_out.fields[page]:
        x, y, width, height = told["place"]
        rest: dict[str, Any] = {name: tuple(told[name]) for name in ("families", "colour", "faults")}
        same = ("name", "size", "pitch", "fixed_pitch", "rise", "align", "middle", "face", "text")
        yield Box(
            page=page, x=x, y=y, width=width, height=height, **rest, **{name: told[name] for name in same}
        )


def fit(box: Box, value: Value, *, folder: str = "") -> SetText:
    """Set a value in its box; a tuple keeps its lines, and what is set already stays as it is."""
    if isinstance(value, SetText):
        return value
    sizes = _sizes(box.size, box.pitch, box.fixed_pitch, box.height)
    width = box.width * MM_PER_PT
    if isinstance(value, str):
        return set_text(value, width, sizes=sizes, face=box.families, folder=folder)
    for size, most in sizes:
        setting = Setting(size, box.families, folder)
        if len(value) <= most and all(setting.width(line) <= width for line in value):
            return SetText(value, size)
    return set_text(" ".join(value), width, sizes=sizes, face=box.families, folder=folder)


@lru_cache(maxsize=1024)
def _sizes(size: float, pitch: float, fixed_pitch: float, height: float) -> tuple[tuple[float, int], ...]:
    """The sizes of a box from its own downwards, each with the lines that it holds."""
    steps = [size - step for step in range(int(max(0, size - SMALLEST)) + 1)]
    return tuple((one, max(1, int(height / (fixed_pitch or pitch * one) + ALMOST))) for one in steps)
