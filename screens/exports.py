"""One way to export for all lists: what was asked for, written to a file, traced, and only then handed over."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from flask import Response, request
from flask_security import current_user
from markupsafe import Markup

from models import Staff, db
from screens import masking
from screens.downloads import made
from services import exports
from services.exports import Wanted
from services.people import scope_of
from services.table_files import MEDIA
from workflows.sessions import writing

_BREAKS = re.compile(r"<br\s*/?>|</(?:a|b|small|span|div|p|li|td)>")


def sent(
    title: str, headings: Sequence[Any], rows: Iterable[Sequence[Any]], *, permission: str = exports.RUN
) -> Response:
    """The rows as the file that the form asks for. The view `reads`: the trace is a short write of its own."""
    staff, form = db.session.get_one(Staff, current_user.id), request.form
    wanted = Wanted(title, form.get("kind", "xlsx"), form.get("reason", ""), "plain" in form)
    exports.check(wanted, staff=staff, permission=permission)
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        path = Path(folder) / f"export.{wanted.kind}"
        with masking.revealing(plain=wanted.plain):
            labels = [str(heading) for heading in headings]
            taken = exports.write(path, wanted, headings=labels, rows=_texts(rows), staff=staff)
        with writing(scope_of(db.session(), staff), actor_id=staff.id) as session:
            exports.record(session, wanted, taken, session.get_one(Staff, staff.id))
        return made(path.read_bytes(), f"{title}.{wanted.kind}", MEDIA[wanted.kind])


def text_of(value: Any) -> str:
    """What a cell of a page says, without its mark-up."""
    if value is None:
        return ""
    if not isinstance(value, Markup):
        return str(value)
    return Markup(_BREAKS.sub(" ", value)).striptags()  # noqa: S704 stripped, not shown


def _texts(rows: Iterable[Sequence[Any]]) -> Iterator[list[str]]:
    return ([text_of(cell) for cell in row] for row in rows)
