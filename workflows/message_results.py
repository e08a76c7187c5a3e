"""Result files (状态报告): what the network made of messages that went out, brought in from the gateway's file.

A line names a message by the number it bore on its way out (`key`), and says that it was delivered, or that it failed
and why: a code or a label of the list `message_failure`. The same file brought in again changes nothing. What nobody
knew the outcome of is settled by it: whatever the network tells of went out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Message, Outgoing, Reason
from models.clock import now
from models.words import N_
from services import Refused, csv_files, messages
from services.people import acting_staff, require
from workflows import runs

EDIT = "messages.edit"
CHUNK = 500
HEADINGS = {
    "key": ("编号", "消息编号", "key", "id"),
    "state": ("结果", "状态", "state", "status"),
    "reason": ("原因", "失败原因", "reason"),
}
STATES = {
    "delivered": ("送达", "已送达", "成功", "delivered", "delivrd"),
    "failed": ("失败", "未送达", "failed", "undeliv", "rejectd", "expired"),
}
COUNTED = {
    "delivered": N_("已送达"),
    "failed": N_("没有送达"),
    "known": N_("以前已登记"),
    "foreign": N_("不是发出过的消息"),
    "unreadable": N_("结果看不懂的行"),
}


@dataclass(frozen=True)
class Result:
    """One line: the message's number, and what became of it (empty: it cannot be read)."""

    key: str
    state: str
    reason: str


def take_in(session: Session, path: Path) -> Iterator[Counter[str]]:
    """Bring a result file in; yields what the lines of each chunk came to, by the names of `COUNTED`, and the caller
    commits it."""
    staff = acting_staff(session)
    if staff is not None:
        require(staff, EDIT)
    results = read(session, path)
    while chunk := list(islice(results, CHUNK)):
        yield _take(session, chunk)


def read(session: Session, path: Path) -> Iterator[Result]:
    """The lines of a result file; refused where its heading names no number or no result."""
    encoding = csv_files.detect_encoding(path).name
    rows = (cells for _number, cells in csv_files.records(path, encoding, ","))
    places = _places(next(rows, ()), path)
    reasons = _reasons(session)
    for cells in rows:
        line = {name: cells[at].strip() if at < len(cells) else "" for name, at in places.items()}
        if any(line.values()):
            yield Result(
                line["key"][:120], _state(line["state"]), reasons.get(line.get("reason", "").casefold(), "")
            )


def _places(heading: Iterable[str], path: Path) -> dict[str, int]:
    told = [cell.strip().casefold() for cell in heading]
    found = {
        name: told.index(known) for name, ways in HEADINGS.items() for known in ways[::-1] if known in told
    }
    if not {"key", "state"} <= found.keys():
        raise Refused(
            "文件“%(name)s”的第一行要有“编号”和“结果”两列，失败的另有“原因”。请核对网关导出的文件。",
            name=path.name,
        )
    return found


def _state(text: str) -> str:
    return next((state for state, ways in STATES.items() if text.casefold() in ways), "")


def _reasons(session: Session) -> Mapping[str, str]:
    rows = session.scalars(select(Reason).where(Reason.list == "message_failure")).all()
    return {name.casefold(): row.code for row in rows for name in (row.code, row.label)}


def _take(session: Session, chunk: list[Result]) -> Counter[str]:
    keys = [result.key for result in chunk]
    rows = {row.key: row for row in session.scalars(select(Message).where(Message.key.in_(keys)))}
    unsure = select(Outgoing).where(Outgoing.key.in_(keys), Outgoing.state == "unknown")
    sendings = {row.key: row for row in session.scalars(unsure)}
    return Counter(
        _take_one(session, result, rows.get(result.key), sendings.pop(result.key, None)) for result in chunk
    )


def _take_one(session: Session, result: Result, message: Message | None, sending: Outgoing | None) -> str:
    """What a line comes to, as a name of `COUNTED`."""
    if not result.state:
        return "unreadable"
    if message is None or message.state not in ("sent", "failed", "unknown"):
        return "foreign"
    if sending is not None:
        runs.settle_sending(session, sending, went_out=True)
    if result.state == "failed":
        if message.state == "failed":
            return "known"
        messages.conclude(session, message.key, "failed", reason=result.reason)
        return "failed"
    if message.delivered_at is not None or message.state == "failed":
        return "known"
    message.delivered_at = now(session)
    return "delivered"
