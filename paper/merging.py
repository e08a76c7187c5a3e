"""Joining laid-out parts into one file: one font for all, and what the file says of itself."""

from __future__ import annotations

import datetime as dt
import html
import io
import os
import re
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pikepdf

from paper.pdf import Job, lay_out

FILES = ("/FontFile2", "/FontFile3")  # TrueType, and everything else
FEW = 2  # subsets of one font that are not worth another layout process
_MAPPED = re.compile(rb"<([0-9a-f]{4})> <([0-9a-f]+)>")


@dataclass(frozen=True)
class Part:
    """A laid-out file, or one page of it."""

    path: Path
    only: int | None = None


@dataclass(frozen=True)
class About:
    """What the file says of itself, and the folder of own fonts. Nothing comes from a clock: same input, same bytes."""

    title: str
    day: dt.date
    duplex: bool = False
    folder: str = ""


def join(parts: Iterable[Part], target: Path, about: About) -> int:
    """Write all parts as one file, in one move, and return its pages."""
    with pikepdf.new() as out, ExitStack() as opened:
        for part in parts:
            source = opened.enter_context(pikepdf.open(part.path))
            out.pages.extend(source.pages if part.only is None else [source.pages[part.only]])
        _share_fonts(out, _resources(out), about.folder)
        describe(out, about)
        pages = len(out.pages)
        save(out, target)
    return pages


def _resources(out: pikepdf.Pdf) -> list[pikepdf.Object]:
    """The resources of all pages, each once: pages of one part share theirs."""
    return list({page.Resources.objgen: page.Resources for page in out.pages}.values())


def _share_fonts(out: pikepdf.Pdf, resources: list[pikepdf.Object], folder: str) -> None:
    """Give all parts one subset of each font: subsets keep the glyph numbers, so any larger one serves."""
    groups: dict[str, dict[tuple[int, int], pikepdf.Object]] = {}
    for one in resources:
        for font in one.get("/Font", {}).values():
            groups.setdefault(str(font.BaseFont), {})[font.objgen] = font
    split = {name: list(fonts.values()) for name, fonts in groups.items() if len(fonts) > FEW}
    if split:
        glyphs = lay_out(Job(_all_glyphs(split), "字体合并", folder=folder))
        with pikepdf.open(io.BytesIO(glyphs.pdf)) as sheet:
            whole = {str(font.BaseFont): font for font in sheet.pages[0].Resources.Font.values()}
            for name, fonts in split.items():
                _replace(out, fonts, whole.get(name))


def _replace(out: pikepdf.Pdf, fonts: list[pikepdf.Object], whole: pikepdf.Object | None) -> None:
    """Let fonts use the file of one that has all their glyphs."""
    if whole is None:
        return
    has, described = _mapping(whole), whole.DescendantFonts[0].FontDescriptor
    for key in (key for key in FILES if key in described):
        file = out.copy_foreign(described[key])
        for font in fonts:
            own = font.DescendantFonts[0].FontDescriptor
            if key in own and _mapping(font).items() <= has.items():
                own[key] = file


def _mapping(font: pikepdf.Object) -> dict[bytes, bytes]:
    """Glyph number -> text of a font, as the layout engine writes it."""
    return dict(_MAPPED.findall(font.ToUnicode.read_bytes()))


def _all_glyphs(groups: dict[str, list[pikepdf.Object]]) -> str:
    """A sheet with every text of every font, in the family and weight that the font came from."""
    parts = []
    for name, fonts in sorted(groups.items()):
        texts = sorted({text for font in fonts for text in _mapping(font).values()})
        plain = [bytes.fromhex(text.decode()).decode("utf-16-be") for text in texts]
        words = " ".join(f"国{text}国 A{text}A" for text in plain)  # digits differ between the two scripts
        family = str(fonts[0].DescendantFonts[0].FontDescriptor.FontFamily).replace("'", "")
        weight = "bold" if "Bold" in name else "normal"
        parts.append(f"<p style=\"font-family:'{family}';font-weight:{weight}\">{html.escape(words)}</p>")
    style = "@page{size:2000mm}html{font-size:10pt;font-kerning:none}"
    return f"<html lang='zh-CN'><meta charset='utf-8'><style>{style}</style>{''.join(parts)}</html>"


def describe(out: pikepdf.Pdf, about: About) -> None:
    """Title, language, and how to print: on both sides where it is a letter, never scaled."""
    view, info = described(about)
    out.docinfo.update(info)
    out.Root.Lang = "zh-CN"
    out.Root.ViewerPreferences = view


def described(about: About) -> tuple[pikepdf.Dictionary, pikepdf.Dictionary]:
    """How a file wants to be shown and printed, and what it says of itself."""
    date = f"D:{about.day:%Y%m%d}000000+08'00'"
    facts = {"/Title": about.title, "/CreationDate": date, "/ModDate": date, "/Producer": "Lamplighter"}
    view = pikepdf.Dictionary(DisplayDocTitle=True, PrintScaling=pikepdf.Name("/None"))
    if about.duplex:
        view.Duplex = pikepdf.Name.DuplexFlipLongEdge
    return view, pikepdf.Dictionary({name: pikepdf.String(text) for name, text in facts.items()})


def save(out: pikepdf.Pdf, target: Path) -> None:
    """Write the file under another name and move it into its place: nobody ever sees half of it."""
    draft = target.with_name(f".{target.name}.part")
    out.save(
        draft,
        deterministic_id=True,
        compress_streams=True,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        recompress_flate=False,
    )
    os.replace(draft, target)
