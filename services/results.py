"""The figures of a kept run as plain rows: what the shell prints, what is published, what an export holds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Assessment, AssessmentResult, Rule, RuleResult, Staff, Unit
from models.scope import ALL, working_as

RULE_FACTS = (
    "code", "version", "label", "function", "indicator", "kinds", "classes", "severity", "direction",
    "floor", "target", "stretch", "parameters",
)  # fmt: skip


def measure_rows(session: Session, run: Assessment) -> list[dict[str, Any]]:
    """Every figure of the measures, as the contract names its fields."""
    query = (
        select(AssessmentResult, Unit.code, Staff.username)
        .join(Unit, Unit.id == AssessmentResult.unit_id)
        .outerjoin(Staff, Staff.id == AssessmentResult.staff_id)
        .where(AssessmentResult.assessment_id == run.id)
        .order_by(AssessmentResult.id)
    )
    with working_as(session, ALL):
        return [_measure(*row) for row in session.execute(query)]


def rule_rows(session: Session, run: Assessment) -> list[dict[str, Any]]:
    """Every figure of the rules; `grade` 5 is the best, 1 the worst."""
    query = (
        select(RuleResult, Rule, Unit.code, Staff.username)
        .join(Rule, Rule.id == RuleResult.rule_id)
        .join(Unit, Unit.id == RuleResult.unit_id)
        .outerjoin(Staff, Staff.id == RuleResult.staff_id)
        .where(RuleResult.assessment_id == run.id)
        .order_by(RuleResult.id)
    )
    with working_as(session, ALL):
        return [_rule(*row) for row in session.execute(query)]


def rule_facts(rule: Rule) -> dict[str, Any]:
    """What an outsider must know of a rule version to read its figures."""
    return {name: getattr(rule, name) for name in RULE_FACTS}


def _measure(row: AssessmentResult, unit: str, person: str | None) -> dict[str, Any]:
    return {
        "measure": row.measure,
        "unit": unit,
        "person": person,
        "cohort": row.cohort,
        "numerator": row.numerator,
        "denominator": row.denominator,
        "rate": row.rate,
        "low": None,
        "high": None,
        **row.extra,
    }


def _rule(row: RuleResult, rule: Rule, unit: str, person: str | None) -> dict[str, Any]:
    named = {
        "rule": rule.code,
        "version": rule.version,
        "indicator": rule.indicator,
        "direction": rule.direction,
    }
    names = ("cohort", "numerator", "denominator", "exempt", "rate", "low", "high", "grade")
    return named | {"unit": unit, "person": person} | {name: getattr(row, name) for name in names}
