"""Batch changes (批量变更): tried first, submitted, approved by another person, applied in chunks, taken back whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select, true, update
from sqlalchemy.orm import Session

from models import BatchChange, BatchChangeLine, Contact, Reason, Staff, Unit
from models.bulk import insert_rows
from models.clock import utcnow
from models.quality_words import BATCH_CHANGE_KINDS
from models.scope import ALL, working_as
from quality.batch_renames import Entry
from quality.number_upgrades import UPGRADES
from services import Refused, batch_change_plans, batch_change_plates, files, people, policies, traces
from services.batch_change_lists import COLUMNS, read_list

CHUNK = 1000
LINES = BatchChangeLine.__table__
PARTS = {"planning": "plan", "submitting": "submit", "applying": "apply", "undoing": "undo"}
OPEN_LINES = {
    "submitting": ("planned",),
    "applying": ("approved", "refusing"),
    "undoing": ("waiting", "approved", "applied"),
}


@dataclass(frozen=True)
class Beginning:
    """What a batch change is to be: its kind, what it rests on, for which unit, and since when it holds."""

    kind: str
    unit: Unit
    title: str = ""
    document: str = ""
    effective_on: date | None = None
    path: Path | None = None
    file_name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """Which waiting lines a person decides on: all, those of one cause, or single ones."""

    cause: str | None = None
    ids: Sequence[int] | None = None

    def condition(self) -> ColumnElement[bool]:
        """The condition on the lines of a change."""
        if self.ids is not None:
            return BatchChangeLine.id.in_(self.ids)
        return true() if self.cause is None else BatchChangeLine.cause == self.cause


def begin(session: Session, wish: Beginning, staff: Staff) -> BatchChange:
    """Write down a batch change that is to be tried; refused when what it needs is missing."""
    people.require(staff, "batch_changes.run")
    _check(session, wish, staff)
    stored = files.store(session, wish.path, wish.file_name, "application/octet-stream") if wish.path else None
    change = BatchChange(
        unit_id=wish.unit.id,
        kind=wish.kind,
        title=(wish.title or f"{BATCH_CHANGE_KINDS[wish.kind]} {wish.unit.name}")[:120],
        document=wish.document[:200],
        file_name=wish.file_name[:200],
        sha256=stored.sha256 if stored else "",
        effective_on=wish.effective_on,
        options=dict(wish.options),
        state="planning",
        proposer_id=staff.id,
        created_at=utcnow(),
    )
    session.add(change)
    session.flush()
    traces.record(session, "batch_change.begun", change, details={"kind": change.kind})
    return change


def parts(session: Session, change: BatchChange) -> Iterator[dict[str, Any]]:
    """What is to be done now, as the parts of a run: chunks of customers to look at, or of lines to work on."""
    part = PARTS.get(change.state)
    if part is None:
        return
    found = list(_spans(session, change))
    yield {"part": "begin", "total": len(found)}
    for first, last in found:
        yield {"part": part, "first": first, "last": last}
    yield {"part": "finish"}


def open_part(session: Session, change: BatchChange, total: int) -> None:
    """Say how many chunks there are."""
    change.total, change.done = total, 0


def write_lines(session: Session, change_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the lines of one chunk that was tried."""
    with working_as(session, ALL):
        insert_rows(session, LINES, rows)
        count_chunk(session, change_id)


def count_chunk(session: Session, change_id: int) -> None:
    """One more chunk is done."""
    table = BatchChange.__table__
    session.execute(update(table).where(table.c.id == change_id).values(done=table.c.done + 1))


def finish(session: Session, change: BatchChange) -> None:
    """End what was under way; what comes next depends on what still waits."""
    moment = utcnow()
    if change.state == "planning":
        change.state, change.planned_at = "planned", moment
    elif change.state == "undoing":
        change.state, change.undone_at = "undone", moment
        batch_change_plates.withdraw(session, change)
        traces.record(session, "batch_change.undone", change, details=counts(session, change, LINES.c.state))
    elif change.state in ("submitting", "applying"):
        found = counts(session, change, LINES.c.state)
        change.state = "waiting" if found.get("waiting") else "applied"
        if found.get("applied"):
            change.applied_at = moment
            batch_change_plates.hang(session, change)
            traces.record(session, "batch_change.applied", change, details=found)


