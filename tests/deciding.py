"""Person nodes for tests: what they ask, the open task of a run, who sees it, what was done with it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Run, Staff, Task
from services import task_lists, tasks

CHOICES = [{"code": "agree", "label": "同意"}, {"code": "return", "label": "退回"}]
ASKED = {"title": "审核", "role": "team_leader", "choices": CHOICES}


def person(node: str, **more: Any) -> dict[str, Any]:
    return {"id": node, "person": ASKED | more}


def task_of(session: Session, run: Run) -> Task:
    return session.scalars(select(Task).where(Task.run_id == run.id, Task.state == "open")).one()


def sees(session: Session, staff: Staff) -> list[int]:
    return [task.id for task in task_lists.waiting_for(session, staff)]


def acts(session: Session, task: Task) -> list[str]:
    return [act.act for act in tasks.acts_of(session, task)]
