"""Assessments (质量评价): required fields, runs with their members, results by measure, unit, person and cohort."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import WithId, db
from models.people import Staff, Unit
from models.scope import Scoped


class RequiredField(db.Model, WithId):
    """That customers of a class must have a value of a kind (应录项)."""

    __tablename__ = "required_fields"
    __table_args__ = (db.UniqueConstraint("customer_class", "kind"),)
    customer_class: Mapped[str] = mapped_column(String(30))
    kind: Mapped[str] = mapped_column(ForeignKey("contact_kinds.code"))

    def __str__(self) -> str:
        return f"{self.customer_class}/{self.kind}"


class Target(db.Model, WithId):
    """The three marks that scores are read from (基本值、目标值、挑战值) for one measure and cohort."""

    __tablename__ = "targets"
    __table_args__ = (db.UniqueConstraint("measure", "cohort"),)
    measure: Mapped[str] = mapped_column(String(20))
    cohort: Mapped[str] = mapped_column(String(10))
    floor: Mapped[float]
    target: Mapped[float]
    stretch: Mapped[float]
    clause: Mapped[str] = mapped_column(String(120), default="")


class Assessment(db.Model, WithId):
    """One run of the measures over a unit for a month, at its cut-off; the files named by sha256 hold its members."""

    __tablename__ = "assessments"
    period: Mapped[str] = mapped_column(String(7), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    cutoff: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    members_sha256: Mapped[str | None] = mapped_column(String(64))
    rule_members_sha256: Mapped[str | None] = mapped_column(String(64))
    customers: Mapped[int] = mapped_column(default=0)
    undated: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    unit: Mapped[Unit] = relationship()
    staff: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return f"{self.period} {self.unit}"


class AssessmentResult(Scoped, db.Model, WithId):
    """Numerator and denominator of one measure for a unit, a person (or none), a cohort; units include those below."""

    __tablename__ = "assessment_results"
    own_by = "unit"
    __table_args__ = (Index("ix_assessment_results_run", "assessment_id", "measure", "unit_id"),)
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessments.id"))
    measure: Mapped[str] = mapped_column(String(20))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    level: Mapped[str] = mapped_column(String(10))
    cohort: Mapped[str] = mapped_column(String(10))
    numerator: Mapped[int]
    denominator: Mapped[int]
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    unit: Mapped[Unit] = relationship()
    staff: Mapped[Staff | None] = relationship()

    @property
    def rate(self) -> float | None:
        """From 0 to 1: the weighted estimate where one was sampled, else numerator by denominator; None of nothing."""
        if not self.denominator:
            return None
        estimate: float | None = self.extra.get("weighted")
        return self.numerator / self.denominator if estimate is None else estimate
