"""Scan batches: files of scans taken in, the parts they are read in, and how their sides ended."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import ScanBatch, Sheet, Staff, StoredFile
from models.clock import utcnow
from models.scope import ALL, working_as
from models.words import N_
from paper.scan_children import ScanReader
from paper.scans import ScanError
from services import Refused, files, sheet_balances, traces
from services.people import require

KEEP_DAYS = 7  # what was brought in; every side is kept by itself
PART = 96  # sides read at a time: what a killed worker reads again
MEDIA = "application/octet-stream"
COUNTED = ("accepted", "review", "to_key", "duplicate", "foreign", "front", "blank", "unidentified")
REFUSALS = {
    "kind": N_("「%(file)s」不是扫描件。请使用 PDF、TIFF、JPEG 或 PNG 文件。"),
    "broken": N_("「%(file)s」打不开：文件不完整或已损坏。请重新扫描或重新复制这个文件。"),
    "locked": N_("「%(file)s」设了密码，无法读取。请保存为没有密码的 PDF 再上传。"),
    "empty": N_("「%(file)s」里没有页面。请检查扫描是否完成。"),
    "too_large": N_("「%(file)s」的图像大得不像扫描件，没有打开。请用 200 dpi 重新扫描。"),
    "too_many": N_("「%(file)s」超过 5000 面。请分成几个文件再上传。"),
}


@dataclass(frozen=True)
class Scans:
    """One file as it was brought in: where it lies now, and what it is called."""

    path: Path
    name: str


@dataclass(frozen=True)
class Counted(Scans):
    """The same after it was looked into: its sides, and the digest of its content."""

    sides: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """Some sides of one file of a batch; files and sides are counted from 1."""

    file: int
    first: int
    last: int

    @property
    def sides(self) -> int:
        """How many they are."""
        return self.last - self.first + 1

    @property
    def number(self) -> int:
        """By what the parts of a batch are shared out: one after another within a file, and from file to file."""
        return self.file + self.first // PART


def name_of(path: Path) -> str:
    """What a file is called: where that is no UTF-8, it is read as the GBK of older scanners and shares."""
    raw = os.fsencode(path.name)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        name = Path(raw.decode("gb18030", "replace").replace("/", "_"))
        return f"{name.stem[:60]}{name.suffix[:10]}"


def look_into(scans: Sequence[Scans]) -> list[Counted]:
    """Count the sides of files, then keep their contents; refuses, by its name, the first that is no scan."""
    found = []
    with tempfile.TemporaryDirectory() as folder, ScanReader(Path(folder)) as reader:
        for one in scans:
            try:
                number = reader.count_sides(one.path)
            except ScanError as error:
                raise Refused(REFUSALS[error.code], file=one.name) from error
            found.append((one, number))
    return [Counted(one.path, one.name, number, files.put(one.path)) for one, number in found]


def receive(
    session: Session, scans: Sequence[Counted], *, origin: str, staff: Staff
) -> tuple[ScanBatch, bool]:
    """Make files a batch that waits to be read; the same files brought in again are the batch they were.

    Returns the batch, and whether it is new.
    """
    require(staff, "scans.run")
    unique = list({one.sha256: one for one in scans}.values())
    digest = digest_of([one.sha256 for one in unique])
    known = session.scalars(
        select(ScanBatch).where(ScanBatch.digest == digest).order_by(ScanBatch.id).limit(1)
    )
    batch = known.one_or_none()
    is_new = batch is None
    if batch is None:
        batch = ScanBatch(unit_id=staff.unit_id, origin=origin, state="received", staff_id=staff.id)
        batch.name, batch.digest, batch.created_at = _name(unique), digest, utcnow()
        batch.files = [{"name": one.name[:200], "sha256": one.sha256, "sides": one.sides} for one in unique]
        batch.sides = sum(one.sides for one in unique)
        session.add(batch)
        session.flush()
        traces.record(session, "scan.received", batch, details={"files": len(unique), "sides": batch.sides})
    if batch.state != "done":
        for one in unique:
            files.describe(session, one.sha256, one.name[:200], MEDIA)
    return batch, is_new


def digest_of(contents: Sequence[str]) -> str:
    """What names a batch: the digests of its files together, in whatever order they came."""
    return hashlib.sha256("".join(sorted(contents)).encode()).hexdigest()


def _name(scans: Sequence[Counted]) -> str:
    first = Path(scans[0].name.replace("\\", "/")).name[:80]
    return first if len(scans) == 1 else f"{first} +{len(scans) - 1}"


def parts_left(session: Session, batch: ScanBatch) -> list[Part]:
    """What of a batch is still to be read; nothing is read twice, whatever was killed in between."""
    done = _sides_read(session, batch.id)
    found = []
    for number, file in enumerate(batch.files, start=1):
        for first in range(1, file["sides"] + 1, PART):
            last = min(first + PART - 1, file["sides"])
            if not all((number, side) in done for side in range(first, last + 1)):
                found.append(Part(number, first, last))
    return found


def _sides_read(session: Session, batch_id: int) -> set[tuple[int, int]]:
    with working_as(session, ALL):
        rows = session.execute(select(Sheet.file, Sheet.side).where(Sheet.scan_batch_id == batch_id))
        return {(row.file, row.side) for row in rows}


def begin(session: Session, batch: ScanBatch) -> None:
    """Say that a batch is being read, by the session's run where there is one."""
    batch.state, batch.error = "reading", ""
    batch.run_id = session.info.get("run_id", batch.run_id)
    session.flush()


def finish(session: Session, batch: ScanBatch) -> Mapping[str, int]:
    """End a batch: what was brought in goes after a week, its sides stay."""
    counts = counts_of(session, batch)
    batch.state, batch.done_at = "done", utcnow()
    for file in batch.files:
        if session.get(StoredFile, file["sha256"]) is not None:
            files.describe(session, file["sha256"], file["name"], MEDIA, keep_days=KEEP_DAYS)
    traces.record(session, "scan.read", batch, details=dict(counts))
    return counts


def fail(session: Session, batch: ScanBatch, message: str) -> None:
    """Say why a batch could not be read to its end."""
    batch.state, batch.error = "failed", message[:400]
    session.flush()


def counts_of(session: Session, batch: ScanBatch) -> dict[str, int]:
    """How the sides of a batch ended, each in one of `COUNTED`; a keyed one was to be keyed. Together: `sheets`."""
    with working_as(session, ALL):
        found = sheet_balances.batch_balances(session, [batch.id])[batch.id]
    return {"sheets": found.sheets, **{name: getattr(found, name) for name in COUNTED}}


def stored_path(batch: ScanBatch, file: int) -> Path:
    """Where a file of a batch lies; refused when it is gone."""
    path = files.location(batch.files[file - 1]["sha256"])
    if not path.is_file():
        raise Refused("扫描文件「%(file)s」已不在系统里，请重新上传。", file=batch.files[file - 1]["name"])
    return path


def tie_to_run(session: Session, batch: ScanBatch, run_id: int) -> None:
    """Remember which run reads a batch."""
    session.execute(update(ScanBatch).where(ScanBatch.id == batch.id).values(run_id=run_id))
