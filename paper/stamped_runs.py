"""Many copies of one template in one file: laid out once, stamped block by block, by one process or by several.

A block needs to know nothing of the others. What all share comes last: each font is cut down once, to the characters
that were used; texts that cannot be written as plain characters are drawn. Memory does not grow with the copies.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pikepdf

from paper.boxes import compiled
from paper.glyphs import Face
from paper.lines import SetText, Value
from paper.merging import About
from paper.page_files import COPIES, Block, PageFile, Plan, block, numbered
from paper.pdf import Job, lay_out
from paper.processes import chunked
from paper.proofs import Expected, proof_run
from paper.stamping import Look, Needs, Stamper, font_name, tag


@dataclass(frozen=True)
class Kind:
    """What copies are: the name of their template in messages, the folder of own fonts, the pages of each."""

    what: str
    fonts: str = ""
    pages: int = 2

    @property
    def plan(self) -> Plan:
        return Plan(COPIES * self.pages)


@dataclass(frozen=True)
class Stamped:
    """A block with what its pages need besides: templates in the order of their use, glyphs, drawings."""

    block: Block
    templates: tuple[str, ...]
    needs: Needs


class Composer:
    """Stamps copies in one process."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.stampers: dict[str, list[Stamper]] = {}
        self.used: dict[str, None] = {}
        self.needs = Needs()
        self.contents: list[bytes] = []

    def add(self, html: str, values: Mapping[str, Value], codes: Mapping[str, str]) -> dict[str, SetText]:
        """Stamp a copy of a template; returns the texts whose end had to be cut off, by their boxes."""
        stampers = self.stampers.get(html) or self._stampers(html)
        self.used[html] = None
        self.contents += [stamper.content(values, codes) for stamper in stampers]
        return {name: text for stamper in stampers if stamper.cut for name, text in stamper.cut_texts(values)}

    def take(self, number: int) -> Stamped:
        """What was added since the last time."""
        for stamper in (one for html in self.used for one in self.stampers[html]):
            stamper.mention_faces()
        stamped = Stamped(block(number, self.contents, self.kind.plan), tuple(self.used), self.needs.taken())
        self.used, self.contents = {}, []
        return stamped

    def _stampers(self, html: str) -> list[Stamper]:
        template = compiled(html, self.kind.what, self.kind.fonts)
        with pikepdf.open(io.BytesIO(template.pdf)) as pdf:
            height = float(pdf.pages[0].MediaBox[3])
        self.stampers[html] = [
            Stamper(boxes, Look(form_name(html, page), height, self.kind.fonts), self.needs)
            for page, boxes in enumerate(template.boxes)
        ]
        return self.stampers[html]


class StampedRun:
    """Puts blocks into a file, one after the other."""

    def __init__(self, file: BinaryIO, kind: Kind) -> None:
        self.kind = kind
        self.file = PageFile(file, kind.plan)
        self.templates: dict[str, None] = {}
        self.needs = Needs()

    def add(self, stamped: Stamped) -> None:
        self.file.add(stamped.block)
        self.templates |= dict.fromkeys(stamped.templates)
        self.needs.update(stamped.needs)

    def finish(self, about: About) -> int:
        """Write what all pages share; returns the pages."""
        first, *more = self.templates
        glyphs = {face: wanted.told() for face, wanted in self.needs.faces.items()}
        job = Job(first, self.kind.what, folder=self.kind.fonts, more=tuple(more), fields=True, glyphs=glyphs)
        laid_out = lay_out(job)
        faces = {
            key: Face(told, laid_out.fonts, self.needs.faces[key].plain)
            for key, told in laid_out.faces.items()
        }
        with pikepdf.open(io.BytesIO(laid_out.pdf)) as pdf:
            names = [form_name(html, page) for html in self.templates for page in self._pages(html)]
            resources = _resources(pdf, names, faces, self.needs)
            box = [float(value) for value in pdf.pages[0].MediaBox]
            self.file.finish(numbered(resources, self.file.next_number), (box[2], box[3]), about)
        return self.file.pages

    def _pages(self, html: str) -> Iterable[int]:
        return range(len(compiled(html, self.kind.what, self.kind.fonts).boxes))


@dataclass(frozen=True)
class Copy:
    """What one copy of a template bears."""

    html: str
    values: Mapping[str, Value]
    codes: Mapping[str, str]


def stamped_file(copies: Iterable[Copy], kind: Kind, about: About, *, expected: Iterable[Expected]) -> bytes:
    """A document of copies, made in this process and proofed."""
    composer = Composer(kind)
    with tempfile.TemporaryDirectory(prefix="lamplighter-paper-") as folder:
        target = Path(folder) / "stamped.pdf"
        with target.open("wb") as file:
            run = StampedRun(file, kind)
            for number, chunk in enumerate(chunked(copies, COPIES)):
                for copy in chunk:
                    composer.add(copy.html, copy.values, copy.codes)
                run.add(composer.take(number))
            pages = run.finish(about)
        proof_run(target, pages=pages, expected=expected)
        return target.read_bytes()


def form_name(html: str, page: int) -> str:
    """The name of a template's page, as the form that is drawn under its copies."""
    return f"/S{tag(html, page)}"


def _resources(
    pdf: pikepdf.Pdf, names: Iterable[str], faces: Mapping[str, Face], needs: Needs
) -> pikepdf.Object:
    """The fonts and forms that all pages share."""
    fonts = pikepdf.Dictionary(dict(pdf.pages[0].Resources.Font.items()))
    for key, face in sorted(faces.items()):
        if face.numbers:
            fonts[f"/{font_name(key)}"] = _encoded(pdf, fonts[f"/{face.font}"], face)
    inner = pikepdf.Dictionary(Font=pdf.make_indirect(fonts))
    box = pdf.pages[0].MediaBox
    forms = dict(zip(names, (page.as_form_xobject() for page in pdf.pages), strict=True))
    for name, drawing in sorted(needs.drawings.items()):
        content = drawing.content(faces[drawing.box.face])
        forms[f"/{name}"] = pikepdf.Stream(
            pdf, content, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=box, Resources=inner
        )
    return pdf.make_indirect(pikepdf.Dictionary(XObject=forms, Font=inner.Font))


def _encoded(pdf: pikepdf.Pdf, font: pikepdf.Object, face: Face) -> pikepdf.Object:
    """A font for texts that are written as UTF-16: the same glyphs under other codes."""
    system = pikepdf.Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0)
    name = pikepdf.Name("/UTF16")
    encoding = pikepdf.Stream(
        pdf, face.encoding(), Type=pikepdf.Name.CMap, CMapName=name, CIDSystemInfo=system
    )
    return pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type0,
            BaseFont=font.BaseFont,
            DescendantFonts=font.DescendantFonts,
            Encoding=encoding,
            ToUnicode=pikepdf.Stream(pdf, face.to_unicode()),
        )
    )
