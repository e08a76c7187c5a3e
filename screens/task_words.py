"""Tasks in words: how urgent they are, what was decided, who has them in hand, who did what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from models import Task, TaskAct
from models.task_words import TASK_ACTS
from screens import looks
from screens.languages import told

SOON_HOURS = 24


@dataclass(frozen=True)
class Did:
    """One line of a task's history."""

    at: datetime
    who: str
    act: str
    choice: str
    to: str
    note: str


def urgency(task: Task, moment: datetime) -> str:
    """The tone of a due date: bad when it has passed, warn on its last day."""
    if task.due_at is None or task.state != "open":
        return "mute"
    left = (task.due_at - moment).total_seconds() / 3600
    return "bad" if left < 0 else "warn" if left < SOON_HOURS else "mute"


def due_words(task: Task, moment: datetime) -> Any:
    """When a task is due, whether that has passed, and how often it was reminded of."""
    parts: list[Any] = [looks.moment(task.due_at)] if task.due_at else []
    tone = urgency(task, moment)
    if tone in ("bad", "warn"):
        parts.append(looks.badge_text(tone, _("已逾期") if tone == "bad" else _("即将到期")))
    if task.staff is not None and not task.staff.active and task.state == "open":
        parts.append(looks.badge_text("bad", _("办理人已停用，请改派")))
    if task.reminders:
        parts.append(looks.badge_text("warn", _("已提醒 %(number)s 次", number=task.reminders)))
    return looks.joined(*parts) if parts else ""


def decided(task: Task, code: str | None = None) -> str:
    """The words of a decision."""
    labels = {choice["code"]: choice["label"] for choice in task.choices}
    code = task.decision if code is None else code
    return _(labels[code]) if code in labels else code


def in_hand(task: Task) -> str:
    """Who has an open task now: a person, or everybody it was made for."""
    if task.state != "open":
        return ""
    if task.staff is not None:
        return (
            task.staff.name
            if task.staff.active
            else _("%(name)s（账号已停用，等人改派）", name=task.staff.name)
        )
    return _("会签中") if task.rule != "any" else _("等人认领")


def source_of(task: Task) -> str:
    """Where a task comes from: its run, or the counter."""
    if task.run is not None:
        return told(task.run.title)
    return _("柜台") if task.customer_id else ""


def done_with(task: Task, act: TaskAct) -> Did:
    """One act as a line of the history."""
    who = act.staff.name if act.staff else _("系统")
    if act.principal is not None:
        who = _("%(who)s 代 %(principal)s", who=who, principal=act.principal.name)
    words = _(TASK_ACTS.get(act.act, act.act))
    return Did(act.at, who, words, decided(task, act.choice), act.to.name if act.to else "", act.note)
