"""What a trial run shows of assessments, notices and competitions: who would get a document, which days count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Competition, Issue, Rule, Run, Step, Unit
from models.clock import period_of, today
from models.issues import PENDING
from models.scope import ALL, working_as
from models.words import N_
from quality.rules import LARGER
from services import assessments, competitions, figures
from services.assessments import Counted
from services.calendar import calendar
from services.measure_results import Result
from services.rules import FUNCTIONS
from workflows.assessments import Assess, unit_of
from workflows.competitions import OpenCompetition
from workflows.forecasts import Ahead, Forecast, Would
from workflows.notices import AdvanceNotices, ComposeNotices
from workflows.steps import Facts, Options

ISSUES_NOTE = N_("问题清单条目按不合规则的记录数计，已经在清单里的也算在内。")


def forecast_assess(session: Session, options: Assess, facts: Facts, ahead: Ahead) -> Forecast:
    """The whole count, with nothing kept of it."""
    unit, period = unit_of(session, options.unit), options.period or period_of(today(session))
    question = assessments.question(session, period, unit, allow_empty=options.allow_empty)
    counted = assessments.count(session, question, assessments.NOT_KEPT)
    measured = [one for one in counted.results if one.level == "unit"]
    shared = {"assessed_unit_id": unit.id, "measured": measured, "failing": _failing(session, counted)}
    return Forecast(results={"period": period, "customers": counted.customers}, sets=shared)


def forecast_follow_issues(session: Session, options: Options, facts: Facts, ahead: Ahead) -> Forecast:
    """How many records fail a rule that opens issues, against how many are on the list."""
    failing = int(facts["run"]["failing"])
    known = session.scalar(select(func.count(Issue.id)).where(Issue.state.in_(PENDING))) or 0
    return Forecast(
        figures={"issues": failing}, results={"opened": max(failing - known, 0)}, notes=(ISSUES_NOTE,)
    )


def forecast_compose_notices(
    session: Session, options: ComposeNotices, facts: Facts, ahead: Ahead
) -> Forecast:
    """A bulletin, and a notice for each unit that falls short of its mark."""
    above = session.get_one(Unit, facts["run"]["assessed_unit_id"])
    short = list(_short(session, above, facts["run"]["measured"], options.below))
    rows = [Would("documents", None, key) for key in (above.id, *short)]
    return Forecast(rows, results={"bulletins": 1, "notices": len(short)})


def forecast_advance_notices(
    session: Session, options: AdvanceNotices, facts: Facts, ahead: Ahead
) -> Forecast:
    """The documents of the trial go one stage further."""
    return Forecast(results={"documents": _documents(ahead)})


def forecast_issue_notices(session: Session, options: Options, facts: Facts, ahead: Ahead) -> Forecast:
    """The documents of the trial go out."""
    return Forecast(results={"issued": _documents(ahead)})


def forecast_void_notices(session: Session, options: Options, facts: Facts, ahead: Ahead) -> Forecast:
    """The documents of the trial are made void."""
    return Forecast(results={"void": _documents(ahead)})


def forecast_remind_receipts(session: Session, options: Options, facts: Facts, ahead: Ahead) -> Forecast:
    """The units that will not have signed, as is assumed: the bulletin is nobody's to be reminded of."""
    units = list(ahead.rows("documents"))[1:]
    number = round(len(units) * ahead.assumed("unsigned"))
    rows = [Would("tasks", None, row.unit_id, "", row.values, row.share) for row in units[:number]]
    return Forecast(rows, results={"reminded": len(rows)})


def forecast_open_competition(
    session: Session, options: OpenCompetition, facts: Facts, ahead: Ahead
) -> Forecast:
    """The competition with its last day; the ledger stays as it is."""
    row = competitions.by_code(session, options.competition)
    return Forecast(results={"competition_id": row.id, "ends_on": row.ends_on.isoformat()})


def forecast_publish_standings(session: Session, options: Options, facts: Facts, ahead: Ahead) -> Forecast:
    """Until when objections are heard, if the publicity begins on the day after the last one."""
    row = session.get_one(Competition, facts["run"]["competition_id"])
    until = calendar(session).after(max(row.ends_on, today(session)), row.publicity_days)
    return Forecast(results={"publicity_until": until.isoformat()})


def unsigned_share(session: Session, run: Run) -> float | None:
    """How many of a run's notices nobody had signed for when it reminded; None where it sent none."""
    query = select(Step.key, Step.result).where(Step.run_id == run.id, Step.state == "done")
    found: dict[str, Mapping[str, Any]] = dict(session.execute(query).tuples().all())
    sent = int((found.get("compose_notices") or {}).get("notices") or 0)
    reminded = int((found.get("remind_receipts") or {}).get("reminded") or 0)
    return reminded / sent if sent else None


def _documents(ahead: Ahead) -> int:
    return round(sum(row.share for row in ahead.rows("documents")))


def _failing(session: Session, counted: Counted) -> int:
    """How many records of the assessed unit fail a rule that opens issues."""
    rules = session.scalars(select(Rule).where(Rule.id.in_(counted.question.rules), Rule.opens_issues))
    opening = {rule.id: rule for rule in rules if FUNCTIONS[rule.function].opens_issues}
    return sum(
        one.denominator - one.numerator if opening[one.rule_id].direction == LARGER else one.numerator
        for one in counted.findings
        if one.unit_id == counted.question.unit_id
        and (one.level, one.cohort) == ("unit", "all")
        and one.rule_id in opening
    )


def _short(session: Session, above: Unit, measured: list[Result], below: str) -> Iterator[int]:
    """The units right below the assessed one (or itself, where there are none) that a notice would go to."""
    marks = figures.targets(session)
    with working_as(session, ALL):
        units = session.scalars(select(Unit.id).where(Unit.parent_id == above.id).order_by(Unit.code)).all()
    for unit_id in units or [above.id]:
        counted = [one for one in measured if one.unit_id == unit_id and one.denominator]
        own = [one for one in counted if one.cohort in figures.COHORTS and (one.measure, one.cohort) in marks]
        is_counted = any(one.measure == figures.MAIN and one.cohort in figures.COHORTS for one in counted)
        if is_counted and any(_falls_short(one, marks[one.measure, one.cohort], below) for one in own):
            yield unit_id


def _falls_short(one: Result, mark: Any, below: str) -> bool:
    return below == "all" or one.numerator / one.denominator < getattr(mark, below)
