"""The step that reckons a trial: read-only with the scope that a run would have, kept in one short write."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from models import Staff, Trial, Unit, Workflow
from models.scope import Scope
from models.words import N_
from services import Refused, files, people, trials
from workflows.sessions import reading
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked
from workflows.trials import Setup, run_trial

APART = N_("流程负责人管辖的客户和您管辖的没有重合，算不出结果。请由能管到负责人单位的人试运行，或请他更换负责人。")


class OfTrial(Options):
    """Which trial is reckoned; `name` is what the run is called after."""

    trial: int = asked(N_("试运行编号"), ge=1)
    name: str = asked(N_("说明"), "", max_length=200)


def plan_try_workflow(session: Session, options: OfTrial, facts: Facts) -> Planned:
    """Reckon the whole trial; nothing is written."""
    try:
        return Planned([{"found": reckon(options.trial)}])
    except Refused as refusal:
        return Planned([{"message": str(refusal)}])


def try_workflow(options: OfTrial, facts: Facts, items: Sequence[Item]) -> Effects:
    """Keep what came of it."""
    (item,) = items
    return Effects(calls=[Call(conclude, {"trial_id": options.trial, **item})])


def conclude(
    session: Session, trial_id: int, found: Mapping[str, Any] | None = None, message: str = ""
) -> dict[str, int]:
    """Keep a trial, or say why it failed."""
    trial = session.get_one(Trial, trial_id)
    if found is None:
        trials.fail(session, trial, message)
    else:
        trials.keep(session, trial, found["result"], found["sha256"])
    return {"nodes": len(trial.result.get("nodes", ()))}


def reckon(trial_id: int) -> dict[str, Any]:
    """Reckon a trial in sessions of its own that only read, with the scope that a run of it would have."""
    with reading() as session:
        setup, scope = _setup(session, session.get_one(Trial, trial_id))
    with tempfile.TemporaryDirectory(prefix="lamplighter-trial-") as folder:
        with reading(scope, actor_id=setup.owner_id) as session:
            found = run_trial(session, setup, Path(folder))
        return {"result": found.result, "sha256": files.put(found.rows)}


def _setup(session: Session, trial: Trial) -> tuple[Setup, Scope]:
    workflow = session.get(Workflow, trial.workflow_id) if trial.workflow_id else None
    starter = session.get_one(Staff, trial.staff_id)
    named = workflow.owner if workflow is not None else None
    owner = named if named is not None and named.active else starter
    unit = session.get_one(Unit, trial.unit_id)
    setup = Setup(trial.workflow_key, trial.title, trial.tree, unit.id, starter.id, owner.id, trial.assumed)
    within = narrower(people.scope_of(session, owner), people.scope_of(session, starter))
    return setup, narrower(within, Scope(path="/" if unit.parent_id is None else unit.path))


def narrower(one: Scope, other: Scope) -> Scope:
    """What both scopes reach: a trial shows whoever asks for it no customers that they could not look up."""
    if one.path.startswith(other.path):
        path = one.path
    elif other.path.startswith(one.path):
        path = other.path
    else:
        raise Refused(APART)
    own = {scope.staff_id for scope in (one, other) if scope.own}
    if len(own) > 1:
        raise Refused(APART)
    return Scope(path=path, staff_id=own.pop() if own else one.staff_id, own=one.own or other.own)
