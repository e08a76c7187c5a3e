"""Imports (导入批次): a customer file taken in chunk by chunk, and what is left of it when the batch ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from models import ImportBatch, Staff, TrialRow, Unit
from models.bulk import undisturbed
from models.clock import utcnow
from models.scope import Scope
from services import (
    Refused,
    events,
    files,
    import_errors,
    import_readers,
    import_rows,
    import_spools,
    import_units,
    people,
    traces,
)
from services.import_chunks import OUTCOMES, import_chunk
from services.import_spools import Layout, SpoolRow, spool_path
from services.import_units import Units
from services.tables import Table

MODES = ("insert", "update", "fill")


@dataclass(frozen=True)
class Plan:
    """How a batch is to be brought in: its mode, the unit of rows that name none, and wished columns."""

    mode: str
    unit: Unit
    mapping: Mapping[str, str]


@dataclass(frozen=True)
class Progress:
    """How far an import is."""

    rows: int
    done: int
    figures: Mapping[str, int]


def check(session: Session, plan: Plan, recorder: Staff) -> None:
    """Refuse a plan that its recorder may not carry out."""
    people.require(recorder, "imports.run")
    scope = people.scope_of(session, recorder)
    if scope.own:
        raise Refused("只管自己客户的账号不能导入文件。请由数据质量专责导入。")
    if plan.mode not in MODES:
        raise Refused(
            "没有导入方式「%(mode)s」。可用的有：insert(新增)、update(更新)、fill(补缺)。",
            mode=plan.mode,
        )
    if not plan.unit.path.startswith(scope.path):
        raise Refused(
            "单位「%(name)s」不在账号「%(username)s」的管辖范围内，没有导入。",
            name=plan.unit.name, username=recorder.username,
        )


def start_batch(session: Session, name: str, plan: Plan, *, recorder: Staff) -> ImportBatch:
    """Write down a batch of a file called `name`; refused where the recorder may not import into that unit."""
    check(session, plan, recorder)
    batch = ImportBatch(
        file_name=Path(name).name[:200],
        mode=plan.mode,
        unit_id=plan.unit.id,
        mapping=dict(plan.mapping),
        state="running",
        recorder_id=recorder.id,
        created_at=utcnow(),
        started_at=utcnow(),
    )
    session.add(batch)
    session.flush()
    traces.record(session, "import.started", batch, details={"mode": plan.mode})
    return batch


def begin(session: Session, batch: ImportBatch, rows: int, layout: Mapping[str, Any]) -> None:
    """Say that a batch is being brought in, and what its file holds."""
    batch.state, batch.rows, batch.layout = "running", rows, dict(layout)
    batch.started_at = batch.started_at or utcnow()


def scope_of(session: Session, batch: ImportBatch) -> Scope:
    """What the recorder of a batch reaches: an import never does more, whoever carries it out."""
    recorder = session.get_one(Staff, batch.recorder_id)
    return people.scope_of(session, recorder)


def units_of(session: Session, batch: ImportBatch) -> Units:
    """The units that rows of a batch may name."""
    return import_units.load_units(session, scope_of(session, batch), batch.unit_id)


def lay_out(session: Session, path: Path, table: Table, units: Units) -> Layout:
    """Read the whole file into a spool at `path`, so that any chunk of it can be taken, and taken again."""

    def find(rows: Any) -> Any:
        return import_units.homes(session, units, rows)

    def singles(row: SpoolRow) -> dict[str, str]:
        return import_rows.singles(row, units)

    with undisturbed():
        return import_spools.build(path, table, find, singles)


def import_file(session: Session, batch: ImportBatch, table: Table) -> Iterator[Progress]:
    """Bring a file in, chunk by chunk: the caller commits before it begins and after each. `finish` ends the batch."""
    batch_id, done, figures = batch.id, 0, dict.fromkeys(OUTCOMES, 0)
    spool = spool_path(batch_id)
    with only_reading(session):
        units = units_of(session, batch)
        layout = lay_out(session, spool, table, units)
    begin(session, batch, layout.rows, layout_facts(table))
    for rows in import_readers.read_chunks(spool, layout.spans, units):
        tally = import_chunk(session, batch_id, rows, layout.heading_of(), units=units)
        figures = {name: figures[name] + number for name, number in tally.items()}
        done += len(rows)
        yield Progress(layout.rows, done, figures)


@contextmanager
def only_reading(session: Session) -> Iterator[None]:
    """Read for a while without keeping others from writing; begins and ends with a session that holds no work."""
    before = session.info.get("readonly", False)
    session.info["readonly"] = True
    try:
        yield
    finally:
        session.rollback()
        session.info["readonly"] = before


@contextmanager
def in_hand(batch_id: int) -> Iterator[bool]:
    """Hold a batch while this process imports it; False when another process does: nobody holds what was killed."""
    path = spool_path(batch_id).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
        path.unlink(missing_ok=True)


def layout_facts(table: Table) -> dict[str, Any]:
    """How a file is laid out: what the error file must look like, and what the batch's page says of it."""
    return {
        "kind": table.kind,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "sheet": table.sheet,
        "headings": list(table.headings),
        "mapping": table.mapping,
        "damaged": table.damaged,
    }


