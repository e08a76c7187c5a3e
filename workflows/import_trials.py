"""The step that tries an upload: each chunk is written and taken back, so that its rows' outcomes are known before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from models import ImportBatch
from services import Refused, import_rows, import_spools, import_trials, imports, uploads
from services.import_rows import ReadRow
from services.import_units import Units
from services.tables import open_table
from workflows.imports import OfBatch
from workflows.sessions import reading
from workflows.steps import Call, Effects, Facts, Item, Planned


def plan_try_import(session: Session, options: OfBatch, facts: Facts) -> Planned:
    """Lay the upload out in chunks, beside the spool of the import itself."""
    batch = session.get_one(ImportBatch, options.batch)
    try:
        with uploads.named(batch.sha256, batch.file_name):
            table = open_table(uploads.upload_path(batch), batch.mapping)
            layout = imports.lay_out(session, imports.trial_path(batch.id), table, imports.units_of(session, batch))
    except Refused as refusal:
        return Planned([{"part": "fail", "message": str(refusal)}])
    chunks = [{"part": "chunk", "first": first, "last": last} for first, last in layout.spans]
    return Planned([{"part": "begin", "rows": layout.rows}, *chunks, {"part": "finish"}])


def try_import(options: OfBatch, facts: Facts, items: Sequence[Item]) -> Effects:
    """Try one part of the file."""
    (item,) = items
    return Effects(calls=[_call(options.batch, item)])


def open_trial(session: Session, batch_id: int, rows: int) -> None:
    """Say how many rows there are."""
    import_trials.open_trial(session, session.get_one(ImportBatch, batch_id), rows)


def try_chunk(
    session: Session, batch_id: int, rows: Sequence[ReadRow], headings: Mapping[str, str], units: Units
) -> dict[str, int]:
    """Try one chunk of rows that were read and judged already."""
    return import_trials.try_chunk(session, batch_id, rows, headings, units=units)


def finish_trial(session: Session, batch_id: int) -> None:
    """End the trial with its figures."""
    import_trials.finish(session, session.get_one(ImportBatch, batch_id))


def fail_trial(session: Session, batch_id: int, message: str) -> None:
    """End the trial of a file that cannot be read."""
    import_trials.fail(session, session.get_one(ImportBatch, batch_id), message)


def _call(batch_id: int, item: Item) -> Call:
    if item["part"] == "begin":
        return Call(open_trial, {"batch_id": batch_id, "rows": item["rows"]})
    if item["part"] == "finish":
        return Call(finish_trial, {"batch_id": batch_id})
    if item["part"] == "fail":
        return Call(fail_trial, {"batch_id": batch_id, "message": item["message"]})
    with reading() as session:
        units = imports.units_of(session, session.get_one(ImportBatch, batch_id))
    path = imports.trial_path(batch_id)
    rows = import_rows.read_rows(import_spools.read(path, item["first"], item["last"]), units)
    headings = import_spools.layout_of(path).heading_of()
    return Call(try_chunk, {"batch_id": batch_id, "rows": rows, "headings": headings, "units": units})
