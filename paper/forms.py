"""The change form as machines see it: its boxes in millimetres, and the rules that its layout must keep."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2

from paper.boxes import Box, Template, compiled
from paper.fonts import missing_glyphs
from paper.letterheads import Letterhead
from paper.letters import SAMPLE
from paper.pages import GETA, TEMPLATES
from paper.pdf import Box as Box4
from paper.pdf import PaperError
from paper.print_runs import blank

FOLDS = (105.0, 210.0)  # mm from the top
FOLD_CLEAR = 4.0
BOXES_FROM, BOXES_TO = 14.0, 196.0  # mm: all boxes stand between
SEEN_ZONE = (0.0, 13.5, 210.0, 91.5)  # may become visible in a window, and its surroundings
ALLOWED = (
    (27.0, 41.5, 87.5, 63.5),
    (89.0, 46.0, 101.0, 58.0),
    (128.0, 14.0, 210.0, 32.0),
)  # address, code, head
PAPER = (210.0, 297.0)
EDGE, QUIET, TEXT_FOLD_CLEAR = 4.0, 2.0, 1.0  # mm: printable edge, white round a code, text from a fold
HAIR = 0.05  # mm
DPI, INK = 200, 200
_TAGS = re.compile("<style>.*?</style>|<[^>]*>|&[a-z]+;|&#[0-9]+;", re.DOTALL)

SAMPLE_HEAD = Letterhead("某某供电公司", "某某供电局", website="95598.example.cn")


def form_map(version: int | str = 1, letterhead: Letterhead = SAMPLE_HEAD) -> dict[str, Any]:
    """Codes and boxes of letter and form in mm from the top left of each page, as they are laid out now."""
    html = blank(replace(SAMPLE, form_version=int(version)), letterhead)
    pages = compiled(html, f"登记表版本{version}", letterhead.font_folder).anchors
    return {"pages": [_page(number, anchors) for number, anchors in enumerate(pages, start=1)]}


def form_sha256() -> str:
    """The digest of everything that letter and form are laid out from; it changes when a template does."""
    digest = hashlib.sha256()
    for path in sorted([*TEMPLATES.glob("*survey_letter*"), *TEMPLATES.glob("_change_form*"), *_shared()]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _shared() -> list[Path]:
    return [TEMPLATES / "_base.css", TEMPLATES / "_marks.html"]


def _page(number: int, anchors: dict[str, Box4]) -> dict[str, Any]:
    """One side: its marks are named `kind|id`, a code by its place; the customer's own code is not read back."""
    marks = [_box(name, box) for name, box in anchors.items()]
    codes = [mark for mark in marks if mark["kind"] == "code" and mark["id"] != "reply"]
    return {
        "number": number,
        "codes": [{"x": one["x"], "y": one["y"], "size": one["w"], "place": one["id"]} for one in codes],
        "boxes": [mark for mark in marks if mark["kind"] != "code"],
    }


def _box(mark: str, box: Box4) -> dict[str, Any]:
    kind, name = mark.split("|")
    x, y, right, bottom = box
    place = {"x": round(x, 2), "y": round(y, 2), "w": round(right - x, 2), "h": round(bottom - y, 2)}
    return {"id": name, "kind": kind, **place}


def preflight(version: int | str, letterhead: Letterhead) -> None:
    """Refuse a letter and form that break a rule of layout under this letterhead; the message names each box."""
    faults = check_letter_layout(version, letterhead)
    if faults:
        raise PaperError(f"登记表版本{version}的版面不合要求：{'；'.join(faults)}。请修改模板或函头后再试。")


def check_letter_layout(version: int | str = 1, letterhead: Letterhead = SAMPLE_HEAD) -> list[str]:
    """What breaks the rules of window, folds, codes, edges and glyphs; nothing, if the templates are right."""
    html = blank(replace(SAMPLE, form_version=int(version)), letterhead)
    template = compiled(html, f"登记表版本{version}", letterhead.font_folder)
    faults = [*template_faults(template, letterhead.font_folder), *window_faults(template.pdf)]
    faults += [fault for number in range(len(template.boxes)) for fault in _quiet_faults(template, number)]
    for page in form_map(version, letterhead)["pages"]:
        faults += [fault for box in page["boxes"] for fault in _box_faults(box)]
    shown = "".join(_TAGS.sub(" ", html).split())
    missing = missing_glyphs(shown, folder=letterhead.font_folder) + (GETA if GETA in shown else "")
    return [*faults, f"模板用了字体没有的字“{missing}”"] if missing else faults


def template_faults(template: Template, folder: str = "") -> list[str]:
    """Boxes whose text could show through the window, or stand too near a fold, a code or the edge of the paper."""
    return [
        fault
        for page in template.boxes
        for box in page
        for fault in (
            *_window_faults_of(box),
            *_fold_faults(box),
            *_edge_faults(box),
            *_code_faults(box, [one for one in page if one.is_code and one is not box]),
            *_glyph_faults(box, folder),
        )
    ]


