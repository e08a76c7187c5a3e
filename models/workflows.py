"""Workflow definitions as versioned rows, and their runs: steps, items, outgoing work, the clock's lease."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BigId, WithId, db
from models.people import Staff, Unit
from models.scope import Scoped


class Workflow(db.Model, WithId):
    """A definition's head (流程): key, owner, breaker; `permission` is what starting it needs.

    `editors`, `approvers` and `starters` name the roles that may change, publish and start it; empty: whoever holds the
    permission (`services/workflow_access.py`).
    """

    __tablename__ = "workflows"
    key: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    permission: Mapped[str] = mapped_column(String(60), default="workflows.start")
    editors: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    approvers: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    starters: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    enabled: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    tripped_at: Mapped[datetime | None]
    owner: Mapped[Staff | None] = relationship()
    unit: Mapped[Unit] = relationship()

    def __str__(self) -> str:
        return self.name


class WorkflowVersion(db.Model, WithId):
    """One published, immutable tree of nodes (版本)."""

    __tablename__ = "workflow_versions"
    __table_args__ = (db.UniqueConstraint("workflow_id", "number"),)
    workflow_id: Mapped[int] = mapped_column(ForeignKey("workflows.id"))
    number: Mapped[int]
    tree: Mapped[list[Any]] = mapped_column(JSON)
    source: Mapped[str] = mapped_column(Text, default="")
    published_at: Mapped[datetime]
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    workflow: Mapped[Workflow] = relationship()

    def __str__(self) -> str:
        return f"v{self.number}"


class Run(Scoped, db.Model, WithId):
    """One execution (流程实例) with its own copy of the tree; survives its workflow."""

    __tablename__ = "runs"
    __table_args__ = (Index("ix_runs_workflow_started", "workflow_id", "started_at"),)
    own_by = "staff"
    own_column = "owner_id"
    workflow_id: Mapped[int | None] = mapped_column(ForeignKey("workflows.id"), index=True)
    workflow_key: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    title: Mapped[str] = mapped_column(String(160))
    tree: Mapped[list[Any]] = mapped_column(JSON)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(String(15), index=True)
    message: Mapped[str] = mapped_column(Text, default="")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    parent_id: Mapped[int | None] = mapped_column(BigId, index=True)  # no foreign key: the run that started this one
    depth: Mapped[int] = mapped_column(default=0, server_default="0")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    owner: Mapped[Staff | None] = relationship()
    unit: Mapped[Unit] = relationship()

    def __str__(self) -> str:
        return self.title


class Step(db.Model, WithId):
    """The state of one node of a run; the database is the queue: a claim is a conditional UPDATE with a fresh token.

    `turn`: which chunk of the lists around it a node inside an each works on (`3`, nested `3.1`); empty elsewhere.
    """

    __tablename__ = "steps"
    __table_args__ = (
        db.UniqueConstraint("run_id", "path", "turn"),
        Index("ix_steps_state_due", "state", "not_before"),
        Index("ix_steps_state_lease", "state", "lease_until"),
        Index("ix_steps_state_until", "state", "due_at"),
        Index("ix_steps_run_state", "run_id", "state"),
    )
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    path: Mapped[str] = mapped_column(String(80))
    turn: Mapped[str] = mapped_column(String(40), default="", server_default="")
    position: Mapped[int] = mapped_column(default=0)
    node: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    key: Mapped[str] = mapped_column(String(60), default="")
    state: Mapped[str] = mapped_column(String(12))
    queue: Mapped[str] = mapped_column(String(10), default="now")
    attempt: Mapped[int] = mapped_column(default=0)
    token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    planned: Mapped[bool] = mapped_column(default=False)
    items_total: Mapped[int] = mapped_column(default=0)
    items_done: Mapped[int] = mapped_column(default=0)
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    run: Mapped[Run] = relationship()

    def __str__(self) -> str:
        return self.path


class StepItem(db.Model, WithId):
    """One planned row of a step, or one item of an each's list; `item`: the list's item that a row is for.

    `identity`: by what an item of a list inside another list is known again when that list is read once more.
    """

    __tablename__ = "step_items"
    __table_args__ = (
        db.UniqueConstraint("step_id", "position"),
        Index("ix_step_items_step_state", "step_id", "state", "position"),
    )
    step_id: Mapped[int] = mapped_column(ForeignKey("steps.id"))
    position: Mapped[int]
    item: Mapped[int | None]
    identity: Mapped[str | None] = mapped_column(String(32))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(String(12))
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    error: Mapped[str] = mapped_column(Text, default="")


class Outgoing(db.Model, WithId):
    """Something that leaves the house: a row `sending` with a unique key before, its outcome after."""

    __tablename__ = "outgoing"
    key: Mapped[str] = mapped_column(String(120), unique=True)
    channel: Mapped[str] = mapped_column(String(20))
    step_id: Mapped[int | None] = mapped_column(ForeignKey("steps.id"), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(String(12), index=True)
    outcome: Mapped[str] = mapped_column(Text, default="")
    token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class Lease(db.Model):
    """Who holds a job that only one process may do at a time: the clock."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(80), default="")
    until: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
