"""The step that makes the monthly quality reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from models import Assessment, Staff, Unit
from models.clock import period_of, today
from models.people import root_unit, unit_by_code_or_name
from models.words import N_
from services import Refused, reports
from services.people import require
from services.trends import earlier
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked


class MakeQualityReport(Options):
    """Which month, which unit, and whether the units right below get theirs too."""

    period: str = asked(
        N_("考核期"), "", pattern=r"^(\d{4}-\d{2})?$", help=N_("年-月，例如 2026-11；空着为上月。")
    )
    unit: str = asked(N_("单位"), "", choices="units", help=N_("不选为全局。"))
    below: bool = asked(N_("下一级单位的月报一起生成"), True)


def plan_make_quality_report(session: Session, options: MakeQualityReport, facts: Facts) -> Planned:
    """Gather the reports, read only; their facts and rows lie in files until they are kept."""
    unit, period = _asked_for(session, options, facts)
    units = reports.with_below(session, unit, period) if options.below else [unit]
    items = [asdict(one) for one in reports.gather(session, units, period)]
    return Planned(items, {"reports": len(items)})


def make_quality_report(options: MakeQualityReport, facts: Facts, items: Sequence[Item]) -> Effects:
    """Keep what was gathered."""
    owner = facts["run"].get("owner_id")
    return Effects(calls=[Call(keep, {"item": item, "staff_id": owner}) for item in items])


def keep(session: Session, item: Mapping[str, Any], staff_id: int | None) -> dict[str, int]:
    """Keep one gathered report."""
    if staff_id is not None:
        require(session.get_one(Staff, staff_id), reports.MAKE)
    reports.keep(session, reports.Gathered(**item), staff_id=staff_id)
    return {"reports": 1}


def _asked_for(session: Session, options: MakeQualityReport, facts: Facts) -> tuple[Unit, str]:
    """The unit and month asked for, else those that the run has assessed, else last month of the whole bureau."""
    assessed = session.get(Assessment, facts["run"].get("assessment_id") or 0)
    if assessed is not None and not (options.unit or options.period):
        return assessed.unit, assessed.period
    return _unit(session, options.unit), options.period or earlier(period_of(today(session)), 1)


def _unit(session: Session, text: str) -> Unit:
    if not text:
        return root_unit(session)
    found = unit_by_code_or_name(session, text)
    if found is None:
        raise Refused("没有编码或名称为「%(text)s」的单位。请核对步骤里填写的单位。", text=text)
    return found
