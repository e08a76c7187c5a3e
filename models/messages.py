"""Message templates, and messages (消息): a row for each that was to go out by SMS or e-mail, and what became of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BigId, WithId, db
from models.campaigns import Campaign
from models.customers import Customer
from models.scope import Scoped


class MessageTemplate(db.Model, WithId):
    """The text of a message, with merge fields of an allow-list and no logic (消息模板)."""

    __tablename__ = "message_templates"
    key: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    channel: Mapped[str] = mapped_column(String(10))
    purpose: Mapped[str] = mapped_column(String(20), default="business")
    subject: Mapped[str] = mapped_column(String(120), default="")
    body: Mapped[str] = mapped_column(Text)
    enabled: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.name


class Message(Scoped, db.Model, WithId):
    """One message to one value of a customer: sent, failed, unknown, or suppressed with the reason (消息).

    `delivered_at`: when the network's report said that it reached the phone; mostly no report comes.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_campaign_state", "campaign_id", "state"),
        Index("ix_messages_customer_created", "customer_id", "created_at"),
    )
    key: Mapped[str] = mapped_column(String(120), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    contact_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("contacts.id"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"))
    run_id: Mapped[int | None] = mapped_column(BigId, index=True)
    template_id: Mapped[int | None] = mapped_column(ForeignKey("message_templates.id"))
    channel: Mapped[str] = mapped_column(String(10))
    purpose: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(40), default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    customer: Mapped[Customer] = relationship()
    campaign: Mapped[Campaign | None] = relationship()
    template: Mapped[MessageTemplate | None] = relationship()

    def __str__(self) -> str:
        return self.key
