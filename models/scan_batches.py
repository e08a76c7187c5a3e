"""Scan batches (扫描批次): scanned sides as they came in, what each was read as, and what still has to be keyed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import WithId, db
from models.campaigns import FormVersion
from models.letters import Letter
from models.notices import Notice
from models.people import Staff, Unit
from models.scope import Scoped


class ScanBatch(Scoped, db.Model, WithId):
    """Files of scans brought in together: by upload, from the watched folder, or by the shell (`origin`).

    `files` holds `{name, sha256, sides}` each; `digest` names their contents together, so that the same files brought
    in again are the same batch.
    """

    __tablename__ = "scan_batches"
    own_by = "unit"
    name: Mapped[str] = mapped_column(String(120))
    origin: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    sides: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(400), default="")
    digest: Mapped[str] = mapped_column(String(64), default="", server_default="", index=True)
    run_id: Mapped[int | None]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    unit: Mapped[Unit] = relationship()
    staff: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return self.name


class Sheet(Scoped, db.Model, WithId):
    """One scanned side: whose it is, how it was registered, what its boxes show, and its state.

    `image_sha256` is the side as scanned, turned upright; `placed` maps millimetres of the form to its pixels
    (six numbers, row by row), so that any box can be cut out again at any time. `marks` holds per box of the form map
    `{ink, value, sure}`; `residual` is the registration's worst error in millimetres. `digest` names the scanned
    picture itself: the same picture brought in again is told by it. `letter_id` or `notice_id`: what it answers.
    """

    __tablename__ = "sheets"
    __table_args__ = (
        db.UniqueConstraint("scan_batch_id", "file", "side"),
        Index("ix_sheets_batch_state", "scan_batch_id", "state"),
    )
    own_by = "unit"
    scan_batch_id: Mapped[int] = mapped_column(ForeignKey("scan_batches.id"))
    file: Mapped[int]
    side: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(12), index=True)
    reason: Mapped[str] = mapped_column(String(40), default="")
    kind: Mapped[str] = mapped_column(String(1), default="")
    token: Mapped[str] = mapped_column(String(10), default="", index=True)
    page: Mapped[int] = mapped_column(default=0)
    letter_id: Mapped[int | None] = mapped_column(ForeignKey("letters.id"), index=True)
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notices.id"), index=True)
    form_version_id: Mapped[int | None] = mapped_column(ForeignKey("form_versions.id"))
    image_sha256: Mapped[str] = mapped_column(String(64), default="")
    placed: Mapped[list[float]] = mapped_column(JSON, default=list)
    residual: Mapped[float | None]
    marks: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    keying_id: Mapped[int | None] = mapped_column(ForeignKey("keyings.id"), index=True)
    read_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    unit: Mapped[Unit] = relationship()
    batch: Mapped[ScanBatch] = relationship()
    letter: Mapped[Letter | None] = relationship()
    notice: Mapped[Notice | None] = relationship()
    form_version: Mapped[FormVersion | None] = relationship()

    def __str__(self) -> str:
        return f"{self.scan_batch_id}-{self.file}-{self.side}"


class KeyJob(Scoped, db.Model, WithId):
    """One field of one sheet that one person keys from its picture: the queue, who holds it, and what was keyed.

    `turn` 1 and 2 are the two blind keyings, 3 the arbitration, 4 the team leader; `answer` is value, blank, unreadable
    or leader. Held until `held_until` in real time; afterwards anybody may take it.
    """

    __tablename__ = "key_jobs"
    __table_args__ = (
        db.UniqueConstraint("sheet_id", "field", "turn"),
        Index("ix_key_jobs_queue_turn", "queue", "state", "turn", "id"),
        Index("ix_key_jobs_keyed_by", "keyed_by_id", "keyed_at"),
    )
    own_by = "unit"
    sheet_id: Mapped[int] = mapped_column(ForeignKey("sheets.id"))
    field: Mapped[str] = mapped_column(String(40))
    turn: Mapped[int] = mapped_column(default=1)
    queue: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    held_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    held_until: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(String(12), default="")
    value: Mapped[str] = mapped_column(String(400), default="")
    keyed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    keyed_at: Mapped[datetime | None]
    sheet: Mapped[Sheet] = relationship()
    keyed_by: Mapped[Staff | None] = relationship(foreign_keys=[keyed_by_id])

    def __str__(self) -> str:
        return f"{self.sheet_id} {self.field} {self.turn}"
