"""Files by sha256 behind one small interface: the folder `files/` of the home, shared by all machines."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import StoredFile
from models.clock import utcnow
from models.home import home_path


def store(session: Session, path: Path, name: str, media: str, *, keep_days: int | None = None) -> StoredFile:
    """Keep a file: its content by sha256, and a row that says what it is."""
    return describe(session, put(path), name, media, keep_days=keep_days)


def put(path: Path) -> str:
    """Put the content of a file into `files/<ab>/<sha256>`, whole or not at all; returns its sha256."""
    digest = sha256_of(path)
    target = location(digest)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{digest}.{os.getpid()}")
        try:
            shutil.copyfile(path, draft)
            _flush(draft)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)  # a full disk keeps no half of it
    return digest


def describe(
    session: Session, digest: str, name: str, media: str, *, keep_days: int | None = None
) -> StoredFile:
    """The row of a content that was put: what it is, and until when it is kept."""
    row = session.get(StoredFile, digest) or StoredFile(
        sha256=digest, name=name, media=media, created_at=utcnow()
    )
    row.size = location(digest).stat().st_size
    row.expires_at = utcnow() + timedelta(days=keep_days) if keep_days is not None else None
    session.add(row)
    session.flush()
    return row


def describe_all(session: Session, media: Mapping[str, str]) -> None:
    """The rows of many contents that were put, each named by its digest; what has a row already stays as it is."""
    wanted = {digest: kind for digest, kind in media.items() if digest}
    known = set(session.scalars(select(StoredFile.sha256).where(StoredFile.sha256.in_(wanted))))
    for digest, kind in wanted.items():
        if digest not in known:
            size = location(digest).stat().st_size
            session.add(StoredFile(sha256=digest, name=digest[:16], media=kind, size=size, created_at=utcnow()))


def location(digest: str) -> Path:
    """Where the content of a stored file lies."""
    return home_path() / "files" / digest[:2] / digest


def sha256_of(path: Path) -> str:
    """The sha256 of a file's content, hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove(session: Session, digest: str) -> None:
    """Forget a stored file: row first, content after; gone already is fine."""
    row = session.get(StoredFile, digest)
    if row is not None:
        session.delete(row)
        session.flush()
    location(digest).unlink(missing_ok=True)


def remove_expired(session: Session) -> Iterator[str]:
    """Remove what was kept for a time only (error files after 7 days); yields each digest, the caller commits."""
    for digest in session.scalars(select(StoredFile.sha256).where(StoredFile.expires_at < utcnow())).all():
        remove(session, digest)
        yield digest


def _flush(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
