"""Person nodes: what a person decided, or that nobody did in time, wakes the step that waits for it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from models import Staff, Step, Task
from models.clock import now
from models.scope import ALL, working_as
from services import tasks
from workflows.transitions import wake


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
        tasks.time_out(session, task.id)
        choice = {"choice": task.details["on_timeout"], "by": None, "note": "", "timed_out": True}
        wake(session, session.get_one(Step, task.step_id), choice)
        yield task.id
