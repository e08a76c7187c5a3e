"""Settings of the bureau that staff may change, the letterhead profile, and stored files."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import WithId, db


class Setting(db.Model):
    """One value by key: the clock's offset, the public address, measure variants."""

    __tablename__ = "settings"
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)

    def __str__(self) -> str:
        return self.key


class Letterhead(db.Model, WithId):
    """The letterhead profile (红头与落款): everything on paper that belongs to one bureau."""

    __tablename__ = "letterheads"
    name: Mapped[str] = mapped_column(String(80), unique=True)
    organ: Mapped[str] = mapped_column(String(80))
    organ_short: Mapped[str] = mapped_column(String(40))
    department: Mapped[str] = mapped_column(String(80))
    hotline: Mapped[str] = mapped_column(String(20), default="95598")
    website: Mapped[str] = mapped_column(String(120), default="")
    wechat: Mapped[str] = mapped_column(String(80), default="")
    return_address: Mapped[str] = mapped_column(String(200), default="")
    return_postcode: Mapped[str] = mapped_column(String(6), default="")
    province_city: Mapped[str] = mapped_column(String(80), default="")
    bulletin_prefix: Mapped[str] = mapped_column(String(40), default="客服通报")
    notice_prefix: Mapped[str] = mapped_column(String(40), default="KH")
    form_code: Mapped[str] = mapped_column(String(40), default="")
    postage_mark: Mapped[str] = mapped_column(String(80), default="")
    copy_to: Mapped[str] = mapped_column(Text, default="")
    appeal_contact: Mapped[str] = mapped_column(String(120), default="")
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    def __str__(self) -> str:
        return self.organ or self.name


class StoredFile(db.Model):
    """A file kept under LAMPLIGHTER_HOME/files by its sha256."""

    __tablename__ = "files"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    media: Mapped[str] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]

    def __str__(self) -> str:
        return self.name


class Holiday(db.Model):
    """A day on which the calendar differs from the week: a holiday, or a make-up workday (节假日、调休工作日)."""

    __tablename__ = "holidays"
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(40), default="")

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class Reason(db.Model, WithId):
    """One entry of an editable list of reasons (退信原因、走访结果 …) with its consequences."""

    __tablename__ = "reasons"
    __table_args__ = (db.UniqueConstraint("list", "code"),)
    list: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(80))
    position: Mapped[int] = mapped_column(default=0)
    consequences: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    def __str__(self) -> str:
        return self.label
