"""Pages taken out of finished files and put together again: the same pages give the same bytes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import pikepdf

from paper.merging import About, describe, save


def excerpt(sources: Iterable[tuple[Path, Sequence[int]]], target: Path, *, title: str, day: dt.date) -> int:
    """Write chosen pages (counted from 0) of several files as one, in one move; returns how many pages.

    A file that comes again is not opened again, and brings its fonts once.
    """
    with pikepdf.new() as out, ExitStack() as stack:
        opened: dict[Path, pikepdf.Pdf] = {}
        for path, pages in sources:
            if path not in opened:
                opened[path] = stack.enter_context(pikepdf.open(path))
            out.pages.extend([opened[path].pages[number] for number in pages])
        describe(out, About(title, day, duplex=True))
        total = len(out.pages)
        save(out, target)
    return total
