"""Monthly quality reports: gathered from the run that counts for a unit's month, kept, so that they stay the same."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from models import Assessment, AssessmentResult, Publication, Report, RuleResult, Staff, Unit
from models.clock import ZONE, today, utcnow
from models.publications import LOCKED
from models.scope import ALL, working_as
from services import (
    Refused,
    assessments,
    files,
    letterheads,
    notice_facts,
    report_figures,
    report_issues,
    report_rows,
    report_tables,
    report_units,
    traces,
)
from services.people import acting_staff, require
from services.report_tables import Basis

FORMAT = "lamplighter-report-1"
MAKE = "reports.run"
NAME = "客户联系信息质量月报"
MOST = 300
PREVIEWED = 100_000  # customers of a run that a page may count while somebody waits


@dataclass(frozen=True)
class Gathered:
    """A report ready to be kept: whose, out of which run, and the sha256 of its facts and of the rows behind them,
    which are put already."""

    unit_id: int
    assessment_id: int
    period: str
    sha256: str
    rows_sha256: str = ""


def make(session: Session, units: Sequence[Unit], period: str, *, staff: Staff) -> list[Report]:
    """Make and keep the reports of some units' month; one of the same run that is kept already stays as it is."""
    require(staff, MAKE)
    return [keep(session, one, staff_id=staff.id) for one in gather(session, units, period)]


def gather(session: Session, units: Sequence[Unit], period: str) -> Iterator[Gathered]:
    """Gather reports, reading only; each run is counted again first."""
    checked = set[int]()
    for unit in units:
        basis = report_tables.basis(session, unit, period)
        known = kept(session, basis.run, unit)
        if known is None and basis.run.id not in checked:
            check(session, basis.run)
            checked.add(basis.run.id)
        if known is not None:
            yield Gathered(unit.id, basis.run.id, period, known.sha256)
            continue
        rows = report_rows.put(basis)
        yield Gathered(unit.id, basis.run.id, period, _put(_facts(basis) | {"rows_sha256": rows}), rows)


def keep(session: Session, one: Gathered, *, staff_id: int | None) -> Report:
    """Keep a gathered report, unless the one of its run and unit is kept already."""
    unit, run = session.get_one(Unit, one.unit_id), session.get_one(Assessment, one.assessment_id)
    known = kept(session, run, unit)
    if known is not None:
        return known
    name = f"report-{one.period}-{unit.code}.json"
    stored = files.describe(session, one.sha256, name, "application/json")
    if one.rows_sha256:
        files.describe(session, one.rows_sha256, f"report-rows-{one.period}-{unit.code}.zip", "application/zip")
    row = Report(unit_id=unit.id, assessment_id=run.id, period=one.period, made_at=utcnow())
    row.sha256, row.made_by_id = stored.sha256, staff_id
    session.add(row)
    session.flush()
    traces.record(
        session, "report.made", row, details={"period": one.period, "run": run.id, "sha256": row.sha256}
    )
    return row


def with_below(session: Session, unit: Unit, period: str) -> list[Unit]:
    """A unit and the units right below it that were counted in a month."""
    basis = report_tables.basis(session, unit, period)
    counted = {line.unit_id for line in report_units.below(basis, "all")}
    units = session.scalars(select(Unit).where(Unit.id.in_(counted)).order_by(Unit.path)).all()
    return [unit, *units]


def kept(session: Session, run: Assessment, unit: Unit) -> Report | None:
    """The report of a run and a unit that is kept."""
    query = select(Report).where(Report.assessment_id == run.id, Report.unit_id == unit.id)
    return session.scalars(query).one_or_none()


def preview(session: Session, unit: Unit, period: str) -> dict[str, Any]:
    """The facts of a unit's month: those kept, else as they would be kept now, unless that takes long."""
    basis = report_tables.basis(session, unit, period)
    known = kept(session, basis.run, unit)
    if known is not None:
        return contents(known)
    if basis.run.customers > PREVIEWED:
        raise Refused(
            "这次评价有 %(number)s 户，预览要算很久。请在“质量月报”页先生成月报，生成以后再看。",
            number=basis.run.customers,
        )
    return _facts(basis)


