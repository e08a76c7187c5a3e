"""Contact kinds, contact versions (a value is never overwritten), confirmations and policies."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache

from sqlalchemy import ForeignKey, Index, Select, String, Text, select, text
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship

from models.base import BigId, WithId, db
from models.customers import Customer
from models.people import Staff
from models.scope import Scoped

USABLE = ("valid", "repairable", "suspect")
GOOD = ("valid", "repairable")


def _where_set(column: str) -> Index:
    """An index over a column that most rows leave empty."""
    condition = text(f"{column} IS NOT NULL")
    return Index(f"ix_contacts_{column}", column, sqlite_where=condition, postgresql_where=condition)


# Literal, not a parameter: SQLite takes its index of what waits only for a condition that it can read.
WAITING = text("state = 'proposed'")


class ContactKind(db.Model):
    """What a contact value is (联系信息种类): mobile, landline, person, supply_address … as rows."""

    __tablename__ = "contact_kinds"
    code: Mapped[str] = mapped_column(String(30), primary_key=True)
    label: Mapped[str] = mapped_column(String(40))
    position: Mapped[int] = mapped_column(default=0)
    judged_as: Mapped[str] = mapped_column(String(20), default="")

    def __str__(self) -> str:
        return self.label


class Contact(Scoped, db.Model, WithId):
    """One contact version: a recorded value with its history; `proposed` is a proposal, without value one to drop.

    `recorder_id` answers for the value; `proposer_id` is who put this version in, and so may not approve it.
    """

    __tablename__ = "contacts"
    __table_args__ = (
        Index("ix_contacts_customer_kind_state", "customer_id", "kind", "state"),
        Index("ix_contacts_value_state", "value", "state"),
        Index("ix_contacts_unit_kind_state", "unit_id", "kind", "state", "verdict"),
        Index("ix_contacts_waiting", "id", sqlite_where=WAITING, postgresql_where=WAITING),
        _where_set("recorder_id"),
        _where_set("replaces_id"),
        _where_set("batch_id"),
    )
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))  # led by an index above, needs none of its own
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    kind: Mapped[str] = mapped_column(ForeignKey("contact_kinds.code"))
    raw: Mapped[str] = mapped_column(Text, default="")
    value: Mapped[str] = mapped_column(String(400), default="")
    extension: Mapped[str] = mapped_column(String(10), default="")
    purpose: Mapped[str] = mapped_column(String(20), default="")
    relation: Mapped[str] = mapped_column(String(20), default="")
    preferred: Mapped[bool] = mapped_column(default=False)
    verdict: Mapped[str] = mapped_column(String(12))
    reasons: Mapped[str] = mapped_column(String(200), default="")
    source: Mapped[str] = mapped_column(String(30))
    evidence: Mapped[str] = mapped_column(String(200), default="")
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batches.id"))
    batch_row: Mapped[int | None]
    field: Mapped[str] = mapped_column(String(40), default="")
    recorder_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    proposer_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    recorded_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    current_from: Mapped[datetime | None]
    current_until: Mapped[datetime | None]
    replaces_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("contacts.id"))
    state: Mapped[str] = mapped_column(String(12))
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    refused_reason: Mapped[str] = mapped_column(String(40), default="")
    customer: Mapped[Customer] = relationship()
    recorder: Mapped[Staff | None] = relationship(foreign_keys=[recorder_id])
    decided_by: Mapped[Staff | None] = relationship(foreign_keys=[decided_by_id])

    def __str__(self) -> str:
        return self.kind


class Confirmation(Scoped, db.Model, WithId):
    """That a value was found right or wrong (核实): it holds for every version of the same customer, kind, value."""

    __tablename__ = "confirmations"
    __table_args__ = (Index("ix_confirmations_fact", "customer_id", "kind", "value", "at"),)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    value: Mapped[str] = mapped_column(String(400))
    result: Mapped[str] = mapped_column(String(12))
    method: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(40), default="")
    evidence: Mapped[str] = mapped_column(String(200), default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    credited_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    contact: Mapped[Contact] = relationship()


class Policy(db.Model, WithId):
    """What settles by itself and what waits for a person (自动审核规则); the first row that fits decides.

    `approver_role` and `approver_level` (a unit kind) say who may approve what waits; empty for all who may approve.
    `daily_limit`: how many values a person and day settle by themselves, or how many one person may approve.
    """

    __tablename__ = "policies"
    position: Mapped[int] = mapped_column(unique=True)
    source: Mapped[str] = mapped_column(String(30))
    kind: Mapped[str] = mapped_column(String(30), default="*")
    verdicts: Mapped[str] = mapped_column(String(80), default="*")
    replaces: Mapped[str] = mapped_column(String(20), default="*")
    decision: Mapped[str] = mapped_column(String(10))
    approver_role: Mapped[str] = mapped_column(String(40), default="", server_default="")
    approver_level: Mapped[str] = mapped_column(String(20), default="", server_default="")
    daily_limit: Mapped[int | None]

    def __str__(self) -> str:
        return f"{self.source}/{self.kind}/{self.verdicts}: {self.decision}"


class PolicyUse(db.Model):
    """How often a person used a policy on one day: values that settled by themselves, or proposals approved."""

    __tablename__ = "policy_uses"
    policy_id: Mapped[int] = mapped_column(ForeignKey("policies.id", ondelete="CASCADE"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(default=0)


def latest_confirmations(session: Session, customer_ids: list[int]) -> dict[tuple[int, str, str], Confirmation]:
    """The confirmation that counts (the latest) per customer, kind and value, for one chunk of customers."""
    rows = session.scalars(_latest().where(Confirmation.customer_id.in_(customer_ids)))
    return {(row.customer_id, row.kind, row.value): row for row in rows}


@cache
def _latest() -> Select[tuple[Confirmation]]:
    newer = aliased(Confirmation)
    later = (
        select(newer.id)
        .where(newer.customer_id == Confirmation.customer_id, newer.kind == Confirmation.kind)
        .where(newer.value == Confirmation.value, newer.id > Confirmation.id)
    )
    return select(Confirmation).where(~later.exists())