def _place(box: Box) -> str:
    left, top, right, bottom = box.area
    return f"“{box.name}”（横{left:.1f}至{right:.1f}、纵{top:.1f}至{bottom:.1f}毫米）"


def _window_faults_of(box: Box) -> Iterator[str]:
    """The first page lies behind the window, and may slip in its envelope."""
    if (
        box.page == 0
        and _gap(box.area, SEEN_ZONE) < 0
        and not any(_lies_in(box.area, one) for one in ALLOWED)
    ):
        yield f"{_place(box)}会从信封窗口露出，纵{SEEN_ZONE[1]:.1f}至{SEEN_ZONE[3]:.1f}毫米之间只能放地址、窗口码和函头"


def _fold_faults(box: Box) -> Iterator[str]:
    clear = FOLD_CLEAR if box.is_code else TEXT_FOLD_CLEAR
    for fold in FOLDS:
        if box.area[1] < fold + clear - HAIR and box.area[3] > fold - clear + HAIR:
            yield f"{_place(box)}离折线{fold:.0f}毫米处不足{clear:.1f}毫米"


def _edge_faults(box: Box) -> Iterator[str]:
    left, top, right, bottom = box.area
    nearest = min(left, top, PAPER[0] - right, PAPER[1] - bottom)
    if nearest < EDGE - HAIR:
        yield f"{_place(box)}离纸边只有{nearest:.1f}毫米，打印机印不到，至少要{EDGE:.1f}毫米"


def _code_faults(box: Box, codes: list[Box]) -> Iterator[str]:
    for code in codes:
        gap = _gap(box.area, code.area)
        if gap < QUIET - HAIR:
            yield f"{_place(box)}离二维码“{code.name}”只有{max(gap, 0):.1f}毫米，至少要{QUIET:.1f}毫米"


def _glyph_faults(box: Box, folder: str) -> Iterator[str]:
    if missing := missing_glyphs(box.text, folder=folder):
        yield f"{_place(box)}的字体没有“{missing}”"


def _quiet_faults(template: Template, number: int) -> Iterator[str]:
    """What every letter shows too near a code."""
    codes = [box for box in template.boxes[number] if box.is_code]
    picture = _picture(template.pdf, number)
    for code in codes:
        left, top, right, bottom = code.area
        rows, columns = np.nonzero(
            picture[_slices((left - QUIET, top - QUIET, right + QUIET, bottom + QUIET))] < INK
        )
        if len(rows):
            x, y = (columns[0] / DPI * 25.4 + left - QUIET, rows[0] / DPI * 25.4 + top - QUIET)
            yield f"二维码“{code.name}”周围{QUIET:.1f}毫米内有固定内容（横{x:.1f}、纵{y:.1f}毫米处）"


def _gap(one: Box4, other: Box4) -> float:
    """How far two areas are apart in mm; below 0 they overlap."""
    return max(one[0] - other[2], other[0] - one[2], one[1] - other[3], other[1] - one[3])


def _lies_in(one: Box4, area: Box4) -> bool:
    inside = (one[0] - area[0], one[1] - area[1], area[2] - one[2], area[3] - one[3])
    return min(inside) >= -HAIR


def window_faults(pdf: bytes) -> list[str]:
    """Ink on a letter's first page where a window may show it, outside address, code and letterhead."""
    picture = _picture(pdf, 0)
    for area in ALLOWED:
        picture[_slices(area)] = 255
    rows, columns = np.nonzero(picture[_slices(SEEN_ZONE)] < INK)
    if not len(rows):
        return []
    x, y = columns.min() / DPI * 25.4 + SEEN_ZONE[0], rows.min() / DPI * 25.4 + SEEN_ZONE[1]
    return [f"信封窗口可见区内有多余内容（横{x:.1f}、纵{y:.1f}毫米处）"]


def _picture(pdf: bytes, page: int) -> np.ndarray:
    with pypdfium2.PdfDocument(pdf) as document:
        picture: np.ndarray = (
            document[page].render(scale=DPI / 72, grayscale=True).to_numpy().squeeze().copy()
        )
    return picture


def _slices(area: Box4) -> tuple[slice, slice]:
    """The pixels that an area touches."""
    left, top, right, bottom = (value * DPI / 25.4 for value in area)
    return slice(int(top), ceil(bottom) + 1), slice(int(left), ceil(right) + 1)


def _box_faults(box: dict[str, Any]) -> list[str]:
    faults = []
    for fold in FOLDS:
        if box["y"] < fold + FOLD_CLEAR and box["y"] + box["h"] > fold - FOLD_CLEAR:
            faults.append(f"“{box['id']}”离折线{fold:.0f}毫米处不足{FOLD_CLEAR:.0f}毫米")
    if box["x"] < BOXES_FROM or box["x"] + box["w"] > BOXES_TO:
        faults.append(f"“{box['id']}”超出版心（{BOXES_FROM:.0f}至{BOXES_TO:.0f}毫米）")
    return faults
