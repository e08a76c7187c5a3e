"""Versions of printed forms: frozen with their box map, so that a sheet that comes back years later can be read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import FormVersion
from models.clock import utcnow
from paper import forms
from paper.letterheads import Letterhead

SURVEY_LETTER = "survey_letter"


@dataclass(frozen=True)
class Form:
    """One version of a printed form: the template it is printed from, and its boxes in millimetres."""

    document: str
    version: int
    template_sha256: str
    boxes: Mapping[str, Any]


def survey_form(version: int, head: Letterhead) -> Form:
    """The survey letter's form as it is printed now, checked and measured; slow, and done outside any transaction."""
    forms.preflight(version, head)
    return Form(SURVEY_LETTER, version, forms.form_sha256(), forms.form_map(version, head))


def survey_version(session: Session) -> int:
    """The version number of the survey letter's form as it is printed now: known already, or the next."""
    known = select(FormVersion.version).where(FormVersion.document == SURVEY_LETTER)
    found = session.scalar(known.where(FormVersion.template_sha256 == forms.form_sha256()))
    last = session.scalar(select(func.max(FormVersion.version)).where(FormVersion.document == SURVEY_LETTER))
    return found or (last or 0) + 1


def kept_version(session: Session, document: str, version: int) -> FormVersion | None:
    """A version that is frozen already."""
    query = select(FormVersion).where(FormVersion.document == document)
    return session.scalar(query.where(FormVersion.version == version))


def keep_current(session: Session, document: str, boxes: Mapping[str, Any]) -> FormVersion:
    """Freeze a form as it is printed now, as a version of its own wherever its boxes differ from those before."""
    digest = hashlib.sha256(json.dumps(boxes, sort_keys=True).encode()).hexdigest()
    known = select(FormVersion).where(FormVersion.document == document)
    found = session.scalar(known.where(FormVersion.template_sha256 == digest))
    if found is not None:
        return found
    last = session.scalar(select(func.max(FormVersion.version)).where(FormVersion.document == document))
    return keep_version(session, Form(document, (last or 0) + 1, digest, boxes))


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
