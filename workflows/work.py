"""A step's two halves: planned once into items, done chunk by chunk, each chunk with its effects in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, bindparam, cast, select, update
from sqlalchemy.orm import Session

from models import Run, Step, StepItem
from models.scope import working_as
from models.words import Said
from workflows import STEPS, channels, runs, turns
from workflows.channels import DeliveryFailed, Outcome
from workflows.claims import LIVE, Heartbeat, hold
from workflows.failures import await_settlement, stop_failed
from workflows.held import Held, Parked, hold_run
from workflows.plans import not_planned, plan
from workflows.results import decoded, merged, tried_again
from workflows.scratch import scratch
from workflows.sendings import make_settled_ready, unknown_sendings
from workflows.sessions import reading, writing
from workflows.steps import CHUNK, Effects, Options, Planned, StepKind
from workflows.transitions import finish, set_state

ITEMS, ROWS = StepItem.__table__, Step.__table__


@dataclass(frozen=True)
class Chunk:
    """Items about to be done: their ids and what was planned for each."""

    ids: tuple[int, ...]
    payloads: tuple[Mapping[str, Any], ...]


def do_step(held: Held) -> None:
    """Plan where that is still to be done, then do what is not done yet, and finish."""
    kind = STEPS.get(held.node["step"])
    if kind is None:
        raise Parked(
            Said(
                "这个版本的程序没有步骤「%(step)s」。请升级程序，或改正流程定义，再点“重试”。",
                step=held.node["step"],
            )
        )
    options = kind.options.model_validate(held.node.get("options", {}))
    with Heartbeat(held.step_id, held.token, held.limits) as beat:
        going: Held | None = held if held.planned else _plan(held, kind, options)
        while going is not None:
            going = _do_chunks(going, kind, options, beat)
            if going is None or _conclude(going):
                return


def _plan(held: Held, kind: StepKind, options: Options) -> Held:
    def read(session: Session) -> Planned:
        if not held.turn:
            return kind.plan(session, options, held.facts)
        facts = {**held.facts, "each": {"items": not_planned(session, held)}}
        return kind.plan(session, options, facts)

    return plan(held, read, begin=held.items_total + 1)


def _next_chunk(held: Held, size: int) -> Chunk | None:
    query = select(ITEMS.c.id, cast(ITEMS.c.payload, Text)).where(
        ITEMS.c.step_id == held.step_id, ITEMS.c.state == "ready"
    )
    with reading() as session:
        rows = session.execute(query.order_by(ITEMS.c.position).limit(min(size, CHUNK))).all()
    return Chunk(tuple(row[0] for row in rows), tuple(decoded([row[1] for row in rows]))) if rows else None


def _do_chunks(held: Held, kind: StepKind, options: Options, beat: Heartbeat) -> Held | None:
    """Do what is ready, chunk by chunk; None when the run was stopped meanwhile."""
    going: Held | None = held
    while going is not None and (chunk := _next_chunk(going, kind.chunk)):
        with scratch():
            going = _do_chunk(going, kind, options, chunk)
        beat.moved()
        if len(chunk.ids) < min(kind.chunk, CHUNK):
            break  # it was the last one: nothing becomes ready behind it
    return going


def _do_chunk(held: Held, kind: StepKind, options: Options, chunk: Chunk) -> Held | None:
    """Do one chunk and write what came of it; None when the run was paused meanwhile."""
    effects = kind.do(options, held.facts, chunk.payloads)
    _check(effects, chunk)
    outcomes = list(_send(held, effects))
    later = next((outcome for outcome in outcomes if outcome.state == "ready"), None)
    moved = {} if later else {"attempt": 1}  # what did not go out is no progress
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits, **moved)
        session.info["actor_id"] = held.owner_id
        session.info["run_id"] = held.run_id
        channels.conclude(session, outcomes, token=held.token)
        unsent = [outcome for outcome in outcomes if outcome.state != "done"]
        result = (
            _write_unsent(session, held, chunk, unsent)
            if unsent
            else _write(session, held, kind, effects, chunk)
        )
        done = ROWS.c.items_done + (0 if unsent else len(chunk.ids))
        written = update(ROWS).where(ROWS.c.id == held.step_id)
        session.execute(written.values(result=result, items_done=done))
        stopped = _stopped(session, held)
    if later is not None and not stopped:
        raise DeliveryFailed(later.text, permanent=False)
    return None if stopped else held.with_result(result)


def _send(held: Held, effects: Effects) -> Iterator[Outcome]:
    """Send what a chunk sends: every row is written before the first sending."""
    if not effects.sends:
        return
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits)
        known = {
            send.key: channels.begin(session, send, step_id=held.step_id, token=held.token)
            for send in effects.sends
        }
    for send in effects.sends:
        yield known[send.key] or channels.deliver(send)


def _write(session: Session, held: Held, kind: StepKind, effects: Effects, chunk: Chunk) -> dict[str, Any]:
    """Call the services and mark the items, in the caller's transaction; returns the step's result from here on.

    What was planned for a done item is forgotten: names and addresses stay in their own tables only.
    """
    result = merged(held.result, effects.summary, kind.sets)
    with working_as(session, held.scope):
        for call in effects.calls:
            returned = call.service(session, **call.kwargs)
            if isinstance(returned, Mapping):
                result = merged(result, returned, kind.sets)
        for one in effects.starts:
            result = merged(
                result, runs.start_below(session, held.run_id, one.workflow, one.values), kind.sets
            )
    if effects.results:
        marked = [_marked(key, row) for key, row in zip(chunk.ids, effects.results, strict=True)]
        _mark(session, marked)
        done = [row["key"] for row in marked if row["state"] == "done"]
        session.execute(update(ITEMS).where(ITEMS.c.id.in_(done)).values(payload={}))
    else:
        session.execute(update(ITEMS).where(ITEMS.c.id.in_(chunk.ids)).values(state="done", payload={}))
    return result


def _write_unsent(session: Session, held: Held, chunk: Chunk, unsent: Sequence[Outcome]) -> dict[str, Any]:
    states = {outcome.state for outcome in unsent}
    state = next(state for state in ("unknown", "failed", "ready") if state in states)
    text = "；".join(outcome.text for outcome in unsent if outcome.text)
    _mark(session, [{"key": key, "state": state, "result": {}, "error": text} for key in chunk.ids])
    return dict(held.result)


def _marked(key: int, row: Mapping[str, Any]) -> dict[str, Any]:
    error = str(row.get("error") or "")
    return {"key": key, "state": "failed" if error else "done", "result": dict(row), "error": error}


def _mark(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Mark items of the chunk; the statement names its own parameters because `id` is a column."""
    statement = (
        update(ITEMS)
        .where(ITEMS.c.id == bindparam("key"))
        .values(state=bindparam("state"), result=bindparam("result"), error=bindparam("error"))
    )
    session.connection().execute(statement, [dict(row) for row in rows])


