"""The child process that lays out one HTML text with WeasyPrint: job as JSON on stdin, answer on stdout.

It is started as a script by `paper.pdf` and imports nothing of the house. Limits are set before the layout engine is
loaded, because a small template can keep it busy for minutes. The answer is one line of JSON (pages, anchors,
warnings), then the bytes of the PDF.

For stamping, a job says `fields`: then the boxes of elements with `data-field` are told (see `paper.boxes`) and drawn
empty, and the texts of `glyphs` (face -> characters and whole lines) are set by the same engine with the same styles,
so that their glyphs stand in the fonts of the file and their numbers in the answer (see `paper.glyphs`).
"""

from __future__ import annotations

import base64
import ctypes
import json
import logging
import resource
import signal
import sys
from collections.abc import Iterator
from typing import Any

from weasyprint import HTML
from weasyprint.draw.text import draw_first_line
from weasyprint.formatting_structure.boxes import InlineBox, LineBox, TextBox
from weasyprint.matrix import Matrix
from weasyprint.pdf.stream import Stream
from weasyprint.text.ffi import FROM_UNITS, ffi, pango
from weasyprint.text.fonts import FontConfiguration
from weasyprint.text.line_break import Layout, line_size, strut
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

MM_PER_PX = 25.4 / 96
PT_PER_PX = 0.75
AROUND, MANY = "国", 500  # a character is set between Han ones; so many in one line
PR_SET_PDEATHSIG = 1


class AssetFetcher(URLFetcher):
    """Knows `data:` and the assets that came with the job; everything else stops the layout."""

    def __init__(self, assets: dict[str, str]) -> None:
        super().__init__(allowed_protocols=["data"], allow_redirects=False, fail_on_errors=True)
        self._assets = assets

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url.startswith("data:"):
            return super().fetch(url, headers)
        name = url.removeprefix("asset:")
        if name == url or name not in self._assets:
            raise FatalURLFetchingError(f"address refused: {url[:200]}")
        return URLFetcherResponse(url, base64.b64decode(self._assets[name]))


class Warnings(logging.Handler):
    """Collects what the layout engine would only have logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def limit_process(memory_mb: int, cpu_seconds: int) -> None:
    """Cap address space and processor time, and die with the parent where the system can do that."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb * 2**20, memory_mb * 2**20))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def lay_out(job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Lay out the job's HTML; anchors are boxes of elements with an id, in mm from the top left of their page."""
    warnings = Warnings()
    logger = logging.getLogger("weasyprint")
    logger.handlers[:] = [warnings]
    fonts = FontConfiguration()
    fetcher = AssetFetcher(job["assets"])
    rendered = [
        HTML(string=html, url_fetcher=fetcher, base_url=None).render(font_config=fonts, pdf_tags=job["tags"])
        for html in [job["html"], *job["more"]]
    ]
    document = rendered[0].copy([page for one in rendered for page in one.pages])
    anchors = [
        {name: [value * MM_PER_PX for value in box[:4]] for name, box in sheet.anchors.items()}
        for sheet in document.pages
    ]
    answer: dict[str, Any] = {}
    if job["fields"]:
        setter = Setter(document.fonts)
        answer["fields"] = [list(setter.fields(sheet._page_box)) for sheet in document.pages]
        answer["faces"] = {key: setter.face(key, **texts) for key, texts in job["glyphs"].items()}
        answer["fonts"] = setter.extents
    pdf = document.write_pdf(pdf_tags=job["tags"])
    return answer | {"pages": len(document.pages), "anchors": anchors, "warnings": warnings.texts}, pdf


