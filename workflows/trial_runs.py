"""Trials asked for: the newest version of a workflow with what its start form asks, opened and handed to a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from models import Staff, Trial
from models.clock import today
from services import Refused, trials, workflow_access, workflows
from services.trials import Subject
from workflows import runs
from workflows.options import with_values

WORKFLOW, NODE = "try_workflow", "trial"


def begin(
    session: Session, key: str, values: Mapping[str, Any], staff: Staff, assumed: Mapping[str, float]
) -> Trial:
    """Open a trial and let a worker reckon it."""
    trial = prepare(session, key, values, staff, assumed)
    given = {f"{NODE}.trial": trial.id, f"{NODE}.name": trial.title}
    trial.run_id = runs.start(session, WORKFLOW, given, staff).id
    return trial


def prepare(
    session: Session, key: str, values: Mapping[str, Any], staff: Staff, assumed: Mapping[str, float]
) -> Trial:
    """Open a trial of the newest version of a workflow, with what its start form asks; refused like a start."""
    workflow, version = workflows.startable(session, key)
    workflow_access.require(staff, workflow, "start")
    tree = with_values(version.tree, values)
    title = runs.title_of(workflow.name, tree, str(today(session)))
    subject = Subject(title, tree, version.number, values, check_assumed(assumed))
    return trials.open_trial(session, workflow, subject, staff)


def check_assumed(assumed: Mapping[str, float]) -> dict[str, float]:
    """Assumptions as they were changed; each is a share from 0 to 1."""
    wrong = [name for name, value in assumed.items() if not 0 <= value <= 1]
    if wrong:
        raise Refused("假设的占比要在 0 到 100% 之间，请改正后重新计算。")
    return dict(assumed)
