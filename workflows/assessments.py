"""The steps that assess a month, publish what was found, and look at what is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from models import Assessment, Publication, Staff, Unit
from models.clock import period_of, today
from models.people import root_unit, unit_by_code_or_name
from models.words import N_
from services import Refused, assessments, publication_checks, publications
from services.assessments import Counted, Question
from services.measure_results import Result
from services.rule_results import Finding
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked


class Assess(Options):
    """Which month of which unit is assessed."""

    period: str = asked(
        N_("考核期"), "", pattern=r"^(\d{4}-\d{2})?$", help=N_("年-月，例如 2026-11；空着为本月。")
    )
    unit: str = asked(N_("单位"), "", choices="units", help=N_("不选为全局。"))
    allow_empty: bool = asked(N_("规则没有遇到记录也继续"), False)


class PublishAssessment(Options):
    """By whose decision, and why where it corrects what is published already."""

    decided_in: str = ""
    reason: str = asked(N_("更正的原因（这个月已经发布过才填）"), "", max_length=200)


def plan_assess(session: Session, options: Assess, facts: Facts) -> Planned:
    """Count the whole month, read only; the members lie in a file until they are kept."""
    unit = unit_of(session, options.unit)
    period = options.period or period_of(today(session))
    question = assessments.question(session, period, unit, allow_empty=options.allow_empty)
    counted = assessments.count(session, question)
    summary = {"customers": counted.customers, "undated": counted.undated}
    return Planned([_item(counted)], summary)


def assess(options: Assess, facts: Facts, items: Sequence[Item]) -> Effects:
    """Keep what was counted as one assessment."""
    owner = facts["run"].get("owner_id")
    return Effects(calls=[Call(keep, {"item": item, "staff_id": owner}) for item in items])


def plan_publish_assessment(session: Session, options: PublishAssessment, facts: Facts) -> Planned:
    """The run's assessment."""
    return Planned([{"assessment_id": facts["run"]["assessment_id"]}])


def publish_assessment(options: PublishAssessment, facts: Facts, items: Sequence[Item]) -> Effects:
    """Lock it and publish it, in the name of who decided, else of who started the run."""
    whose = facts[options.decided_in]["by"] if options.decided_in else facts["run"].get("owner_id")
    call = {"staff_id": whose, "reason": options.reason}
    return Effects(calls=[Call(publish, {"assessment_id": item["assessment_id"]} | call) for item in items])


def plan_check_publications(session: Session, options: Options, facts: Facts) -> Planned:
    """Every publication."""
    return Planned({"id": key} for key in publication_checks.all_of_them(session))


def check_publications(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Read one published file and compare it with its digest and the database."""
    return Effects(calls=[Call(look, {"publication_id": item["id"]}) for item in items])


def publish(session: Session, assessment_id: int, staff_id: int | None, reason: str) -> dict[str, Any]:
    """Publish one assessment; published by this run already, it stays as it is."""
    run = session.get_one(Assessment, assessment_id)
    made = publications.publication_of(session, run)
    if made is None:
        staff = session.get(Staff, staff_id or 0)
        if staff is None:
            raise Refused("没有找到发布这次评价的人。请由有“发布”权限的人重新启动流程。")
        made = publications.publish(session, run, staff=staff, reason=reason)
    return {"number": made.number}


def look(session: Session, publication_id: int) -> dict[str, int]:
    """Look at one publication wholly."""
    found = publication_checks.look(session, session.get_one(Publication, publication_id))
    return {"looked": 1, "wrong": int(not found.ok)}


def keep(session: Session, item: Mapping[str, Any], staff_id: int | None) -> dict[str, Any]:
    """Keep one counted assessment; its id goes into the run's facts."""
    asked = item["question"]
    question = Question(
        **asked | {"cutoff": datetime.fromisoformat(asked["cutoff"]), "rules": tuple(asked["rules"])}
    )
    counted = Counted(
        question,
        tuple(Result(**row) for row in item["results"]),
        item["members"],
        item["customers"],
        item["undated"],
        tuple(Finding(**row) for row in item["findings"]),
        item["rule_members"],
        item.get("audits", ""),
    )
    run = assessments.keep(session, counted, staff_id=staff_id)
    return {"assessment_id": run.id, "period": run.period, "customers": run.customers}


def _item(counted: Counted) -> dict[str, Any]:
    question = asdict(counted.question) | {"cutoff": counted.question.cutoff.isoformat()}
    return {
        "question": question,
        "results": [asdict(result) for result in counted.results],
        "members": counted.members,
        "customers": counted.customers,
        "undated": counted.undated,
        "findings": [asdict(finding) for finding in counted.findings],
        "rule_members": counted.rule_members,
        "audits": counted.audits,
    }


def unit_of(session: Session, text: str) -> Unit:
    """The unit that an option names; the whole bureau where it names none."""
    unit = unit_by_code_or_name(session, text) if text else root_unit(session)
    if unit is None:
        raise Refused("没有编码或名称为「%(text)s」的单位。请在单位页面核对后重新启动。", text=text)
    return unit
