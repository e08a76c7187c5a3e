"""Exports of lists: the rows behind a figure as XLSX or CSV, with a reason, a mark of who took them, and a trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from models import Staff
from models.clock import ZONE, utcnow
from services import Refused, files, traces
from services.people import require
from services.table_files import MEDIA, Marks, SheetOf, write_csv, write_workbook

RUN, REVEAL = "exports.run", "customers.reveal"
MOST = 50_000  # what a web worker writes well within its time
SHORTEST, LONGEST = 4, 120


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to take along: the list's name, the kind of file, why, and whether in plain values."""

    title: str
    kind: str
    reason: str
    plain: bool = False


@dataclass(frozen=True)
class Taken:
    """An export that was written: its watermark, its rows, the sha256 of its file."""

    mark: str
    rows: int
    sha256: str


def check(wanted: Wanted, *, staff: Staff, permission: str = RUN) -> None:
    """Refuse whoever may not, an export without a reason, and plain values to whoever may not see them."""
    require(staff, permission)
    if wanted.kind not in MEDIA:
        raise Refused("请选择导出成 XLSX 还是 CSV。")
    if not SHORTEST <= len(wanted.reason.strip()) <= LONGEST:
        raise Refused("没有导出：请写明导出的用途，4 到 120 个字。用途会印在文件上并记入服务痕迹。")
    if wanted.plain:
        require(staff, REVEAL)


def write(
    path: Path, wanted: Wanted, *, headings: Sequence[str], rows: Iterable[Sequence[str]], staff: Staff
) -> Taken:
    """Write the file row by row, its watermark above the heading and on every printed page."""
    moment = utcnow()
    mark = watermark(wanted, staff, moment)
    bounded = _bounded(rows)
    if wanted.kind == "csv":
        number = write_csv(path, headings, bounded, above=[mark])
    else:
        marks = Marks(wanted.title, moment.astimezone(ZONE), mark)
        widths = [max(10, 2 * len(heading) + 4) for heading in headings]
        number = write_workbook(path, [SheetOf(wanted.title, headings, bounded, (mark,), widths)], marks)
    return Taken(mark, number, files.sha256_of(path))


def record(session: Session, wanted: Wanted, taken: Taken, staff: Staff) -> None:
    """Write who took which list, why, and how many rows of it."""
    details = {
        "list": wanted.title,
        "reason": wanted.reason.strip(),
        "kind": wanted.kind,
        "plain": wanted.plain,
    }
    traces.record(
        session, "list.exported", staff, details=details | {"rows": taken.rows, "sha256": taken.sha256}
    )


def watermark(wanted: Wanted, staff: Staff, moment: datetime) -> str:
    """Who, when, why: what stands on an exported file."""
    shown = "含明文" if wanted.plain else "已脱敏"
    at = moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")
    parts = (wanted.title, f"导出人 {staff.name}（{staff.username}）", at, f"用途：{wanted.reason.strip()}")
    return "　".join((*parts, shown, "内部资料"))


def _bounded(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    for number, row in enumerate(rows):
        if number == MOST:
            raise Refused("没有导出：符合条件的超过 %(most)s 行。请再加一个条件，分几次导出。", most=MOST)
        yield row
