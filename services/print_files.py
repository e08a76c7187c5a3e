"""A campaign's letters as one file with the print register beside it: pages of what was made, never new letters.

Three parts, because writing a large file must not hold a transaction: `gather` reads, `write` has no session, and
`mark_printed` writes down what was printed.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import Campaign, FormVersion, Letter, PrintRun, Recipient, Unit
from models.clock import now
from models.words import N_, Said
from paper.excerpts import excerpt
from services import Refused, files, traces
from services.letters import GONE, number_of

CHUNK = 1000
TITLE = "客户联系信息核对函"
LIVE_FORMULA = ("=", "+", "-", "@", "\t", "\r")
REGISTER = (
    "函件编号",
    "打印次数",
    "查询码",
    "户号",
    "供电单位",
    "邮政编码",
    "打印批次",
    "起始页",
    "终止页",
    "表单版本",
)


@dataclass(frozen=True)
class Span:
    """Serials from `first` to `last`, both included; None leaves an end open."""

    first: int | None = None
    last: int | None = None

    def holds(self, serial: int) -> bool:
        """Whether a serial lies within."""
        return (self.first is None or serial >= self.first) and (self.last is None or serial <= self.last)


@dataclass(frozen=True)
class Sheet:
    """One letter to print, as plain values: its pages in the file of its print run, and its line of the register."""

    letter_id: int
    serial: int
    print_run_id: int
    sha256: str
    page: int
    pages: int
    fresh: bool
    register: tuple[Any, ...]


@dataclass(frozen=True)
class Written:
    """What a written file came to."""

    letters: int
    pages: int
    bytes: int
    seconds: float
    register: Path


def gather(session: Session, campaign: Campaign, span: Span) -> list[Sheet]:
    """The campaign's live letters of a span, in the order of their serials; refused while some are still being made."""
    _check_complete(session, campaign)
    sheets = [sheet for sheet in _sheets(session, campaign.id) if span.holds(sheet.serial)]
    if not sheets:
        raise Refused(_nothing(campaign, span))
    return sorted(sheets, key=lambda sheet: sheet.serial)


def write(sheets: Sequence[Sheet], target: Path, *, day: date) -> Written:
    """Write the file and its register; the same letters give the same bytes."""
    started = time.monotonic()
    sources = [
        (_content(sha256), [sheet.page + at for sheet in group for at in range(sheet.pages)])
        for sha256, group in groupby(sheets, key=lambda sheet: sheet.sha256)
    ]
    register = target.with_suffix(".csv")
    try:
        pages = excerpt(sources, target, title=TITLE, day=day)
        _write_register(sheets, register)
    except OSError as error:
        raise Refused(
            "文件 %(target)s 写不进去（%(why)s）。请换一个可写的位置，或先腾出空间。",
            target=target, why=error.strerror,
        ) from error
    return Written(len(sheets), pages, target.stat().st_size, time.monotonic() - started, register)


def mark_printed(session: Session, campaign: Campaign, sheets: Sequence[Sheet], *, reason: str = "") -> None:
    """What is printed for the first time is marked; printing again leaves a trace with its reason."""
    fresh = [sheet.letter_id for sheet in sheets if sheet.fresh]
    for start in range(0, len(fresh), CHUNK):
        query = update(Letter).where(Letter.id.in_(fresh[start : start + CHUNK]), Letter.state == "composed")
        _change(session, query, {"state": "printed", "printed_at": now(session)})
    _mark_runs(session, sorted({sheet.print_run_id for sheet in sheets}))
    action = "campaign.printed" if len(fresh) == len(sheets) else "campaign.printed_again"
    details = {"letters": len(sheets), "from": sheets[0].serial, "to": sheets[-1].serial}
    traces.record(session, action, campaign, details=details | {"reason": reason.strip()[:200]})


def sent_on(session: Session, campaign: Campaign) -> date:
    """The day that the campaign's first letter bears."""
    query = select(Letter).where(Letter.campaign_id == campaign.id).order_by(Letter.id).limit(1)
    return date.fromisoformat(session.scalars(query).one().facts["letter"]["sent_on"])


