"""Import batches: a file in, its rows' outcomes, and what undo needs to take it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import WithId, db
from models.customers import Customer
from models.people import Staff, Unit
from models.scope import Scoped


class ImportBatch(Scoped, db.Model, WithId):
    """One file brought in (导入批次)."""

    __tablename__ = "import_batches"
    own_by = "staff"
    own_column = "recorder_id"
    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64), default="")
    mode: Mapped[str] = mapped_column(String(10), default="update")
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    layout: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(String(12))
    rows: Mapped[int] = mapped_column(default=0)
    rows_done: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    proposed: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    unread: Mapped[int] = mapped_column(default=0)
    restored: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)
    kept: Mapped[int] = mapped_column(default=0)
    errors_file: Mapped[str | None] = mapped_column(String(64))
    error: Mapped[str] = mapped_column(Text, default="")
    trial: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    recorder_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    run_id: Mapped[int | None] = mapped_column(index=True)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    recorder: Mapped[Staff | None] = relationship()
    unit: Mapped[Unit] = relationship()

    def __str__(self) -> str:
        return f"{self.id} {self.file_name}"


class BatchRow(Scoped, db.Model, WithId):
    """What one row of a batch did to one customer: with the facts it changed (`before`: name -> old and new), and what
    of it could not be understood (`unread`: field -> text)."""

    __tablename__ = "batch_rows"
    __table_args__ = (Index("ix_batch_rows_batch_outcome", "batch_id", "outcome", "row"),)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batches.id"))
    row: Mapped[int]
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    outcome: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(40), default="")
    before: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    unread: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    undone: Mapped[str] = mapped_column(String(12), default="")
    undo_reason: Mapped[str] = mapped_column(String(80), default="")
    customer: Mapped[Customer | None] = relationship()


class ImportMapping(Scoped, db.Model, WithId):
    """How a sender's columns were mapped the last time: the sender is a unit and the headings of its files."""

    __tablename__ = "import_mappings"
    __table_args__ = (db.UniqueConstraint("unit_id", "fingerprint"),)
    own_by = "unit"
    fingerprint: Mapped[str] = mapped_column(String(64))
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    mode: Mapped[str] = mapped_column(String(10))
    file_name: Mapped[str] = mapped_column(String(200))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    used_at: Mapped[datetime]
    uses: Mapped[int] = mapped_column(default=1)
    staff: Mapped[Staff | None] = relationship()


class TrialRow(Scoped, db.Model, WithId):
    """What one row of an uploaded file would do, by a trial that wrote nothing else; gone once the file is imported.

    `bad` counts its cells that are invalid or suspect, `unread` those that could not be understood.
    """

    __tablename__ = "trial_rows"
    __table_args__ = (
        Index("ix_trial_rows_outcome", "batch_id", "outcome", "row"),
        Index("ix_trial_rows_bad", "batch_id", "bad", "row"),
    )
    own_by = "unit"
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batches.id"))
    row: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(40), default="")
    bad: Mapped[int] = mapped_column(default=0)
    unread: Mapped[int] = mapped_column(default=0)
