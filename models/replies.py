"""Answers that customers gave online by the code on their letter, and how often somebody tried."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import WithId, db
from models.customers import Customer
from models.letters import Letter
from models.scope import Scoped


class Reply(Scoped, db.Model, WithId):
    """What a customer answered online (自助回复), and what came of it; a second one is kept and changes nothing.

    `key` makes it unique however often it is brought in; `proved_by` is the check that was passed; `came_from` is
    `here`, or `outside` for the machine that customers reach.
    """

    __tablename__ = "replies"
    key: Mapped[str] = mapped_column(String(32), unique=True)
    letter_id: Mapped[int] = mapped_column(ForeignKey("letters.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    proved_by: Mapped[str] = mapped_column(String(12))
    came_from: Mapped[str] = mapped_column(String(8))
    answered_at: Mapped[datetime] = mapped_column(index=True)
    recorded_at: Mapped[datetime]
    duplicate: Mapped[bool] = mapped_column(default=False)
    answers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    results: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    letter: Mapped[Letter] = relationship()
    customer: Mapped[Customer] = relationship()


class ReplyTry(db.Model):
    """How often a code or an address (both as keyed hashes) was tried: in the running window, and altogether."""

    __tablename__ = "reply_tries"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    since: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int]
    total: Mapped[int]
