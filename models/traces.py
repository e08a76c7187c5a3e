"""Traces (服务痕迹): every change and contact in one pool, chained by the sealer after commit, with anchors outside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BigId, WithId, db
from models.people import Staff
from models.scope import Scoped


class Trace(Scoped, db.Model, WithId):
    """One thing that happened: who did what to which object; `seq` and `hash` come from the sealer."""

    __tablename__ = "traces"
    __table_args__ = (
        Index("ix_traces_customer_at", "customer_id", "at"),
        Index("ix_traces_object", "object", "object_id"),
    )
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    action: Mapped[str] = mapped_column(String(60), index=True)
    object: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[int | None] = mapped_column(BigId)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    seq: Mapped[int | None] = mapped_column(BigId, unique=True)
    previous_hash: Mapped[str | None] = mapped_column(String(64))
    hash: Mapped[str | None] = mapped_column(String(64))
    actor: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return self.action


class TraceAnchor(db.Model, WithId):
    """The chain's head at one moment, signed with a key the database does not hold; its fingerprint goes on paper."""

    __tablename__ = "trace_anchors"
    seq: Mapped[int] = mapped_column(BigId, unique=True)
    hash: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
