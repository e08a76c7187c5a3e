"""Campaigns (核对活动), their frozen recipients with one outcome each, and the versions of their form."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import WithId, db
from models.customers import Customer
from models.people import Staff, Unit
from models.scope import Scoped


class Campaign(db.Model, WithId):
    """A mail-out with everything that follows; its rows below are scoped, the head (no personal data) is not."""

    __tablename__ = "campaigns"
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    run_id: Mapped[int | None] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(12))
    segment: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    form_version_id: Mapped[int | None] = mapped_column(ForeignKey("form_versions.id"))
    reply_by: Mapped[date | None]
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    unit: Mapped[Unit] = relationship()
    owner: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return self.name


class FormVersion(db.Model, WithId):
    """One version of a printed form: its document key, template version and box map in millimetres, frozen."""

    __tablename__ = "form_versions"
    __table_args__ = (db.UniqueConstraint("document", "version"),)
    document: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    template_sha256: Mapped[str] = mapped_column(String(64))
    boxes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]

    def __str__(self) -> str:
        return f"{self.document} v{self.version}"


class Recipient(Scoped, db.Model, WithId):
    """A targeted customer of a campaign, frozen: excluded with a reason, or ending in exactly one outcome."""

    __tablename__ = "recipients"
    __table_args__ = (
        db.UniqueConstraint("campaign_id", "customer_id"),
        Index("ix_recipients_campaign_outcome", "campaign_id", "outcome"),
    )
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    address_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    why: Mapped[str] = mapped_column(String(120), default="")
    exclusion: Mapped[str] = mapped_column(String(40), default="")
    outcome: Mapped[str | None] = mapped_column(String(20))
    decided_at: Mapped[datetime | None]
    campaign: Mapped[Campaign] = relationship()
    customer: Mapped[Customer] = relationship()
