"""`report PERIOD [--unit CODE] -o DIR`: the monthly quality report as PDF and XLSX."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from models import Staff, Unit
from models.people import root_unit, unit_by_code_or_name
from screens.commands import CreateApp, acts_as, working
from services import Refused, report_papers, reports, traces

HELP = "生成并输出一个月的质量月报(PDF 和 XLSX)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The month, the unit, and where the files go."""
    parser.add_argument("period", metavar="PERIOD", help="考核期，例如 2026-11")
    parser.add_argument("--unit", metavar="CODE", default="", help="单位编码或名称(默认全局)")
    parser.add_argument("-o", "--out", metavar="DIR", type=Path, required=True, help="输出目录")
    acts_as(parser)


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Keep the report where it is not kept yet, then write both files of it."""
    with working(create_app, args) as session:
        staff = session.get_one(Staff, traces.actor_id(session))
        (report,) = reports.make(session, [_unit(session, args.unit)], args.period, staff=staff)
        facts = reports.contents(report)
        published = reports.published_as(session, facts)
        session.commit()
    paths = {kind: args.out / report_papers.file_name(facts, kind) for kind in ("pdf", "xlsx")}
    _write(facts, published, paths)
    about = {"run": facts["run"], "published": published or None, "draft": not published}
    return about | {"sha256": reports.digest(facts), "files": [str(path) for path in paths.values()]}


def _write(facts: dict[str, Any], published: str, paths: dict[str, Path]) -> None:
    try:
        paths["pdf"].parent.mkdir(parents=True, exist_ok=True)
        report_papers.workbook(facts, published, paths["xlsx"], persons=True)
        paths["pdf"].write_bytes(report_papers.pdf(facts, published, persons=True))
    except OSError as error:
        raise Refused(
            f"写不了目录 {paths['pdf'].parent}（{error.strerror}）。请换一个可写的目录。"
        ) from error


def _unit(session: Session, text: str) -> Unit:
    if not text:
        return root_unit(session)
    found = unit_by_code_or_name(session, text)
    if found is None:
        raise Refused(f"没有编码或名称为「{text}」的单位。请核对 --unit。")
    return found
