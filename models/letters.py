"""Letters (one printed copy a row), print runs, and what was keyed from returned forms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import WithId, db
from models.campaigns import Campaign, FormVersion, Recipient
from models.contacts import Contact
from models.customers import Customer
from models.people import Staff
from models.scope import Scoped

IN_HOUSE = ("composed", "printed")  # states of copies that were not posted yet
GONE = ("spoiled", "reprinted")  # states of copies that count no longer


class PrintRun(Scoped, db.Model, WithId):
    """One file of letters for the printer (打印批次): serial range, count, form version, state, who, when.

    `kind` says what it came from: `first`, `reminder` or `reprint`; `tray_sheets` how many letters a tray holds.
    """

    __tablename__ = "print_runs"
    own_by = "unit"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    form_version_id: Mapped[int | None] = mapped_column(ForeignKey("form_versions.id"))
    kind: Mapped[str] = mapped_column(String(12), default="first", server_default="first")
    number: Mapped[int]
    serial_from: Mapped[int]
    serial_to: Mapped[int]
    letters: Mapped[int]
    pages: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(12))
    sha256: Mapped[str | None] = mapped_column(String(64))
    tray_sheets: Mapped[int] = mapped_column(default=0, server_default="0")
    printer_id: Mapped[int | None] = mapped_column(ForeignKey("printers.id"))
    composed_at: Mapped[datetime]
    printed_at: Mapped[datetime | None]
    printed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    posted_at: Mapped[datetime | None]
    posted_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    spoiled_at: Mapped[datetime | None]
    spoiled_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    spoiled_reason: Mapped[str] = mapped_column(String(200), default="", server_default="")
    campaign: Mapped[Campaign] = relationship()
    form_version: Mapped[FormVersion | None] = relationship()
    printed_by: Mapped[Staff | None] = relationship(foreign_keys=[printed_by_id])
    posted_by: Mapped[Staff | None] = relationship(foreign_keys=[posted_by_id])

    def __str__(self) -> str:
        return f"{self.campaign_id}-{self.number}"


class Letter(Scoped, db.Model, WithId):
    """One printed copy (函件), bound to customer, campaign, form version, copy and the address version it goes to.

    `answered_by` says how an answered one was answered: `paper` (the form came back) or `online`.
    """

    __tablename__ = "letters"
    __table_args__ = (
        db.UniqueConstraint("campaign_id", "serial", "copy"),
        Index("ix_letters_campaign_state", "campaign_id", "state"),
    )
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    recipient_id: Mapped[int] = mapped_column(ForeignKey("recipients.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    form_version_id: Mapped[int] = mapped_column(ForeignKey("form_versions.id"))
    print_run_id: Mapped[int | None] = mapped_column(ForeignKey("print_runs.id"), index=True)
    address_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"), index=True)
    serial: Mapped[int]
    copy: Mapped[int] = mapped_column(default=1)
    token: Mapped[str] = mapped_column(String(10), unique=True)
    reply_token: Mapped[str] = mapped_column(String(16), unique=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(String(12))
    composed_at: Mapped[datetime]
    printed_at: Mapped[datetime | None]
    posted_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str] = mapped_column(String(8), default="paper", server_default="paper")
    undelivered_at: Mapped[datetime | None]
    undelivered_reason: Mapped[str] = mapped_column(String(40), default="")
    spoiled_at: Mapped[datetime | None]
    spoiled_reason: Mapped[str] = mapped_column(String(200), default="", server_default="")
    campaign: Mapped[Campaign] = relationship()
    recipient: Mapped[Recipient] = relationship()
    customer: Mapped[Customer] = relationship()
    address: Mapped[Contact] = relationship()

    def __str__(self) -> str:
        return f"{self.serial}"


class Keying(Scoped, db.Model, WithId):
    """What one person keyed from a returned form (录入), and what came of it."""

    __tablename__ = "keyings"
    __table_args__ = (Index("ix_keyings_keyed_by", "keyed_by_id", "keyed_at"),)
    letter_id: Mapped[int] = mapped_column(ForeignKey("letters.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    keyed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    keyed_at: Mapped[datetime]
    duplicate: Mapped[bool] = mapped_column(default=False)
    signed: Mapped[bool] = mapped_column(default=True)
    answers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    results: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    undone_at: Mapped[datetime | None]
    letter: Mapped[Letter] = relationship()
    keyed_by: Mapped[Staff | None] = relationship()
