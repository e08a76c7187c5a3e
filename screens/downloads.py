"""Files handed to a browser: always as attachments, with their Chinese names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from flask import Response, send_file
from sqlalchemy.orm import Session

from models import StoredFile, db
from paper import DOCUMENTS, PaperError
from services import Refused, files, letterheads

PDF = "application/pdf"


def stored(session: Session, digest: str | None) -> Response:
    """A stored file by its sha256; the caller has checked who may have it."""
    row = session.get(StoredFile, digest) if digest else None
    if row is None or not files.location(row.sha256).exists():
        raise Refused("文件已过保存期限或不存在。请重新生成。")
    return send_file(
        files.location(row.sha256), mimetype=row.media, as_attachment=True, download_name=row.name
    )


def made(content: bytes, name: str, media: str = PDF) -> Response:
    """A file made just now."""
    return send_file(BytesIO(content), mimetype=media, as_attachment=True, download_name=name)


def printed(key: str, facts: Any, about: str) -> Response:
    """A sheet of DOCUMENTS as PDF. What was traced is committed first: nobody waits while the pages are laid out."""
    document, head = DOCUMENTS[key], letterheads.current(db.session())
    db.session.commit()
    with laying_out():
        return made(document.compose(facts, head), f"{document.label}_{about}.pdf")


@contextmanager
def laying_out() -> Iterator[None]:
    """What paper cannot do is told to whoever asked for it."""
    try:
        yield
    except PaperError as error:
        raise Refused("没有排出来：%(why)s", why=error) from error
