"""Customers (one account each), the dated versions of what measures read, preferences and consents."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BigId, WithId, db
from models.people import Staff, Unit
from models.scope import Scoped

OPEN = text("closed_on IS NULL")
MERGED = text("merged_into_id IS NOT NULL")


class Customer(Scoped, db.Model, WithId):
    """One account (户): the thing that is assessed. Identity numbers are kept as keyed hash and last four only.

    `reach` is the sum of the bits (`services/reach.py`) of the channels that work now, kept as contacts change.
    A merged account is closed and points to the one that stands for it.
    """

    __tablename__ = "customers"
    own_by = "self"
    __table_args__ = (
        Index("ix_customers_unit_book", "unit_id", "meter_book"),
        Index("ix_customers_open_reach", "unit_id", "reach", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_customers_merged_into_id", "merged_into_id", sqlite_where=MERGED, postgresql_where=MERGED),
    )
    account_no: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    usage_class: Mapped[str] = mapped_column(String(30), default="")
    customer_class: Mapped[str] = mapped_column(String(30), default="low_voltage_residential")
    sensitivity: Mapped[str] = mapped_column(String(20), default="normal")
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    transformer_area: Mapped[str] = mapped_column(String(60), default="")
    meter_book: Mapped[str] = mapped_column(String(60), default="")
    meter_no: Mapped[str] = mapped_column(String(40), default="", server_default="")
    opened_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    legal_hold: Mapped[bool] = mapped_column(default=False)
    id_hash: Mapped[str] = mapped_column(String(64), default="")
    id_last4: Mapped[str] = mapped_column(String(4), default="")
    id_verdict: Mapped[str] = mapped_column(String(12), default="missing")
    uscc: Mapped[str] = mapped_column(String(18), default="")
    reach: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    merged_into_id: Mapped[int | None] = mapped_column(BigId)  # no foreign key: SQLite would copy the table for it
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batches.id"), index=True)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    unit: Mapped[Unit] = relationship()
    manager: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return f"{self.account_no} {self.name}"


class CustomerVersion(Scoped, db.Model, WithId):
    """Unit, class, manager and opening date of a customer from one moment until another: what a cut-off must see."""

    __tablename__ = "customer_versions"
    __table_args__ = (Index("ix_customer_versions_customer_from", "customer_id", "valid_from"),)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    customer_class: Mapped[str] = mapped_column(String(30))
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    opened_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]


class Preference(Scoped, db.Model, WithId):
    """By which channel a customer wants what (接收偏好)."""

    __tablename__ = "preferences"
    __table_args__ = (db.UniqueConstraint("customer_id", "purpose", "channel"),)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    purpose: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(30))
    since: Mapped[datetime]
    customer: Mapped[Customer] = relationship()


class Consent(Scoped, db.Model, WithId):
    """Whether a customer may be approached for a purpose by a channel (授权、退订); the latest row counts."""

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_customer", "customer_id", "purpose", "channel"),)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    purpose: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(20))
    granted: Mapped[bool]
    source: Mapped[str] = mapped_column(String(30))
    since: Mapped[datetime]
    customer: Mapped[Customer] = relationship()