def submit(session: Session, change: BatchChange, staff: Staff) -> None:
    """Propose what was tried, without what was left out: from here on it waits for another person."""
    people.require(staff, "batch_changes.run")
    if change.state != "planned":
        raise Refused("这一批已经提交过，或还没有试算完。请刷新后查看。")
    if not counts(session, change, LINES.c.state).get("planned"):
        raise Refused("这一批没有可以提交的变更。请看冲突清单，或放弃这一批。")
    change.state, change.proposer_id, change.submitted_at = "submitting", staff.id, utcnow()
    traces.record(session, "batch_change.submitted", change)


def leave(session: Session, change: BatchChange, choice: Choice, staff: Staff) -> int:
    """Leave lines out of what is submitted, or take them in again; returns how many changed."""
    people.require(staff, "batch_changes.run")
    if change.state != "planned":
        raise Refused("这一批已经提交，不能再取舍。请由审核人逐条通过或驳回。")
    mine = (LINES.c.change_id == change.id) & choice.condition()
    back = session.execute(update(LINES).where(mine, LINES.c.state == "left").values(state="again"))
    out = session.execute(update(LINES).where(mine, LINES.c.state == "planned").values(state="left"))
    session.execute(update(LINES).where(mine, LINES.c.state == "again").values(state="planned"))
    return int(back.rowcount + out.rowcount)  # type: ignore[attr-defined]


def approve(session: Session, change: BatchChange, choice: Choice, staff: Staff, *, checked: bool = False) -> int:
    """Let waiting lines be applied; what the approver recorded stays for another person. Returns how many.

    `checked`: the approver has seen the basis of rules that are not confirmed; without it such a change is refused.
    """
    _may_decide(session, change, staff)
    if unconfirmed(change) and not checked:
        raise Refused("这一批用了尚未确认的升位规则。请在这一批的页面上核对文件依据，勾选“已核对依据”后再通过。")
    own = exists().where(Contact.id == LINES.c.version_id, Contact.recorder_id == staff.id)
    number = _decide(session, change, choice, "approved", ~own)
    if not number:
        raise Refused("没有可以由您通过的变更：选中的都已处理，或是您自己录入的值。请由其他人员审核。")
    change.approver_id, change.approved_at = staff.id, utcnow()
    traces.record(session, "batch_change.approved", change, details={"lines": number})
    return number


def refuse(session: Session, change: BatchChange, choice: Choice, staff: Staff, *, reason: str) -> int:
    """Let waiting lines be refused with a reason of the list `proposal_refused`; returns how many."""
    _may_decide(session, change, staff)
    known = select(Reason.id).where(Reason.list == "proposal_refused", Reason.code == reason)
    if session.scalar(known) is None:
        raise Refused("驳回原因「%(reason)s」不在清单里。请从驳回原因中选择一项。", reason=reason)
    number = _decide(session, change, choice, "refusing", true())
    if not number:
        raise Refused("选中的变更都已经处理过。请刷新列表后重试。")
    change.approver_id, change.options = staff.id, change.options | {"refused_reason": reason}
    return number


def take_back(session: Session, change: BatchChange, staff: Staff) -> None:
    """Say that a change is being taken back: overwritten values return, what still waits is withdrawn."""
    people.require(staff, "batch_changes.undo")
    if change.state not in ("waiting", "applied"):
        raise Refused("这一批还没有提交，或正在处理、已经撤销，现在不能撤销。")
    change.state = "undoing"
    traces.record(session, "batch_change.undoing", change)


def drop(session: Session, change: BatchChange, staff: Staff) -> None:
    """Forget a trial that is not to be submitted."""
    people.require(staff, "batch_changes.run")
    if change.state != "planned":
        raise Refused("这一批已经提交，不能放弃；可以撤销。")
    session.execute(delete(LINES).where(LINES.c.change_id == change.id))
    change.state = "dropped"
    traces.record(session, "batch_change.dropped", change)


def follow(session: Session, contact_ids: Sequence[int], state: str) -> None:
    """Let the lines of proposals that were decided one by one elsewhere say so; a change none waits of has ended."""
    mine = (LINES.c.version_id.in_(contact_ids)) & (LINES.c.state == "waiting")
    told = update(LINES).where(mine).values(state=state).returning(LINES.c.change_id)
    with working_as(session, ALL):
        for key in sorted(set(session.scalars(told))):
            change = session.get_one(BatchChange, key)
            found = counts(session, change, LINES.c.state)
            if change.state == "waiting" and not found.get("waiting"):
                change.state = "applied"
                change.applied_at = utcnow() if found.get("applied") else None