def _check_complete(session: Session, campaign: Campaign) -> None:
    """Letters are made by the campaign's run alone; half of them would make a second file with other bytes."""
    written = select(Letter.id).where(Letter.recipient_id == Recipient.id).exists()
    query = select(func.count(Recipient.id)).where(Recipient.campaign_id == campaign.id, ~written)
    waiting = session.scalar(query.where(Recipient.outcome.is_(None))) or 0
    if campaign.state == "draft" or waiting:
        left: str = Said("，还差 %(waiting)s 封", waiting=waiting) if waiting else ""
        raise Refused(
            "核对活动 %(code)s 的函件还没有全部生成%(left)s。请等“打印函件”步骤完成后再打印。",
            code=campaign.code, left=left,
        )


def _nothing(campaign: Campaign, span: Span) -> Said:
    asked: str = ""
    if span != Span():
        last = span.last or N_("最后")
        asked = Said("在编号 %(first)s 至 %(last)s 之间", first=span.first or 1, last=last)
    return Said(
        "核对活动 %(code)s %(asked)s没有可打印的函件。请核对编号范围，或在活动页面查看函件清单。",
        code=campaign.code, asked=asked,
    )


def _sheets(session: Session, campaign_id: int) -> list[Sheet]:
    """Every letter that was neither spoiled nor reprinted, with its place among the pages of its print run."""
    query = (
        select(Letter, PrintRun, Unit.name, FormVersion.version)
        .join(PrintRun, PrintRun.id == Letter.print_run_id)
        .join(Unit, Unit.id == Letter.unit_id)
        .join(FormVersion, FormVersion.id == Letter.form_version_id)
        .where(Letter.campaign_id == campaign_id)
        .order_by(PrintRun.id, Letter.serial)
    )
    found = []
    for _run_id, group in groupby(session.execute(query), key=lambda row: row.PrintRun.id):
        for at, row in enumerate(group):
            if row.Letter.state not in GONE:
                found.append(_sheet(row, at))
    return found


def _sheet(row: Any, at: int) -> Sheet:
    letter, run = row.Letter, row.PrintRun
    facts = letter.facts["letter"]
    each = run.pages // run.letters
    who = (facts["account_no"], row.name, facts["postcode"])
    return Sheet(
        letter_id=letter.id,
        serial=letter.serial,
        print_run_id=run.id,
        sha256=run.sha256 or "-",
        page=at * each,
        pages=each,
        fresh=letter.state == "composed",
        register=(number_of(letter), letter.copy, letter.token, *who, run.number, row.version),
    )


def _content(sha256: str) -> Path:
    path = files.location(sha256)
    if not path.exists():
        raise Refused("有的打印文件找不到了，可能数据目录没有完整恢复。请联系系统管理员从备份恢复文件。")
    return path


def _write_register(sheets: Sequence[Sheet], path: Path) -> None:
    """One line a letter, for the person at the printer; texts that a spreadsheet would run get an apostrophe."""
    first = 1
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(REGISTER)
        for sheet in sheets:
            *facts, version = sheet.register
            writer.writerow([_inert(cell) for cell in (*facts, first, first + sheet.pages - 1, version)])
            first += sheet.pages


def _inert(value: Any) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(LIVE_FORMULA) else text


def _mark_runs(session: Session, run_ids: Sequence[int]) -> None:
    """A run is printed when none of its letters waits for the printer any more."""
    waiting = select(Letter.id).where(Letter.print_run_id == PrintRun.id, Letter.state == "composed").exists()
    query = update(PrintRun).where(PrintRun.id.in_(run_ids), PrintRun.state.in_(("composed", "printing")), ~waiting)
    who = traces.actor_id(session)
    _change(session, query, {"state": "printed", "printed_at": now(session), "printed_by_id": who})


def _change(session: Session, query: Any, values: dict[str, Any]) -> None:
    session.execute(query.values(**values), execution_options={"synchronize_session": "fetch"})
