"""Competitions (劳动竞赛): divisions, the ledger of score entries, frozen standings, keys of the wall screen."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import WithId, db
from models.people import Staff, Unit
from models.scope import Scoped


class Competition(db.Model, WithId):
    """Period, divisions, who takes part, points per confirmed kind; `revision` moves with every entry."""

    __tablename__ = "competitions"
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    publicity_days: Mapped[int] = mapped_column(default=5)
    publicity_until: Mapped[date | None]
    points: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    state: Mapped[str] = mapped_column(String(12))
    run_id: Mapped[int | None]
    created_at: Mapped[datetime]
    unit: Mapped[Unit] = relationship()
    divisions: Mapped[list[Division]] = relationship(back_populates="competition", cascade="all, delete-orphan")

    def __str__(self) -> str:
        return self.name


class BoardRevision(db.Model):
    """A number that moves with every change of a competition: open boards poll this one indexed row."""

    __tablename__ = "board_revisions"
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    number: Mapped[int] = mapped_column(default=0)


class Division(db.Model, WithId):
    """A group of units that compete with each other (分组)."""

    __tablename__ = "divisions"
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    name: Mapped[str] = mapped_column(String(40))
    competition: Mapped[Competition] = relationship(back_populates="divisions")
    members: Mapped[list[DivisionUnit]] = relationship(back_populates="division", cascade="all, delete-orphan")

    def __str__(self) -> str:
        return self.name


class DivisionUnit(db.Model, WithId):
    """That a unit takes part in a division."""

    __tablename__ = "division_units"
    __table_args__ = (db.UniqueConstraint("division_id", "unit_id"),)
    division_id: Mapped[int] = mapped_column(ForeignKey("divisions.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    division: Mapped[Division] = relationship(back_populates="members")
    unit: Mapped[Unit] = relationship()


class ScoreEntry(Scoped, db.Model, WithId):
    """One entry of the ledger (计分记录); corrected by a contra entry that names it, never edited."""

    __tablename__ = "score_entries"
    own_by = "unit"
    __table_args__ = (
        db.UniqueConstraint("competition_id", "fact_key"),
        Index("ix_score_entries_competition_unit", "competition_id", "unit_id"),
        Index("ix_score_entries_competition_staff", "competition_id", "staff_id"),
    )
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    kind: Mapped[str] = mapped_column(String(30))
    points: Mapped[float]
    fact_key: Mapped[str] = mapped_column(String(80))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"), index=True)
    confirmation_id: Mapped[int | None] = mapped_column(ForeignKey("confirmations.id"))
    evidence: Mapped[str] = mapped_column(String(200), default="")
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("score_entries.id"), unique=True)
    at: Mapped[datetime]
    staff: Mapped[Staff | None] = relationship()
    unit: Mapped[Unit] = relationship()


class StandingSet(db.Model, WithId):
    """One numbered set of frozen standings (定榜); a ruling makes the next."""

    __tablename__ = "standing_sets"
    __table_args__ = (db.UniqueConstraint("competition_id", "number"),)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"))
    number: Mapped[int]
    at: Mapped[datetime]
    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    rows: Mapped[list[Standing]] = relationship(back_populates="standing_set", order_by="Standing.id")


class Standing(db.Model, WithId):
    """One frozen row of a board: equal score = equal rank, next rank skipped."""

    __tablename__ = "standings"
    set_id: Mapped[int] = mapped_column(ForeignKey("standing_sets.id"), index=True)
    board: Mapped[str] = mapped_column(String(10))
    division: Mapped[str] = mapped_column(String(40), default="")
    rank: Mapped[int]
    tied: Mapped[bool]
    code: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(80))
    unit_name: Mapped[str] = mapped_column(String(80), default="")
    score: Mapped[float]
    numerator: Mapped[int]
    denominator: Mapped[int]
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    standing_set: Mapped[StandingSet] = relationship(back_populates="rows")


class BoardKey(db.Model, WithId):
    """A revocable key that opens one wall screen without a login; only its hash is kept."""

    __tablename__ = "board_keys"
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    label: Mapped[str] = mapped_column(String(80))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    competition: Mapped[Competition] = relationship()
