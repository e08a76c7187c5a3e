"""Print runs and the run that waits for them: the last stack that goes to the post decides the task."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Campaign, PrintRun, Staff, Task
from workflows.tasks import decide_task

POSTED = "posted"  # the choice of the task that waits for the post


def conclude_posting(session: Session, campaign: Campaign, staff: Staff) -> bool:
    """When the last stack has gone to the post, the run's task that waits for it is decided: `posted`."""
    left = select(PrintRun.id).where(PrintRun.campaign_id == campaign.id, PrintRun.posted_at.is_(None))
    if campaign.run_id is None or session.scalar(left.where(PrintRun.state != "spoiled").limit(1)) is not None:
        return False
    waiting = select(Task).where(Task.run_id == campaign.run_id, Task.state == "open", Task.step_id.is_not(None))
    for task in session.scalars(waiting).all():
        if POSTED in [choice["code"] for choice in task.choices]:
            decide_task(session, task, staff, POSTED)
            return True
    return False
