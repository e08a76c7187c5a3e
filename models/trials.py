"""Trial runs (试运行): what a workflow would make if it were started now, and what was assumed of the future."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BigId, WithId, db
from models.people import Staff, Unit
from models.scope import Scoped


class Trial(Scoped, db.Model, WithId):
    """One trial with its own copy of the tree; `values` were given as at a start, `assumed` changed by hand.

    `result` holds figures and assumptions, `sha256` names the file of the would-be rows. Nothing of it is ever sent.
    """

    __tablename__ = "trials"
    own_by = "staff"
    workflow_id: Mapped[int | None] = mapped_column(ForeignKey("workflows.id"), index=True)
    workflow_key: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(160))
    version: Mapped[int | None]
    tree: Mapped[list[Any]] = mapped_column(JSON)
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    assumed: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(String(12))
    message: Mapped[str] = mapped_column(Text, default="")
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    run_id: Mapped[int | None] = mapped_column(BigId)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    staff: Mapped[Staff | None] = relationship()
    unit: Mapped[Unit] = relationship()

    def __str__(self) -> str:
        return self.title
