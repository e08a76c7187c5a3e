"""Batch changes (批量变更): clean-ups and third-party updates as sets with an id, and the values each changes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BigId, WithId, db
from models.contacts import Contact
from models.customers import Customer
from models.people import Staff, Unit
from models.scope import Scoped


class BatchChange(Scoped, db.Model, WithId):
    """One set of changes (批量变更): tried, submitted, approved by another person, applied, and perhaps taken back.

    `effective_on`: values recorded from this day on are never touched. `options` hold what its kind needs: the chosen
    rules, the import batch, the lines of a list. `total` and `done` say how far the work under way is.
    """

    __tablename__ = "batch_changes"
    own_by = "staff"
    own_column = "proposer_id"
    kind: Mapped[str] = mapped_column(String(30))
    title: Mapped[str] = mapped_column(String(120))
    document: Mapped[str] = mapped_column(String(200), default="")
    file_name: Mapped[str] = mapped_column(String(200), default="")
    sha256: Mapped[str] = mapped_column(String(64), default="")
    effective_on: Mapped[date | None]
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(String(12))
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    proposer_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    run_id: Mapped[int | None]
    created_at: Mapped[datetime]
    planned_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    proposer: Mapped[Staff | None] = relationship(foreign_keys=[proposer_id])
    approver: Mapped[Staff | None] = relationship(foreign_keys=[approver_id])
    unit: Mapped[Unit] = relationship()

    def __str__(self) -> str:
        return f"{self.id} {self.title}"


class BatchChangeLine(Scoped, db.Model, WithId):
    """One value that a batch change would change: `contact_id` is what stands (none where nothing does), `version_id`
    the contact version once it is submitted. `cause` groups the lines: a reason code, a rule's key, a place."""

    __tablename__ = "batch_change_lines"
    __table_args__ = (
        Index("ix_batch_change_lines_state", "change_id", "state", "cause"),
        Index("ix_batch_change_lines_conflict", "change_id", "conflict"),
    )
    change_id: Mapped[int] = mapped_column(ForeignKey("batch_changes.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("contacts.id"), index=True)
    version_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("contacts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    cause: Mapped[str] = mapped_column(String(120), default="")
    list_row: Mapped[int | None]
    raw: Mapped[str] = mapped_column(Text, default="")
    value: Mapped[str] = mapped_column(String(400), default="")
    extension: Mapped[str] = mapped_column(String(10), default="")
    verdict: Mapped[str] = mapped_column(String(12))
    reasons: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(12))
    conflict: Mapped[str] = mapped_column(String(30), default="")
    customer: Mapped[Customer] = relationship()
    contact: Mapped[Contact | None] = relationship(foreign_keys=[contact_id])
