"""What the page of a batch change shows: its lines by state, by cause and by conflict, and some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import BatchChange, BatchChangeLine, Contact
from models.quality_words import CHANGE_LINE_STATES
from screens import masking
from services import batch_changes
from services.batch_change_kinds import cause_text

MOST_CAUSES = 50
EXAMPLES = 10
LINES = BatchChangeLine.__table__


@dataclass
class Cause:
    """One group of lines: what it is called, and how many there are by state."""

    code: str
    label: str
    note: str = ""
    states: dict[str, int] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """All its lines."""
        return sum(self.states.values())


def page(session: Session, change: BatchChange) -> dict[str, Any]:
    """The figures of one change; each opens its lines."""
    states = batch_changes.counts(session, change, LINES.c.state)
    causes = _causes(session, change)
    conflicts = batch_changes.counts(session, change, LINES.c.conflict)
    return {
        "states": {code: states[code] for code in CHANGE_LINE_STATES if code in states},
        "number": sum(states.values()),
        "causes": causes[:MOST_CAUSES],
        "more_causes": max(0, len(causes) - MOST_CAUSES),
        "conflicts": {code: number for code, number in conflicts.items() if code},
        "examples": _examples(session, change),
        "before": before_text,
        "after": masking.contact_text,
    }


def cause_label(kind: str, code: str) -> str:
    """What a group of lines is called, in the reader's language."""
    text = cause_text(kind, code)
    return _(text) if text and kind == "cleanup" else text


def before_text(contact: Contact | None) -> str:
    """What stands now as it was written, its middle covered; a dash where nothing does."""
    return masking.masked(contact.kind, contact.raw or contact.value) if contact else "—"


def _causes(session: Session, change: BatchChange) -> list[Cause]:
    found: dict[str, Cause] = {}
    open_rules = batch_changes.unconfirmed(change)
    for (code, state), number in batch_changes.counts(session, change, LINES.c.cause, LINES.c.state).items():
        note = _("未确认") if code in open_rules else ""
        one = found.setdefault(code, Cause(code, cause_label(change.kind, code), note))
        one.states[state] = number
    return sorted(found.values(), key=lambda one: (-one.number, one.code))


def _examples(session: Session, change: BatchChange) -> Sequence[BatchChangeLine]:
    """The first lines that are no conflicts."""
    query = select(BatchChangeLine).where(BatchChangeLine.change_id == change.id, BatchChangeLine.conflict == "")
    query = query.options(joinedload(BatchChangeLine.customer), joinedload(BatchChangeLine.contact))
    return session.scalars(query.order_by(BatchChangeLine.id).limit(EXAMPLES)).all()