class Setter:
    """Finds the boxes of variable text, and sets such text in the faces that it found there."""

    def __init__(self, fonts: dict[Any, Any]) -> None:
        self.fonts = fonts
        self.styles: dict[str, Any] = {}
        self.extents: dict[str, list[float]] = {}

    def fields(self, page: Any) -> Iterator[dict[str, Any]]:
        """Every element with `data-field` of a page; what stands in it is taken out."""
        known = set()
        for box in list(_within(page)):
            element = box.element
            if element is None or element in known or not element.get("data-field"):
                continue
            known.add(element)
            yield self._field(box, element.get("data-field"))
            if hasattr(box, "children"):
                box.children = ()

    def _field(self, box: Any, name: str) -> dict[str, Any]:
        text = next((one for one in _within(box) if isinstance(one, TextBox)), None)
        style = (text or box).style
        size, (height, baseline) = style["font_size"], strut(style)
        font = (
            style["font_family"],
            style["font_weight"],
            style["font_style"],
            style["font_stretch"],
            style["lang"],
        )
        self.styles.setdefault(face := json.dumps(font, ensure_ascii=False), style)
        line = style["line_height"]
        place = (box.content_box_x(), box.content_box_y(), box.width, box.height)
        return {
            "name": name,
            "place": [value * PT_PER_PX if isinstance(value, int | float) else 0 for value in place],
            "size": size * PT_PER_PX,
            "pitch": line if isinstance(line, int | float) else height / size,
            "fixed_pitch": line[0] * PT_PER_PX if isinstance(line, tuple) else 0,
            "rise": (baseline - height / 2) / size,
            "align": style["text_align_all"],
            "middle": "center" in box.style["justify_content"],
            "face": face,
            "families": list(style["font_family"]),
            "colour": [float(part) for part in style["color"].to("srgb").coordinates],
            "text": "".join(one.text for one in _within(box) if isinstance(one, TextBox)),
            "faults": list(_faults(box, style)),
        }

    def face(self, key: str, *, characters: str, lines: list[str]) -> dict[str, Any]:
        """Glyphs of single characters (font, number, advance in em), and whole lines as they are drawn."""
        style = self.styles[key]
        parts = [characters[start : start + MANY] for start in range(0, len(characters), MANY)]
        glyphs = {one: glyph for part in parts for one, glyph in self._glyphs(part, style)}
        return {"glyphs": glyphs, "lines": {line: self._line(line, style) for line in lines}}

    def _glyphs(self, characters: str, style: Any) -> Iterator[tuple[str, list[Any]]]:
        text, places = AROUND, {}
        for one in characters:
            places[len(text.encode())] = one
            text += one + AROUND
        line, _layout = _set(text, style)
        stream, size, run = self._stream(), style["font_size"], line.runs[0]
        while run != ffi.NULL:
            item, run = run.data, run.next
            pango_font, glyphs = item.item.analysis.font, item.glyphs
            font, _size = stream.add_font(pango_font)
            if font.png or font.svg or font.colr or font.bitmap:
                continue  # a picture is no glyph
            for at in range(glyphs.num_glyphs):
                character = places.get(item.item.offset + glyphs.log_clusters[at])
                glyph = glyphs.glyphs[at].glyph
                if character is None or glyph & pango.PANGO_GLYPH_UNKNOWN_FLAG:
                    continue
                self._keep(font, pango_font, glyph, size=size, text=character)
                yield character, [font.hash, glyph, glyphs.glyphs[at].geometry.width * FROM_UNITS / size]

    def _keep(self, font: Any, pango_font: Any, glyph: int, *, size: float, text: str) -> None:
        box = ffi.new("PangoRectangle *")
        pango.pango_font_get_glyph_extents(pango_font, glyph, ffi.NULL, box)
        font.to_unicode.setdefault(glyph, text)
        font.widths.setdefault(glyph, round(box.width * 1000 * FROM_UNITS / size))
        ascent = -box.y * FROM_UNITS / size
        self.extents.setdefault(font.hash, [ascent, box.height * FROM_UNITS / size - ascent])

    def _line(self, text: str, style: Any) -> dict[str, Any]:
        """One line with everything that setting it takes: direction, marks, other fonts."""
        line, layout = _set(text, style)
        size, (width, height) = style["font_size"], line_size(line, style)
        ascent = pango.pango_layout_get_baseline(layout.layout) * FROM_UNITS
        stream = self._stream()
        draw_first_line(stream, _Drawn(text, style, layout), "clip", "none", Matrix())
        drawn = b" ".join(one for one in stream.stream if not one.endswith(b"Tm")).decode()
        return {
            "drawn": drawn,
            "size": size,
            "width": width / size,
            "extents": [ascent / size, (height - ascent) / size],
        }

    def _stream(self) -> Stream:
        return Stream(self.fonts, (0, 0, 1, 1), {}, {}, None, {}, None)


class _Drawn:
    """What drawing a line asks of a text box."""

    def __init__(self, text: str, style: Any, layout: Layout) -> None:
        self.text, self.style, self.pango_layout, self.baseline = text, style, layout, 0


def _set(text: str, style: Any) -> tuple[Any, Layout]:
    layout = Layout(style)
    layout.set_text(text)
    return layout.get_first_line()[0], layout


def _within(box: Any) -> Iterator[Any]:
    box = getattr(box, "_box", box)
    yield box
    for child in getattr(box, "children", ()):
        yield from _within(child)


def _faults(box: Any, style: Any) -> Iterator[str]:
    """Why text cannot be stamped into a box, as codes."""
    if isinstance(box, InlineBox | LineBox | TextBox):
        yield "inline"
        return
    flows = box.style["position"] in ("static", "relative") and box.style["float"] == "none"
    if box.style["width"] == "auto" and not (flows and box.style["display"][0] == "block"):
        yield "width"
    if box.style["height"] == "auto":
        yield "height"
    if style["letter_spacing"] != "normal" or style["text_indent"].value or style["font_kerning"] != "none":
        yield "spacing"


def main() -> None:
    job = json.load(sys.stdin.buffer)
    limit_process(job["memory_mb"], job["cpu_seconds"])
    answer, pdf = lay_out(job)
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + pdf)


if __name__ == "__main__":
    main()
