"""Person nodes: what a person decided, or that nobody did in time, wakes the step that waits for it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from models import Run, Staff, Step, Task
from models.clock import now
from models.scope import ALL, working_as
from services import tasks
from workflows.transitions import wake
from workflows.walk import node_at


def decide_task(session: Session, task: Task, staff: Staff, choice: str, *, note: str = "") -> None:
    """Decide a task once, by whoever may; of a person node, its run goes on with the choice."""
    tasks.decide(session, task, staff, choice, note=note)
    if task.step_id is None:
        return
    with working_as(session, ALL):
        step = session.get_one(Step, task.step_id)
        wake(session, step, {"choice": choice, "by": staff.id, "note": task.note, "timed_out": False})


def time_out_tasks(session: Session) -> Iterator[int]:
    """Let runs go on whose person node says what then when its time is over; yields each task, the caller commits."""
    for task in tasks.overdue(session, now(session)):
        step = session.get_one(Step, task.step_id)
        run = session.get_one(Run, step.run_id)
        choice = node_at(run.tree, step.path)["person"].get("on_timeout")
        if choice is None:
            continue
        tasks.time_out(session, task.id)
        wake(session, step, {"choice": choice, "by": None, "note": "", "timed_out": True})
        yield task.id
