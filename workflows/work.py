"""A step's two halves: planned once into items, done chunk by chunk, each chunk with its effects in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, bindparam, cast, select, update
from sqlalchemy.orm import Session

from models import Run, StepItem
from models.words import Said
from services import Refused
from workflows import STEPS, channels, turns
from workflows.channels import DeliveryFailed, Outcome
from workflows.claims import LIVE, Heartbeat, hold
from workflows.failures import await_settlement
from workflows.held import Held, Parked, hold_run
from workflows.later import Later, once_more
from workflows.outcomes import call, check, conclude, mark, marked, send
from workflows.plans import Few, not_planned, plan, plan_few, store_few, write_done
from workflows.results import decoded
from workflows.scratch import scratch
from workflows.sendings import make_settled_ready, unknown_sendings
from workflows.sessions import reading, writing
from workflows.step_rows import ONE, set_state
from workflows.steps import CHUNK, Effects, Options, Planned, StepKind

ITEMS, RUNS = StepItem.__table__, Run.__table__
FEW = 100
NEXT = (
    select(ITEMS.c.id, cast(ITEMS.c.payload, Text), ITEMS.c.position)
    .where(ITEMS.c.step_id == bindparam("step"), ITEMS.c.state == "ready", ITEMS.c.position > bindparam("after"))
    .order_by(ITEMS.c.position)
    .limit(bindparam("most"))
)
ALL_DONE = (
    update(ITEMS).where(ITEMS.c.id.in_(bindparam("ids", expanding=True))).values(state="done", payload={})
)
LEFT = (
    select(ITEMS.c.state)
    .where(ITEMS.c.step_id == bindparam("step"), ITEMS.c.state.in_(("unknown", "failed")))
    .distinct()
)
STATE_OF_RUN = select(RUNS.c.state).where(RUNS.c.id == bindparam("run"))


@dataclass(frozen=True)
class Chunk:
    """Items about to be done: their ids, what was planned for each, and where the last of them stands."""

    ids: tuple[int, ...]
    payloads: tuple[Mapping[str, Any], ...]
    last: int


def do_step(held: Held) -> Held | None:
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
        going = held if held.planned else _plan(held, kind, options)
        if isinstance(going, Few):
            with scratch():
                effects = _effects(held, kind, options, going)
                if not effects.sends:
                    return _finish_few(held, kind, effects, going)
            going = store_few(held, going)
        return _go_through(going, kind, options, beat)


def _plan(held: Held, kind: StepKind, options: Options) -> Held | Few:
    def read(session: Session) -> Planned:
        if not held.turn:
            return kind.plan(session, options, held.facts)
        facts = {**held.facts, "each": {"items": not_planned(session, held)}}
        return kind.plan(session, options, facts)

    if held.items_total:
        return plan(held, read, begin=held.items_total + 1)
    return plan_few(held, read, most=min(kind.chunk, CHUNK if held.turn else FEW))


def _effects(held: Held, kind: StepKind, options: Options, few: Few) -> Effects:
    """What a small step does, computed before anything of it is written: after a death it begins anew, after an error
    it goes on with what was planned."""
    if not few.rows:
        return Effects()
    payloads = [row["payload"] for row in few.rows]
    try:
        effects = kind.do(options, held.with_result(few.result).facts, payloads)
        check(effects, len(payloads))
    except Exception:
        store_few(held, few)
        raise
    return effects


def _finish_few(held: Held, kind: StepKind, effects: Effects, few: Few) -> Held | None:
    """Write what was planned, what came of it and what follows in one transaction. Where it is much, the run is held in
    another one afterwards, so that nobody waits for it long."""
    number, rows = len(few.rows), [marked(row) for row in effects.results]
    values = {"planned": True, "items_total": number, "items_done": held.items_done + number, "attempt": 1}
    with writing() as session:
        run = hold_run(session, held, **values) if number <= FEW else None
        if run is None:
            hold(session, held.step_id, held.token, held.limits, **values)
        result = call(session, held.with_result(few.result), kind, effects)
        write_done(session, held, few, marked=rows)
        going = held.with_result(result, items_total=number)
        if run is not None:
            wrong = [(few.rows[at]["item"], row["error"]) for at, row in enumerate(rows) if row["error"]]
            errors, failed = (dict(wrong), 0) if held.turn else ({}, len(wrong))
            return conclude(session, run, going, errors=errors, failed=failed)
        session.execute(ONE, {"step": held.step_id, "result": result})
    return _conclude(going)


def _go_through(held: Held, kind: StepKind, options: Options, beat: Heartbeat) -> Held | None:
    """Do what is planned, and finish; again where a person has settled sendings meanwhile."""
    following: Held | None = held
    while following is not None and following.step_id == held.step_id:
        going = _do_chunks(following, kind, options, beat)
        following = _conclude(going) if going is not None else None
    return following


def _next_chunk(held: Held, size: int, after: int) -> Chunk | None:
    about = {"step": held.step_id, "after": after, "most": min(size, CHUNK)}
    with reading() as session:
        rows = session.execute(NEXT, about).all()
    if not rows:
        return None
    return Chunk(tuple(row[0] for row in rows), tuple(decoded([row[1] for row in rows])), rows[-1][2])


def _do_chunks(held: Held, kind: StepKind, options: Options, beat: Heartbeat) -> Held | None:
    """Do what is ready, chunk by chunk, once each; None when the run was stopped meanwhile.

    What was put off alone is passed over; at the end, or after several in a row, the step rests before their next try.
    """
    going: Held | None = held
    later, after = Later(held), -1
    while going is not None and (chunk := _next_chunk(going, kind.chunk, after)):
        with scratch():
            going = _do_chunk(going, kind, options, chunk, later)
        after = chunk.last
        beat.moved()
        if len(chunk.ids) < min(kind.chunk, CHUNK):
            break  # it was the last one: nothing becomes ready behind it
        if later.is_busy:
            break
    if going is not None:
        later.rest()
    return going


def _do_chunk(held: Held, kind: StepKind, options: Options, chunk: Chunk, put_off: Later) -> Held | None:
    """Do one chunk and write what came of it; None when the run was paused meanwhile."""
    effects = kind.do(options, held.facts, chunk.payloads)
    check(effects, len(chunk.ids))
    outcomes = [put_off.judged(chunk.ids[0], outcome) for outcome in send(held, effects)]
    later = next((one for one in outcomes if one.state == "ready" and not one.is_put_off), None)
    moved = {} if later else {"attempt": 1}  # what did not go out is no progress
    with writing() as session:
        hold(session, held.step_id, held.token, held.limits, **moved)
        channels.conclude(session, outcomes, token=held.token)
        unsent = [outcome for outcome in outcomes if outcome.state != "done"]
        result = (
            _write_unsent(session, held, chunk, unsent)
            if unsent
            else _write(session, held, kind, effects, chunk)
        )
        done = held.items_done + (0 if unsent else len(chunk.ids))
        session.execute(ONE, {"step": held.step_id, "result": result, "items_done": done})
        stopped = _stopped(session, held)
    if later is not None and not stopped:
        raise Refused(later.text) if later.is_shut else DeliveryFailed(later.text, permanent=False)
    return None if stopped else held.with_result(result, items_done=done)


def _write(session: Session, held: Held, kind: StepKind, effects: Effects, chunk: Chunk) -> dict[str, Any]:
    """Call the services and mark the items, in the caller's transaction; returns the step's result from here on.

    What was planned for a done item is forgotten: names and addresses stay in their own tables only.
    """
    result = call(session, held, kind, effects)
    if effects.results:
        rows = [{"key": key, **marked(row)} for key, row in zip(chunk.ids, effects.results, strict=True)]
        mark(session, rows)
        done = [row["key"] for row in rows if row["state"] == "done"]
        session.execute(update(ITEMS).where(ITEMS.c.id.in_(done)).values(payload={}))
    else:
        session.execute(ALL_DONE, {"ids": chunk.ids})
    return result


def _write_unsent(session: Session, held: Held, chunk: Chunk, unsent: Sequence[Outcome]) -> dict[str, Any]:
    states = {outcome.state for outcome in unsent}
    state = next(state for state in ("unknown", "failed", "ready") if state in states)
    text = "；".join(outcome.text for outcome in unsent if outcome.text)
    result = once_more(session, chunk.ids[0]) if any(one.is_put_off for one in unsent) else {}
    mark(session, [{"key": key, "state": state, "result": result, "error": text} for key in chunk.ids])
    return dict(held.result)


def _stopped(session: Session, held: Held) -> bool:
    """Whether the run was stopped meanwhile; then the step is left ready for when it goes on."""
    if session.scalar(STATE_OF_RUN, {"run": held.run_id}) in LIVE:
        return False
    set_state(session, held.step_id, "ready", attempt=0)
    return True


def _conclude(held: Held) -> Held | None:
    """Finish the step, or leave it to a person who says what became of sendings; the same step where somebody has done
    so meanwhile, with items to do again."""
    with writing() as session:
        run = hold_run(session, held)
        left = set(session.scalars(LEFT, {"step": held.step_id}))
        if "unknown" in left:
            if unsettled := unknown_sendings(session, held.step_id):
                await_settlement(session, run, held, unsettled)
                return None
            make_settled_ready(session, held.step_id)
            return held
        errors = _errors(session, held) if "failed" in left and held.turn else {}
        failed = turns.counts(session, held.step_id)["failed"] if "failed" in left and not held.turn else 0
        return conclude(session, run, held, errors=errors, failed=failed)


def _errors(session: Session, held: Held) -> dict[int, str]:
    """The items of a turn that failed in this pass, each with why."""
    query = select(StepItem.item, StepItem.error).where(
        StepItem.step_id == held.step_id, StepItem.state == "failed"
    )
    here = set(held.standing)
    return {item: error for item, error in session.execute(query).tuples() if item in here}
