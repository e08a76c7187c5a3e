"""How a run moves on: the next node is entered in the transaction that finishes the one before.

Whoever moves a run holds its row, so lanes and turns that end at the same moment do so one after the other, and the
last of them closes what they stand in.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from models import Run, Step, Workflow
from models.clock import utcnow
from services import traces
from workflows import STEPS, turns
from workflows.claims import LIVE, hold_runs, take
from workflows.held import Held
from workflows.list_sums import closed
from workflows.queues import ring_after_commit
from workflows.step_rows import BUSY, ROWS, has_left_out, has_open, set_state, step_at, take_up_again
from workflows.walk import DO, FAILED, Node, after, arms, container, kind_of, node_at, placed

DECIDED = ("wait", "person")
WORKFLOWS = Workflow.__table__
NO_FAILURES = (
    update(WORKFLOWS)
    .where(WORKFLOWS.c.id == bindparam("workflow"), WORKFLOWS.c.failures > 0)
    .values(failures=0)
)


def enter(session: Session, run: Run, path: str, *, turn: str = "") -> Step | None:
    """Make the step of a node ready; None when it need not be done again for this turn. Whoever called rings for it."""
    step = step_at(session, run, path, turn)
    if step is not None and step.state == "cancelled" and not turn:
        take_up_again(session, step)  # it was sent back: it is to be gone through anew
        return step
    if step is not None:
        if not turn or (step.kind in DECIDED and step.state != "skipped"):
            return None
        take_up_again(session, step, planned=False)  # items come to it later than the others of their turn
        return step
    node = node_at(run.tree, path)
    key = str(node.get("step", ""))
    step = Step(
        run_id=run.id,
        path=path,
        turn=turn,
        position=next(place.number for place in placed(run.tree) if place.path == path),
        node=node["id"],
        kind=kind_of(node),
        key=key,
        state="ready",
        queue=STEPS[key].queue if key in STEPS else "now",
        created_at=utcnow(),
    )
    session.add(step)
    return step


def finish(
    session: Session,
    run: Run,
    held: Held,
    result: Mapping[str, Any],
    *,
    arm: str = "",
    missed: Iterable[int] = (),
) -> Held | None:
    """Finish a step with its result and enter what follows, in a transaction that holds it and its run.

    `missed`: the items of a turn that it was not done for, and that go on all the same. Returns what the same worker
    goes on with once this is committed, if anything.
    """
    left = turns.left_behind(held.result, held.standing, missed)
    made = {name: value for name, value in result.items() if name != "left"} | left
    set_state(session, held.step_id, "done", result=made, error="", ended_at=utcnow())
    entered = _pass(session, run, (held.path, held.turn), made, arm=arm)
    return _carry_on(session, run, held, [entered])


def move_on(session: Session, run: Run, step: Step, result: Mapping[str, Any], *, arm: str = "") -> None:
    """Go on behind a step that has ended; what was stopped meanwhile stays so, and begins here when it goes on."""
    entered = _pass(session, run, (step.path, step.turn), result, arm=arm)
    _ring(session, [entered])
    settle(session, run, busy=entered is not None)


def begin(session: Session, run: Run) -> None:
    """Enter the first node of a run."""
    if not run.tree:
        _end(session, run)
        return
    _ring(session, [enter(session, run, "1")])


def open_lanes(session: Session, run: Run, held: Held) -> Held | None:
    """Go down all lanes of a parallel at once; it waits until the last of them has ended."""
    set_state(session, held.step_id, "waiting", attempt=0)
    entered = [enter(session, run, f"{held.path}.{arm}.1") for arm, nodes in arms(held.node) if nodes]
    return _go_inside(session, run, held, entered)


def open_turns(session: Session, run: Run, held: Held, *, at_once: int, size: int) -> Held | None:
    """Begin with the first chunks of a list that is stored, or with those in which something is tried again; whenever
    one has ended the next begins."""
    set_state(session, held.step_id, "waiting", attempt=0)
    step = session.get_one(Step, held.step_id, populate_existing=True)
    opened = held.result.get("opened")
    begun = {"opened": 0} if opened is None else {"opened": opened, "again": 0}
    step.result = begun | turns.left_behind(held.result, held.standing)
    entered = [_open_next(session, run, step, size) for _place in range(at_once)]
    session.flush()
    return _go_inside(session, run, held, entered)


def leave(session: Session, run: Run, path: str, turn: str) -> Step | None:
    """Close what stands at a path (the run itself where it is empty) once nothing inside is under way any more; the
    step that is entered behind it."""
    if not path:
        _end(session, run)
        return None
    step = step_at(session, run, path, turn)
    inside = (ROWS.c.path.startswith(f"{path}."), ROWS.c.turn.startswith(f"{turn}." if turn else ""))
    if step is None or step.state != "waiting" or has_open(session, run, *inside):
        return None
    result = closed(session, run, step) if step.kind == "each" else {}
    set_state(session, step.id, "done", result=result, error="", ended_at=utcnow())
    return _pass(session, run, (step.path, step.turn), result)


def settle(session: Session, run: Run, *, busy: bool = False) -> None:
    """Say whether a live run has something to do, or only waits."""
    if run.state in LIVE:
        run.state = "running" if busy or has_open(session, run, states=BUSY) else "waiting"


def rest(
    session: Session, run: Run, held: Held, *, due_at: datetime | None, ask_at: datetime | None = None
) -> None:
    """Leave a step waiting for its time, its condition or its person, in a transaction that holds it and its run."""
    set_state(session, held.step_id, "waiting", attempt=0, due_at=due_at, not_before=ask_at)
    settle(session, run)


def wake(session: Session, step: Step, result: Mapping[str, Any]) -> bool:
    """Make a waiting step ready with what it waited for, and ring; False when it waits no more."""
    hold_runs(session, [step.run_id])
    rows = Step.__table__
    woken: Any = session.execute(
        update(rows)
        .where(rows.c.id == step.id, rows.c.state == "waiting")
        .values(state="ready", result=dict(result), attempt=0, not_before=None)
    )
    if woken.rowcount != 1:
        return False
    runs = Run.__table__
    waiting = update(runs).where(runs.c.id == step.run_id, runs.c.state == "waiting")
    session.execute(waiting.values(state="running"))
    ring_after_commit(session, step.id, step.queue)
    return True


def _carry_on(session: Session, run: Run, held: Held, entered: Sequence[Step | None]) -> Held | None:
    """Ring for what was entered, and let this worker go on with the first of it in the same transaction, unless it has
    had its time; what is for the workers of slow steps is left to them."""
    steps = [step for step in entered if step is not None]
    settle(session, run, busy=bool(steps))
    going = steps and run.state in LIVE and time.monotonic() < held.until
    if not going or held.queue not in (steps[0].queue, "bulk"):
        _ring(session, steps)
        return None
    token = take(steps[0], held.limits)
    _ring(session, steps[1:])
    session.flush()
    return held.followed_by(run, steps[0], token)


def _ring(session: Session, entered: Sequence[Step | None]) -> None:
    session.flush()
    for step in entered:
        if step is not None:
            ring_after_commit(session, step.id, step.queue)


def _go_inside(session: Session, run: Run, held: Held, entered: Sequence[Step | None]) -> Held | None:
    """Begin with what was entered of a container; it is closed at once where nothing was."""
    if not any(entered):
        entered = [leave(session, run, held.path, held.turn)]
    return _carry_on(session, run, held, entered)


def _pass(
    session: Session, run: Run, place: tuple[str, str], result: Mapping[str, Any], *, arm: str = ""
) -> Step | None:
    """Keep a node's result for all that follows, and enter the next one or close what it stands in; `place`: its path
    and turn."""
    path, turn = place
    if turn:
        return _pass_in_turn(session, run, path, turn)
    run.facts = _with_result(run.facts, node_at(run.tree, path), result)
    following = after(run.tree, path, arm)
    while following is not None:
        if entered := enter(session, run, following):
            return entered
        following = _beyond(session, run, following)
    return leave(session, run, container(path), "")


def _beyond(session: Session, run: Run, path: str) -> str | None:
    """What follows a node that is done already, down the arm that it took; None while it is under way."""
    step = step_at(session, run, path, "")
    if step is None or step.state not in ("done", "skipped"):
        return None
    arm = FAILED if step.result.get("passed") == "branch" else str(step.result.get("arm", ""))
    return after(run.tree, path, arm)


def _pass_in_turn(session: Session, run: Run, path: str, turn: str) -> Step | None:
    part = turns.portion(session, run, container(path), turn)
    if entered := _go_through(session, run, part, part.after(path)):
        return entered
    step = session.get_one(Step, part.each_id, populate_existing=True)
    step.items_done += turns.end_items(session, run, part)
    entered = _open_next(session, run, step, turns.size_of(run, step.path))
    session.flush()
    return entered or leave(session, run, step.path, step.turn)


def _go_through(session: Session, run: Run, part: turns.Portion, path: str | None) -> Step | None:
    """Enter the first node from a path on that a turn has to go through; None when there is none."""
    while path is not None:
        if entered := enter(session, run, path, turn=part.turn):
            return entered
        path = part.after(path)
    return None


def _open_next(session: Session, run: Run, step: Step, size: int) -> Step | None:
    """Begin the next turn of a list: first those in which something is tried again, then those that are new."""
    again = step.result.get("again")
    while again is not None:
        again = turns.next_again(session, step, again, size)
        step.result = {**step.result, "again": again}
        if again is None:
            break
        part = turns.portion(session, run, step.path, turns.turn_of(step.turn, again))
        if entered := _go_through(session, run, part, part.first()):
            return entered
        step.items_done += turns.end_items(session, run, part)
    opened = step.result["opened"]
    if opened * size >= step.items_total:
        return None
    step.result = {**step.result, "opened": opened + 1}
    return enter(session, run, f"{step.path}.{DO}.1", turn=turns.turn_of(step.turn, opened + 1))


def _end(session: Session, run: Run) -> None:
    session.flush()
    if has_open(session, run):
        return
    partly = has_left_out(session, run)
    run.state, run.message, run.ended_at = "partly_failed" if partly else "done", "", utcnow()
    if not partly:
        session.execute(NO_FAILURES, {"workflow": run.workflow_id})
    traces.record(session, "run.ended", run, details={"state": run.state})


def _with_result(facts: Mapping[str, Any], node: Node, result: Mapping[str, Any]) -> dict[str, Any]:
    kind = STEPS.get(node.get("step", ""))
    shared = {name: result[name] for name in (kind.sets if kind else ()) if name in result}
    return {**facts, node["id"]: dict(result), "run": {**facts["run"], **shared}}
