"""Readings of scan batches: the run that reads one, started by whoever brought it in."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models import Run, ScanBatch, Staff
from services import scan_batches
from workflows import runs
from workflows.scan_batches import WORKFLOW, values_of


def start(session: Session, batch: ScanBatch, staff: Staff) -> Run:
    """Start the run that reads a batch, and tie the two together."""
    run = runs.start(session, WORKFLOW, values_of(batch), staff)
    scan_batches.tie_to_run(session, batch, run.id)
    return run
