"""What tests of kept counts share: the counts as one set, to be compared."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ContactCount, QualityCount


def kept(session: Session, *, set_id: int | None = None) -> set[Any]:
    """All counts that are not nought."""
    found = set()
    for table in (ContactCount.__table__, QualityCount.__table__):
        for row in session.execute(select(table)).mappings():
            keys = tuple(row[column.name] for column in table.primary_key if column.name != "set_id")
            sums = tuple(row[c.name] for c in table.c if not c.primary_key)
            if any(sums) and set_id in (None, row["set_id"]):
                found.add((table.name, keys, sums))
    return found
