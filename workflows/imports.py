"""Steps about customer files: brought in, taken back; each item is one chunk, so nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from models import ImportBatch, Staff
from models.words import N_
from services import (
    Refused,
    import_errors,
    import_rows,
    import_spools,
    imports,
    undo,
    uploads,
)
from services.import_chunks import import_chunk
from services.import_rows import ReadRow
from services.import_spools import spool_path
from services.import_units import Units
from services.tables import open_table
from workflows.sessions import reading
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked


class OfBatch(Options):
    """Which batch; `name` is what the run is called after."""

    batch: int = asked(N_("导入批次编号"), ge=1)
    name: str = asked(N_("说明"), "", max_length=200)


def plan_import_file(session: Session, options: OfBatch, facts: Facts) -> Planned:
    """Lay the upload out in chunks. A file that cannot be read is the batch's failure, not the workflow's."""
    batch = session.get_one(ImportBatch, options.batch)
    try:
        with uploads.named(batch.sha256, batch.file_name):
            table = open_table(uploads.upload_path(batch), batch.mapping)
            layout = imports.lay_out(session, spool_path(batch.id), table, imports.units_of(session, batch))
    except Refused as refusal:
        return Planned([{"part": "fail", "message": str(refusal)}, {"part": "forget"}])
    begin = {"part": "begin", "rows": layout.rows, "layout": imports.layout_facts(table)}
    chunks = [{"part": "chunk", "first": first, "last": last} for first, last in layout.spans]
    return Planned([begin, *chunks, {"part": "finish"}, {"part": "forget"}], {"rows": layout.rows})


def import_file(options: OfBatch, facts: Facts, items: Sequence[Item]) -> Effects:
    """Bring one part of the file in."""
    (item,) = items
    return Effects(calls=[_PARTS[item["part"]](options.batch, item)])


def plan_undo_import(session: Session, options: OfBatch, facts: Facts) -> Planned:
    """The batch's touched rows, the last ones first."""
    spans = undo.spans(session, options.batch)
    chunks = [{"part": "undo", "first": first, "last": last} for first, last in spans]
    return Planned([{"part": "begin_undo"}, *chunks, {"part": "finish_undo"}])


def undo_import(options: OfBatch, facts: Facts, items: Sequence[Item]) -> Effects:
    """Take one part of the batch back."""
    (item,) = items
    return Effects(calls=[_PARTS[item["part"]](options.batch, item)])


def begin_import(session: Session, batch_id: int, rows: int, layout: Mapping[str, Any]) -> None:
    """Say that a batch is being brought in, and what its file holds."""
    batch = session.get_one(ImportBatch, batch_id)
    imports.begin(session, batch, rows, layout)


def write_chunk(
    session: Session, batch_id: int, rows: Sequence[ReadRow], headings: Mapping[str, str], units: Units
) -> dict[str, int]:
    """Write one chunk of rows that were read and judged already."""
    return import_chunk(session, batch_id, rows, headings, units=units)


def finish_import(session: Session, batch_id: int, errors: Path | None) -> dict[str, Any]:
    """End the batch with its error file."""
    batch = session.get_one(ImportBatch, batch_id)
    imports.finish(session, batch, errors)
    return {"errors_file": batch.errors_file}


def fail_import(session: Session, batch_id: int, message: str) -> dict[str, Any]:
    """End the batch with what is wrong with its file."""
    imports.fail(session, session.get_one(ImportBatch, batch_id), message)
    return {"refused": message}


def forget_import(session: Session, batch_id: int) -> None:
    """Delete what was uploaded."""
    imports.forget(session, session.get_one(ImportBatch, batch_id))


def begin_undo(session: Session, batch_id: int) -> None:
    """Say that a batch is being taken back, in the name of whoever owns the run."""
    staff = session.get_one(Staff, session.info["actor_id"])
    undo.begin(session, session.get_one(ImportBatch, batch_id), staff)


def undo_part(session: Session, batch_id: int, first: int, last: int) -> dict[str, int]:
    """Take one chunk of rows back."""
    rows = undo.undo_chunk(session, batch_id, first, last)
    return {name: sum(row.outcome == name for row in rows) for name in ("restored", "removed", "kept")}


def finish_undo(session: Session, batch_id: int) -> None:
    """End the undo."""
    undo.finish(session, session.get_one(ImportBatch, batch_id))


def _chunk(batch_id: int, item: Item) -> Call:
    """Read and judge outside the transaction, so that writing takes as short as it can."""
    with reading() as session:
        batch = session.get_one(ImportBatch, batch_id)
        units = imports.units_of(session, batch)
        spool = _laid_out(session, batch, units)
    rows = import_rows.read_rows(import_spools.read(spool, item["first"], item["last"]), units)
    headings = import_spools.layout_of(spool).heading_of()
    return Call(write_chunk, {"batch_id": batch_id, "rows": rows, "headings": headings, "units": units})


def _laid_out(session: Session, batch: ImportBatch, units: Units) -> Path:
    """The spool of a batch; laid out again, the same, where it got lost since it was planned."""
    spool = spool_path(batch.id)
    if not spool.exists():
        imports.lay_out(session, spool, open_table(uploads.upload_path(batch), batch.mapping), units)
    return spool


def _finish(batch_id: int, item: Item) -> Call:
    with reading() as session:
        errors = import_errors.write(session, session.get_one(ImportBatch, batch_id), spool_path(batch_id))
    return Call(finish_import, {"batch_id": batch_id, "errors": errors})


def _begin(batch_id: int, item: Item) -> Call:
    return Call(begin_import, {"batch_id": batch_id, "rows": item["rows"], "layout": item["layout"]})


def _fail(batch_id: int, item: Item) -> Call:
    return Call(fail_import, {"batch_id": batch_id, "message": item["message"]})


def _forget(batch_id: int, item: Item) -> Call:
    return Call(forget_import, {"batch_id": batch_id})


def _begin_undo(batch_id: int, item: Item) -> Call:
    return Call(begin_undo, {"batch_id": batch_id})


def _undo(batch_id: int, item: Item) -> Call:
    return Call(undo_part, {"batch_id": batch_id, "first": item["first"], "last": item["last"]})


def _finish_undo(batch_id: int, item: Item) -> Call:
    return Call(finish_undo, {"batch_id": batch_id})


_PARTS: dict[str, Callable[[int, Item], Call]] = {
    "begin": _begin,
    "chunk": _chunk,
    "finish": _finish,
    "fail": _fail,
    "forget": _forget,
    "begin_undo": _begin_undo,
    "undo": _undo,
    "finish_undo": _finish_undo,
}
