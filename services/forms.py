"""Versions of printed forms: frozen with their box map, so that a sheet that comes back years later can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import FormVersion
from models.clock import utcnow

SURVEY_LETTER = "survey_letter"


@dataclass(frozen=True)
class Form:
    """One version of a printed form: the template it is printed from, and its boxes in millimetres."""

    document: str
    version: int
    template_sha256: str
    boxes: Mapping[str, Any]


def version_for(session: Session, document: str, template_sha256: str) -> int:
    """The version number of a form that is printed from this template now: known already, or the next."""
    known = select(FormVersion.version).where(FormVersion.document == document)
    found = session.scalar(known.where(FormVersion.template_sha256 == template_sha256))
    last = session.scalar(select(func.max(FormVersion.version)).where(FormVersion.document == document))
    return found or (last or 0) + 1


def keep_version(session: Session, form: Form) -> FormVersion:
    """Freeze a version with its boxes; one that is there stays as it is."""
    query = select(FormVersion).where(FormVersion.document == form.document, FormVersion.version == form.version)
    found = session.scalar(query)
    if found is not None:
        return found
    row = FormVersion(document=form.document, version=form.version, template_sha256=form.template_sha256)
    row.boxes, row.created_at = dict(form.boxes), utcnow()
    session.add(row)
    session.flush()
    return row
