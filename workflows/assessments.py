"""The step that assesses a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from models import Unit
from models.clock import period_of, today
from models.people import root_unit, unit_by_code_or_name
from models.words import N_
from services import Refused, assessments
from services.assessments import Counted, Question
from services.measure_results import Result
from services.rule_results import Finding
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked


class Assess(Options):
    """Which month of which unit is assessed."""

    period: str = asked(N_("考核期（年-月，空着为本月）"), "", pattern=r"^(\d{4}-\d{2})?$")
    unit: str = asked(N_("单位（编码或名称，空着为全局）"), "")
    allow_empty: bool = asked(N_("规则没有遇到记录也继续"), False)


def plan_assess(session: Session, options: Assess, facts: Facts) -> Planned:
    """Count the whole month, read only; the members lie in a file until they are kept."""
    unit = _unit(session, options.unit)
    period = options.period or period_of(today(session))
    question = assessments.question(session, period, unit, allow_empty=options.allow_empty)
    counted = assessments.count(session, question)
    summary = {"customers": counted.customers, "undated": counted.undated}
    return Planned([_item(counted)], summary)


def assess(options: Assess, facts: Facts, items: Sequence[Item]) -> Effects:
    """Keep what was counted as one assessment."""
    owner = facts["run"].get("owner_id")
    return Effects(calls=[Call(keep, {"item": item, "staff_id": owner}) for item in items])


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


def _unit(session: Session, text: str) -> Unit:
    unit = unit_by_code_or_name(session, text) if text else root_unit(session)
    if unit is None:
        raise Refused("没有编码或名称为「%(text)s」的单位。请在单位页面核对后重新启动。", text=text)
    return unit
