"""The change form as machines see it: its boxes in millimetres, and the rules that its layout must keep."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2

from paper.boxes import compiled
from paper.letterheads import Letterhead
from paper.letters import SAMPLE
from paper.pages import TEMPLATES
from paper.pdf import Box
from paper.print_runs import blank, survey_letter

FOLDS = (105.0, 210.0)  # mm from the top
FOLD_CLEAR = 4.0
BOXES_FROM, BOXES_TO = 14.0, 196.0  # mm: all boxes stand between
SEEN_ZONE = (0.0, 13.5, 210.0, 91.5)  # may become visible in a window, and its surroundings
ALLOWED = (
    (27.0, 41.5, 87.5, 63.5),
    (89.0, 46.0, 101.0, 58.0),
    (128.0, 14.0, 210.0, 32.0),
)  # address, code, head
DPI = 200

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


def _page(number: int, anchors: dict[str, Box]) -> dict[str, Any]:
    """One side: its marks are named `kind|id`, a code by its place; the customer's own code is not read back."""
    marks = [_box(name, box) for name, box in anchors.items()]
    codes = [mark for mark in marks if mark["kind"] == "code" and mark["id"] != "reply"]
    return {
        "number": number,
        "codes": [{"x": one["x"], "y": one["y"], "size": one["w"], "place": one["id"]} for one in codes],
        "boxes": [mark for mark in marks if mark["kind"] != "code"],
    }


def _box(mark: str, box: Box) -> dict[str, Any]:
    kind, name = mark.split("|")
    x, y, right, bottom = box
    place = {"x": round(x, 2), "y": round(y, 2), "w": round(right - x, 2), "h": round(bottom - y, 2)}
    return {"id": name, "kind": kind, **place}


def check_letter_layout() -> list[str]:
    """What breaks the rules of window, folds and margins; nothing, if the templates are right."""
    faults = window_faults(survey_letter(SAMPLE, SAMPLE_HEAD))
    for page in form_map()["pages"]:
        faults += [fault for box in page["boxes"] for fault in _box_faults(box)]
    return faults


def window_faults(pdf: bytes) -> list[str]:
    """Ink on a letter's first page where a window may show it, outside address, code and letterhead."""
    with pypdfium2.PdfDocument(pdf) as document:
        picture = document[0].render(scale=DPI / 72, grayscale=True).to_numpy().squeeze().copy()
    for area in ALLOWED:
        picture[_slices(area)] = 255
    rows, columns = np.nonzero(picture[_slices(SEEN_ZONE)] < 200)
    if not len(rows):
        return []
    x, y = columns.min() / DPI * 25.4 + SEEN_ZONE[0], rows.min() / DPI * 25.4 + SEEN_ZONE[1]
    return [f"信封窗口可见区内有多余内容（横{x:.1f}、纵{y:.1f}毫米处）"]


def _slices(area: tuple[float, float, float, float]) -> tuple[slice, slice]:
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
