"""Undo of a batch (批次撤销): row by row, overwritten values included; what went on since is left with a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from models import BatchRow, Contact, ImportBatch, Run, ScoreEntry, Staff
from models.bulk import undisturbed
from models.clock import utcnow
from models.scope import ALL, working_as
from services import Refused, contacts, customers, imports, people, scores, traces, undo_rows
from services.changes import changing
from services.contacts import Draft
from services.import_customers import from_json
from services.undo_rows import Undoing

CHUNK = 1000
TOUCHED = ("created", "updated", "proposed")
LIVE_RUNS = ("running", "waiting", "paused", "parked")
ROWS = BatchRow.__table__
CONTACTS = Contact.__table__


@dataclass(frozen=True)
class Progress:
    """How far an undo is, and the rows of the last chunk that were left, with the reason's code."""

    rows: int
    done: int
    kept: tuple[tuple[int, str], ...]


def begin(session: Session, batch: ImportBatch, staff: Staff) -> None:
    """Say that a batch is being taken back; refused while it is still being brought in, or when it was undone."""
    people.require(staff, "imports.undo")
    if batch.state == "undone":
        raise Refused("批次 %(id)s 已经撤销过了，不用再撤销。同一个文件可以重新导入。", id=batch.id)
    if batch.state == "uploaded":
        raise Refused("批次 %(id)s 还没有导入，没有可以撤销的。", id=batch.id)
    if batch.state in ("queued", "running") and _is_at_work(session, batch):
        raise Refused("批次 %(id)s 正在导入，请等它结束，或先取消它的流程实例，再撤销。", id=batch.id)
    if batch.state != "undoing":
        batch.state = "undoing"
        traces.record(session, "import.undoing", batch)


def spans(session: Session, batch_id: int) -> list[tuple[int, int]]:
    """First and last key of each chunk of touched rows that still are to be undone, the last rows first."""
    query = select(ROWS.c.id).where(ROWS.c.batch_id == batch_id, ROWS.c.outcome.in_(TOUCHED), ROWS.c.undone == "")
    keys = session.scalars(query.order_by(ROWS.c.id.desc())).all()
    chunks = [keys[place : place + CHUNK] for place in range(0, len(keys), CHUNK)]
    return [(chunk[-1], chunk[0]) for chunk in chunks]


def undo_batch(session: Session, batch: ImportBatch) -> Iterator[Progress]:
    """Take a batch back, chunk by chunk: the caller commits after each; `finish` ends it."""
    batch_id, total = batch.id, batch.created + batch.updated + batch.proposed
    done = batch.restored + batch.removed + batch.kept
    for first, last in spans(session, batch_id):
        chunk = undo_chunk(session, batch_id, first, last)
        done += len(chunk)
        kept = tuple((row.number, row.reason) for row in chunk if row.outcome == "kept")
        yield Progress(total, done, kept)


def finish(session: Session, batch: ImportBatch) -> None:
    """End the undo: restored + removed + kept are the rows that the import touched."""
    batch.state, batch.undone_at = "undone", utcnow()
    figures = {name: getattr(batch, name) for name in ("restored", "removed", "kept")}
    traces.record(session, "import.undone", batch, details=figures)
    imports.forget(session, batch)


def undo_chunk(session: Session, batch_id: int, first: int, last: int) -> list[Undoing]:
    """Undo the touched rows of a span of keys, all in the caller's transaction; what became of each."""
    with working_as(session, ALL), undisturbed():
        rows = undo_rows.decide(session, batch_id, first, last)
        undone = [row for row in rows if row.outcome != "kept"]
        with changing(session, (row.customer_id for row in undone)):
            take_back(session, undone, evidence=f"undo:{batch_id}")
            _restore_facts(session, undone)
            customers.remove(session, [row.customer_id for row in undone if row.outcome == "removed"])
        _mark(session, batch_id, rows)
    return rows


def take_back(session: Session, rows: Sequence[Undoing], *, evidence: str) -> None:
    """Let what stood before the versions of these rows stand again, without the points that they earned."""
    with changing(session, (row.customer_id for row in rows)):
        ids = [version.current.id for row in rows for version in row.versions if version.current]
        scores.reverse(session, ScoreEntry.contact_id.in_(ids), evidence=evidence)
        _withdraw(session, rows)
        _give_back(session, evidence, rows)


