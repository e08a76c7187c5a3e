"""Schedules of workflows (定时计划) with their slots, and events that start workflows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BigId, WithId, db
from models.people import Staff, Unit

ENABLED = text("next_at IS NOT NULL")
WAITING = text("handled_at IS NULL")


class Schedule(db.Model, WithId):
    """When a workflow starts by itself. `next_at` is the next slot; none while it is stopped.

    `missed`: what is done with slots that passed while nobody started them: `skip`, or `once` for the whole gap, up to
    `grace_minutes` after the last of them.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        Index("ix_schedules_next_at", "next_at", sqlite_where=ENABLED, postgresql_where=ENABLED),
    )
    name: Mapped[str] = mapped_column(String(120))
    workflow_key: Mapped[str] = mapped_column(String(60))
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    rule: Mapped[dict[str, Any]] = mapped_column(JSON)
    missed: Mapped[str] = mapped_column(String(10), default="skip")
    grace_minutes: Mapped[int] = mapped_column(default=720)
    run_as_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    next_at: Mapped[datetime | None]
    missed_count: Mapped[int] = mapped_column(default=0)
    caught_up_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    run_as: Mapped[Staff] = relationship()

    def __str__(self) -> str:
        return self.name


class ScheduleSlot(db.Model, WithId):
    """One slot of a schedule and what became of it: started, missed, caught_up or refused."""

    __tablename__ = "schedule_slots"
    __table_args__ = (db.UniqueConstraint("schedule_id", "slot_at"),)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"))
    slot_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    run_id: Mapped[int | None] = mapped_column(BigId)
    message: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]


class Event(db.Model, WithId):
    """Something that happened, written with the change itself; `facts` name rows by id, never people by name.

    `attempts` counts how often it could not be acted on, `error` says why the last time, `tried_at` when.
    """

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_waiting", "id", sqlite_where=WAITING, postgresql_where=WAITING),)
    name: Mapped[str] = mapped_column(String(40))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    depth: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    tried_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text, default="", server_default="")
    unit: Mapped[Unit] = relationship()

    def __str__(self) -> str:
        return self.name


class EventSubscription(db.Model, WithId):
    """That a workflow starts when something happens in a unit or below (事件触发)."""

    __tablename__ = "event_subscriptions"
    name: Mapped[str] = mapped_column(String(120))
    event: Mapped[str] = mapped_column(String(40))
    workflow_key: Mapped[str] = mapped_column(String(60))
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    condition: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    run_as_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    run_as: Mapped[Staff] = relationship()
    unit: Mapped[Unit] = relationship()

    def __str__(self) -> str:
        return self.name


class EventStart(db.Model, WithId):
    """What an event came to for one subscription: started, or refused with the reason; one row, so at most one run."""

    __tablename__ = "event_starts"
    __table_args__ = (db.UniqueConstraint("subscription_id", "event_id"),)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("event_subscriptions.id", ondelete="CASCADE"))
    event_id: Mapped[int] = mapped_column(BigId, ForeignKey("events.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(12))
    run_id: Mapped[int | None] = mapped_column(BigId)
    message: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
