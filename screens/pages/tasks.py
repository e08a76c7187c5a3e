"""Tasks (待办): what waits for the asking person, what that person has done, and the form that decides one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session

from models import Staff, Task, db
from models.clock import now
from screens import looks
from screens.access import needs
from screens.base import Page
from screens.cards import Card, Line
from screens.languages import told
from screens.messages import done
from screens.workflow_words import earlier_results
from services import tasks
from workflows.tasks import decide_task

SOON_HOURS = 24


class Tasks(Page):
    """One's own tasks; the page of one with its decision."""

    permission = "tasks.view"
    label, group = _l("待办"), "work"

    @expose("/")
    def index(self) -> str:
        """What waits, the most urgent first; or what was done, the newest first."""
        is_done = request.args.get("done") == "1"
        find = tasks.decided_by if is_done else tasks.waiting_for
        rows = find(db.session(), current_user)
        return self.render("screens/tasks.html", rows=rows, is_done=is_done, **_shared())

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """One task: what it is about, what led to it, and the decision."""
        task = _one(key)
        led = earlier_results(task.run) if task.run is not None else []
        return self.render("screens/task.html", task=task, led=led, **_shared())

    @expose("/<int:key>/decide", methods=("POST",))
    @needs("tasks.edit")
    def decide(self, key: int) -> Any:
        """Decide a task; its run goes on at once."""
        task = _one(key)
        decide_task(
            db.session(),
            task,
            current_user,
            request.form.get("choice", ""),
            note=request.form.get("note", "")[:2000],
        )
        done(_("已办理。"))
        return redirect(self.get_url(".index"), 303)


def waiting_card(session: Session, staff: Staff) -> Card | None:
    """The home card: how many tasks wait, the most urgent ones by name."""
    rows = tasks.waiting_for(session, staff)
    if not rows:
        return None
    moment = now(session)
    late = sum(urgency(task, moment) == "bad" for task in rows)
    lines = [
        Line(told(task.title), f"{looks.screen_url('tasks')}{task.id}", looks.day(task.due_at)) for task in rows[:5]
    ]
    note = _("其中 %(late)s 项已经逾期", late=late) if late else ""
    return Card(_l("待办"), len(rows), looks.screen_url("tasks"), "alarm" if late else "care", note, lines)


def urgency(task: Task, moment: datetime) -> str:
    """The tone of a due date: bad when it has passed, warn on its last day."""
    if task.due_at is None or task.state != "open":
        return "mute"
    left = (task.due_at - moment).total_seconds() / 3600
    return "bad" if left < 0 else "warn" if left < SOON_HOURS else "mute"


def decided(task: Task) -> str:
    """The words of a decision."""
    labels = {choice["code"]: choice["label"] for choice in task.choices}
    return _(labels[task.decision]) if task.decision in labels else task.decision


def _shared() -> dict[str, Any]:
    return {"now": now(db.session()), "urgency": urgency, "decided": decided}


def _one(key: int) -> Task:
    task = tasks.find(db.session(), current_user, key) if key < 2**63 else None
    return task if task is not None else abort(404)
