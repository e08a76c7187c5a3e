"""Trays (盘): a print run in files of so many letters, each for one part of the country, with bundles (把) in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from models import Letter, PrintRun, PrintTray
from models.clock import now
from models.letters import GONE
from paper.excerpts import excerpt
from paper.overprints import overprint
from services import Refused, files, traces
from services.presorting import BUNDLE_PREFIX, prefix_of

SHEETS = 250  # letters of one tray where nobody says otherwise
LEAST, MOST = 10, 2000
BUNDLE = 100
FRESH = "composed"
TITLE = "客户联系信息核对函"
NEEDLESS = (*GONE, "answered", "undelivered")


@dataclass(frozen=True)
class Piece:
    """One letter as it lies in its run."""

    serial: int
    postcode: str


@dataclass(frozen=True)
class Bundle:
    """Letters of one tray that are tied together: they go to one post office."""

    prefix: str
    pieces: int
    serial_from: int
    serial_to: int


def split(pieces: Sequence[Piece], sheets: int) -> list[tuple[str, Sequence[Piece]]]:
    """Letters in their order as trays: a new one where the prefix changes, and after so many sheets."""
    return list(_chunks(pieces, sheets, lambda piece: prefix_of(piece.postcode)))


def bundles(pieces: Iterable[Piece], size: int = BUNDLE) -> list[Bundle]:
    """The bundles of one tray, each for four digits and of `size` letters at most."""
    chunks = _chunks(pieces, size, lambda piece: prefix_of(piece.postcode, BUNDLE_PREFIX))
    return [Bundle(prefix, len(kept), kept[0].serial, kept[-1].serial) for prefix, kept in chunks]


def keep(session: Session, run: PrintRun, pieces: Sequence[Piece], *, sheets: int) -> int:
    """Write a run's trays as rows; returns how many."""
    rows, first = [], 0
    for number, (prefix, kept) in enumerate(split(pieces, sheets), start=1):
        span = {"serial_from": kept[0].serial, "serial_to": kept[-1].serial, "letters": len(kept)}
        rows.append({"number": number, "prefix": prefix, "first": first, **span})
        first += len(kept)
    shared = {"print_run_id": run.id, "unit_id": run.unit_id}
    session.execute(insert(PrintTray), [row | shared for row in rows])
    run.tray_sheets = sheets
    return len(rows)


def divide(session: Session, run: PrintRun, sheets: int) -> int:
    """Divide a run anew, as long as nothing of it was handed out; returns the number of trays."""
    check_size(sheets)
    hold(session, run)
    if run.state != FRESH or any(tray.handed_out_at for tray in trays_of(session, run)):
        raise Refused("这一批已经领取过打印文件，不能再改分盘。")
    session.execute(delete(PrintTray).where(PrintTray.print_run_id == run.id))
    number = keep(session, run, pieces_of(session, run), sheets=sheets)
    traces.record(session, "print_run.divided", run, details={"sheets": sheets, "trays": number})
    return number


def check_size(sheets: int) -> None:
    """Refuse a number of letters that no tray is made for."""
    if not LEAST <= sheets <= MOST:
        raise Refused("每盘的张数请填 %(least)s 到 %(most)s。", least=LEAST, most=MOST)


def trays_of(session: Session, run: PrintRun) -> Sequence[PrintTray]:
    """A run's trays in order."""
    query = select(PrintTray).where(PrintTray.print_run_id == run.id)
    return session.scalars(query.order_by(PrintTray.number)).all()


def pieces_of(session: Session, run: PrintRun, tray: PrintTray | None = None) -> list[Piece]:
    """The letters of a run, or of one tray, in the order of the pages; spoiled ones lie there too."""
    query = select(Letter.serial, Letter.facts).where(Letter.print_run_id == run.id)
    if tray is not None:
        query = query.where(Letter.serial.between(tray.serial_from, tray.serial_to))
    rows = session.execute(query.order_by(Letter.serial))
    return [Piece(serial, str(facts["letter"]["postcode"])) for serial, facts in rows]


def hand_out(session: Session, tray: PrintTray, *, reason: str = "") -> None:
    """Give one tray's file to the printer; who took it and why is traced. A further time needs a reason."""
    run = tray.run
    hold(session, run)
    session.refresh(tray)
    if run.state == "spoiled":
        raise Refused("这一批已经作废，不能再打印。需要的函件请补打。")
    if tray.handed_out_at is not None and not reason.strip():
        raise Refused("这一盘已经领取过打印文件。再次打印请填写原因（如：卡纸、字迹不清），原因会记入打印台账。")
    tray.handed_out_at, tray.handed_out_by_id = now(session), traces.actor_id(session)
    run.state = "printing" if run.state == FRESH else run.state
    details = {"tray": tray.number, "reason": reason.strip()[:200]}
    traces.record(session, "print_run.handed_out", run, details=details)


def hold(session: Session, run: PrintRun) -> None:
    """Whoever hands a run out holds it: a second person sees that it was taken."""
    session.flush()
    session.refresh(run, with_for_update={"of": PrintRun})  # a loaded campaign is joined, and needs no lock


def mark_all(session: Session, run: PrintRun) -> None:
    """The whole run was handed out: so was every tray of it."""
    query = update(PrintTray).where(PrintTray.print_run_id == run.id, PrintTray.handed_out_at.is_(None))
    values = {"handed_out_at": now(session), "handed_out_by_id": traces.actor_id(session)}
    session.execute(query.values(**values), execution_options={"synchronize_session": "fetch"})


def pages_of(session: Session, run: PrintRun, tray: PrintTray | None = None) -> list[int]:
    """The pages of a tray, or of the run, in the run's file, counted from 0; without what need not go out any more:
    spoiled, printed again, or meant for somebody whose earlier copy was answered or came back."""
    each = run.pages // run.letters
    states = session.scalars(
        select(Letter.state).where(Letter.print_run_id == run.id).order_by(Letter.serial)
    ).all()
    first, count = (0, len(states)) if tray is None else (tray.first, tray.letters)
    places = [at for at in range(first, first + count) if states[at] not in NEEDLESS]
    if not places:
        raise Refused("这里的函件都已作废、补打，或客户已回复、已退信，没有可打印的。")
    return [at * each + page for at in places for page in range(each)]


def content(run: PrintRun) -> Path:
    """The run's file; refused where it is not there any more."""
    path = files.location(run.sha256 or "-")
    if run.sha256 is None or not path.exists():
        raise Refused(
            "第 %(number)s 批的打印文件找不到了，可能数据目录没有完整恢复。请联系系统管理员从备份恢复文件。",
            number=run.number,
        )
    return path


def write(
    source: Path, pages: Sequence[int], target: Path, *, day: date, offset: tuple[int, int] | None = None
) -> int:
    """Write some pages of a run's file as a file of their own: whole, or with an offset the variable layer alone."""
    if offset is not None:
        return overprint(source, pages, target, offset=offset, day=day)
    return excerpt([(source, pages)], target, title=TITLE, day=day)


def _chunks(pieces: Iterable[Piece], size: int, key: Any) -> Iterator[tuple[str, list[Piece]]]:
    for prefix, group in groupby(pieces, key=key):
        kept = list(group)
        for start in range(0, len(kept), size):
            yield prefix, kept[start : start + size]
