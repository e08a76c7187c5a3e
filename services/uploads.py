"""Uploaded customer files: looked into before anything is imported, then queued with a plan, or forgotten."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ImportBatch, Staff
from models.clock import utcnow
from services import Refused, files, import_mappings, imports, people, traces
from services.import_spools import spool_path
from services.imports import Plan
from services.tables import Row, Table, look_into, open_table

KEEP_DAYS = 7
PREVIEWED = 5
MEDIA = "application/octet-stream"


@dataclass(frozen=True)
class Preview:
    """What an uploaded file looks like: how it is laid out, and its first rows."""

    table: Table
    rows: tuple[Row, ...]


def receive(session: Session, path: Path, name: str, recorder: Staff) -> ImportBatch:
    """Keep an uploaded file as a batch that waits for its columns to be confirmed; refused when it is no table."""
    people.require(recorder, "imports.run")
    with named(path.name, name):
        table = look_into(path)
    known = import_mappings.find(session, recorder.unit_id, table.headings)
    stored = files.store(session, path, name[:200], MEDIA, keep_days=KEEP_DAYS)
    batch = ImportBatch(
        file_name=Path(name.replace("\\", "/")).name[:200],
        sha256=stored.sha256,
        mode=known.mode if known else "update",
        unit_id=recorder.unit_id,
        mapping=import_mappings.apply(known, table.headings) if known else {},
        state="uploaded",
        recorder_id=recorder.id,
        created_at=utcnow(),
    )
    session.add(batch)
    session.flush()
    traces.record(session, "import.uploaded", batch)
    return batch


def preview(batch: ImportBatch) -> Preview:
    """Look into the upload of a batch: its layout, which columns are recognised, its first rows."""
    with named(batch.sha256, batch.file_name):
        table = look_into(upload_path(batch), batch.mapping)
        return Preview(table, tuple(islice(table.rows(), PREVIEWED)))


def queue(session: Session, batch: ImportBatch, plan: Plan, *, recorder: Staff) -> None:
    """Make a batch ready to be imported: its columns, mode and unit are fixed from here on."""
    if batch.state != "uploaded":
        raise Refused("这个文件已经开始导入，不能再改。请在导入列表里查看进度。")
    imports.check(session, plan, recorder)
    with named(batch.sha256, batch.file_name):
        open_table(upload_path(batch), plan.mapping)
    batch.mode, batch.unit_id, batch.mapping = plan.mode, plan.unit.id, dict(plan.mapping)
    batch.recorder_id, batch.state = recorder.id, "queued"
    if plan.mapping:
        import_mappings.keep(session, plan.mapping, plan.mode, staff=recorder, file_name=batch.file_name)
    traces.record(session, "import.started", batch, details={"mode": plan.mode})


def discard(session: Session, batch: ImportBatch) -> None:
    """Forget an upload that was not imported."""
    if batch.state != "uploaded":
        raise Refused("这个文件已经开始导入，不能丢弃；导入后可以撤销。")
    imports.forget(session, batch)
    traces.record(session, "import.discarded", batch)
    session.delete(batch)


def remove_abandoned(session: Session) -> int:
    """Forget uploads that nobody imported within a week, and what killed imports laid out; returns how many."""
    before = utcnow() - timedelta(days=KEEP_DAYS)
    query = select(ImportBatch).where(ImportBatch.state == "uploaded", ImportBatch.created_at < before)
    batches = session.scalars(query).all()
    for batch in batches:
        discard(session, batch)
    folder = spool_path(0).parent
    for path in folder.iterdir() if folder.is_dir() else ():
        if time.time() - path.stat().st_mtime > KEEP_DAYS * 86_400:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return len(batches)


@contextmanager
def named(stored: str, name: str) -> Iterator[None]:
    """Say the file's own name, not the one it is kept under, where reading it is refused."""
    try:
        yield
    except Refused as refusal:
        message = refusal.message
        values = {
            key: str(value).replace(stored, name) if stored in str(value) else value
            for key, value in message.values.items()
        }
        raise Refused(message.text, **values) from refusal


def upload_path(batch: ImportBatch) -> Path:
    """Where the upload of a batch lies; refused when it is gone."""
    path = files.location(batch.sha256 or "-")
    if not path.is_file():
        raise Refused("上传的文件已经不在了(超过保存期限，或批次已经结束)。请重新上传。")
    return path
