"""The watched folder: scans that a scanner or a person put there, taken in once they are whole, then moved aside."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ScanBatch, Staff
from models.clock import utcnow
from services import files, scan_batches, traces

DONE, REFUSED = "done", "refused"
SETTLED = 20.0  # seconds in which nothing wrote to a file
MOST = 50  # files at a time
ENDINGS = (".pdf", ".tif", ".tiff", ".jpg", ".jpeg", ".png")


def waiting_files(folder: Path, *, settled: float = SETTLED) -> list[Path]:
    """Files that have lain still for a while, the oldest first; what is still being copied is left alone.

    The time of the last change of any kind counts, which a copying program cannot set back.
    """
    if not folder.is_dir():
        return []
    found = []
    for path in folder.iterdir():
        if path.suffix.lower() in ENDINGS and not path.name.startswith((".", "~")) and path.is_file():
            state = path.stat()
            changed = max(state.st_mtime, state.st_ctime)
            if state.st_size and time.time() - changed > settled:
                found.append((changed, path))
    return [path for _changed, path in sorted(found)[:MOST]]


def named_as_text(path: Path) -> Path:
    """The file under a name that is text: one whose name is none (see `scan_batches.name_of`) is renamed first."""
    name = scan_batches.name_of(path)
    return path if name == path.name else path.rename(_free(path.with_name(name)))


def move_aside(path: Path, place: str, *, why: str = "") -> None:
    """Move a file that was dealt with below its folder, under a name that is free; `why` goes beside it."""
    folder = path.parent / place
    folder.mkdir(exist_ok=True)
    target = _free(folder / path.name)
    if why:
        target.with_name(f"{target.name}.txt").write_text(why + "\n", encoding="utf-8")
    path.rename(target)


def _free(wanted: Path) -> Path:
    target, number = wanted, 1
    while target.exists():
        number += 1
        target = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
    return target


def digest_refused(path: Path) -> str:
    """What names the refusal of a file as it lies there: of its content, and of when it was put there, so that the same
    one put there again is refused again. Never that of a batch, which is of the content alone."""
    return scan_batches.digest_of([files.sha256_of(path), str(path.stat().st_ctime_ns)])


def refusal_of(session: Session, path: Path) -> ScanBatch | None:
    """How a file that lies there was refused, if it was."""
    return _refused(session, digest_refused(path))


def record_refusal(
    session: Session, name: str, message: str, *, digest: str, staff: Staff
) -> tuple[ScanBatch, bool]:
    """A file of the folder that is no scan, as a batch that failed: people look at the list, not into the folder.

    Returns the batch, and whether it is new: `digest` (`digest_refused`) tells a file that was refused already.
    """
    if known := _refused(session, digest):
        return known, False
    batch = ScanBatch(unit_id=staff.unit_id, origin="folder", state="failed", staff_id=staff.id)
    batch.name, batch.error, batch.files, batch.created_at = name[:120], message[:400], [], utcnow()
    batch.digest = digest
    session.add(batch)
    traces.record(session, "scan.refused", batch)
    return batch, True


def _refused(session: Session, digest: str) -> ScanBatch | None:
    return session.scalars(select(ScanBatch).where(ScanBatch.digest == digest).limit(1)).one_or_none()
