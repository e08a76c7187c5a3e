"""How a sender's columns were mapped: the next file of the unit with the same headings is proposed the same mapping."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ImportMapping, Staff
from models.clock import utcnow
from models.scope import ALL, working_as
from services.headings import FIELDS, plain_heading


def fingerprint(headings: Sequence[str]) -> str:
    """What names a sender's layout: its headings without decoration, in any order."""
    plain = sorted({plain_heading(text) for text in headings if text})
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False).encode()).hexdigest()


def find(session: Session, unit_id: int, headings: Sequence[str]) -> ImportMapping | None:
    """What was chosen the last time for a file of this unit with these headings."""
    known = select(ImportMapping).where(ImportMapping.unit_id == unit_id)
    with working_as(session, ALL):
        return session.scalar(known.where(ImportMapping.fingerprint == fingerprint(headings)))


def apply(known: ImportMapping, headings: Sequence[str]) -> dict[str, str]:
    """The remembered mapping for headings as this file writes them; fields that no longer exist are left out."""
    plain = {heading: known.mapping.get(plain_heading(heading)) for heading in headings if heading}
    return {text: field for text, field in plain.items() if field is not None and (field == "" or field in FIELDS)}


def keep(session: Session, mapping: Mapping[str, str], mode: str, *, staff: Staff, file_name: str) -> None:
    """Remember what a person chose for the headings of a file; `mapping` names every heading, empty to leave it out."""
    known = find(session, staff.unit_id, list(mapping))
    facts = {plain_heading(text): field for text, field in mapping.items()}
    with working_as(session, ALL):
        if known is None:
            known = ImportMapping(unit_id=staff.unit_id, fingerprint=fingerprint(list(mapping)), uses=0)
            session.add(known)
        known.mapping, known.mode, known.file_name = facts, mode, file_name
        known.staff_id, known.used_at, known.uses = staff.id, utcnow(), known.uses + 1