def finish(session: Session, batch: ImportBatch, errors: Path | None) -> None:
    """End a batch and keep its error file for some days. `forget` follows, once this is committed."""
    if errors is not None:
        batch.errors_file = import_errors.keep(session, errors, batch.file_name)
    batch.state, batch.ended_at = "done", utcnow()
    session.flush()
    figures = {name: getattr(batch, name) for name in ("rows", *OUTCOMES)}
    traces.record(session, "import.done", batch, details=figures)
    events.happened(session, "import_finished", batch.unit_id, {"batch_id": batch.id})


def fail(session: Session, batch: ImportBatch, message: str) -> None:
    """End a batch that could not be brought in to its end; what it wrote so far can be undone."""
    batch.state, batch.error, batch.ended_at = "failed", message, utcnow()
    traces.record(session, "import.failed", batch)


def forget(session: Session, batch: ImportBatch) -> None:
    """Delete the upload of an ended batch, unless another batch waits for it, and what was laid out of it."""
    forget_trial(session, batch)
    spool_path(batch.id).unlink(missing_ok=True)
    digest, batch.sha256 = batch.sha256, ""
    session.flush()
    needed = or_(ImportBatch.sha256 == digest, ImportBatch.errors_file == digest)
    if digest and session.scalar(select(ImportBatch.id).where(needed).limit(1)) is None:
        files.remove(session, digest)


def trial_path(batch_id: int) -> Path:
    """Where a trial lays its file out: the cells of its rows are shown from there."""
    return spool_path(batch_id).with_suffix(".trial")


def forget_trial(session: Session, batch: ImportBatch) -> None:
    """Delete what a trial kept."""
    session.execute(delete(TrialRow).where(TrialRow.batch_id == batch.id))
    batch.trial = {}
    trial_path(batch.id).unlink(missing_ok=True)


def rehearse(session: Session, table: Table, plan: Plan, *, recorder: Staff) -> Iterator[Progress]:
    """What an import would do, with nothing kept: each chunk is written and taken back. Chunks do not depend on each
    other, so the figures are those of the real import. Begin with a session that holds no work."""
    staff_id, unit_id, figures, done = recorder.id, plan.unit.id, dict.fromkeys(OUTCOMES, 0), 0
    check(session, plan, recorder)
    session.rollback()
    place = spool_path(0).parent
    place.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place) as folder:
        spool = Path(folder) / "spool"
        with only_reading(session):
            units = import_units.load_units(session, people.scope_of(session, recorder), unit_id)
            layout = lay_out(session, spool, table, units)
        for rows in import_readers.read_chunks(spool, layout.spans, units):
            session.rollback()
            batch = start_batch(session, table.path.name, plan, recorder=session.get_one(Staff, staff_id))
            tally = import_chunk(session, batch.id, rows, layout.heading_of(), units=units)
            session.rollback()
            figures = {name: figures[name] + number for name, number in tally.items()}
            done += len(rows)
            yield Progress(layout.rows, done, figures)
