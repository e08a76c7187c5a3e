"""Drafts of workflows: the tree under work with its lock, and every step taken so far, so that it can be undone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import WithId, db
from models.people import Staff
from models.workflows import Workflow


class WorkflowDraft(db.Model, WithId):
    """The one draft of a workflow (草稿). `revision` grows with every change: whoever writes must name the last one.

    `based_on` is the number of the version it began from, none for a new workflow; `place` is the step of its history
    that the tree stands at.
    """

    __tablename__ = "workflow_drafts"
    workflow_id: Mapped[int] = mapped_column(ForeignKey("workflows.id"), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    tree: Mapped[list[Any]] = mapped_column(JSON)
    based_on: Mapped[int | None]
    revision: Mapped[int] = mapped_column(default=1)
    place: Mapped[int] = mapped_column(default=0)
    edited_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    edited_at: Mapped[datetime]
    workflow: Mapped[Workflow] = relationship()
    edited_by: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return self.name


class WorkflowDraftChange(db.Model, WithId):
    """What a draft was after one change: `text` says in words what was done; the first row is how it began."""

    __tablename__ = "workflow_draft_changes"
    __table_args__ = (db.UniqueConstraint("draft_id", "place"),)
    draft_id: Mapped[int] = mapped_column(ForeignKey("workflow_drafts.id", ondelete="CASCADE"))
    place: Mapped[int]
    text: Mapped[str] = mapped_column(Text, default="")
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    tree: Mapped[list[Any]] = mapped_column(JSON)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]

    def __str__(self) -> str:
        return self.text
