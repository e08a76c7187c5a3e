"""Who did what with a run: its tasks with each act on them, and what was done with the run itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models import Run, Task, TaskAct, Trace, db
from screens import looks
from screens.languages import told as said
from screens.node_words import title_of
from screens.trace_words import action_word
from services import task_lists
from workflows.walk import by_id

SHOWN = 100


@dataclass(frozen=True)
class Done:
    """Something that somebody did with a run, or has to do (`who` then says that nobody did yet)."""

    at: datetime
    who: str
    what: str
    note: str = ""
    url: str = ""


def history_of(run: Run) -> list[Done]:
    """All of it, the newest first."""
    rows = [*_of_tasks(run), *_of_run(run)]
    return sorted(rows, key=lambda row: row.at, reverse=True)[:SHOWN]


def _of_tasks(run: Run) -> Iterator[Done]:
    query = select(Task).options(joinedload(Task.done_by), joinedload(Task.staff))
    query = query.where(Task.run_id == run.id, Task.kind == "workflow").order_by(Task.id.desc())
    tasks = {task.id: task for task in db.session.scalars(query.limit(SHOWN))}
    people = (joinedload(TaskAct.staff), joinedload(TaskAct.principal), joinedload(TaskAct.to))
    acts = select(TaskAct).options(*people).where(TaskAct.task_id.in_(tasks)).order_by(TaskAct.id.desc())
    links = _links(tasks)
    decided = set()
    for act in db.session.scalars(acts.limit(SHOWN)):
        if act.act == "decided":
            decided.add(act.task_id)
        yield _act(tasks[act.task_id], act, links.get(act.task_id, ""))
    for task in tasks.values():
        if task.state == "open":
            who = task.staff.name if task.staff else _("还没有人办理")
            yield Done(
                task.created_at, who, _("待办：%(title)s", title=said(task.title)), "", links.get(task.id, "")
            )
        elif task.id not in decided and task.done_at is not None and task.decision:
            who = task.done_by.name if task.done_by else _("系统")
            what = _title(task, _choice(task, task.decision))
            yield Done(task.done_at, who, what, task.note, links.get(task.id, ""))


def _act(task: Task, act: TaskAct, link: str) -> Done:
    who = act.staff.name if act.staff else _("系统")
    if act.principal is not None:
        who = _("%(person)s（代%(principal)s）", person=who, principal=act.principal.name)
    what = _choice(task, act.choice) if act.choice else looks.word(act.act, "TASK_ACTS")
    if act.to is not None:
        what = f"{what} → {act.to.name}"
    return Done(act.at, who, _title(task, what), act.note, link)


def _of_run(run: Run) -> Iterator[Done]:
    query = select(Trace).options(joinedload(Trace.actor))
    query = query.where(Trace.object == "runs", Trace.object_id == run.id).order_by(Trace.id.desc())
    for trace in db.session.scalars(query.limit(SHOWN)):
        node = by_id(run.tree, str(trace.details.get("node", "")))
        word = str(action_word(trace.action))
        what = _("%(title)s：%(choice)s", title=word, choice=title_of(node)) if node is not None else word
        who = trace.actor.name if trace.actor else _("系统")
        yield Done(trace.at, who, what, str(trace.details.get("reason", "")))


def _title(task: Task, what: str) -> str:
    return _("%(title)s：%(choice)s", title=said(task.title), choice=what)


def _choice(task: Task, code: str) -> str:
    labels = {choice["code"]: choice["label"] for choice in task.choices}
    return said(labels.get(code, "")) or code


def _links(task_ids: Collection[int]) -> dict[int, str]:
    """The addresses of the tasks that the asking person may open."""
    mine = task_lists.readable(db.session(), current_user, task_ids)
    return {key: url_for("tasks.show", key=key) for key in mine}
