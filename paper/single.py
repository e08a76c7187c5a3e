"""Documents that are laid out in one go: from HTML to a described and proofed file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from paper.letterheads import Letterhead
from paper.merging import About, Part, join
from paper.pdf import Job, LaidOut, lay_out, lay_out_all
from paper.proofs import Expected, proof


def single(
    html: str, about: About, *, letterhead: Letterhead, expected: Iterable[Expected], pages: int | None = None
) -> bytes:
    """Lay out one document and return its bytes; `pages` is how many it must have, where that is known."""
    laid_out = lay_out(Job(html, about.title, folder=letterhead.font_folder))
    return finished(laid_out, about, expected=expected, pages=pages or laid_out.pages)


def joined(
    htmls: Iterable[str], about: About, *, letterhead: Letterhead, expected: Iterable[Expected], pages: int
) -> bytes:
    """Lay out a long document in parts, a child each and never more than a few at once; returns the one file."""
    jobs = (Job(html, about.title, folder=letterhead.font_folder) for html in htmls)
    with tempfile.TemporaryDirectory(prefix="lamplighter-paper-") as folder:
        parts, target = [], Path(folder) / "document.pdf"
        for number, laid_out in enumerate(lay_out_all(jobs)):
            parts.append(Part(Path(folder) / f"part{number}.pdf"))
            parts[-1].path.write_bytes(laid_out.pdf)
        join(parts, target, about)
        proof(target, pages=pages, expected=expected)
        return target.read_bytes()


def finished(
    laid_out: LaidOut, about: About, *, expected: Iterable[Expected], pages: int, only: int | None = None
) -> bytes:
    """What was laid out (or one page of it), described and proofed."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-paper-") as folder:
        part, target = Path(folder) / "part.pdf", Path(folder) / "document.pdf"
        part.write_bytes(laid_out.pdf)
        join([Part(part, only=only)], target, about)
        proof(target, pages=pages, expected=expected)
        return target.read_bytes()
