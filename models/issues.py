"""Issues (问题清单): one record of a customer that a rule found wrong, whose it is to mend, and what became of it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BigId, WithId, db
from models.contacts import Contact
from models.customers import Customer
from models.people import Staff
from models.rules import Rule
from models.scope import Scoped

PENDING = ("open", "recurring")  # still to be mended
CLOSED = ("cleared", "waived")


class Issue(Scoped, db.Model, WithId):
    """A customer's record of a kind that fails a rule: open, fixed, cleared, waived or recurring; one row for ever.

    `rule_id` is the version that found it last, `contact_id` the value then (none: nothing recorded). `fix` says what
    to do. `times` counts how often it was found anew.
    """

    __tablename__ = "issues"
    __table_args__ = (
        db.UniqueConstraint("customer_id", "rule_code", "kind"),
        Index("ix_issues_unit_rule_state", "unit_id", "rule_code", "state"),
        Index("ix_issues_owner_state", "owner_id", "state", "due_on"),
        Index("ix_issues_due_on_id", "due_on", "id"),
    )
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))  # led by an index above, needs none of its own
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    kind: Mapped[str] = mapped_column(String(30))
    rule_code: Mapped[str] = mapped_column(String(40))
    rule_id: Mapped[int] = mapped_column(ForeignKey("rules.id"))
    contact_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("contacts.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    severity: Mapped[str] = mapped_column(String(10))
    due_on: Mapped[date]
    fix: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(12))
    times: Mapped[int] = mapped_column(default=1)
    opened_run_id: Mapped[int] = mapped_column(ForeignKey("assessments.id"))
    last_run_id: Mapped[int] = mapped_column(ForeignKey("assessments.id"))
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    waived_reason: Mapped[str] = mapped_column(String(40), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
    customer: Mapped[Customer] = relationship()
    contact: Mapped[Contact | None] = relationship()
    rule: Mapped[Rule] = relationship()
    owner: Mapped[Staff | None] = relationship(foreign_keys=[owner_id])
    decided_by: Mapped[Staff | None] = relationship(foreign_keys=[decided_by_id])

    def __str__(self) -> str:
        return f"{self.rule_code}/{self.kind}"
