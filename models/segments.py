"""Segments (客户群): saved selections of customers, kept as conditions and run as SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import WithId, db
from models.people import Staff, Unit
from models.scope import Scoped


class SavedSegment(Scoped, db.Model, WithId):
    """One selection: `condition` is a tree of comparisons (`services/saved_segments.py`), `code` names it in steps.

    Whoever runs it finds only customers in their own scope.
    """

    __tablename__ = "segments"
    own_by = "unit"
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(Text, default="")
    condition: Mapped[dict[str, Any]] = mapped_column(JSON)
    edited_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    edited_at: Mapped[datetime]
    unit: Mapped[Unit] = relationship()
    edited_by: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return self.name
