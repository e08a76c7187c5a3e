"""Test prints (样张): finished letters with a mark across every page, so that none of them can be mailed."""

from __future__ import annotations

import datetime as dt
import io
import tempfile
from pathlib import Path

import pikepdf

from paper.letterheads import Letterhead
from paper.letters import LetterFacts
from paper.merging import About, describe, save
from paper.pages import compose
from paper.pdf import Job, PaperError, lay_out
from paper.print_runs import render_letters
from paper.proofs import Expected, proof

TITLE = "样张"


def specimens(letters: list[LetterFacts], letterhead: Letterhead, target: Path, *, day: dt.date) -> int:
    """Write the letters with the mark over each page, the window too; returns the pages."""
    html = compose("specimen_mark.html", letterhead, title=TITLE)
    mark = lay_out(Job(html, TITLE, folder=letterhead.font_folder))
    with tempfile.TemporaryDirectory(prefix="lamplighter-paper-") as folder:
        plain, draft = Path(folder) / "letters.pdf", Path(folder) / "marked.pdf"
        printed = render_letters(letters, letterhead, plain)
        if not printed.letters:
            raise PaperError("样张一封也排不出来：地址或收件人都太长。请先把地址改短。")
        _mark(plain, mark.pdf, draft, day=day)
        proof(draft, pages=printed.pages, expected=[Expected(TITLE, 0, [("样张标记", TITLE)])])
        target.write_bytes(draft.read_bytes())
    return printed.pages


def _mark(source: Path, mark: bytes, target: Path, *, day: dt.date) -> None:
    with pikepdf.open(source) as found, pikepdf.open(io.BytesIO(mark)) as sheet, pikepdf.new() as pdf:
        pdf.pages.extend(found.pages)
        forms = [pdf.copy_foreign(page.as_form_xobject()) for page in sheet.pages]
        for at, page in enumerate(pdf.pages):
            page.Resources = _own(pdf, page.Resources)
            page.Resources.XObject["/Specimen"] = forms[at % 2]
            page.contents_add(b"q", prepend=True)
            page.contents_add(b"Q q /Specimen Do Q")
        describe(pdf, About(TITLE, day, duplex=True))
        save(pdf, target)


def _own(pdf: pikepdf.Pdf, resources: pikepdf.Object) -> pikepdf.Object:
    """A page's own resources: pages share theirs with others."""
    own = pikepdf.Dictionary(dict(resources))
    own.XObject = pikepdf.Dictionary(dict(resources.get("/XObject", {})))
    return pdf.make_indirect(own)
