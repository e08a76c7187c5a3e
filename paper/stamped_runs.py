"""Many copies of one template in one file: laid out once, stamped for each, in two passes over what is to be printed.

The first pass sets every text in its box, gathers the characters used and puts the set texts into a spool on disk;
then each font is cut down once; the second pass writes the pages. Memory does not grow with the number of copies.
"""

from __future__ import annotations

import io
import marshal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pikepdf

from paper.boxes import Box, Template, boxes_of, compiled, fit
from paper.glyphs import Face, Wanted
from paper.lines import SetText, Value
from paper.merging import About
from paper.page_files import Shared, shared_objects, write_pages
from paper.pdf import Job, LaidOut, lay_out
from paper.stamping import Lines, Look, Stamper

BUFFER, CHUNK, KNOWN = 1 << 20, 200, 5000
Spooled = tuple[int, list[Lines | None], dict[str, str]]  # variant, texts in the order of boxes, codes


@dataclass(frozen=True)
class Copy:
    """One copy as it was taken: its template, and its texts as they are set in the template's boxes."""

    template: Template
    found: Sequence[SetText | None]

    @property
    def texts(self) -> dict[str, SetText]:
        """The set texts by the names of their boxes."""
        return {box.name: text for box, text in zip(self.template.texts, self.found, strict=True) if text}

    @property
    def cut(self) -> list[str]:
        """The names of those whose end had to be cut off."""
        return (
            [name for name, text in self.texts.items() if text.cut] if any(map(_is_cut, self.found)) else []
        )


def _is_cut(text: SetText | None) -> bool:
    return text is not None and text.cut


class StampedRun:
    """Takes copies of a template, in its variants, one by one; then writes the file."""

    def __init__(self, folder: Path, what: str, *, fonts: str = "") -> None:
        self.what, self.fonts = what, fonts
        self.variants: list[tuple[str, Template]] = []
        self.wanted: dict[str, Wanted] = {}
        self.known: dict[tuple[str, float, Value], SetText] = {}
        self.pages = 0
        self.spool = _Spool(folder / "copies")

    def variant(self, html: str) -> int:
        """Lay a variant of the template out; its number is what copies are taken by."""
        template = compiled(html, self.what, self.fonts)
        for box in template.texts:
            self.wanted.setdefault(box.face, Wanted())
        self.variants.append((html, template))
        return len(self.variants) - 1

    def add(self, variant: int, values: Mapping[str, Value], codes: Mapping[str, str]) -> Copy:
        """Take one copy: its texts are set in the boxes of its variant, what is missing stays empty."""
        _html, template = self.variants[variant]
        found = [self._set(box, value) if (value := values.get(box.name)) else None for box in template.texts]
        self.spool.add((variant, [(text.lines, text.size) if text else None for text in found], dict(codes)))
        self.pages += len(template.boxes)
        return Copy(template, found)

    def _set(self, box: Box, value: Value) -> SetText:
        """A value in its box; what many copies share is set once."""
        key = box.name, box.width, value
        found = self.known.get(key)
        if found is None:
            found = fit(box, value, folder=self.fonts)
            self.wanted[box.face].add(found.lines)
            if len(self.known) < KNOWN:
                self.known[key] = found
        return found

    def write(self, target: Path, about: About) -> int:
        """Write all copies in the order in which they came; returns the pages."""
        stampers, shared = self._stampers()
        with target.open("wb", buffering=BUFFER) as file:
            write_pages(file, shared, self._contents(stampers), pages=self.pages, about=about)
        return self.pages

    def _stampers(self) -> tuple[list[list[Stamper]], Shared]:
        """A stamper for each page of each variant, and what their pages share."""
        first, *more = (html for html, _template in self.variants)
        glyphs = {face: wanted.told() for face, wanted in self.wanted.items()}
        job = Job(first, self.what, folder=self.fonts, more=tuple(more), fields=True, glyphs=glyphs)
        laid_out = lay_out(job)
        faces = {key: Face(told, laid_out.fonts) for key, told in laid_out.faces.items()}
        with pikepdf.open(io.BytesIO(laid_out.pdf)) as pdf:
            shared = shared_objects(pdf)
        pages = iter(range(laid_out.pages))
        stampers = []
        for _html, template in self.variants:
            places = {box.name: at for at, box in enumerate(template.texts)}
            stampers.append([_stamper(laid_out, next(pages), faces, shared, places) for _ in template.boxes])
        return stampers, shared

    def _contents(self, stampers: list[list[Stamper]]) -> Iterator[bytes]:
        for variant, texts, codes in self.spool.copies():
            for stamper in stampers[variant]:
                yield stamper.content(texts, codes)


def _stamper(
    laid_out: LaidOut, page: int, faces: Mapping[str, Face], shared: Shared, places: Mapping[str, int]
) -> Stamper:
    look = Look(f"/S{page}", shared.size[1], places)
    return Stamper(boxes_of(laid_out, page), faces, look)


class _Spool:
    """Set copies on disk, a chunk after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.waiting: list[Spooled] = []
        path.touch()

    def add(self, copy: Spooled) -> None:
        self.waiting.append(copy)
        if len(self.waiting) >= CHUNK:
            self._put_down()

    def copies(self) -> Iterator[Spooled]:
        """All copies, from the first."""
        self._put_down()
        with self.path.open("rb", buffering=BUFFER) as file:
            while head := file.read(4):
                yield from marshal.loads(file.read(int.from_bytes(head, "big")))  # noqa: S302 a file of our own

    def _put_down(self) -> None:
        content = marshal.dumps(self.waiting)
        with self.path.open("ab") as file:
            file.write(len(content).to_bytes(4, "big") + content)
        self.waiting.clear()
