"""Versions of printed forms: frozen with their box map, so that a sheet that comes back years later can be read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import FormVersion
from models.clock import utcnow
from paper.letterheads import Letterhead
from paper.letters import LetterFacts, letter_sheet
from paper.pages import TEMPLATES, compose
from paper.pdf import Box, Job, lay_out

SURVEY_LETTER = "survey_letter"
TEMPLATE_FILES = {SURVEY_LETTER: ("survey_letter", "_survey_letter", "_change_form", "_marks", "_base")}


@dataclass(frozen=True)
class Form:
    """One version of a printed form: the template it is printed from, and its boxes in millimetres."""

    document: str
    version: int
    template_sha256: str
    boxes: Mapping[str, Any]


def template_of(document: str) -> str:
    """The sha256 over the template files that a form is printed from."""
    digest = hashlib.sha256()
    for path in sorted(TEMPLATES.iterdir()):
        if path.name.startswith(TEMPLATE_FILES[document]):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def survey_form(version: int, head: Letterhead) -> Form:
    """The survey letter's form as it is printed now, measured; slow, and done outside any transaction."""
    facts = LetterFacts("0", "0" * 10, "X", "X", "", "", "", "", date.min, date.min, form_version=version)
    html = compose(
        "survey_letter.html", head, title="", letters=[letter_sheet(facts, head)], layers=("fixed",), ids=True
    )
    pages = lay_out(Job(html, "登记表底版", folder=head.font_folder)).anchors
    boxes = {"pages": [_page(number, anchors) for number, anchors in enumerate(pages, start=1)]}
    return Form(SURVEY_LETTER, version, template_of(SURVEY_LETTER), boxes)


def _page(number: int, anchors: Mapping[str, Box]) -> dict[str, Any]:
    """The marks of one side: anchors are named `kind|id`, codes by their place."""
    marks = [_mark(*name.split("|"), box=box) for name, box in anchors.items() if "|" in name]
    codes = [mark for mark in marks if mark["kind"] == "code"]
    return {
        "number": number,
        "codes": [{"x": code["x"], "y": code["y"], "size": code["w"], "place": code["id"]} for code in codes],
        "boxes": [mark for mark in marks if mark["kind"] != "code"],
    }


def _mark(kind: str, name: str, *, box: Box) -> dict[str, Any]:
    left, top, right, bottom = box
    place = {"x": left, "y": top, "w": right - left, "h": bottom - top}
    return {"id": name, "kind": kind} | {key: round(value, 2) for key, value in place.items()}


def version_for(session: Session, document: str, template_sha256: str) -> int:
    """The version number of a form that is printed from this template now: known already, or the next."""
    known = select(FormVersion.version).where(FormVersion.document == document)
    found = session.scalar(known.where(FormVersion.template_sha256 == template_sha256))
    last = session.scalar(select(func.max(FormVersion.version)).where(FormVersion.document == document))
    return found or (last or 0) + 1


def kept_version(session: Session, document: str, version: int) -> FormVersion | None:
    """A version that is frozen already."""
    query = select(FormVersion).where(FormVersion.document == document)
    return session.scalar(query.where(FormVersion.version == version))


def keep_version(session: Session, form: Form) -> FormVersion:
    """Freeze a version with its boxes; one that is there stays as it is."""
    found = kept_version(session, form.document, form.version)
    if found is not None:
        return found
    row = FormVersion(document=form.document, version=form.version, template_sha256=form.template_sha256)
    row.boxes, row.created_at = dict(form.boxes), utcnow()
    session.add(row)
    session.flush()
    return row