def counts(session: Session, change: BatchChange, *columns: Any) -> dict[Any, int]:
    """How many lines of a change there are by one column, or by several as tuples."""
    query = select(*columns, func.count()).where(LINES.c.change_id == change.id).group_by(*columns).order_by(*columns)
    return {row[0] if len(columns) == 1 else tuple(row[:-1]): row[-1] for row in session.execute(query)}


def unconfirmed(change: BatchChange) -> list[str]:
    """The keys of the chosen number upgrades that are not confirmed."""
    chosen = change.options.get("rules", ())
    return [rule.key for rule in UPGRADES if rule.key in chosen and not rule.confirmed]


def _check(session: Session, wish: Beginning, staff: Staff) -> None:
    if wish.kind not in BATCH_CHANGE_KINDS:
        raise Refused("没有这种批量变更。请从列表中选择。")
    if not wish.unit.path.startswith(people.scope_of(session, staff).path):
        raise Refused("单位「%(name)s」不在您的管辖范围内。", name=wish.unit.name)
    if wish.kind != "cleanup" and not wish.document.strip():
        raise Refused("请写明文件依据（如通信管理局、公安、邮政的文号或通知名称）。")
    if wish.kind == "number_upgrade":
        _check_rules(wish)
    if wish.kind in COLUMNS:
        if wish.path is None:
            raise Refused("请选择要上传的清单（CSV 或 XLSX）。")
        entries = read_list(wish.path, wish.kind)
        if wish.effective_on is None and not all(entry.since for entry in entries):
            raise Refused("请填写生效日期，或在清单里给每一行写上变更日期：生效之后录入的值不会改动。")
        _check_units(session, entries)


def _check_units(session: Session, entries: Sequence[Entry]) -> None:
    known = {text for row in session.execute(select(Unit.code, Unit.name)) for text in row}
    stranger = next((entry for entry in entries if entry.unit and entry.unit not in known), None)
    if stranger is not None:
        raise Refused(
            "清单第 %(row)s 行的供电单位「%(unit)s」不认识。请改成本系统里的单位编码或名称后再上传。",
            row=stranger.row, unit=stranger.unit,
        )  # fmt: skip


def _check_rules(wish: Beginning) -> None:
    chosen = set(wish.options.get("rules", ()))
    if not chosen or not chosen <= {rule.key for rule in UPGRADES}:
        raise Refused("请至少勾选一条升位规则。")
    if any(rule.key in chosen and not rule.confirmed for rule in UPGRADES) and not wish.options.get("unconfirmed"):
        raise Refused("选中的规则里有尚未确认的。请勾选“包括未确认的规则”，并在文件依据里写明出处。")


def _spans(session: Session, change: BatchChange) -> Iterator[tuple[int, int]]:
    if change.state == "planning":
        yield from batch_change_plans.spans(session, change, CHUNK)
        return
    states = OPEN_LINES[change.state]
    query = select(LINES.c.id).where(LINES.c.change_id == change.id, LINES.c.state.in_(states))
    keys = session.scalars(query.order_by(LINES.c.id.desc() if change.state == "undoing" else LINES.c.id)).all()
    for place in range(0, len(keys), CHUNK):
        chunk = keys[place : place + CHUNK]
        yield min(chunk), max(chunk)


def _may_decide(session: Session, change: BatchChange, staff: Staff) -> None:
    people.require(staff, "batch_changes.approve")
    if staff.id == change.proposer_id:
        raise Refused("不能审核自己提出的批量变更，请由其他人员审核。")
    if change.state != "waiting":
        raise Refused("这一批现在没有等待审核的变更。请刷新后查看。")
    source = "cleanup" if change.kind == "cleanup" else "third_party"
    for state, kind, verdict in counts(session, change, LINES.c.state, LINES.c.kind, LINES.c.verdict):
        if state == "waiting":
            policies.check_approver(session, staff, (source, kind, verdict, "good"))


def _decide(session: Session, change: BatchChange, choice: Choice, state: str, more: ColumnElement[bool]) -> int:
    mine = (LINES.c.change_id == change.id) & (LINES.c.state == "waiting") & choice.condition()
    done = session.execute(update(LINES).where(mine, more).values(state=state))
    number = int(done.rowcount)  # type: ignore[attr-defined]
    if number:
        change.state = "applying"
    return number
