"""Who decides in whose name while that person is away."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import WithId, db
from models.people import Staff


class Delegation(db.Model, WithId):
    """Tasks of one person that another sees and decides in their name, both days included (委托代办)."""

    __tablename__ = "delegations"
    __table_args__ = (Index("ix_delegations_to", "to_id", "until"),)
    from_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    to_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    since: Mapped[date]
    until: Mapped[date]
    reason: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    principal: Mapped[Staff] = relationship(foreign_keys=[from_id])
    delegate: Mapped[Staff] = relationship(foreign_keys=[to_id])

    def __str__(self) -> str:
        return f"{self.since}–{self.until}"
