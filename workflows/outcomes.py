"""What effects come to: what is sent and what became of it, services called, items marked, a step concluded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from models import Run, Step, StepItem
from models.scope import working_as
from workflows import channels, runs
from workflows.channels import Outcome
from workflows.claims import hold
from workflows.failures import stop_failed
from workflows.held import Held
from workflows.results import merged, tried_again
from workflows.sessions import writing
from workflows.steps import Effects, StepKind
from workflows.transitions import finish

ITEMS = StepItem.__table__


def check(effects: Effects, number: int) -> None:
    """Refuse effects that do not fit the items they are for."""
    if effects.results and len(effects.results) != number:
        raise ValueError(f"{len(effects.results)} results for {number} items")
    if effects.sends and number != 1:
        raise ValueError("a step that sends works in chunks of one item")


def send(held: Held, effects: Effects) -> Iterator[Outcome]:
    """Send what a chunk sends: every row is written before the first sending."""
    if not effects.sends:
        return
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits)
        known = {
            one.key: channels.begin(session, one, step_id=held.step_id, token=held.token)
            for one in effects.sends
        }
    for one in effects.sends:
        yield known[one.key] or channels.deliver(one)


def call(session: Session, held: Held, kind: StepKind, effects: Effects) -> dict[str, Any]:
    """Call the services in the caller's transaction, in the name and scope of the run's owner; the step's result from
    here on."""
    session.info.update(actor_id=held.owner_id, run_id=held.run_id)
    result = merged(held.result, effects.summary, kind.sets)
    with working_as(session, held.scope):
        for one in effects.calls:
            returned = one.service(session, **one.kwargs)
            if isinstance(returned, Mapping):
                result = merged(result, returned, kind.sets)
        for start in effects.starts:
            begun = runs.start_below(session, held.run_id, start.workflow, start.values)
            result = merged(result, begun, kind.sets)
    del session.info["actor_id"], session.info["run_id"]
    return result


def marked(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is written of an item of which a step says this."""
    error = str(row.get("error") or "")
    return {"state": "failed" if error else "done", "result": dict(row), "error": error}


def mark(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Mark items by their `key`; the statement names its own parameters because `id` is a column."""
    statement = (
        update(ITEMS)
        .where(ITEMS.c.id == bindparam("key"))
        .values(state=bindparam("state"), result=bindparam("result"), error=bindparam("error"))
    )
    session.connection().execute(statement, [dict(row) for row in rows])


def conclude(
    session: Session, run: Run, held: Held, *, errors: Mapping[int, str], failed: int
) -> Held | None:
    """Finish a step of which everything was tried: `errors` of the items of a turn, `failed` items anywhere else."""
    policy = str(held.node.get("on_failure", "stop"))
    made = tried_again(held.result)
    if errors:
        made |= stop_failed(session, session.get_one(Step, held.step_id), errors, policy=policy)
    if failed:
        made["failed"] = failed
    return finish(session, run, held, made, missed=errors if policy == "go_on" else ())
