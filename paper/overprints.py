"""Overprint (套打): the variable layer of finished letters alone, shifted for the printer, onto pre-printed stock."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pikepdf

from paper.merging import About, describe, save
from paper.pdf import PaperError

PT_PER_MM = 72 / 25.4
SHARED = re.compile(r"/S(?:(?:hared)?[0-9]+|[0-9a-f]{12})")  # layers that all pages share
TITLE = "套打"


def overprint(
    source: Path, pages: Sequence[int], target: Path, *, offset: tuple[int, int], day: dt.date
) -> int:
    """Write chosen pages of a print run without what all letters share, in 0.1 mm to the right and down of where
    they stand; returns how many pages."""
    with pikepdf.open(source) as found, pikepdf.new() as out:
        out.pages.extend([found.pages[number] for number in pages])
        empty = out.make_stream(b"", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 1, 1])
        for page in out.pages:
            _strip(page, empty)
            _shift(page, offset)
        describe(out, About(TITLE, day, duplex=True))
        save(out, target)
        return len(pages)


def _strip(page: pikepdf.Page, empty: pikepdf.Object) -> None:
    drawn: Any = page.Resources.get("/XObject", {})
    shared = [name for name in drawn if SHARED.fullmatch(name)]
    if not shared:
        raise PaperError("这个打印文件没有把固定内容和可变内容分开，不能套打。请补打这些函件后再套打。")
    for name in shared:
        drawn[name] = empty


def _shift(page: pikepdf.Page, offset: tuple[int, int]) -> None:
    right, down = (value / 10 * PT_PER_MM for value in offset)
    page.contents_add(f"q 1 0 0 1 {right:.4f} {-down:.4f} cm".encode(), prepend=True)
    page.contents_add(b"Q")
