"""Duplicates of customers: keys they are found by, pairs that look alike with what was decided, and merges."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BigId, WithId, db
from models.customers import Customer
from models.people import Staff
from models.scope import Scoped


class MatchKey(db.Model):
    """One key by which a customer may meet another: phone, identity, address, name at a place; made anew on change."""

    __tablename__ = "match_keys"
    __table_args__ = (Index("ix_match_keys_key_customer", "key", "customer_id"),)
    customer_id: Mapped[int] = mapped_column(BigId, ForeignKey("customers.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)


class DuplicatePair(Scoped, db.Model, WithId):
    """Two customers that look alike: how much, in which parts, as what; a decision is never asked for again."""

    __tablename__ = "duplicate_pairs"
    own_by = "unit"
    __table_args__ = (
        db.UniqueConstraint("first_id", "second_id"),
        Index("ix_duplicate_pairs_unit_decision", "unit_id", "decision", "score"),
        Index("ix_duplicate_pairs_second", "second_id"),
    )
    first_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    second_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    score: Mapped[int]
    suggested: Mapped[str] = mapped_column(String(20))
    parts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    decision: Mapped[str] = mapped_column(String(20), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
    found_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    first: Mapped[Customer] = relationship(foreign_keys=[first_id])
    second: Mapped[Customer] = relationship(foreign_keys=[second_id])
    decided_by: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return f"{self.first_id}={self.second_id}"


class CustomerMerge(Scoped, db.Model, WithId):
    """That one account stands for another (合并): proposed by one person, decided by another, and taken back exactly.

    `choices`: field or kind -> `kept`, `merged` or `both`; `made`: what the merge changed, for taking it back.
    """

    __tablename__ = "customer_merges"
    own_by = "unit"
    __table_args__ = (Index("ix_customer_merges_kept", "kept_id"), Index("ix_customer_merges_merged", "merged_id"))
    kept_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    merged_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    state: Mapped[str] = mapped_column(String(12))
    choices: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    made: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    evidence: Mapped[str] = mapped_column(String(200), default="")
    proposed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    undone_at: Mapped[datetime | None]
    kept: Mapped[Customer] = relationship(foreign_keys=[kept_id])
    merged: Mapped[Customer] = relationship(foreign_keys=[merged_id])
    proposed_by: Mapped[Staff | None] = relationship(foreign_keys=[proposed_by_id])
    decided_by: Mapped[Staff | None] = relationship(foreign_keys=[decided_by_id])

    def __str__(self) -> str:
        return f"{self.merged_id} -> {self.kept_id}"
