"""The print room: its printers, and the trays (盘) that a print run is handed out in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import WithId, db
from models.letters import PrintRun
from models.people import Staff
from models.scope import Scoped


class Printer(db.Model, WithId):
    """A printer and how far its print lies off, measured on the calibration page: in 0.1 mm, right and down."""

    __tablename__ = "printers"
    name: Mapped[str] = mapped_column(String(80), unique=True)
    place: Mapped[str] = mapped_column(String(120), default="")
    offset_x: Mapped[int] = mapped_column(default=0)
    offset_y: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)

    def __str__(self) -> str:
        return self.name


class PrintTray(Scoped, db.Model, WithId):
    """Consecutive letters of a print run that go to one part of the country and into one tray; a file of its own.

    `first` counts the letters of the run that lie before it; `prefix` is the beginning of the postcodes in it.
    """

    __tablename__ = "print_trays"
    __table_args__ = (db.UniqueConstraint("print_run_id", "number"),)
    own_by = "unit"
    print_run_id: Mapped[int] = mapped_column(ForeignKey("print_runs.id"))
    number: Mapped[int]
    prefix: Mapped[str] = mapped_column(String(6), default="")
    first: Mapped[int]
    letters: Mapped[int]
    serial_from: Mapped[int]
    serial_to: Mapped[int]
    handed_out_at: Mapped[datetime | None]
    handed_out_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    run: Mapped[PrintRun] = relationship()
    handed_out_by: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return f"{self.print_run_id}-{self.number}"
