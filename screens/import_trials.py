"""What a trial of an upload showed: its figures, the worst rows, and the rows behind each figure as they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ImportBatch, Run, TrialRow
from models.words import IMPORT_OUTCOMES, IMPORT_REASONS
from services import import_spools, import_trials, imports

SIZE = 50
WORST = 5
FIGURES = {"bad": TrialRow.bad > 0, "unread": TrialRow.unread > 0}


@dataclass(frozen=True)
class Line:
    """One row of the file: its cells as they came, and what the import would do to it."""

    number: int
    cells: Sequence[str]
    outcome: str
    reason: str
    bad: int
    unread: int


@dataclass(frozen=True)
class Lines:
    """One page of rows, and where the next one begins."""

    headings: Sequence[str]
    lines: Sequence[Line]
    after: int | None = None


def facts(session: Session, batch: ImportBatch) -> dict[str, Any]:
    """What the page before an import says of its trial; nothing where there was none."""
    trial = batch.trial or {}
    if not trial:
        return {"trial": None, "is_trying": False}
    run = session.scalar(select(Run).where(Run.id == batch.run_id)) if batch.run_id else None
    is_stuck = run is not None and run.state not in ("running", "waiting", "done")
    is_trying = trial["state"] == import_trials.RUNNING and not is_stuck
    found = {"trial": trial, "is_trying": is_trying, "trial_run": run, "is_stuck": is_stuck and not is_trying}
    if trial["state"] != import_trials.DONE:
        return found
    return found | {"rejections": import_trials.reasons(session, batch), "worst": worst(session, batch)}


def worst(session: Session, batch: ImportBatch) -> Lines:
    """The rows with the most cells that are invalid, suspect or not understood, after those that are rejected."""
    is_rejected = TrialRow.outcome == "rejected"
    query = select(TrialRow).where(TrialRow.batch_id == batch.id, is_rejected | (TrialRow.bad + TrialRow.unread > 0))
    order = (is_rejected.desc(), (TrialRow.bad + TrialRow.unread).desc(), TrialRow.row)
    return _lines(batch, session.scalars(query.order_by(*order).limit(WORST)).all())


def chosen(args: Mapping[str, str]) -> dict[str, str]:
    """Which figure was opened: an outcome, a reason of rejection, or a way of being bad."""
    known: dict[str, Mapping[str, Any]] = {"outcome": IMPORT_OUTCOMES, "reason": IMPORT_REASONS, "figure": FIGURES}
    return {name: args[name] for name, codes in known.items() if args.get(name) in codes}


def page(session: Session, batch: ImportBatch, figure: Mapping[str, str], *, after: int) -> Lines:
    """A page of the rows behind a figure, by row number."""
    query = select(TrialRow).where(TrialRow.batch_id == batch.id, TrialRow.row > after)
    for name in ("outcome", "reason"):
        if name in figure:
            query = query.where(getattr(TrialRow, name) == figure[name])
    if "figure" in figure:
        query = query.where(FIGURES[figure["figure"]])
    rows = session.scalars(query.order_by(TrialRow.row).limit(SIZE + 1)).all()
    return _lines(batch, rows[:SIZE], rows[SIZE - 1].row if len(rows) > SIZE else None)


def _lines(batch: ImportBatch, rows: Sequence[TrialRow], after: int | None = None) -> Lines:
    path = imports.trial_path(batch.id)
    if not path.exists():
        return Lines((), ())
    cells = import_spools.cells_of(path, [row.row for row in rows])
    reasons = {row.row: IMPORT_REASONS.get(row.reason, row.reason) for row in rows}
    lines = [
        Line(row.row, cells.get(row.row, ()), row.outcome, _told(reasons[row.row]), row.bad, row.unread) for row in rows
    ]
    return Lines(import_spools.layout_of(path).headings, lines, after)


def _told(reason: str) -> str:
    return _(reason) if reason else ""