def contents(report: Report) -> dict[str, Any]:
    """The facts of a kept report; refused where the file is not the one that was kept."""
    path = files.location(report.sha256)
    if not path.exists() or files.sha256_of(path) != report.sha256:
        raise Refused("月报「%(name)s」的文件不在或被改动过。请从备份中恢复文件。", name=str(report))
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def digest(facts: Mapping[str, Any]) -> str:
    """The fingerprint of a report: sha256 over its facts."""
    return hashlib.sha256(traces.canonical(facts)).hexdigest()


def published_as(session: Session, facts: Mapping[str, Any]) -> str:
    """The number under which the run of a report is published; empty for a draft."""
    query = select(Publication.number).where(Publication.assessment_id == facts["run"])
    return session.scalar(query) or ""


def published(session: Session, *, period: str = "", unit: Unit | None = None) -> list[Report]:
    """The reports in the session's scope whose runs are published and hold, newest month first, large units first."""
    later = aliased(Publication)
    corrected = select(later.id).where(later.replaces_id == Publication.id).exists()
    query = _ordered().join(Publication, Publication.assessment_id == Report.assessment_id).where(~corrected)
    if period:
        query = query.where(Report.period == period)
    if unit is not None:
        query = query.where(Report.unit_id == unit.id)
    return list(session.scalars(query.limit(MOST)))


def drafts(session: Session) -> list[Report]:
    """The reports in the session's scope whose runs wait to be published."""
    query = (
        _ordered().join(Assessment, Assessment.id == Report.assessment_id).where(Assessment.state != LOCKED)
    )
    return list(session.scalars(query.limit(MOST)))


def _ordered() -> Select[tuple[Report]]:
    query = select(Report).join(Unit, Unit.id == Report.unit_id)
    return query.order_by(Report.period.desc(), Unit.path, Report.id.desc())


def check(session: Session, run: Assessment) -> None:
    """Count the members of a run again, measures and rules; refused where a digit of its results differs."""
    known = {_key(row): _both(row) for row in _rows(session, run, AssessmentResult)}
    found = {_key(row): _both(row) for row in assessments.recount(session, run)}
    if run.rule_members_sha256 is not None:
        known |= {_key(row): _both(row) for row in _rows(session, run, RuleResult)}
        found |= {_key(row): _both(row) for row in assessments.recount_rules(session, run)}
    wrong = [key for key, both in known.items() if found.get(key, (0, 0)) != both]
    if wrong:
        raise Refused(
            "没有出月报：评价 %(run)s 按明细复算，有 %(number)s 个数字与结果不一致。请重新评价这个月。",
            run=run.id,
            number=len(wrong),
        )


def _rows(session: Session, run: Assessment, table: Any) -> Iterable[Any]:
    with working_as(session, ALL):
        return session.scalars(select(table).where(table.assessment_id == run.id)).all()


def _key(row: Any) -> tuple[Any, ...]:
    """What a figure is about: a measure by name, a rule by id."""
    about = getattr(row, "measure", None) or row.rule_id
    return (about, row.unit_id, row.staff_id, row.level, row.cohort)


def _both(row: Any) -> tuple[int, int]:
    return (row.numerator, row.denominator)


def _facts(basis: Basis) -> dict[str, Any]:
    """Everything that stands in the report, but whether it is published by now."""
    session, unit, run = basis.session, basis.unit, basis.run
    year, month = basis.period.split("-")
    parts = [report_figures.overall(basis), report_figures.rules(basis), report_units.units(basis)]
    parts += [report_figures.persons(basis), report_issues.problems(basis)]
    parts += [report_issues.issues(basis), report_issues.sources(basis)]
    maker = acting_staff(session)
    return {
        "format": FORMAT,
        "title": f"{unit.name}{year}年{int(month)}月{NAME}",
        "unit": unit.name,
        "unit_id": unit.id,
        "unit_code": unit.code,
        "period": basis.period,
        "run": run.id,
        "cutoff": notice_facts.last_day(run).isoformat(),
        "taken_at": run.cutoff.astimezone(ZONE).isoformat(),
        "made_on": today(session).isoformat(),
        "made_by": maker.name if maker is not None else "",
        "members_sha256": run.members_sha256,
        "letterhead": asdict(letterheads.current(session)),
        "parts": [part for part in parts if part["paragraphs"] or part["tables"]],
        "annexes": report_units.annexes(basis),
    }


def _put(facts: Mapping[str, Any]) -> str:
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        path = Path(folder) / "report.json"
        path.write_bytes(traces.canonical(facts))
        return files.put(path)
