"""The figures of an assessment as documents and screens take them: with targets, marks and ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import Assessment, AssessmentResult, Staff, Target, Unit
from models.scope import ALL, working_as
from quality.measures import MEASURES
from quality.standings import Scored, mark, standings

COHORTS = ("new", "existing")
MAIN = "completeness"


@dataclass(frozen=True)
class Figure:
    """One rate with both its numbers; where it was sampled `low` and `high` bound the weighted `estimate`, and
    `interval` says by which method."""

    numerator: int
    denominator: int
    low: float | None = None
    high: float | None = None
    estimate: float | None = None
    interval: str = ""

    @property
    def rate(self) -> float | None:
        """From 0 to 1; None when nothing was counted."""
        if not self.denominator:
            return None
        return self.numerator / self.denominator if self.estimate is None else self.estimate


@dataclass(frozen=True)
class Line:
    """A unit's (or the whole's) figures in one cohort, its mark (0 to 100) and its rank among the units compared."""

    unit_id: int
    code: str
    name: str
    measures: Mapping[str, Figure]
    target: float | None
    score: float | None
    rank: int | None = None
    tied: bool = False


@dataclass(frozen=True)
class Person:
    """What one person recorded, over all units."""

    staff_id: int
    name: str
    unit: str
    figure: Figure


Targets = Mapping[tuple[str, str], Target]


def targets(session: Session) -> Targets:
    """The three marks of every measure and cohort."""
    return {(row.measure, row.cohort): row for row in session.scalars(select(Target))}


def lines(session: Session, run: Assessment, cohort: str, *, unit: Unit | None = None) -> list[Line]:
    """The figures of the counted units right below one (the assessed one), best first; a unit without any, its own."""
    above = unit or run.unit
    with working_as(session, ALL):
        units = session.scalars(select(Unit).where(Unit.parent_id == above.id).order_by(Unit.code)).all()
        compared = _lines(session, run, units or [above], cohort)
    found = [line for line in compared if line.measures[MAIN].denominator]
    ranked = standings(Scored(line.code, line.name, line.score) for line in found if line.score is not None)
    places = {row.code: row for row in ranked}
    ordered = sorted(
        found, key=lambda line: (places[line.code].rank if line.code in places else len(found) + 1, line.code)
    )
    return [_placed(line, places.get(line.code)) for line in ordered]


def unit_line(session: Session, run: Assessment, unit: Unit, cohort: str) -> Line:
    """The figures of any unit of the run, all below it included."""
    with working_as(session, ALL):
        return _lines(session, run, [unit], cohort)[0]


def persons(
    session: Session, run: Assessment, measure: str = MAIN, *, unit: Unit | None = None
) -> list[Person]:
    """What every person counted in a run (or in one unit of it) answers for, best rate first; among equals who answers
    for more."""
    query = select(AssessmentResult).where(
        AssessmentResult.assessment_id == run.id,
        AssessmentResult.level == "person",
        AssessmentResult.cohort == "all",
        AssessmentResult.measure == measure,
    )
    if unit is not None:
        below = select(Unit.id).where(Unit.path.startswith(unit.path))
        query = query.where(AssessmentResult.unit_id.in_(below))
    summed: dict[int, list[int]] = {}
    with working_as(session, ALL):
        for row in session.scalars(query):
            both = summed.setdefault(row.staff_id or 0, [0, 0])
            both[0], both[1] = both[0] + row.numerator, both[1] + row.denominator
        people = select(Staff).options(joinedload(Staff.unit)).where(Staff.id.in_(summed))
        staff = {row.id: row for row in session.scalars(people)}
        found = [
            Person(key, staff[key].name, staff[key].unit.name, Figure(above, under))
            for key, (above, under) in summed.items()
        ]
    return sorted(found, key=lambda one: (-(one.figure.rate or 0), -one.figure.denominator, one.staff_id))


def run_before(session: Session, run: Assessment) -> Assessment | None:
    """The latest run of the same unit for an earlier period."""
    query = select(Assessment).where(Assessment.unit_id == run.unit_id, Assessment.period < run.period)
    query = query.where(Assessment.state.in_(("done", "locked")))
    return session.scalars(
        query.order_by(Assessment.period.desc(), Assessment.id.desc()).limit(1)
    ).one_or_none()


def figure_of(row: AssessmentResult) -> Figure:
    """A kept result as a figure."""
    extra = row.extra
    bounds = (extra.get("low"), extra.get("high"), extra.get("weighted"), extra.get("interval", ""))
    return Figure(row.numerator, row.denominator, *bounds)


def _lines(session: Session, run: Assessment, units: Sequence[Unit], cohort: str) -> list[Line]:
    rows = session.scalars(
        select(AssessmentResult)
        .where(AssessmentResult.assessment_id == run.id, AssessmentResult.level == "unit")
        .where(AssessmentResult.cohort == cohort, AssessmentResult.unit_id.in_([unit.id for unit in units]))
    )
    found: dict[int, dict[str, Figure]] = {unit.id: dict.fromkeys(MEASURES, Figure(0, 0)) for unit in units}
    for row in rows:
        found[row.unit_id][row.measure] = figure_of(row)
    marks = targets(session)
    return [_line(unit, found[unit.id], marks, cohort) for unit in units]


def _line(unit: Unit, measures: Mapping[str, Figure], marks: Targets, cohort: str) -> Line:
    target = marks.get((MAIN, cohort))
    score = _score(measures, marks, cohort)
    return Line(unit.id, unit.code, unit.name, measures, target.target if target else None, score)


def _score(measures: Mapping[str, Figure], marks: Targets, cohort: str) -> float | None:
    """The mean mark of what was counted and has a target; all measures weigh alike."""
    found = [
        mark(figure.rate, marks[name, cohort].floor, marks[name, cohort].target)
        for name, figure in measures.items()
        if (name, cohort) in marks and figure.rate is not None
    ]
    counted = [one for one in found if one is not None]
    return round(sum(counted) / len(counted), 2) if counted else None


def _placed(line: Line, place: Any) -> Line:
    if place is None:
        return line
    return replace(line, rank=place.rank, tied=place.tied)
