"""Visits (走访): one door to go to, its attempts, and the walk lists of a day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import WithId, db
from models.campaigns import Campaign
from models.customers import Customer
from models.people import Staff
from models.scope import Scoped


class WalkList(Scoped, db.Model, WithId):
    """A person's doors of one day in order (走访清单), numbered `ZF-20261121-07`."""

    __tablename__ = "walk_lists"
    own_by = "staff"
    number: Mapped[str] = mapped_column(String(30), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    day: Mapped[date]
    doors: Mapped[int]
    copy: Mapped[int] = mapped_column(default=1)
    sha256: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    staff: Mapped[Staff] = relationship()

    def __str__(self) -> str:
        return self.number


class Visit(Scoped, db.Model, WithId):
    """One door to go to (走访任务): why, who, by when, what came of it."""

    __tablename__ = "visits"
    own_by = "staff"
    __table_args__ = (
        Index("ix_visits_staff_state", "staff_id", "state"),
        Index("ix_visits_unit_state", "unit_id", "state"),
        Index("ix_visits_campaign_state", "campaign_id", "state"),
    )
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"))
    letter_id: Mapped[int | None] = mapped_column(ForeignKey("letters.id"), unique=True)
    run_id: Mapped[int | None] = mapped_column(index=True)
    origin: Mapped[str] = mapped_column(String(30))
    reason: Mapped[str] = mapped_column(String(40), default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    state: Mapped[str] = mapped_column(String(12))
    token: Mapped[str] = mapped_column(String(10), unique=True)
    due_on: Mapped[date | None]
    next_on: Mapped[date | None]
    attempts: Mapped[int] = mapped_column(default=0)
    result: Mapped[str] = mapped_column(String(30), default="")
    hint: Mapped[str] = mapped_column(String(120), default="")
    walk_list_id: Mapped[int | None] = mapped_column(ForeignKey("walk_lists.id"), index=True)
    position: Mapped[int | None]
    created_at: Mapped[datetime]
    assigned_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    customer: Mapped[Customer] = relationship()
    campaign: Mapped[Campaign | None] = relationship()
    staff: Mapped[Staff | None] = relationship()
    walk_list: Mapped[WalkList | None] = relationship()

    def __str__(self) -> str:
        return self.token


class VisitAttempt(Scoped, db.Model, WithId):
    """One time at the door: reached and answers, or not reached and why; never both."""

    __tablename__ = "visit_attempts"
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    result: Mapped[str] = mapped_column(String(30))
    note: Mapped[str] = mapped_column(Text, default="")
    answers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    form_key: Mapped[str | None] = mapped_column(String(40), unique=True)
    visit: Mapped[Visit] = relationship()
