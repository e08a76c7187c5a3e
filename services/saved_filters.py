"""What a person searched for in a list, kept for a day so that an address carries only its id."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import SavedFilter
from models.clock import utcnow

KEPT = timedelta(days=1)
LONGEST = 60


def save(session: Session, staff_id: int, screen: str, values: Mapping[str, str]) -> int:
    """Keep what was searched for and return its id; older searches of this person are forgotten."""
    session.execute(
        delete(SavedFilter).where(SavedFilter.staff_id == staff_id, SavedFilter.created_at < utcnow() - KEPT)
    )
    kept = {key: value.strip()[:LONGEST] for key, value in values.items()}
    row = SavedFilter(staff_id=staff_id, screen=screen, values=kept, created_at=utcnow())
    session.add(row)
    session.flush()
    return row.id


def load(session: Session, staff_id: int, screen: str, filter_id: int | None) -> dict[str, str]:
    """What this person searched for in this list; empty for what is another's, of another list, or gone."""
    if filter_id is None or not 0 < filter_id < 2**63:
        return {}
    query = select(SavedFilter.values).where(SavedFilter.id == filter_id, SavedFilter.staff_id == staff_id)
    return dict(session.scalar(query.where(SavedFilter.screen == screen)) or {})
