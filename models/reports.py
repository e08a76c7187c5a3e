"""Quality reports (质量月报) that were made: the facts of a run for a unit as one file, so that they stay the same."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.assessments import Assessment
from models.base import WithId, db
from models.people import Staff, Unit
from models.publications import LOCKED
from models.scope import Scoped


class Report(Scoped, db.Model, WithId):
    """The monthly report of a unit out of one run; `sha256` names the file of its facts. A draft until published."""

    __tablename__ = "reports"
    own_by = "unit"
    __table_args__ = (
        db.UniqueConstraint("assessment_id", "unit_id"),
        Index("ix_reports_unit_period", "unit_id", "period"),
    )
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))  # led by an index above, needs none of its own
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessments.id"))
    period: Mapped[str] = mapped_column(String(7))
    sha256: Mapped[str] = mapped_column(String(64))
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    made_at: Mapped[datetime]
    assessment: Mapped[Assessment] = relationship()
    unit: Mapped[Unit] = relationship()
    made_by: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return f"{self.period} {self.unit}"

    @property
    def is_draft(self) -> bool:
        """Whether its run is not published yet."""
        return self.assessment.state != LOCKED
