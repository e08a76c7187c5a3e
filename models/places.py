"""What the bureau knows of its places beside the reference data: divisions, dated renames, door plates (门牌)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import WithId, db
from models.scope import Scoped


class PlaceDivision(db.Model, WithId):
    """A division brought in by the bureau (行政区划): a city, county or town by its full names, empty below it."""

    __tablename__ = "place_divisions"
    __table_args__ = (db.UniqueConstraint("province", "city", "county", "town"),)
    province: Mapped[str] = mapped_column(String(30))
    city: Mapped[str] = mapped_column(String(40), default="")
    county: Mapped[str] = mapped_column(String(40), default="")
    town: Mapped[str] = mapped_column(String(60), default="")
    source: Mapped[str] = mapped_column(String(120), default="")

    def __str__(self) -> str:
        return f"{self.province}{self.city}{self.county}{self.town}"


class PlaceRename(db.Model, WithId):
    """A county or town that has another name since a day (区划更名); a town names its county of today."""

    __tablename__ = "place_renames"
    __table_args__ = (db.UniqueConstraint("province", "city", "county", "old_name"),)
    province: Mapped[str] = mapped_column(String(30))
    city: Mapped[str] = mapped_column(String(40), default="")
    county: Mapped[str] = mapped_column(String(40), default="")
    old_name: Mapped[str] = mapped_column(String(60))
    new_name: Mapped[str] = mapped_column(String(60))
    changed_on: Mapped[date]
    source: Mapped[str] = mapped_column(String(120), default="")

    def __str__(self) -> str:
        return f"{self.old_name} → {self.new_name}"


class DoorPlate(Scoped, db.Model, WithId):
    """A door whose plate the police changed (门牌变更): what hung there, and what hangs there since a day.

    It holds for the customers of its unit and below. `road` is the road, lane or village as addresses write it
    (汾江南路), `number` the rest of the plate (18号, 12弄3号); a withdrawn one no longer counts.
    """

    __tablename__ = "door_plates"
    own_by = "unit"
    old_road: Mapped[str] = mapped_column(String(60))
    old_number: Mapped[str] = mapped_column(String(40))
    new_road: Mapped[str] = mapped_column(String(60))
    new_number: Mapped[str] = mapped_column(String(40))
    changed_on: Mapped[date]
    source: Mapped[str] = mapped_column(String(120), default="")
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batches.id"), index=True)
    created_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]

    def __str__(self) -> str:
        return f"{self.old_road}{self.old_number} → {self.new_road}{self.new_number}"
