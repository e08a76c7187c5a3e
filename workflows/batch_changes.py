"""The step of batch changes: whatever is under way with one is done chunk by chunk, and goes on after a crash."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from models import BatchChange
from models.words import N_
from services import batch_change_chunks, batch_changes
from services.batch_change_plans import find_lines
from workflows.sessions import reading
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked


class OfChange(Options):
    """Which batch change; `name` is what the run is called after."""

    change: int = asked(N_("批量变更编号"), ge=1)
    name: str = asked(N_("说明"), "", max_length=200)


def plan_change_in_batch(session: Session, options: OfChange, facts: Facts) -> Planned:
    """The chunks of what the change is at: tried, submitted, applied or taken back."""
    return Planned(batch_changes.parts(session, session.get_one(BatchChange, options.change)))


def change_in_batch(options: OfChange, facts: Facts, items: Sequence[Item]) -> Effects:
    """Do one part; what is only read and judged is done outside the transaction."""
    (item,) = items
    return Effects(calls=[_call(options.change, item)])


def open_change(session: Session, change_id: int, total: int) -> None:
    """Say how many chunks there are."""
    batch_changes.open_part(session, session.get_one(BatchChange, change_id), total)


def write_lines(session: Session, change_id: int, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Keep what was tried for one chunk."""
    batch_changes.write_lines(session, change_id, rows)
    return {"lines": len(rows)}


def finish_change(session: Session, change_id: int) -> None:
    """End what was under way."""
    batch_changes.finish(session, session.get_one(BatchChange, change_id))


def _call(change_id: int, item: Item) -> Call:
    part = item["part"]
    if part == "begin":
        return Call(open_change, {"change_id": change_id, "total": item["total"]})
    if part == "finish":
        return Call(finish_change, {"change_id": change_id})
    span = {"first": item["first"], "last": item["last"]}
    if part == "plan":
        with reading() as session:
            rows = find_lines(session, session.get_one(BatchChange, change_id), **span)
        return Call(write_lines, {"change_id": change_id, "rows": rows})
    return Call(_CHUNKS[part], {"change_id": change_id, **span})


_CHUNKS: dict[str, Callable[..., dict[str, int]]] = {
    "submit": batch_change_chunks.submit_chunk,
    "apply": batch_change_chunks.apply_chunk,
    "undo": batch_change_chunks.undo_chunk,
}
