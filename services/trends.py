"""Trends: the rates of one unit over the months, each month by its published run, else by its last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from models import Assessment, AssessmentResult, Publication, Rule, RuleResult, Unit
from services.figures import Figure, figure_of

MONTHS = 13
LATEST = "9999-12"


@dataclass(frozen=True)
class Point:
    """One month of a unit: measures and rules with both their numbers; `published` names the publication, if any."""

    period: str
    run_id: int
    published: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    grades: Mapping[str, int | None] = field(default_factory=dict)


def trend(
    session: Session, unit: Unit, *, cohort: str = "all", months: int = MONTHS, until: str = LATEST
) -> list[Point]:
    """The last months of a unit (up to one), oldest first; rules stand under their codes."""
    runs = _runs(session, unit, months, until)
    figures = _measured(session, unit, list(runs), cohort)
    grades: dict[int, dict[str, int | None]] = {}
    for row, code in _judged(session, unit, list(runs), cohort):
        figures.setdefault(row.assessment_id, {})[code] = Figure(row.numerator, row.denominator, row.low, row.high)
        grades.setdefault(row.assessment_id, {})[code] = row.grade
    points = [
        Point(run.period, run.id, number, figures.get(run.id, {}), grades.get(run.id, {}))
        for run, number in runs.values()
    ]
    return sorted(points, key=lambda point: point.period)


def change(points: Sequence[Point], name: str, *, back: int = 1) -> float | None:
    """By how many percentage points the last month's rate differs from that `back` months before it."""
    if len(points) < 2:
        return None
    last = points[-1]
    before = next((one for one in points if one.period == earlier(last.period, back)), None)
    rates = [
        one.figures[name].rate if one is not None and name in one.figures else None for one in (last, before)
    ]
    return None if rates[0] is None or rates[1] is None else (rates[0] - rates[1]) * 100


def earlier(period: str, months: int) -> str:
    """The month some months before one."""
    number = int(period[:4]) * 12 + int(period[5:]) - 1 - months
    return f"{number // 12}-{number % 12 + 1:02}"


def _runs(session: Session, unit: Unit, months: int, until: str) -> dict[int, tuple[Assessment, str]]:
    """Of each month the run that counts for a unit: what is published and not corrected, else the newest."""
    above = [int(part) for part in unit.path.strip("/").split("/")]
    later = aliased(Publication)
    corrected = select(later.id).where(later.replaces_id == Publication.id).exists()
    query = (
        select(Assessment, Publication.number)
        .outerjoin(Publication, (Publication.assessment_id == Assessment.id) & ~corrected)
        .where(Assessment.unit_id.in_(above), Assessment.state.in_(("done", "locked")))
        .where(Assessment.period <= until)
        .order_by(Assessment.period.desc(), Publication.id.is_(None), Assessment.id.desc())
        .limit(months * 20)
    )
    chosen: dict[str, tuple[Assessment, str]] = {}
    for run, number in session.execute(query):
        if run.period not in chosen and len(chosen) < months:
            chosen[run.period] = (run, number or "")
    return {run.id: (run, number) for run, number in chosen.values()}


def _measured(session: Session, unit: Unit, runs: Sequence[int], cohort: str) -> dict[int, dict[str, Figure]]:
    query = select(AssessmentResult).where(
        AssessmentResult.assessment_id.in_(runs),
        AssessmentResult.unit_id == unit.id,
        AssessmentResult.level == "unit",
        AssessmentResult.cohort == cohort,
    )
    found: dict[int, dict[str, Figure]] = {}
    for row in session.scalars(query):
        found.setdefault(row.assessment_id, {})[row.measure] = figure_of(row)
    return found


def _judged(
    session: Session, unit: Unit, runs: Sequence[int], cohort: str
) -> Sequence[tuple[RuleResult, str]]:
    query = (
        select(RuleResult, Rule.code)
        .join(Rule, Rule.id == RuleResult.rule_id)
        .where(RuleResult.assessment_id.in_(runs), RuleResult.unit_id == unit.id)
        .where(RuleResult.level == "unit", RuleResult.cohort == cohort)
    )
    return [(row, code) for row, code in session.execute(query)]
