"""Publications: the results of a run as they were made public; what is published never changes again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, event, inspect, select
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column, relationship

from models.assessments import Assessment, AssessmentResult
from models.base import WithId, db
from models.people import Staff
from models.rules import RuleResult

LOCKED = "locked"


class PublishedForGood(Exception):
    """Somebody tried to change or delete results that are published, or the publication itself."""


class Publication(db.Model, WithId):
    """A run's results made public (发布): `sha256` names their file; a correction is a later one that replaces it."""

    __tablename__ = "publications"
    number: Mapped[str] = mapped_column(String(20), unique=True)
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessments.id"), unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("publications.id"), unique=True)
    reason: Mapped[str] = mapped_column(String(200), default="")
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    published_at: Mapped[datetime]
    assessment: Mapped[Assessment] = relationship()
    published_by: Mapped[Staff | None] = relationship()
    replaces: Mapped[Publication | None] = relationship(remote_side="Publication.id")

    def __str__(self) -> str:
        return self.number


KEPT = (Assessment, AssessmentResult, RuleResult, Publication)


@event.listens_for(Session, "before_flush")
def _keep_published(session: Session, _context: object, _instances: object) -> None:
    """Refuse whatever would touch published rows; a run is locked by its publication, and only once."""
    for row in [*session.dirty, *session.deleted]:
        touched = row in session.deleted or session.is_modified(row)
        if touched and _is_published(session, row):
            raise PublishedForGood(f"{type(row).__name__} {getattr(row, 'id', '')}")


@event.listens_for(Session, "do_orm_execute")
def _keep_in_bulk(state: ORMExecuteState) -> None:
    """Refuse whatever would change kept results in bulk: they are written once."""
    mapper = state.bind_mapper
    if (state.is_update or state.is_delete) and mapper is not None and mapper.class_ in KEPT:
        raise PublishedForGood(f"{mapper.class_.__name__} in bulk")


def _is_published(session: Session, row: Any) -> bool:
    if isinstance(row, Publication):
        return bool(inspect(row).persistent or inspect(row).deleted)
    if isinstance(row, Assessment):
        before = inspect(row).attrs.state.history.deleted
        return LOCKED in (before or [row.state])
    if not isinstance(row, AssessmentResult | RuleResult):
        return False
    table = Assessment.__table__
    state = session.connection().scalar(select(table.c.state).where(table.c.id == row.assessment_id))
    return state == LOCKED
