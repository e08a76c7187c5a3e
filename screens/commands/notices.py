"""`notices ASSESSMENT_RUN -o DIR`: the issued bulletins and notices of a run as PDF files, or drafts of them."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Assessment, Notice, Staff
from screens.commands import CreateApp, acts_as, working
from services import Refused, files, notice_papers, notices, traces
from services.people import require

HELP = "输出一次评价的考核通报和通知单"
ISSUED = ("issued", "acknowledged", "rebutted", "amended")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The run, where the files go, and whether drafts will do."""
    parser.add_argument("run", metavar="ASSESSMENT_RUN", type=int, help="评价编号")
    parser.add_argument("-o", "--out", metavar="DIR", type=Path, required=True, help="输出目录")
    parser.add_argument("--draft", action="store_true", help="输出草稿(没有拟稿时先拟稿)")
    acts_as(parser)


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Copy what was issued; with --draft lay out what stands, drafted first where nothing is."""
    with working(create_app, args) as session:
        assessment = session.scalar(select(Assessment).where(Assessment.id == args.run))
        if assessment is None:
            raise Refused(f"没有编号为 {args.run} 的评价。编号见 assess 的输出或评价页面。")
        rows = _drafts(session, assessment) if args.draft else _issued(session, assessment)
        _make_folder(args.out)
        made = [_written(session, row, args.out, draft=args.draft) for row in rows]
        traces.record(session, "notice.exported", assessment, details={"documents": len(made)})
        return {"notices": made}


def _issued(session: Session, assessment: Assessment) -> Sequence[Notice]:
    rows = _rows(session, assessment, ISSUED)
    if not rows:
        raise Refused(
            "这次评价还没有印发的通报或通知单。要看草稿请加 --draft；印发请走流程「考核通报与通知单」。"
        )
    return rows


def _drafts(session: Session, assessment: Assessment) -> Sequence[Notice]:
    rows = _rows(session, assessment, (*notices.UNISSUED, *ISSUED))
    if rows:
        return rows
    staff = session.get_one(Staff, traces.actor_id(session))
    require(staff, "notices.edit")
    return notices.compose(session, assessment, drafted_by_id=staff.id)


def _rows(session: Session, assessment: Assessment, states: Sequence[str]) -> Sequence[Notice]:
    query = select(Notice).where(Notice.assessment_id == assessment.id, Notice.state.in_(states))
    return session.scalars(query.order_by(Notice.id)).all()


def _written(session: Session, row: Notice, folder: Path, *, draft: bool) -> dict[str, Any]:
    target = folder / f"{notices.file_name(session, row)}.pdf"
    if row.sha256 is not None and not draft:
        shutil.copyfile(files.location(row.sha256), target)
    else:
        target.write_bytes(notice_papers.lay_out(notice_papers.printed_facts(session, row)))
    return {"number": notices.number_of(row), "unit": row.unit.code, "kind": row.kind, "file": str(target)}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"输出目录 {folder} 不能建立（{error.strerror}）。请换一个可写的目录。") from error
