"""Assessments: measures and rules of a month at its cut-off, by unit, person and cohort, with the members behind."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models import Assessment, AssessmentResult, Rule, RuleResult, Setting, Unit
from models.bulk import insert_rows, take_ids
from models.clock import end_of_day, now, period_days, utcnow
from models.scope import ALL, working_as
from models.words import Said
from quality.measures import TIMELINESS, Bit, tally
from services import Refused, accuracy, audit_facts, files, traces
from services.assessed import frame_of, items_of
from services.measure_results import Result, results_of
from services.members import read_members, read_rule_members
from services.rule_results import Finding, findings_of, marks_of
from services.rules import judges, needing, rules_of_run
from services.tallies import Counting, tally_rules

TIMELINESS_KEY = "timeliness"


@dataclass(frozen=True)
class Question:
    """What is assessed: a month, a unit with all below it, the moment as at which, the setting of timeliness.

    `rules` are ids of rule versions; one that meets no record makes the run refused, unless `allow_empty`.
    """

    period: str
    unit_id: int
    cutoff: datetime
    timeliness: str = "due"
    rules: tuple[int, ...] = ()
    allow_empty: bool = False


@dataclass(frozen=True)
class Counted:
    """Everything that a run found, before it is kept; the files of members and audits are put already."""

    question: Question
    results: tuple[Result, ...]
    members: str
    customers: int
    undated: int
    findings: tuple[Finding, ...] = ()
    rule_members: str = ""
    audits: str = ""


def question(session: Session, period: str, unit: Unit, *, allow_empty: bool = False) -> Question:
    """The question a period asks: cut-off at 24:00 of its last day, or now while it is running."""
    try:
        first, last = period_days(period)
    except ValueError:
        raise Refused("考核期「%(period)s」无法识别，请写成 2026-11 这样的年月。", period=period) from None
    moment = now(session)
    if first > moment.date():
        raise Refused("考核期 %(period)s 还没有开始，不能评价。", period=period)
    cutoff = min(end_of_day(last), moment)
    rules = rules_of_run(session, frame_of(session, period, unit.id, cutoff))
    ids = tuple(rule.id for rule in rules)
    return Question(period, unit.id, cutoff, timeliness_setting(session), ids, allow_empty)


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


@dataclass(frozen=True)
class Keeping:
    """What becomes of the files of members and audits while a run is counted."""

    members: Callable[[Counting], tuple[str, str]]
    audits: Callable[[Any], str]


KEPT = Keeping(Counting.put, audit_facts.put)
NOT_KEPT = Keeping(lambda _counting: ("", ""), lambda _audits: "")


def count(session: Session, asked: Question, keeping: Keeping = KEPT) -> Counted:
    """Count measures and rules; reads only. The members go to files, customer by customer."""
    rules = rules_of(session, asked.rules)
    frame = frame_of(session, asked.period, asked.unit_id, asked.cutoff)
    with working_as(session, ALL), tempfile.TemporaryDirectory(prefix="assessment-") as folder:
        judging = judges(session, frame, rules)
        counting = Counting(Path(folder))
        counting.take(items_of(session, needing(frame, rules)), judging)
        units, digests = _units(session, asked.unit_id), keeping.members(counting)
        found = tuple(findings_of(counting.judged, units, [marks_of(rule) for rule in rules]))
    if not asked.allow_empty:
        refuse_empty(found, rules, asked.unit_id)
    undated = sum(
        number for (_unit, _staff, _cohort, bits), number in counting.counted.items() if bits & Bit.UNDATED
    )
    audits = audit_facts.facts(session, asked.period, dict(units)[asked.unit_id])
    results = tuple(
        accuracy.with_accuracy(results_of(counting.counted, units, asked.timeliness), audits, units)
    )
    kept = keeping.audits(audits) if audits else ""
    return Counted(asked, results, digests[0], len(counting.customers), undated, found, digests[1], kept)


def refuse_empty(found: Iterable[Finding], rules: Sequence[Rule], unit_id: int) -> None:
    """Refuse a run in which a rule met no record, where the rule does not say that it may."""
    met = {one.rule_id for one in found if one.unit_id == unit_id and one.denominator + one.exempt}
    empty = [rule.label for rule in rules if rule.id not in met and not rule.may_be_empty]
    if empty:
        raise Refused(
            "没有评价：规则%(rules)s没有遇到任何记录，多半是范围或参数设错了。请核对规则；"
            "确实没有记录时，勾选“规则没有遇到记录也继续”（命令行用 --allow-empty）。",
            rules=Said.joined([f"「{label}」" for label in empty], joint="、"),
        )


def keep(session: Session, counted: Counted, *, staff_id: int | None) -> Assessment:
    """Keep what was counted as one run with its results and its members file."""
    asked = counted.question
    name = f"assessment-{asked.period}-members.csv.gz"
    stored = files.describe(session, counted.members, name, "application/gzip")
    run = Assessment(period=asked.period, unit_id=asked.unit_id, cutoff=asked.cutoff, state="done")
    run.settings = settings_of(session, asked) | {"audits": _audits_file(session, counted)}
    run.members_sha256, run.customers, run.undated = stored.sha256, counted.customers, counted.undated
    run.rule_members_sha256 = _rule_file(session, counted)
    run.staff_id, run.created_at, run.ended_at = staff_id, utcnow(), utcnow()
    session.add(run)
    session.flush()
    rows = [{"assessment_id": run.id} | vars(result) for result in counted.results]
    if rows:
        session.execute(insert(AssessmentResult), rows)
    table = RuleResult.__table__
    keys = take_ids(session, table, len(counted.findings))
    judged = [
        {"id": key, "assessment_id": run.id} | vars(one)
        for key, one in zip(keys, counted.findings, strict=True)
    ]
    insert_rows(session, table, judged)
    details = {"period": run.period, "members": stored.sha256, "rule_members": run.rule_members_sha256}
    traces.record(session, "assessment.done", run, details=details)
    return run


def settings_of(session: Session, asked: Question) -> dict[str, Any]:
    """What a kept run says of how it was counted: the way of timeliness, and each rule with its version."""
    rules = [
        {"id": rule.id, "code": rule.code, "version": rule.version} for rule in rules_of(session, asked.rules)
    ]
    return {"timeliness": asked.timeliness, "rules": rules, "allow_empty": asked.allow_empty}


def rules_of(session: Session, ids: Sequence[int]) -> list[Rule]:
    """Rule versions by id, in the order given: the order of the bits."""
    found = {rule.id: rule for rule in session.scalars(select(Rule).where(Rule.id.in_(ids)))}
    return [found[key] for key in ids]


def rules_in(session: Session, run: Assessment) -> list[Rule]:
    """The rule versions that a run was judged by, in the order of their bits."""
    return rules_of(session, [entry["id"] for entry in run.settings.get("rules", ())])


def recount(session: Session, run: Assessment) -> list[Result]:
    """Count a run's members again; gives the same digits as its results, for ever."""
    if run.members_sha256 is None:
        raise Refused("这次评价没有保存明细，不能复算。")
    units = _units(session, run.unit_id)
    members = read_members(files.location(run.members_sha256))
    found = results_of(tally(members), units, run.settings.get("timeliness", "due"))
    return list(accuracy.with_accuracy(found, audit_facts.read(run.settings.get("audits")), units))


