"""The balance of scanned sides: what came in = accepted + review + to_key + duplicate + foreign + front + blank +
unidentified, a batch or a campaign at a time; and every night what does not add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from models import Keying, KeyJob, Letter, Notice, ScanBatch, Setting, Sheet
from models.clock import today
from models.return_words import SHEET_STATES
from models.said import N_
from services import traces

KEY = "sheet_balance"
SHOWN = 50
FAULTS = {
    "sides": N_("读到的面数和文件里的不一样"),
    "state": N_("有的面没有归到任何一类"),
    "idle": N_("有的面待录入或待复核，却不在任何录入队列里"),
    "unwritten": N_("有的面已接收或已录入，却没有对应的回函"),
}


@dataclass(frozen=True)
class SheetBalance:
    """Every scanned side counted once. `keyed` are those of `to_key` that are done."""

    accepted: int = 0
    review: int = 0
    to_key: int = 0
    keyed: int = 0
    duplicate: int = 0
    foreign: int = 0
    front: int = 0
    blank: int = 0
    unidentified: int = 0

    @property
    def sheets(self) -> int:
        """All of them; a side that was keyed stands under `to_key`."""
        read = self.accepted + self.review + self.to_key
        return read + self.duplicate + self.foreign + self.front + self.blank + self.unidentified


@dataclass(frozen=True)
class Fault:
    """One batch that does not add up: why (a key of `FAULTS`), and how many sides."""

    scan_batch_id: int
    code: str
    number: int


def batch_balances(session: Session, batch_ids: Sequence[int]) -> dict[int, SheetBalance]:
    """The balances of several scan batches in one statement; a batch without sides has an empty one."""
    return _balances(session, Sheet.scan_batch_id, batch_ids, select(Sheet))


def campaign_balances(session: Session, campaign_ids: Sequence[int]) -> dict[int, SheetBalance]:
    """The same by campaign, of the sides whose letter is known; others belong to no campaign."""
    return _balances(
        session, Letter.campaign_id, campaign_ids, select(Sheet).join(Letter, Letter.id == Sheet.letter_id)
    )


def _balances(session: Session, owner: Any, ids: Sequence[int], rows: Select[Any]) -> dict[int, SheetBalance]:
    query = rows.with_only_columns(owner, Sheet.state, func.count(Sheet.id)).where(owner.in_(ids))
    found: dict[int, dict[str, int]] = {key: {} for key in ids}
    for key, state, number in session.execute(query.group_by(owner, Sheet.state)):
        found[key][state] = number
    return {key: _balance(counts) for key, counts in found.items()}


def _balance(counts: Mapping[str, int]) -> SheetBalance:
    numbers = {state: counts.get(state, 0) for state in SHEET_STATES}
    return SheetBalance(**numbers | {"to_key": numbers["to_key"] + numbers["keyed"]})


def faults(session: Session) -> list[Fault]:
    """What does not add up, batch by batch: nothing may be lost between scanner, queue and form."""
    found = [Fault(key, "sides", abs(sides - read)) for key, sides, read in session.execute(_short())]
    conditions: Iterable[tuple[str, ColumnElement[bool]]] = (
        ("state", Sheet.state.not_in(SHEET_STATES)),
        ("idle", Sheet.state.in_(("to_key", "review")) & ~_is_queued()),
        ("unwritten", Sheet.state.in_(("accepted", "keyed")) & ~_is_written()),
    )
    for code, condition in conditions:
        query = select(Sheet.scan_batch_id, func.count(Sheet.id)).where(condition)
        rows = session.execute(query.group_by(Sheet.scan_batch_id).order_by(Sheet.scan_batch_id))
        found += [Fault(key, code, number) for key, number in rows]
    return found


def _short() -> Select[Any]:
    read = func.count(Sheet.id)
    query = select(ScanBatch.id, ScanBatch.sides, read).outerjoin(Sheet, Sheet.scan_batch_id == ScanBatch.id)
    query = query.where(ScanBatch.state == "done").group_by(ScanBatch.id, ScanBatch.sides)
    return query.having(read != ScanBatch.sides).order_by(ScanBatch.id)


def _is_queued() -> ColumnElement[bool]:
    """Fields wait in a queue; a receipt waits as a whole, on the list of its own."""
    return or_(exists().where(KeyJob.sheet_id == Sheet.id, KeyJob.state == "open"), Sheet.notice_id.is_not(None))


def _is_written() -> ColumnElement[bool]:
    return or_(
        exists().where(Keying.id == Sheet.keying_id, Keying.undone_at.is_(None)),
        exists().where(Notice.id == Sheet.notice_id, Notice.acknowledged_at.is_not(None)),
    )


def keep_result(session: Session, found: Sequence[Fault]) -> None:
    """Keep what was found, for the health page; what does not add up leaves a trace."""
    batches = sorted({one.scan_batch_id for one in found})[:SHOWN]
    value = {"day": today(session).isoformat(), "number": len(found), "batches": batches}
    row = session.merge(Setting(key=KEY, value=value))
    session.flush()
    if found:
        traces.record(session, "sheets.differ", row, details={"number": len(found), "batches": batches})


def last_check(session: Session) -> dict[str, Any]:
    """What the latest check found; empty before the first."""
    value = session.scalar(select(Setting.value).where(Setting.key == KEY))
    return value if isinstance(value, dict) else {}
