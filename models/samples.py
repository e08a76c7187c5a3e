"""Samples (抽样核查) and what comes of them: the frozen frame, who was drawn, one row a value, every finding."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BigId, WithId, db
from models.customers import Customer
from models.imports import ImportBatch
from models.people import Staff, Unit
from models.scope import Scoped


class Sample(db.Model, WithId):
    """One sample of a period and unit: committed before the deadline, drawn once after it with the public number.

    Until the draw the seed is kept sealed with a key that the database does not hold; `strata` lists, in the order of
    their names, `stratum`, `population` and `size` as committed.
    """

    __tablename__ = "samples"
    __table_args__ = (UniqueConstraint("period", "unit_id"),)
    period: Mapped[str] = mapped_column(String(7))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    method: Mapped[str] = mapped_column(String(12))
    counted_by: Mapped[str] = mapped_column(String(10))
    interval: Mapped[str] = mapped_column(String(12), default="wilson", server_default="wilson")
    clusters: Mapped[int] = mapped_column(default=0)
    size: Mapped[int]
    population: Mapped[int]
    strata: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    frame_sha256: Mapped[str] = mapped_column(String(64))
    members_sha256: Mapped[str] = mapped_column(String(64))
    seed_sha256: Mapped[str] = mapped_column(String(64))
    sealed_seed: Mapped[str] = mapped_column(String(64), deferred=True)
    seed: Mapped[str] = mapped_column(String(64), default="")
    public_source: Mapped[str] = mapped_column(String(200), default="")
    public_number: Mapped[str] = mapped_column(String(100), default="")
    fingerprint: Mapped[str] = mapped_column(String(8), default="")
    deadline: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    committed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    committed_at: Mapped[datetime]
    drawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    drawn_at: Mapped[datetime | None]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    closed_at: Mapped[datetime | None]
    unit: Mapped[Unit] = relationship()
    committed_by: Mapped[Staff | None] = relationship(foreign_keys=[committed_by_id])
    drawn_by: Mapped[Staff | None] = relationship(foreign_keys=[drawn_by_id])
    closed_by: Mapped[Staff | None] = relationship(foreign_keys=[closed_by_id])

    def __str__(self) -> str:
        return f"{self.period} {self.unit}"


class SampledCustomer(Scoped, db.Model, WithId):
    """A customer that was drawn: stratum, rank within it, and how many of the frame it stands for (`weight`).

    `unit_id` and `manager_id` are kept as they were when the frame was frozen.
    """

    __tablename__ = "sampled_customers"
    __table_args__ = (UniqueConstraint("sample_id", "customer_id"),)
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    cohort: Mapped[str] = mapped_column(String(10))
    stratum: Mapped[str] = mapped_column(String(120))
    rank: Mapped[int]
    weight: Mapped[float]
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    sample: Mapped[Sample] = relationship()
    customer: Mapped[Customer] = relationship()

    def __str__(self) -> str:
        return f"{self.stratum} {self.rank}"


class BatchAudit(Scoped, db.Model, WithId):
    """Acceptance of a batch by sampling (GB/T 2828.1): its plan, the seed that drew it, and how it ended."""

    __tablename__ = "batch_audits"
    own_by = "unit"
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batches.id"), unique=True)
    population: Mapped[int]
    aql: Mapped[float]
    inspection: Mapped[str] = mapped_column(String(10))
    letter: Mapped[str] = mapped_column(String(2))
    size: Mapped[int]
    accepts: Mapped[int]
    rejects: Mapped[int]
    seed: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    wrong: Mapped[int] = mapped_column(default=0)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    batch: Mapped[ImportBatch] = relationship()
    unit: Mapped[Unit] = relationship()
    staff: Mapped[Staff | None] = relationship(foreign_keys=[staff_id])

    def __str__(self) -> str:
        return f"{self.batch_id} {self.letter}/{self.aql:g}"


class AuditItem(Scoped, db.Model, WithId):
    """One recorded value to be checked (核查项), frozen with its version: of a drawn customer, or of a drawn batch.

    The verdict is that of the latest entry; `correct_id` is the proposal that the right value became.
    """

    __tablename__ = "audit_items"
    __table_args__ = (
        Index("ix_audit_items_sampled", "sampled_id", "id"),
        Index("ix_audit_items_auditor_verdict", "auditor_id", "verdict"),
    )
    sampled_id: Mapped[int | None] = mapped_column(ForeignKey("sampled_customers.id"))
    batch_audit_id: Mapped[int | None] = mapped_column(ForeignKey("batch_audits.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    kind: Mapped[str] = mapped_column(ForeignKey("contact_kinds.code"))
    contact_id: Mapped[int] = mapped_column(BigId, ForeignKey("contacts.id"), index=True)
    value: Mapped[str] = mapped_column(String(400), default="")
    recorder_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    proposer_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    auditor_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    mode: Mapped[str] = mapped_column(String(12), default="")
    verdict: Mapped[str] = mapped_column(String(16), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    audited_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    audited_at: Mapped[datetime | None]
    correct_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("contacts.id"))
    evidence: Mapped[str] = mapped_column(String(200), default="")
    checked_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    checked_at: Mapped[datetime | None]
    sampled: Mapped[SampledCustomer | None] = relationship()
    batch_audit: Mapped[BatchAudit | None] = relationship()
    customer: Mapped[Customer] = relationship()
    auditor: Mapped[Staff | None] = relationship(foreign_keys=[auditor_id])
    audited_by: Mapped[Staff | None] = relationship(foreign_keys=[audited_by_id])
    checked_by: Mapped[Staff | None] = relationship(foreign_keys=[checked_by_id])
    entries: Mapped[list[AuditEntry]] = relationship(order_by="AuditEntry.id", viewonly=True)

    def __str__(self) -> str:
        return self.kind


class AuditEntry(Scoped, db.Model, WithId):
    """One attempt at an item and what it gave; without a verdict nobody was reached yet. Entries are never changed."""

    __tablename__ = "audit_entries"
    item_id: Mapped[int] = mapped_column(ForeignKey("audit_items.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    mode: Mapped[str] = mapped_column(String(12))
    verdict: Mapped[str] = mapped_column(String(16), default="")
    reason: Mapped[str] = mapped_column(String(200), default="")
    evidence: Mapped[str] = mapped_column(String(200), default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    staff: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return f"{self.mode} {self.verdict}"
