"""Trials of workflows as rows: opened with what is tried, kept with what came of it, or ended with why it failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from models import Staff, Trial, Workflow
from models.clock import utcnow
from services import Refused, files

KEPT_DAYS = 90
ROWS = "trial-rows.json.gz"


@dataclass(frozen=True)
class Subject:
    """What is tried: a tree with its values put in; `version` is none for a draft."""

    title: str
    tree: Sequence[Mapping[str, Any]]
    version: int | None
    values: Mapping[str, Any] = field(default_factory=dict)
    assumed: Mapping[str, float] = field(default_factory=dict)


def open_trial(session: Session, workflow: Workflow, subject: Subject, staff: Staff) -> Trial:
    """A trial that is still to be reckoned."""
    row = Trial(
        workflow_id=workflow.id,
        workflow_key=workflow.key,
        name=workflow.name,
        title=subject.title[:160],
        version=subject.version,
        tree=[dict(node) for node in subject.tree],
        values=dict(subject.values),
        assumed=dict(subject.assumed),
        state="running",
        staff_id=staff.id,
        unit_id=staff.unit_id,
        created_at=utcnow(),
    )
    session.add(row)
    session.flush()
    return row


def keep(session: Session, trial: Trial, result: Mapping[str, Any], digest: str) -> None:
    """Keep what a trial came to; its would-be rows for some time only, its figures for good."""
    files.describe(session, digest, ROWS, "application/gzip", keep_days=KEPT_DAYS)
    trial.result, trial.sha256 = dict(result), digest
    trial.state, trial.ended_at = "done", utcnow()


def fail(session: Session, trial: Trial, message: str) -> None:
    """End a trial that could not be reckoned."""
    trial.state, trial.message, trial.ended_at = "failed", message, utcnow()


def rows_path(trial: Trial) -> Path:
    """Where the would-be rows of a trial lie; refused when they are gone."""
    path = files.location(trial.sha256)
    if not trial.sha256 or not path.exists():
        raise Refused("这次试运行的明细已过保存期（%(days)s 天）。请重新试运行。", days=KEPT_DAYS)
    return path
