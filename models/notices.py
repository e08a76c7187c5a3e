"""Bulletins and assessment notices (考核通报、考核通知单): drafted, reviewed, approved, signed, issued, received."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.assessments import Assessment
from models.base import WithId, db
from models.people import Staff, Unit
from models.scope import Scoped


class Notice(Scoped, db.Model, WithId):
    """One numbered document to all units (bulletin) or to one unit or person (assessment_notice)."""

    __tablename__ = "notices"
    own_by = "staff"
    own_column = "addressee_id"
    __table_args__ = (
        db.UniqueConstraint("series", "year", "number"),
        Index("ix_notices_assessment", "assessment_id", "kind", "unit_id"),
    )
    kind: Mapped[str] = mapped_column(String(30))
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessments.id"))
    run_id: Mapped[int | None] = mapped_column(index=True)
    addressee_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    series: Mapped[str] = mapped_column(String(40))
    year: Mapped[int]
    number: Mapped[int | None]
    title: Mapped[str] = mapped_column(String(200))
    token: Mapped[str] = mapped_column(String(10), unique=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    opinion: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(15))
    drafted_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    signed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    drafted_at: Mapped[datetime]
    reviewed_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]
    issued_at: Mapped[datetime | None]
    appeal_until: Mapped[date | None]
    acknowledged_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    acknowledged_at: Mapped[datetime | None]
    rebuttal: Mapped[str] = mapped_column(Text, default="")
    sha256: Mapped[str | None] = mapped_column(String(64))
    form_version_id: Mapped[int | None] = mapped_column(ForeignKey("form_versions.id"))
    fingerprint: Mapped[str] = mapped_column(String(16), default="")
    assessment: Mapped[Assessment] = relationship()
    unit: Mapped[Unit] = relationship()
    drafted_by: Mapped[Staff | None] = relationship(foreign_keys=[drafted_by_id])
    reviewed_by: Mapped[Staff | None] = relationship(foreign_keys=[reviewed_by_id])
    approved_by: Mapped[Staff | None] = relationship(foreign_keys=[approved_by_id])
    signed_by: Mapped[Staff | None] = relationship(foreign_keys=[signed_by_id])
    acknowledged_by: Mapped[Staff | None] = relationship(foreign_keys=[acknowledged_by_id])

    def __str__(self) -> str:
        return self.title


class BulletinReceipt(Scoped, db.Model, WithId):
    """That a unit signed for an issued bulletin (签收)."""

    __tablename__ = "bulletin_receipts"
    own_by = "unit"
    __table_args__ = (db.UniqueConstraint("notice_id", "unit_id"),)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    rebuttal: Mapped[str] = mapped_column(Text, default="")
