"""The counts of current values by unit, kind and verdict, moved by deltas as contacts change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Contact, ContactCount


def add_counts(session: Session, deltas: Sequence[tuple[int, str, str, int]]) -> None:
    """Add (unit id, kind, verdict, number) deltas, summed first and written in key order: writers never cross."""
    summed: Counter[tuple[int, str, str]] = Counter()
    for unit_id, kind, verdict, number in deltas:
        summed[unit_id, kind, verdict] += number
    rows = [
        {"unit_id": unit, "kind": kind, "verdict": verdict, "number": number}
        for (unit, kind, verdict), number in sorted(summed.items())
        if number
    ]
    if rows:
        session.execute(_upsert(session), rows)


def recount(session: Session) -> None:
    """Count everything anew: after a repair, and the proof that the deltas are right."""
    session.execute(delete(ContactCount))
    grouped = (Contact.unit_id, Contact.kind, Contact.verdict)
    query = select(*grouped, func.count()).where(Contact.state == "current").group_by(*grouped)
    session.execute(insert(ContactCount.__table__).from_select(["unit_id", "kind", "verdict", "number"], query))


def _upsert(session: Session):  # type: ignore[no-untyped-def]
    """An insert that adds to what stands; both databases have it under their own name."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(ContactCount.__table__)
    added = ContactCount.__table__.c.number + statement.excluded.number
    return statement.on_conflict_do_update(index_elements=["unit_id", "kind", "verdict"], set_={"number": added})
