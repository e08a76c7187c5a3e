"""Trials asked for: the newest version of a workflow with what its start form asks, opened and handed to a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from models import Staff, Trial, Workflow, WorkflowDraft
from models.clock import today
from models.words import Said
from services import Refused, trials, workflow_access, workflows
from services.trials import Subject
from workflows import runs
from workflows.options import with_values
from workflows.walk import Tree
from workflows.workflow_drafts import obstacles

WORKFLOW, NODE = "try_workflow", "trial"
SHOWN = 10


def begin(session: Session, trial: Trial, staff: Staff) -> Trial:
    """Let a worker reckon a trial that was opened."""
    given = {f"{NODE}.trial": trial.id, f"{NODE}.name": trial.title}
    trial.run_id = runs.start(session, WORKFLOW, given, staff).id
    return trial


def prepare(session: Session, key: str, values: Mapping[str, Any], staff: Staff) -> Trial:
    """Open a trial of the newest version of a workflow, with what its start form asks; refused like a start."""
    workflow, version = workflows.startable(session, key)
    workflow_access.require(staff, workflow, "start")
    return _open(session, workflow, (version.tree, version.number), values, staff)


def prepare_draft(session: Session, draft: WorkflowDraft, values: Mapping[str, Any], staff: Staff) -> Trial:
    """Open a trial of a draft as it stands; refused while anything keeps it from running."""
    workflow_access.require(staff, draft.workflow, "edit")
    found = obstacles(session, draft.tree)
    if found:
        listed = Said.joined((Said("- %(fault)s", fault=one.text) for one in found[:SHOWN]), joint="\n")
        raise Refused("草稿还有 %(count)s 处要改，改好后才能试运行：\n%(listed)s", count=len(found), listed=listed)
    return _open(session, draft.workflow, (draft.tree, None), values, staff)


def repeat(session: Session, trial: Trial, staff: Staff, assumed: Mapping[str, float]) -> Trial:
    """Open the same trial with other assumptions."""
    workflow = session.get(Workflow, trial.workflow_id) if trial.workflow_id is not None else None
    if workflow is None:
        raise Refused("这个流程已经删除，不能再试运行。")
    workflow_access.require(staff, workflow, "start" if trial.version is not None else "edit")
    subject = Subject(trial.title, trial.tree, trial.version, trial.values, check_assumed(assumed))
    return trials.open_trial(session, workflow, subject, staff)


def check_assumed(assumed: Mapping[str, float]) -> dict[str, float]:
    """Assumptions as they were changed; each is a share from 0 to 1."""
    wrong = [name for name, value in assumed.items() if not 0 <= value <= 1]
    if wrong:
        raise Refused("假设的占比要在 0 到 100% 之间，请改正后重新计算。")
    return dict(assumed)


def _open(
    session: Session,
    workflow: Workflow,
    tried: tuple[Tree, int | None],
    values: Mapping[str, Any],
    staff: Staff,
) -> Trial:
    tree = with_values(tried[0], values)
    title = runs.title_of(workflow.name, tree, str(today(session)))
    return trials.open_trial(session, workflow, Subject(title, tree, tried[1], values), staff)