def _check(effects: Effects, chunk: Chunk) -> None:
    if effects.results and len(effects.results) != len(chunk.ids):
        raise ValueError(f"{len(effects.results)} results for {len(chunk.ids)} items")
    if effects.sends and len(chunk.ids) != 1:
        raise ValueError("a step that sends works in chunks of one item")


def _stopped(session: Session, held: Held) -> bool:
    """Whether the run was stopped meanwhile; then the step is left ready for when it goes on."""
    state = session.scalar(select(Run.state).where(Run.id == held.run_id))
    if state in LIVE:
        return False
    set_state(session, held.step_id, "ready", attempt=0)
    return True


def _conclude(held: Held) -> bool:
    """Finish the step, or leave it to a person; False when a person has settled sendings meanwhile."""
    with writing() as session:
        run = hold_run(session, held)
        left = set(session.scalars(_states(held)))
        if "unknown" in left:
            unsettled = unknown_sendings(session, held.step_id)
            if not unsettled:
                make_settled_ready(session, held.step_id)
                return False
            await_settlement(session, run, held, unsettled)
            return True
        errors = _errors(session, held) if "failed" in left and held.turn else {}
        policy = str(held.node.get("on_failure", "stop"))
        made = tried_again(held.result)
        if held.turn:
            made |= stop_failed(session, session.get_one(Step, held.step_id), errors, policy=policy)
        elif "failed" in left:
            made["failed"] = turns.counts(session, held.step_id)["failed"]
        finish(session, run, held, made, missed=errors if policy == "go_on" else ())
    return True


def _states(held: Held) -> Any:
    undone = (StepItem.step_id == held.step_id, StepItem.state.in_(("unknown", "failed")))
    return select(StepItem.state).where(*undone).distinct()


def _errors(session: Session, held: Held) -> dict[int, str]:
    """The items of a turn that failed in this pass, each with why."""
    query = select(StepItem.item, StepItem.error).where(
        StepItem.step_id == held.step_id, StepItem.state == "failed"
    )
    here = set(held.standing)
    return {item: error for item, error in session.execute(query).tuples() if item in here}
