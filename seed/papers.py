"""What the demo leaves in its output folder: letters, walk lists, board, bulletin and notices."""

from __future__ import annotations

import shutil

from sqlalchemy import select

from models import Campaign, Notice, WalkList
from seed.stage import Stage, acting_as
from services import board_papers, competitions, files, notices, print_files
from services.print_files import Span
from workflows.sessions import reading

ISSUED = ("issued", "acknowledged", "rebutted")


def print_letters(stage: Stage, campaign_id: int, login: str) -> None:
    """Write the campaign's letters with their register, and mark them printed, as `print` does."""
    path = stage.out / "letters.pdf"
    with acting_as(login) as (session, _staff):
        campaign = session.get_one(Campaign, campaign_id)
        sheets = print_files.gather(session, campaign, Span())
        day = print_files.sent_on(session, campaign)
        session.commit()
        written = print_files.write(sheets, path, day=day)
        print_files.mark_printed(session, campaign, sheets)
    stage.letters, stage.pages = written.letters, written.pages
    stage.artifacts |= {"letters": path, "register": path.with_suffix(".csv")}
    stage.say(f"核对函 {written.letters} 封，{written.pages} 页。")


def copy_walk_lists(stage: Stage) -> None:
    """Copy the printed walk lists out."""
    with reading() as session:
        rows = session.execute(select(WalkList.number, WalkList.sha256).order_by(WalkList.number)).all()
    for row in rows:
        _copy(stage, row.sha256, f"走访清单_{row.number}.pdf", f"walk_list_{row.number}")
    stage.say(f"走访清单 {len(rows)} 份。")


def print_board(stage: Stage, code: str) -> None:
    """Lay the A3 board of the frozen standings out."""
    path = stage.out / f"排行榜_{code}.pdf"
    with reading() as session:
        path.write_bytes(board_papers.lay_out(session, competitions.by_code(session, code)))
    stage.artifacts["board"] = path


def copy_notices(stage: Stage, assessment_id: int) -> None:
    """Copy the issued bulletin and notices out, named as documents are named in the house."""
    query = select(Notice).where(Notice.assessment_id == assessment_id, Notice.state.in_(ISSUED))
    with reading() as session:
        rows = [
            (row.kind, row.sha256, notices.file_name(session, row))
            for row in session.scalars(query.order_by(Notice.id))
        ]
    for number, (kind, sha256, name) in enumerate(rows):
        _copy(stage, sha256, f"{name}.pdf", "bulletin" if kind == "bulletin" else f"notice_{number}")
    stage.say(f"考核通报和通知单 {len(rows)} 份。")


def _copy(stage: Stage, sha256: str | None, name: str, artifact: str) -> None:
    target = stage.out / name
    shutil.copyfile(files.location(sha256 or "-"), target)
    stage.artifacts[artifact] = target