def kept_rows(session: Session, batch_id: int) -> list[dict[str, Any]]:
    """The rows that an undo left as they are, each with the code of its reason."""
    query = select(ROWS.c.row, ROWS.c.undo_reason).where(ROWS.c.batch_id == batch_id, ROWS.c.undone == "kept")
    return [{"row": row.row, "reason": row.undo_reason} for row in session.execute(query.order_by(ROWS.c.row))]


def _is_at_work(session: Session, batch: ImportBatch) -> bool:
    if batch.run_id is not None:
        return session.scalar(select(Run.state).where(Run.id == batch.run_id)) in LIVE_RUNS
    with imports.in_hand(batch.id) as is_free:
        return not is_free


def _withdraw(session: Session, rows: Sequence[Undoing]) -> None:
    """Withdraw what still waits: the batch's own proposals, and clean-ups of values that go."""
    waiting = [version.waiting.id for row in rows for version in row.versions if version.waiting]
    going = [version.current.id for row in rows for version in row.versions if version.current]
    query = select(CONTACTS.c.id).where(CONTACTS.c.replaces_id.in_(going), CONTACTS.c.state == "proposed")
    cleanups = session.scalars(query.where(CONTACTS.c.source == "cleanup")).all()
    contacts.end(session, [*waiting, *cleanups], "withdrawn", action="contact.withdrawn")


def _give_back(session: Session, evidence: str, rows: Sequence[Undoing]) -> None:
    """Repeat the values that stood before; stop those that had none before."""
    versions = [version for row in rows for version in row.versions if version.current]
    gone = [version.current.id for version in versions if version.before is None]
    contacts.end(session, gone, "stopped", action="contact.undone")
    back = [version for version in versions if version.before is not None]
    drafts = [_repeat(version.before, version.current, evidence) for version in back]
    done = contacts.record(session, drafts, action="contact.undone")
    contacts.settle(session, sorted(done.waiting), action="contact.undone")
    _point_to(session, {version.current.id: key for key, version in zip(done.ids, back, strict=True)})


def _point_to(session: Session, repeated: Mapping[int, int]) -> None:
    """Let what waits to replace an undone value wait to replace the one that is back."""
    query = select(CONTACTS.c.id, CONTACTS.c.replaces_id).where(CONTACTS.c.replaces_id.in_(list(repeated)))
    rows = session.execute(query.where(CONTACTS.c.state == "proposed")).all()
    if rows:
        statement = update(CONTACTS).where(CONTACTS.c.id == bindparam("key"))
        pairs = [{"key": row.id, "target": repeated[row.replaces_id]} for row in rows]
        session.connection().execute(statement.values(replaces_id=bindparam("target")), pairs)


def _repeat(before: Any, current: Any, evidence: str) -> Draft:
    """A new version that says what an earlier one said; it belongs to the batch that the earlier one came with."""
    names = (
        "kind", "raw", "value", "verdict", "reasons", "extension", "purpose", "relation", "preferred", "batch_id",
        "batch_row", "field", "recorder_id", "recorded_at", "due_at",
    )  # fmt: skip
    facts = {name: getattr(before, name) for name in names}
    return Draft(
        customer_id=current.customer_id,
        unit_id=current.unit_id,
        source="undo",
        evidence=evidence,
        replaces_id=current.id,
        **facts,
    )


def _restore_facts(session: Session, rows: Sequence[Undoing]) -> None:
    merged: dict[int, dict[str, Any]] = {}
    for row in rows:
        old = {name: from_json(name, pair[0]) for name, pair in row.facts.items()}
        merged.setdefault(row.customer_id, {}).update(old)
    customers.change(session, {key: facts for key, facts in merged.items() if facts})


def _mark(session: Session, batch_id: int, rows: Sequence[Undoing]) -> None:
    for outcome, reason in sorted({(row.outcome, row.reason) for row in rows}):
        keys = [row.key for row in rows if (row.outcome, row.reason) == (outcome, reason)]
        values: Mapping[str, Any] = {"undone": outcome, "undo_reason": reason}
        session.execute(update(ROWS).where(ROWS.c.id.in_(keys)).values(values))
    batches = ImportBatch.__table__
    tally = {name: sum(row.outcome == name for row in rows) for name in ("restored", "removed", "kept")}
    added = {name: batches.c[name] + number for name, number in tally.items()}
    session.execute(update(batches).where(batches.c.id == batch_id).values(**added))
