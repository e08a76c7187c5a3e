"""How the nodes of a run stand: one row a node, however many turns of it there were; what failed of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Run, Step, StepItem
from workflows.progress import Progress, progress
from workflows.walk import DO

WORST_FIRST = ("dead", "unknown", "leased", "failed", "ready", "waiting", "cancelled", "skipped", "done")
REASONS = 3  # different errors that are told of one node in turns


@dataclass(frozen=True)
class NodeState:
    """One node of a run. `step`: its row, for a node that has only one; `turns`: how many turns are in which state."""

    state: str
    attempt: int
    started_at: datetime | None
    ended_at: datetime | None
    items_total: int
    items_done: int
    result: Mapping[str, Any]
    errors: tuple[str, ...] = ()
    step: Step | None = None
    turns: Mapping[str, int] = field(default_factory=dict)
    progress: Progress | None = None

    @property
    def failed(self) -> int:
        """How many of its items failed."""
        return int(self.result.get("failed", 0))


@dataclass(frozen=True)
class TurnTold:
    """One chunk of a list: how many of its nodes are in which state, and from when to when."""

    turn: str
    states: Mapping[str, int]
    started_at: datetime | None
    ended_at: datetime | None


def node_states(session: Session, run: Run) -> dict[str, NodeState]:
    """How every node stands that the run has come to, by its path; three queries however long the lists are."""
    single = session.scalars(select(Step).where(Step.run_id == run.id, Step.turn == "")).all()
    found = {step.path: _of_step(session, step) for step in single}
    return found | _in_turns(session, run)


def turns_of(session: Session, run: Run, path: str, *, most: int = 50) -> list[TurnTold]:
    """The chunks of a list that have begun, the newest first; those of the lists inside it count with it."""
    inside = (Step.run_id == run.id, Step.path.startswith(f"{path}.{DO}."), Step.turn != "")
    last = select(Step.turn).where(*inside).group_by(Step.turn).order_by(func.min(Step.id).desc()).limit(most)
    shown = session.scalars(last).all()
    query = select(Step.turn, Step.state, func.count(), func.min(Step.started_at), func.max(Step.ended_at))
    found: dict[str, list[Any]] = {}
    for turn, *facts in session.execute(
        query.where(*inside, Step.turn.in_(shown)).group_by(Step.turn, Step.state)
    ):
        found.setdefault(turn, []).append(facts)
    newest = sorted(found, key=lambda turn: [int(part) for part in turn.split(".")], reverse=True)
    return [_turn(turn, found[turn]) for turn in newest]


def failed_items(
    session: Session, step_ids: Sequence[int], *, after: int = 0, most: int = 50
) -> list[StepItem]:
    """Items of steps that failed, in the order of their rows; `after`: the last one seen."""
    query = select(StepItem).where(StepItem.step_id.in_(step_ids), StepItem.state == "failed")
    return list(session.scalars(query.where(StepItem.id > after).order_by(StepItem.id).limit(most)))


def _turn(turn: str, rows: Sequence[Any]) -> TurnTold:
    started = [row[2] for row in rows if row[2] is not None]
    ended = [row[3] for row in rows if row[3] is not None]
    return TurnTold(
        turn, {row[0]: row[1] for row in rows}, min(started, default=None), max(ended, default=None)
    )


def _of_step(session: Session, step: Step) -> NodeState:
    at_work = step.kind in ("each", "step") and step.items_total > 0 and step.started_at is not None
    return NodeState(
        state=step.state,
        attempt=step.attempt,
        started_at=step.started_at,
        ended_at=step.ended_at,
        items_total=step.items_total,
        items_done=step.items_done,
        result=step.result or {},
        errors=(step.error,) if step.error else (),
        step=step,
        progress=progress(session, step) if at_work and step.ended_at is None else None,
    )


def _in_turns(session: Session, run: Run) -> dict[str, NodeState]:
    query = select(
        Step.path,
        Step.state,
        func.count(),
        func.max(Step.attempt),
        func.min(Step.started_at),
        func.max(Step.ended_at),
        func.sum(Step.items_total),
        func.sum(Step.items_done),
    )
    inside = (Step.run_id == run.id, Step.turn != "")
    rows: dict[str, list[Any]] = {}
    for path, *facts in session.execute(query.where(*inside).group_by(Step.path, Step.state)):
        rows.setdefault(path, []).append(facts)
    if not rows:
        return {}
    wrong = select(Step.path, Step.error).where(*inside, Step.error != "").group_by(Step.path, Step.error)
    errors: dict[str, list[str]] = {}
    for path, error in session.execute(wrong.order_by(func.count().desc()).limit(REASONS * len(rows))):
        errors.setdefault(path, []).append(error)
    nodes = dict(session.execute(select(Step.path, Step.node).where(*inside).distinct()).tuples().all())
    return {
        path: _joined(found, run.facts.get(nodes[path], {}), errors.get(path, ())[:REASONS])
        for path, found in rows.items()
    }


def _joined(rows: Sequence[Any], result: Mapping[str, Any], errors: Sequence[str]) -> NodeState:
    states = {row[0]: int(row[1]) for row in rows}
    state = next((one for one in WORST_FIRST if one in states), next(iter(states)))
    ended = [row[4] for row in rows if row[4] is not None]
    return NodeState(
        state=state,
        attempt=max(row[2] for row in rows),
        started_at=min((row[3] for row in rows if row[3] is not None), default=None),
        ended_at=max(ended, default=None)
        if not {"leased", "ready", "waiting", "failed"} & set(states)
        else None,
        items_total=sum(int(row[5] or 0) for row in rows),
        items_done=sum(int(row[6] or 0) for row in rows),
        result=result,
        errors=tuple(errors),
        turns=states,
    )
