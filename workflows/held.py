"""A step in the hands of one worker: what the run knows, whose scope it works with, and how its facts are found."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Run, Staff, Step, Unit
from models.scope import ALL, Scope
from models.words import N_
from services import Refused, people
from workflows.claims import hold, locked
from workflows.facts import FACTS
from workflows.sessions import reading
from workflows.steps import Facts
from workflows.times import Times
from workflows.turns import facts_in_turn
from workflows.walk import Node, Tree, node_at


class Parked(Exception):
    """A run that cannot go on until somebody mends what the message says."""


@dataclass(frozen=True)
class Held:
    """A claimed step with all that is needed to work on it, by value.

    `queue`: the one its worker was rung from; `until`: how long that worker carries the run on (monotonic seconds).
    """

    step_id: int
    token: str
    limits: Times
    run_id: int
    path: str
    turn: str
    tree: Tree
    planned: bool
    items_total: int
    items_done: int
    result: Mapping[str, Any]
    due_at: datetime | None
    run_facts: Facts
    scope: Scope
    owner_id: int
    queue: str
    until: float

    @property
    def node(self) -> Node:
        """Its node in the run's own copy of the tree."""
        return node_at(self.tree, self.path)

    @property
    def facts(self) -> Facts:
        """What earlier nodes made, and under its own id what it has merged so far."""
        return {**self.run_facts, self.node["id"]: self.result}

    @property
    def standing(self) -> list[int]:
        """The items of its list for which it is done now; none outside an each."""
        return [one["item"] for one in self.run_facts["each"]["items"]] if self.turn else []

    def with_result(self, result: Mapping[str, Any], **more: Any) -> Held:
        """The same step with what a chunk has added."""
        return replace(self, result=result, **more)

    def followed_by(self, run: Run, step: Step, token: str) -> Held:
        """The next step of the run in the hands of the same worker, with what the run knows by now."""
        return replace(self, **_own(run, step, token))

    def item_of(self) -> Callable[[dict[str, Any]], int | None]:
        """Takes from what a step plans inside an each the item of the list that it is for; of everything else none."""
        if not self.turn or "step" not in self.node:
            return lambda payload: None
        standing = self.run_facts["each"]["items"]
        only = standing[0]["item"] if len(standing) == 1 else None
        key = self.node["step"]

        def take(payload: dict[str, Any]) -> int:
            item = payload.pop("item", only)
            if not isinstance(item, int):
                raise TypeError(f"step {key} plans without saying for which item of the list")
            return item

        return take


def hold_run(session: Session, held: Held, **values: Any) -> Run:
    """Begin a write of the holder that may move the run: the run's row first, then the step; ClaimLost as `hold`."""
    run = locked(session, held.run_id)
    hold(session, held.step_id, held.token, held.limits, **values)
    return run


def take_up(session: Session, step: Step, token: str, limits: Times) -> Held:
    """Read what a worker needs of a step that it has just claimed; Parked when its owner is gone."""
    run = step.run
    return Held(
        limits=limits,
        run_id=run.id,
        tree=run.tree,
        scope=scope_for(session, run),
        owner_id=run.owner_id or 0,
        queue=step.queue,
        until=time.monotonic() + limits.carry,
        **_own(run, step, token),
    )


def _own(run: Run, step: Step, token: str) -> dict[str, Any]:
    return {
        "step_id": step.id,
        "token": token,
        "path": step.path,
        "turn": step.turn,
        "planned": step.planned,
        "items_total": step.items_total,
        "items_done": step.items_done,
        "result": step.result,
        "due_at": step.due_at,
        "run_facts": json.loads(json.dumps(run.facts)),  # as the next reader of the row would find them
    }


def in_turn(held: Held) -> Held:
    """The same step with the items of its list for which it is to be done; outside an each as it is."""
    if not held.turn:
        return held
    with reading() as session:
        run = session.get_one(Run, held.run_id)
        return replace(held, run_facts=facts_in_turn(session, run, held.path, held.turn))


def scope_for(session: Session, run: Run) -> Scope:
    """The scope a run works with: its owner's, and never more than the unit it was started in."""
    owner = session.get(Staff, run.owner_id) if run.owner_id is not None else None
    if owner is None or not owner.active:
        raise Parked(N_("流程实例的负责人已停用或不存在。请在流程页指定新的负责人，再点“重试”。"))
    scope = people.scope_of(session, owner)
    unit = session.execute(select(Unit.path, Unit.parent_id).where(Unit.id == run.unit_id)).one()
    if unit.parent_id is None or not unit.path.startswith(scope.path):
        return scope
    return Scope(path=unit.path, staff_id=scope.staff_id, own=scope != ALL and scope.own)


def find_field(session: Session, facts: Facts, field: str) -> Any:
    """The value of a condition's field: a result by `node.name`, or a live fact by its name."""
    node_id, dot, name = field.partition(".")
    if dot:
        return facts.get(node_id, {}).get(name)
    if field not in FACTS:
        raise Refused(
            "条件里的「%(field)s」在这个版本的程序里没有。请在流程定义中改正，或升级程序后重试。",
            field=field,
        )
    return FACTS[field].find(session, facts)