def recount_rules(session: Session, run: Assessment) -> list[Finding]:
    """Count the records again that the rules of a run looked at; the same digits as its results, for ever."""
    if run.rule_members_sha256 is None:
        raise Refused("这次评价没有按规则判断的明细，不能复算。")
    members = read_rule_members(files.location(run.rule_members_sha256))
    marks = [marks_of(rule) for rule in rules_in(session, run)]
    return list(findings_of(tally_rules(members), _units(session, run.unit_id), marks))


def rate(numerator: int, denominator: int) -> float | None:
    """A rate from 0 to 1; None when nothing was counted."""
    return numerator / denominator if denominator else None


def _rule_file(session: Session, counted: Counted) -> str | None:
    if not counted.rule_members:
        return None
    name = f"assessment-{counted.question.period}-rules.csv.gz"
    return files.describe(session, counted.rule_members, name, "application/gzip").sha256


def _audits_file(session: Session, counted: Counted) -> str:
    if not counted.audits:
        return ""
    name = f"assessment-{counted.question.period}-audits.json.gz"
    return files.describe(session, counted.audits, name, "application/gzip").sha256


def _units(session: Session, unit_id: int) -> list[tuple[int, str]]:
    path = session.scalars(select(Unit.path).where(Unit.id == unit_id)).one()
    rows = session.execute(select(Unit.id, Unit.path).where(Unit.path.startswith(path)).order_by(Unit.path))
    return [(row.id, row.path) for row in rows]
