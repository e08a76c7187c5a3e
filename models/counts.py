"""Kept counts: of current values by unit, kind and verdict, and of required items by unit, person, class and month."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import BigId, WithId, db
from models.scope import Scoped

ANY_MONTH = "*"  # the sum over all opening months, kept beside them so that a whole unit is read in a moment


class CountSet(db.Model, WithId):
    """One set of kept counts: `current` is read; one that is `building` takes over when it has counted everybody.

    `counted_to` is the last customer that it has counted; before the first set was built, set 0 is the current one.
    """

    __tablename__ = "count_sets"
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(20))
    counted_to: Mapped[int] = mapped_column(BigId, default=0)
    figures: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    def __str__(self) -> str:
        return f"{self.id} {self.reason}"


class ContactCount(Scoped, db.Model):
    """How many current values of a kind and verdict a unit has; kept by `services.changes`, chunk by chunk."""

    __tablename__ = "contact_counts"
    __table_args__ = {"sqlite_with_rowid": False}
    own_by = "unit"
    set_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(30), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(12), primary_key=True)
    number: Mapped[int] = mapped_column(default=0)


class QualityCount(Scoped, db.Model):
    """How many required items of a unit's customers there are, and how many are recorded, usable and clean.

    `opened` is the month in which the customers were opened (empty: unknown), or `ANY_MONTH`; `staff_id` is whoever
    recorded the items, for missing ones the account manager, 0 for nobody.
    """

    __tablename__ = "quality_counts"
    __table_args__ = {"sqlite_with_rowid": False}
    own_by = "unit"
    set_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    opened: Mapped[str] = mapped_column(String(7), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    customer_class: Mapped[str] = mapped_column(String(30), primary_key=True)
    required: Mapped[int] = mapped_column(default=0)
    recorded: Mapped[int] = mapped_column(default=0)
    good: Mapped[int] = mapped_column(default=0)
    valid: Mapped[int] = mapped_column(default=0)


# The set of counts that is read: for a query of its own, or inside another.
CURRENT = func.coalesce(select(func.max(CountSet.id)).where(CountSet.state == "current").scalar_subquery(), 0)


def current_set(session: Session) -> int:
    """The set of counts that is read."""
    return int(session.scalar(select(CURRENT)) or 0)
