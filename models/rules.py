"""Rules (规则) with their versions, and what a run found by each: the results by unit, person and cohort."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.assessments import Assessment
from models.base import WithId, db
from models.people import Staff, Unit
from models.scope import Scoped


class Rule(db.Model, WithId):
    """One version of a rule: a registered function with its parameters, where it holds, and its three marks.

    A change is a new version; a run uses, of each code, the newest version that is active at its cut-off. `kinds` and
    `classes` are codes joined by commas, `*` for all; without a unit it holds everywhere. `indicator` is the code of
    GB/T 36344-2018. `direction`: a `larger` rate is better, or a `smaller` one. `may_be_empty`: a run in which it
    meets no record is no mistake. `opens_issues`: what fails goes to the list of issues.
    """

    __tablename__ = "rules"
    __table_args__ = (db.UniqueConstraint("code", "version"),)
    code: Mapped[str] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(default=1)
    label: Mapped[str] = mapped_column(String(80))
    function: Mapped[str] = mapped_column(String(40))
    indicator: Mapped[str] = mapped_column(String(4))
    kinds: Mapped[str] = mapped_column(String(200), default="*")
    classes: Mapped[str] = mapped_column(String(120), default="*")
    scope_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    severity: Mapped[str] = mapped_column(String(10), default="medium")
    direction: Mapped[str] = mapped_column(String(10), default="larger")
    floor: Mapped[float]
    target: Mapped[float]
    stretch: Mapped[float]
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    may_be_empty: Mapped[bool] = mapped_column(default=False)
    opens_issues: Mapped[bool] = mapped_column(default=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    active_from: Mapped[date]
    note: Mapped[str] = mapped_column(String(200), default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    scope_unit: Mapped[Unit | None] = relationship()
    staff: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return self.label


class RuleResult(Scoped, db.Model, WithId):
    """What one rule version gave in a run for a unit with all below it, or for a person; `grade` 5 is the best.

    `exempt`: records that fail but are waived (免考核), counted in neither number. `low` and `high`: where sampled.
    """

    __tablename__ = "rule_results"
    own_by = "unit"
    __table_args__ = (
        Index("ix_rule_results_run", "assessment_id", "rule_id", "unit_id"),
        Index("ix_rule_results_unit", "unit_id", "level", "cohort"),
    )
    unit_id: Mapped[int] = mapped_column(
        ForeignKey("units.id")
    )  # led by an index above, needs none of its own
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessments.id"))
    rule_id: Mapped[int] = mapped_column(ForeignKey("rules.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    level: Mapped[str] = mapped_column(String(10))
    cohort: Mapped[str] = mapped_column(String(10))
    numerator: Mapped[int]
    denominator: Mapped[int]
    exempt: Mapped[int] = mapped_column(default=0)
    grade: Mapped[int | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    assessment: Mapped[Assessment] = relationship()
    rule: Mapped[Rule] = relationship()
    unit: Mapped[Unit] = relationship()
    staff: Mapped[Staff | None] = relationship()

    @property
    def rate(self) -> float | None:
        """Numerator by denominator, 0 to 1; None when nothing was counted."""
        return self.numerator / self.denominator if self.denominator else None


def rules_at(session: Session, day: date) -> Sequence[Rule]:
    """The rules of a run whose cut-off lies on a day: of each code the newest version active then, if enabled."""
    newest = select(func.max(Rule.version).label("version"), Rule.code)
    found = newest.where(Rule.active_from <= day).group_by(Rule.code).subquery()
    query = select(Rule).join(found, (Rule.code == found.c.code) & (Rule.version == found.c.version))
    return session.scalars(query.where(Rule.enabled).order_by(Rule.indicator, Rule.code)).all()


def newest_rules(session: Session) -> Sequence[Rule]:
    """Of each code the newest version, whether active yet or not."""
    newest = select(func.max(Rule.id)).group_by(Rule.code)
    return session.scalars(select(Rule).where(Rule.id.in_(newest)).order_by(Rule.indicator, Rule.code)).all()
