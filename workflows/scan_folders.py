"""The watched folder of scans: the clock looks, a run takes in what lies there, a run of its own reads each file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from flask import current_app
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models import ScanBatch, Staff
from services import Refused, files, scan_batches, scan_folders
from services.scan_batches import Counted, Scans
from services.scan_folders import DONE, REFUSED
from workflows.scan_batches import WORKFLOW as READING
from workflows.scan_batches import values_of
from workflows.sessions import reading
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, Start


def scan_folder() -> Path | None:
    """The folder that `LAMPLIGHTER_SCAN_FOLDER` names; None where none is watched."""
    name = current_app.config.get("SCAN_FOLDER")
    return Path(name) if name else None


def is_anything_waiting() -> bool:
    """Whether files lie there, where a folder is watched."""
    folder = scan_folder()
    return folder is not None and bool(scan_folders.waiting_files(folder))


def plan_collect_scans(session: Session, options: Options, facts: Facts) -> Planned:
    """Each file that has lain still: taken in, and moved aside only when that is certain."""
    folder = scan_folder()
    waiting = scan_folders.waiting_files(folder) if folder else []
    found = [scan_folders.named_as_text(path) for path in waiting]
    return Planned(
        [{"part": part, "path": str(path)} for path in found for part in ("receive", "read", "move")],
        {"files": len(found)},
    )


def collect_scans(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """One file: looked into and kept, or refused; its batch begun; and then moved aside.

    What is known of a file is written before it is moved: one that lies there still is found again.
    """
    (item,) = items
    path = Path(item["path"])
    if not path.is_file():  # somebody took it away, or an earlier attempt moved it
        return Effects()
    if item["part"] == "move":
        return _move_aside(path)
    if item["part"] == "read":
        return Effects(starts=list(_starts(path)))
    try:
        counted = scan_batches.look_into([Scans(path, path.name)])
    except Refused as refusal:
        refused = {"name": path.name, "digest": scan_folders.digest_refused(path), "message": str(refusal)}
        return Effects(calls=[Call(refuse_scans, refused)])
    return Effects(calls=[Call(receive_scans, {"counted": counted})])


def receive_scans(session: Session, counted: Sequence[Counted]) -> dict[str, int]:
    """Keep a file as a batch; one that was brought in before is the batch that it was."""
    staff = session.get_one(Staff, session.info["actor_id"])
    _batch, is_new = scan_batches.receive(session, counted, origin="folder", staff=staff)
    return {"received": int(is_new)}


def _starts(path: Path) -> Iterator[Start]:
    """The run that reads a file's batch, where none has begun to."""
    query = _of(path).where(ScanBatch.state == "received")
    with reading() as session:
        for batch in session.scalars(query.where(ScanBatch.origin == "folder", ScanBatch.run_id.is_(None))):
            yield Start(READING, values_of(batch))


def _move_aside(path: Path) -> Effects:
    """Move a file that was kept or refused; another that was put there under its name since stays."""
    with reading() as session:
        taken = session.scalars(_of(path).limit(1)).one_or_none()
        refused = scan_folders.refusal_of(session, path)
    if taken is not None:
        scan_folders.move_aside(path, DONE)
    elif refused is not None:
        scan_folders.move_aside(path, REFUSED, why=refused.error)
    return Effects()


def _of(path: Path) -> Select[tuple[ScanBatch]]:
    """The batches that a file is, as it lies there now."""
    return select(ScanBatch).where(ScanBatch.digest == scan_batches.digest_of([files.sha256_of(path)]))


def refuse_scans(session: Session, name: str, digest: str, message: str) -> dict[str, int]:
    """Tell of a file that is no scan, once however often it is come across."""
    staff = session.get_one(Staff, session.info["actor_id"])
    _batch, is_new = scan_folders.record_refusal(session, name, message, digest=digest, staff=staff)
    return {"refused": int(is_new)}
