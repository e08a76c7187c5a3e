"""Numbers that stand on many customers (一号多户), as last counted, and who may rightly have one on many."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import WithId, db
from models.people import Staff


class SharedNumber(db.Model, WithId):
    """A phone number that is current on more customers than one family has; its key stays when it is counted anew."""

    __tablename__ = "shared_numbers"
    __table_args__ = (Index("ix_shared_numbers_residential_id", "residential", "customers", "id"),)
    value: Mapped[str] = mapped_column(String(40), unique=True)
    customers: Mapped[int]
    residential: Mapped[int]
    counted_at: Mapped[datetime]

    def __str__(self) -> str:
        return f"{self.customers}"


class NumberAllowance(db.Model, WithId):
    """That a number may stand on many customers: whose it is (landlord, property manager …), why, until when."""

    __tablename__ = "number_allowances"
    __table_args__ = (Index("ix_number_allowances_value", "value"),)
    value: Mapped[str] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(30))
    reason: Mapped[str] = mapped_column(String(200))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    until: Mapped[date | None]
    ended_at: Mapped[datetime | None]
    staff: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return f"{self.role} {self.reason}"
