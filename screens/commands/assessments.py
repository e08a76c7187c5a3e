"""`assess PERIOD`: the measures of a month, kept as a run."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from models import Staff, Unit
from models.people import root_unit, unit_by_code_or_name
from screens.commands import CreateApp, acts_as, working
from services import Refused, assessments, issues, traces
from services.people import require
from services.results import measure_rows, rule_rows

HELP = "评价一个月的联系信息质量"
FOLLOWED = {"opened": "新增", "recurring": "重复发生", "fixed": "已整改"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The period and the unit."""
    parser.add_argument("period", metavar="PERIOD", help="考核期，例如 2026-11")
    parser.add_argument("--unit", metavar="CODE", default="", help="单位编码或名称(默认全局)")
    parser.add_argument("--allow-empty", action="store_true", help="规则没有遇到任何记录时也继续")
    acts_as(parser)


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Count, keep, and list every figure."""
    with working(create_app, args) as session:
        staff_id = traces.actor_id(session)
        require(session.get_one(Staff, staff_id), "assessments.run")
        unit = _unit(session, args.unit)
        question = assessments.question(session, args.period, unit, allow_empty=args.allow_empty)
        kept = assessments.keep(session, assessments.count(session, question), staff_id=staff_id)
        session.commit()
        found = Counter[str]()
        for chunk in issues.follow(session, kept):
            found.update(chunk)
            session.commit()
        return {
            "run": kept.id,
            "measures": measure_rows(session, kept),
            "rules": rule_rows(session, kept),
            "issues": dict(found),
        }


def summary(result: Mapping[str, Any]) -> str:
    """The whole's figures, a line a measure."""
    first = result["measures"][0]["unit"] if result["measures"] else ""
    rows = [
        row
        for row in result["measures"]
        if row["unit"] == first and row["person"] is None and row["cohort"] == "all"
    ]
    lines = [
        f"{row['measure']:<14}{row['numerator']}/{row['denominator']}  {_percent(row['rate'])}"
        for row in rows
    ]
    low = {row["rule"] for row in result["rules"] if row["unit"] == first and (row["grade"] or 5) <= 2}
    found = "，".join(f"{name} {result['issues'].get(code, 0)} 条" for code, name in FOLLOWED.items())
    lines.append(f"规则中一、二级的 {len(low)} 条；问题清单：{found}。")
    return "\n".join([f"评价 {result['run']} 已完成（{first}）：", *lines])


def _unit(session: Session, text: str) -> Unit:
    if not text:
        return root_unit(session)
    found = unit_by_code_or_name(session, text)
    if found is None:
        raise Refused(f"没有编码或名称为「{text}」的单位。请用 units import 导入单位，或核对 --unit。")
    return found


def _percent(rate: float | None) -> str:
    return "—" if rate is None else f"{rate:.2%}"
