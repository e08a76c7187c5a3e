"""What the demo works with: who acts, what day it is, and waiting for the workers to get on."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Run, Staff, Step, Task, clock
from seed.bureau import Bureau
from seed.files import Line, lines
from services import Refused
from services.people import scope_of
from workflows.sessions import reading, writing
from workflows.tasks import decide_task

PATIENCE = 900.0
TICK = 0.1
STUCK = ("failed", "parked", "partly_failed", "cancelled")

Found = TypeVar("Found")


@dataclass
class Stage:
    """One demo: the generated bureau, how many customers from which seed, the output folder, the first day."""

    bureau: Bureau
    customers: int
    seed: int
    out: Path
    first_day: date
    say: Callable[[str], None]
    is_alive: Callable[[], bool] = lambda: True
    lines: dict[str, Line] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)
    letters: int = 0
    pages: int = 0

    def move_to(self, day: date, hour: float = 9) -> None:
        """Let the business clock show an hour of a day."""
        moment = clock.start_of_day(day) + timedelta(hours=hour)
        with writing() as session:
            clock.move_to(session, moment)

    def login(self, unit: str, role: str, number: int = 0) -> str:
        """Who holds a role in a unit of the bureau."""
        return self.bureau.one(unit, role, number).login

    def wait_for(self, look: Callable[[Session], Found | None], what: str) -> Found:
        """Look until there is something; where nothing gets on any more, it ends the demo with a message."""
        until, last = 0.0, -1
        while self.is_alive():
            with reading() as session:
                if (found := look(session)) is not None:
                    return found
                if time.monotonic() > until:
                    done = _items_done(session)
                    if done == last:
                        break
                    last, until = done, time.monotonic() + PATIENCE
            time.sleep(TICK)
        raise Refused(f"演示中断：等不到{what}。请查看流程页或日志，再运行一次 demo。")

    def wait_for_run(self, run_id: int, *states: str) -> str:
        """Wait until a run is in one of these states; one that failed ends the demo."""
        return self.wait_for(
            lambda session: _state(session, run_id, states), f"流程 {run_id} 到 {'/'.join(states)}"
        )

    def wait_for_task(self, run_id: int, node: str) -> int:
        """Wait until a node of a run has opened its task; returns the task."""
        return self.wait_for(lambda session: _task(session, run_id, node), f"流程 {run_id} 的待办 {node}")

    def facts(self, run_id: int) -> Mapping[str, Any]:
        """What a run has made known to all its nodes."""
        with reading() as session:
            return dict(session.get_one(Run, run_id).facts["run"])

    def made(self) -> Iterator[Line]:
        """The lines of the customer file, the same each time: it was exported on the day before the first."""
        today = self.first_day - timedelta(days=1)
        return lines(self.bureau, count=self.customers, seed=self.seed, today=today)

    def recall(self, accounts: Collection[str]) -> None:
        """Learn what these customers know themselves; only of those who are asked is it kept in memory."""
        wanted = set(accounts) - set(self.lines)
        for line in self.made() if wanted else ():
            if line.written["户号"] in wanted:
                self.lines.setdefault(line.written["户号"], line)

    def wait_for_node(self, run_id: int, node: str, state: str = "waiting") -> None:
        """Wait until a node of a run is in a state."""
        self.wait_for(lambda session: _at_node(session, run_id, node, state), f"流程 {run_id} 的节点 {node}")

    def decide(self, run_id: int, node: str, choice: str, login: str) -> None:
        """Decide the task that a node of a run has opened, as a person of the bureau."""
        task_id = self.wait_for_task(run_id, node)
        with acting_as(login) as (session, staff):
            decide_task(session, session.get_one(Task, task_id), staff, choice)


@contextmanager
def acting_as(login: str) -> Iterator[tuple[Session, Staff]]:
    """A transaction in a person's name and scope, as a desk's request would be."""
    with reading() as session:
        staff = session.scalars(select(Staff).where(Staff.username == login)).one()
        scope, staff_id = scope_of(session, staff), staff.id
    with writing(scope, actor_id=staff_id) as session:
        yield session, session.get_one(Staff, staff_id)


def _items_done(session: Session) -> int:
    """What all steps have done so far; grows as long as anything gets on."""
    counted = func.count() + func.coalesce(func.sum(Step.items_done), 0)
    return session.scalars(select(counted).select_from(Step)).one()


def _state(session: Session, run_id: int, states: tuple[str, ...]) -> str | None:
    run = session.get_one(Run, run_id)
    if run.state in STUCK and run.state not in states:
        raise Refused(f"演示中断：流程「{run.title}」没有走完（{run.state}）：{run.message}")
    return run.state if run.state in states else None


def _at_node(session: Session, run_id: int, node: str, state: str) -> bool | None:
    _state(session, run_id, ())
    query = select(Step.id).where(Step.run_id == run_id, Step.node == node, Step.state == state)
    return True if session.scalar(query) is not None else None


def _task(session: Session, run_id: int, node: str) -> int | None:
    _state(session, run_id, ())
    query = select(Task.id).join(Step, Step.id == Task.step_id)
    return session.scalar(query.where(Step.run_id == run_id, Step.node == node, Task.state == "open"))
