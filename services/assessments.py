"""Assessments: the measures of a month at its cut-off, by unit, person and cohort, with the members behind them."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models import Assessment, AssessmentResult, Setting, Unit
from models.clock import end_of_day, now, period_days, utcnow
from models.scope import ALL, working_as
from quality.measures import DENOMINATOR, MEASURES, NUMERATOR, TIMELINESS, Bit, Member, has, tally, way_of
from services import Refused, files, traces
from services.assessed import members_of
from services.members import read_members, write_members

Tally = Counter[tuple[int, int | None, str, int]]
Key = tuple[int, int | None, str]
TIMELINESS_KEY = "timeliness"


@dataclass(frozen=True)
class Question:
    """What is assessed: a month, a unit with all below it, the moment as at which, and the setting of timeliness."""

    period: str
    unit_id: int
    cutoff: datetime
    timeliness: str = "due"


@dataclass(frozen=True)
class Result:
    """One figure: of a unit with all below it (`level` unit), or of a person among one unit's customers."""

    measure: str
    unit_id: int
    staff_id: int | None
    level: str
    cohort: str
    numerator: int
    denominator: int
    extra: dict[str, int]


@dataclass(frozen=True)
class Counted:
    """Everything that a run found, before it is kept; `members` is the sha256 of its members file, put already."""

    question: Question
    results: tuple[Result, ...]
    members: str
    customers: int
    undated: int


def question(session: Session, period: str, unit: Unit) -> Question:
    """The question a period asks: cut-off at 24:00 of its last day, or now while it is running."""
    try:
        _first, last = period_days(period)
    except ValueError:
        raise Refused("考核期「%(period)s」无法识别，请写成 2026-11 这样的年月。", period=period) from None
    moment = now(session)
    if _first > moment.date():
        raise Refused("考核期 %(period)s 还没有开始，不能评价。", period=period)
    return Question(period, unit.id, min(end_of_day(last), moment), timeliness_setting(session))


def timeliness_setting(session: Session) -> str:
    """How timeliness is counted here: in time / `due` in the period, or in time / `recorded`."""
    chosen = session.scalar(select(Setting.value).where(Setting.key == TIMELINESS_KEY))
    return chosen if chosen in TIMELINESS else "due"


def set_timeliness(session: Session, way: str) -> None:
    """Choose how timeliness is counted from now on; runs that were kept stay as they are."""
    if way not in TIMELINESS:
        raise Refused("没有这种及时率口径。请刷新页面后重新选择。")
    row = session.merge(Setting(key=TIMELINESS_KEY, value=way))
    traces.record(session, "setting.changed", row, details={"timeliness": way})


def count(session: Session, asked: Question) -> Counted:
    """Count the measures; reads only. The members go to a file, customer by customer."""
    customers: set[int] = set()
    with working_as(session, ALL), tempfile.TemporaryDirectory(prefix="assessment-") as folder:
        path = Path(folder) / "members.csv.gz"
        members = members_of(session, asked.period, asked.unit_id, asked.cutoff)
        found = tally(_seen(write_members(path, members), customers))
        units, digest = _units(session, asked.unit_id), files.put(path)
    undated = sum(number for (_unit, _staff, _cohort, bits), number in found.items() if bits & Bit.UNDATED)
    return Counted(asked, tuple(results_of(found, units, asked.timeliness)), digest, len(customers), undated)


def results_of(found: Tally, units: Sequence[tuple[int, str]], timeliness: str = "due") -> Iterator[Result]:
    """The figures of every unit (all below it included) and of every person, for new, existing and all customers."""
    paths = dict(units)
    rolled: dict[Key, Counter[int]] = defaultdict(Counter)
    persons: dict[Key, Counter[int]] = defaultdict(Counter)
    for (unit_id, staff_id, cohort, bits), number in found.items():
        for label in (cohort, "all"):
            for above in (int(part) for part in paths[unit_id].strip("/").split("/")):
                if above in paths:
                    rolled[above, None, label][bits] += number
            if staff_id is not None:
                persons[unit_id, staff_id, label][bits] += number
    yield from _figures(rolled, "unit", [(unit_id, None) for unit_id, _path in units], timeliness)
    yield from _figures(persons, "person", sorted({(unit, staff) for unit, staff, _c in persons}), timeliness)


def keep(session: Session, counted: Counted, *, staff_id: int | None) -> Assessment:
    """Keep what was counted as one run with its results and its members file."""
    asked = counted.question
    name = f"assessment-{asked.period}-members.csv.gz"
    stored = files.describe(session, counted.members, name, "application/gzip")
    run = Assessment(period=asked.period, unit_id=asked.unit_id, cutoff=asked.cutoff, state="done")
    run.settings = {"timeliness": asked.timeliness}
    run.members_sha256, run.customers, run.undated = stored.sha256, counted.customers, counted.undated
    run.staff_id, run.created_at, run.ended_at = staff_id, utcnow(), utcnow()
    session.add(run)
    session.flush()
    rows = [{"assessment_id": run.id} | vars(result) for result in counted.results]
    if rows:
        session.execute(insert(AssessmentResult), rows)
    traces.record(session, "assessment.done", run, details={"period": run.period, "members": stored.sha256})
    return run


def recount(session: Session, run: Assessment) -> list[Result]:
    """Count a run's members again; gives the same digits as its results, for ever."""
    if run.members_sha256 is None:
        raise Refused("这次评价没有保存明细，不能复算。")
    units = _units(session, run.unit_id)
    members = read_members(files.location(run.members_sha256))
    return list(results_of(tally(members), units, run.settings.get("timeliness", "due")))


def rate(numerator: int, denominator: int) -> float | None:
    """A rate from 0 to 1; None when nothing was counted."""
    return numerator / denominator if denominator else None


def _seen(members: Iterator[Member], customers: set[int]) -> Iterator[Member]:
    for member in members:
        customers.add(member.customer_id)
        yield member


def _units(session: Session, unit_id: int) -> list[tuple[int, str]]:
    path = session.scalars(select(Unit.path).where(Unit.id == unit_id)).one()
    rows = session.execute(select(Unit.id, Unit.path).where(Unit.path.startswith(path)).order_by(Unit.path))
    return [(row.id, row.path) for row in rows]


def _figures(
    found: Mapping[Key, Counter[int]], level: str, keys: Sequence[tuple[int, int | None]], timeliness: str
) -> Iterator[Result]:
    for unit_id, staff_id in keys:
        for cohort in ("new", "existing", "all"):
            counted = found.get((unit_id, staff_id, cohort), Counter())
            for measure in MEASURES:
                above, below, extra = _figure(counted, measure, timeliness)
                yield Result(measure, unit_id, staff_id, level, cohort, above, below, extra)


def _figure(counted: Counter[int], measure: str, timeliness: str) -> tuple[int, int, dict[str, int]]:
    """Numerator, denominator and what stands beside them; nothing was audited yet, so accuracy is 0 of 0."""

    def number(wanted: int) -> int:
        return sum(times for bits, times in counted.items() if has(bits, wanted))

    way = way_of(measure, timeliness)
    if way not in NUMERATOR:
        return 0, 0, {}
    beside = {"validity": ("valid", Bit.VALID), "timeliness": ("undated", Bit.UNDATED)}.get(measure)
    extra = {beside[0]: number(beside[1])} if beside else {}
    return number(NUMERATOR[way]), number(DENOMINATOR[way]), extra
