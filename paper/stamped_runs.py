"""Many copies of one template in one file: laid out once, stamped for each, in two passes over what is to be printed.

The first pass sets every text in its box, gathers the characters used and puts the set texts into a spool on disk;
then each font is cut down once; the second pass writes the pages. Memory does not grow with the number of copies.
"""

from __future__ import annotations

import io
import marshal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pikepdf

from paper.boxes import Box, Template, boxes_of, compiled, fit
from paper.glyphs import Face, Wanted
from paper.lines import SetText, Value
from paper.merging import About
from paper.page_files import Shared, shared_objects, write_pages
from paper.pdf import Job, LaidOut, lay_out
from paper.stamping import Lines, Stamper

BUFFER, CHUNK, KNOWN = 1 << 20, 200, 5000
Spooled = tuple[int, dict[str, Lines], dict[str, str]]  # variant, texts, codes


@dataclass(frozen=True)
class Copy:
    """One copy as it was taken: its template, its texts as they are set, and the names of those that were cut."""

    template: Template
    texts: Mapping[str, SetText]
    cut: tuple[str, ...]


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
        texts = {
            box.name: self._set(box, value) for box in template.texts if (value := values.get(box.name))
        }
        cut = tuple(name for name, text in texts.items() if text.cut)
        plain = {name: (text.lines, text.size) for name, text in texts.items()}
        self.spool.add((variant, plain, dict(codes)))
        self.pages += len(template.boxes)
        return Copy(template, texts, cut)

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
        return [
            [_stamper(laid_out, next(pages), faces, shared) for _ in one.boxes]
            for _html, one in self.variants
        ], shared

    def _contents(self, stampers: list[list[Stamper]]) -> Iterator[bytes]:
        for variant, texts, codes in self.spool.copies():
            for stamper in stampers[variant]:
                yield stamper.content(texts, codes)


def _stamper(laid_out: LaidOut, page: int, faces: Mapping[str, Face], shared: Shared) -> Stamper:
    return Stamper(boxes_of(laid_out, page), faces, form=f"/S{page}", height=shared.size[1])


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
