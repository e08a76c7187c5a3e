"""What bulletins and assessment notices say, as plain values by value: figures first, no personal data of customers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Assessment, Unit
from models.clock import ZONE
from models.quality_words import MEASURES, TIMELINESS_WAYS
from models.scope import ALL, working_as
from models.words import COHORTS, N_
from quality.standings import deduction
from services import figures
from services.figures import Figure, Line
from services.gaps import frequent_problems

BASIS = N_("《客户联系信息质量考核办法》")
DEFINITIONS = {
    "completeness": N_("已录项/应录项"),
    "validity": N_("有效及可规范项/已录项"),
    "accuracy": N_("核查准确项/核查项"),
}
BEST = 5


def bulletin(session: Session, run: Assessment) -> dict[str, Any]:
    """The facts of the bulletin of one run: totals against the period before, both tables, persons, problems."""
    year, month = run.period.split("-")
    listed = {cohort: figures.lines(session, run, cohort) for cohort in figures.COHORTS}
    ahead = [one for one in figures.persons(session, run) if one.figure.rate is not None]
    return {
        "title": f"{run.unit.name}关于{year}年{int(month)}月客户联系信息质量考核情况的通报",
        "period": run.period,
        "cutoff": last_day(run).isoformat(),
        "run": str(run.id),
        "basis": BASIS,
        "addressees": [line.name for line in listed["existing"]],
        "unit_codes": [line.code for line in listed["existing"]],
        "totals": [_total(session, run, cohort) for cohort in figures.COHORTS],
        "new": [_line(line) for line in listed["new"] if line.measures["completeness"].denominator],
        "existing": [_line(line) for line in listed["existing"]],
        "best_persons": [_person(one) for one in ahead[:BEST]],
        "persons_below": [],
        "overall": [f"及时率按“{TIMELINESS_WAYS[way(run)]}”计算。"],
        "problems": frequent_problems(session, run),
        "requirements": _requirements(run),
        "digest": run.members_sha256 or "",
        "taken_at": run.cutoff.astimezone(ZONE).isoformat(),
    }


def notices(session: Session, run: Assessment, *, below: str) -> Iterator[tuple[Unit, dict[str, Any]]]:
    """The units that get a notice, each with its facts."""
    codes = dict.fromkeys(
        line.code for cohort in figures.COHORTS for line in figures.lines(session, run, cohort)
    )
    with working_as(session, ALL):
        units = session.scalars(select(Unit).where(Unit.code.in_(codes)).order_by(Unit.code)).all()
    for unit in units:
        measured = _measures(session, run, unit)
        if any(_falls_short(row, below) for row in measured):
            yield unit, _notice(session, run, unit, measured)


def last_day(run: Assessment) -> Any:
    """The day at whose end the data were taken."""
    return (run.cutoff.astimezone(ZONE) - timedelta(microseconds=1)).date()


def _notice(
    session: Session, run: Assessment, unit: Unit, measured: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    short = [row for row in measured if _falls_short(row, "target")]
    taken = [row["points"] for row in measured if row["points"] is not None]
    named = "、".join(f"{row['measure']}" for row in short)
    return {
        "title": f"客户联系信息质量考核通知单（{unit.name}）",
        "period": run.period,
        "cutoff": last_day(run).isoformat(),
        "run": str(run.id),
        "measures": list(measured),
        "findings": frequent_problems(session, run, unit),
        "points": round(sum(taken), 2) if taken else None,
        "opinion": f"{named}未达到目标值，按考核办法予以考核。" if short else "各项指标达到目标值。",
        "requirement": "请逐户核对未达标项目的明细，制定措施并按期整改。" if short else "",
        "digest": run.members_sha256 or "",
        "taken_at": run.cutoff.astimezone(ZONE).isoformat(),
    }


def _measures(session: Session, run: Assessment, unit: Unit) -> list[dict[str, Any]]:
    """One row a measure and cohort that was counted, with its marks and the points taken."""
    marks = figures.targets(session)
    rows = []
    for cohort in figures.COHORTS:
        line = figures.unit_line(session, run, unit, cohort)
        for measure, figure in line.measures.items():
            mark = marks.get((measure, cohort))
            if figure.denominator and mark is not None:
                rows.append(
                    _measure(measure, cohort, figure, mark) | {"definition": _definition(run, measure)}
                )
    return rows


def _measure(measure: str, cohort: str, figure: Figure, mark: Any) -> dict[str, Any]:
    taken = deduction(figure.rate, mark.target)
    return {
        "measure": f"{MEASURES[measure]}（{COHORTS[cohort].removesuffix('客户')}）",
        "rate": list(astuple(figure)),
        "floor": mark.floor,
        "target": mark.target,
        "clause": mark.clause,
        "points": round(taken, 2) if taken is not None else None,
    }


def _definition(run: Assessment, measure: str) -> str:
    """Numerator and denominator of a measure in words, as this run counted it."""
    return TIMELINESS_WAYS[way(run)] if measure == "timeliness" else DEFINITIONS[measure]


def way(run: Assessment) -> str:
    """How a run counted timeliness."""
    return str(run.settings.get("timeliness", "due"))


def _falls_short(row: dict[str, Any], below: str) -> bool:
    share = Figure(*row["rate"]).rate
    return below == "all" or share is None or share < row[below]


def _total(session: Session, run: Assessment, cohort: str) -> dict[str, Any]:
    line = figures.unit_line(session, run, run.unit, cohort)
    before = figures.run_before(session, run)
    earlier = (
        figures.unit_line(session, before, run.unit, cohort).measures["completeness"].rate if before else None
    )
    rate = line.measures["completeness"].rate
    change = rate - earlier if rate is not None and earlier is not None else None
    return {"cohort": COHORTS[cohort], "result": _line(line), "change": change}


def _line(line: Line) -> dict[str, Any]:
    found = {name: list(astuple(f)) if f.denominator else None for name, f in line.measures.items()}
    found["completeness"] = found["completeness"] or [0, 0]
    places = {"target": line.target, "score": line.score, "rank": line.rank, "tied": line.tied}
    return {"unit": line.name} | found | places


def _person(one: figures.Person) -> dict[str, Any]:
    return {"name": one.name, "unit": one.unit, "rate": [one.figure.numerator, one.figure.denominator]}


def _requirements(run: Assessment) -> list[str]:
    return [
        "各单位要对照系统中的明细逐户核对，未录、无效和存疑的联系信息于下月15日前完成补录和更正。",
        "新装客户的联系信息要在规定时限内录入，录入时当面核对。",
    ]
