"""What waits for a person (待办), who of several decides it, and what everybody did with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BigId, WithId, db
from models.customers import Customer
from models.people import Staff, Unit
from models.scope import Scoped
from models.workflows import Run


class Task(Scoped, db.Model, WithId):
    """What waits for a person (待办): of a run's person node, or of a desk (a counter's, a failed step's).

    `staff_id` has it in hand now; `addressee_id` is whom it was made for, and `next_ids` who has it afterwards.
    `overdue_at` is the due moment whose passing was told of. With a
    `rule` of all or majority, or several people by name, those in `task_people` decide.
    """

    __tablename__ = "tasks"
    own_by = "staff"
    __table_args__ = (
        Index("ix_tasks_unit_state", "unit_id", "state"),
        Index("ix_tasks_staff_state", "staff_id", "state"),
        Index("ix_tasks_state_due", "state", "due_at"),
        Index("ix_tasks_state_remind", "state", "remind_at"),
        Index("ix_tasks_starter_state", "starter_id", "state"),
    )
    kind: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"), index=True)
    step_id: Mapped[int | None] = mapped_column(ForeignKey("steps.id"), unique=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    permission: Mapped[str] = mapped_column(String(60), default="")
    role: Mapped[str] = mapped_column(String(40), default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    addressee_id: Mapped[int | None] = mapped_column(BigId)
    starter_id: Mapped[int | None] = mapped_column(BigId)
    rule: Mapped[str] = mapped_column(String(10), default="any", server_default="any")
    next_ids: Mapped[list[int]] = mapped_column(JSON, default=list, server_default="[]")
    not_by: Mapped[list[int]] = mapped_column(JSON, default=list)
    choices: Mapped[list[Any]] = mapped_column(JSON, default=list)
    fields: Mapped[list[Any]] = mapped_column(JSON, default=list, server_default="[]")
    answers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    link: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(12))
    decision: Mapped[str] = mapped_column(String(40), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    due_at: Mapped[datetime | None]
    overdue_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
    reminders: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    run: Mapped[Run | None] = relationship()
    customer: Mapped[Customer | None] = relationship()
    staff: Mapped[Staff | None] = relationship(foreign_keys=[staff_id])
    done_by: Mapped[Staff | None] = relationship(foreign_keys=[done_by_id])
    unit: Mapped[Unit] = relationship()

    def __str__(self) -> str:
        return self.title


class TaskPerson(db.Model, WithId):
    """One of several who decide a task, each with an own choice (会签)."""

    __tablename__ = "task_people"
    __table_args__ = (db.UniqueConstraint("task_id", "staff_id"),)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    choice: Mapped[str] = mapped_column(String(40), default="")
    decided_at: Mapped[datetime | None]


class TaskAct(db.Model, WithId):
    """One thing that somebody did with a task (办理记录): by whom, in whose name, to whom, with which words."""

    __tablename__ = "task_acts"
    __table_args__ = (Index("ix_task_acts_staff", "staff_id", "act", "task_id"),)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"), index=True)
    at: Mapped[datetime]
    act: Mapped[str] = mapped_column(String(20))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    for_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    to_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    choice: Mapped[str] = mapped_column(String(40), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    staff: Mapped[Staff | None] = relationship(foreign_keys=[staff_id])
    principal: Mapped[Staff | None] = relationship(foreign_keys=[for_id])
    to: Mapped[Staff | None] = relationship(foreign_keys=[to_id])
