"""Tasks (待办): one inbox of what waits, what was done and what was started; the page of one task with its forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models import Run, Staff, Task, db
from models.clock import now
from models.scope import ALL, working_as
from screens import looks
from screens.access import needs
from screens.cards import Card, Line
from screens.filters import Filter
from screens.languages import told
from screens.list_rows import show
from screens.listings import Action, Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done, refuse, said
from screens.result_words import earlier_results
from screens.run_words import made_by, workflow_choices
from screens.task_words import decided, done_with, due_words, in_hand, source_of, urgency
from services import Refused, task_acts, task_fields, task_holders, task_lists, tasks
from services.tasks import Decision
from workflows.tasks import BATCH, answer_task, answer_tasks, are_alike, earlier_persons, send_back, withdraw

BOXES = {"waiting": _l("待我办理"), "done": _l("我已办"), "started": _l("我发起的")}
FIND: dict[str, Callable[[Session, Staff], Select[tuple[Task]]]] = {
    "waiting": task_lists.waiting,
    "done": task_lists.done,
    "started": task_lists.started,
}


def _due(query: Any, value: str) -> Any:
    """Tasks that are overdue, due within a day or a week, or due at no time."""
    if value == "none":
        return query.where(Task.due_at.is_(None))
    moment = now(db.session())
    until = {"late": moment, "day": moment + timedelta(days=1), "week": moment + timedelta(days=7)}[value]
    return query.where(Task.due_at <= until)


FILTERS = (
    Filter("box", "", tuple(BOXES.items()), lambda query, _value: query, is_tab=True),
    Filter(
        "workflow",
        _l("流程"),
        workflow_choices,
        lambda query, value: query.where(Task.run_id.in_(select(Run.id).where(Run.workflow_key == value))),
    ),
    Filter(
        "due",
        _l("期限"),
        (
            ("late", _l("已逾期")),
            ("day", _l("一天内到期")),
            ("week", _l("七天内到期")),
            ("none", _l("没有期限")),
        ),
        _due,
    ),
)
WHAT = (
    Column(_l("事项"), lambda task, _extra: told(task.title)),
    Column(_l("来自"), lambda task, _extra: source_of(task)),
    Column(_l("单位"), lambda task, _extra: task.unit.name, css="nowrap"),
)
WAITING = Listing(
    id=Task.id,
    columns=(
        *WHAT,
        Column(_l("产生时间"), lambda task, _extra: looks.moment(task.created_at), sort="new", css="nowrap"),
        Column(_l("期限"), lambda task, extra: due_words(task, extra), sort="due"),
    ),
    sorts={
        "due": Sort(_l("最急的在前"), (task_lists.DUE,)),
        "new": Sort(_l("最近的在前"), (Task.id,), descending=True),
    },
    filters=FILTERS,
    actions=(Action("together", _l("一起办理"), "tasks.edit"),),
    load=lambda session, rows: dict.fromkeys((row.id for row in rows), now(session)),
    link=lambda task: f"{looks.screen_url('tasks')}{task.id}",
    empty=_l("没有待办，都办完了。"),
)
OTHERS = replace(
    WAITING,
    columns=(
        *WHAT,
        Column(_l("状态"), lambda task, _extra: looks.badge(task.state, "TASK_STATES")),
        Column(_l("意见"), lambda task, _extra: decided(task)),
        Column(_l("现在在谁手里"), lambda task, _extra: in_hand(task)),
        Column(_l("办结时间"), lambda task, _extra: looks.moment(task.done_at), sort="recent", css="nowrap"),
    ),
    sorts={"recent": Sort(_l("最近的在前"), (task_lists.ENDED,), descending=True)},
    actions=(),
    empty=_l("还没有。流程走到人工处理时，这里会出现待办。"),
)


class Tasks(ListPage):
    """One's own tasks; the page of one with its decision and all else that may be done with it."""

    permission = "tasks.view"
    label, group = _l("待办"), "work"
    lead = _l("轮到您办理的事。逾期的和最急的排在前面；同一环节的可以勾选几项一起办理。")
    listing = WAITING
    template = "screens/tasks.html"

    def query(self) -> Select[Any]:
        """The tasks of the chosen box."""
        return FIND[_box()](db.session(), current_user)

    def shown(self) -> dict[str, Any]:
        session = db.session()
        boxes = [
            (key, label, task_lists.capped(session, FIND[key](session, current_user)))
            for key, label in BOXES.items()
        ]
        listing = WAITING if _box() == "waiting" else OTHERS
        with working_as(session, ALL):  # what was handed over or delegated may lie in another unit
            page = show(session, listing, self.query(), self.endpoint)
        return {"page": page, "boxes": boxes, "box": _box(), "most": task_lists.MOST}

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """One task: what it is about, what led to it, the decision, and who did what."""
        return self._page(_one(key), {})

    @expose("/<int:key>/decide", methods=("POST",))
    @needs("tasks.edit")
    def decide(self, key: int) -> Any:
        """Decide a task; its run goes on at once. With a mistake in it, the form comes back as it was filled in."""
        task = _one(key)
        try:
            answer_task(db.session(), task, current_user, _decision())
        except Refused as refusal:
            db.session.rollback()
            refuse(said(refusal))
            return self._page(_one(key), request.form), 422
        done(_("已办理。"))
        return redirect(self.get_url(".index"), 303)

    @expose("/<int:key>/act", methods=("POST",))
    @needs("tasks.edit")
    def act(self, key: int) -> Any:
        """Claim, give back, hand over, ask another to sign, send back, or withdraw."""
        task, note = _one(key), request.form.get("note", "")
        to_id = request.form.get("to", 0, type=int)
        act = ACTS.get(request.form.get("act", ""))
        if act is None:
            raise Refused(_("请先选择要怎样办理。"))
        act(db.session(), task, current_user, to_id, note)
        done(_("已办理，并记入办理记录。"))
        stays = task_lists.find(db.session(), current_user, key) is not None
        return redirect(self.get_url(".show", key=key) if stays else self.get_url(".index"), 303)

    @expose("/together", methods=("POST",))
    @needs("tasks.edit")
    def together(self) -> Any:
        """Tasks of one node, to be decided alike; `choice` decides them."""
        session = db.session()
        keys = request.form.getlist("rowid", type=int)[: BATCH + 1]
        chosen = [task for key in keys if (task := task_lists.find(session, current_user, key)) is not None]
        if not chosen or not are_alike(session, chosen) or any(task.fields for task in chosen):
            raise Refused(
                _(
                    "所选的待办不能一起办理：要是同一个流程的同一个环节，并且没有要填写的项目。请按流程筛选后再选。"
                )
            )
        if "choice" not in request.form:
            return self.render("screens/tasks_together.html", chosen=chosen, task=chosen[0])
        left = answer_tasks(session, chosen, current_user, _decision())
        done(_("已办理 %(number)s 项。", number=len(chosen) - len(left)))
        if left:
            lines = [(task, told(reason)) for task, reason in left]
            return self.render("screens/tasks_left.html", left=lines)
        return redirect(self.get_url(".index"), 303)

    def _page(self, task: Task, typed: Any) -> str:
        session = db.session()
        with working_as(session, ALL):
            refusal = _refusal(session, task)
            facts = _hands(session, task, is_open=not refusal and task.state == "open")
            facts |= {
                "history": [done_with(task, act) for act in tasks.acts_of(session, task)],
                "several": tasks.people_of(session, task),
                "can_withdraw": task.starter_id == current_user.id and task.state == "open",
            }
        if task.run is not None:
            facts |= {"led": earlier_results(task.run), "made": made_by(task.run).get("", ())}
        words = {
            "decided": decided,
            "in_hand": in_hand,
            "urgency": urgency,
            "options_of": task_fields.options_of,
        }
        return self.render(
            "screens/task.html", task=task, typed=typed, refusal=refusal, now=now(session), **facts, **words
        )


# act: what it does with (session, task, staff, to_id, note)
ACTS: dict[str, Callable[[Session, Task, Staff, int, str], None]] = {
    "claim": lambda session, task, staff, _to, _note: task_acts.claim(session, task, staff),
    "give_back": lambda session, task, staff, _to, note: task_acts.give_back(session, task, staff, note),
    "hand_over": task_acts.hand_over,
    "ask_before": task_acts.ask_before,
    "ask_after": task_acts.ask_after,
    "send_back": send_back,
    "reassign": task_holders.reassign,
    "withdraw": lambda session, task, staff, _to, note: withdraw(session, task, staff, note),
}


def waiting_card(session: Session, staff: Staff) -> Card | None:
    """The home card: how many tasks wait, the most urgent ones by name."""
    rows = task_lists.waiting_for(session, staff)
    if not rows:
        return None
    moment = now(session)
    late = sum(urgency(task, moment) == "bad" for task in rows)
    lines = [
        Line(told(task.title), f"{looks.screen_url('tasks')}{task.id}", looks.day(task.due_at))
        for task in rows[:5]
    ]
    note = _("其中 %(late)s 项已经逾期", late=late) if late else ""
    return Card(_l("待办"), len(rows), looks.screen_url("tasks"), "alarm" if late else "care", note, lines)


def _decision() -> Decision:
    words = [request.form.get(name, "").strip() for name in ("phrase", "note")]
    return Decision(request.form.get("choice", ""), " ".join(word for word in words if word), request.form)


def _refusal(session: Session, task: Task) -> str:
    """Why the asking person may not decide a task; empty when they may."""
    try:
        tasks.in_whose_name(session, task, current_user)
    except Refused as refusal:
        return said(refusal)
    return ""


def _signs(session: Session, task: Task) -> bool:
    """Whether the asking person has the task only because somebody asked them to sign it."""
    return task_holders.is_signer(session, task, tasks.in_whose_name(session, task, current_user).id)


def _hands(session: Session, task: Task, *, is_open: bool) -> dict[str, Any]:
    """To whom a task may go from here: colleagues, an earlier person, or whoever takes it from one who is gone."""
    may_act = is_open and task.rule == "any"
    return {
        "colleagues": task_acts.colleagues(session, task, current_user) if may_act else [],
        "in_place": _ids(task_acts.in_place_of(session, task, current_user)) if may_act else set(),
        "earlier": earlier_persons(session, task) if is_open and not _signs(session, task) else [],
        "gone": task_holders.gone(session, task),
        "candidates": task_holders.candidates(session, task, current_user),
        "can_claim": may_act and task.staff_id is None,
        "can_give_back": may_act and task.staff_id not in (None, task.addressee_id),
    }


def _ids(rows: Iterable[Staff]) -> set[int]:
    return {row.id for row in rows}


def _box() -> str:
    asked = request.values.get("box", "")
    return asked if asked in BOXES else "waiting"


def _one(key: int) -> Task:
    task = task_lists.find(db.session(), current_user, key) if key < 2**63 else None
    return task if task is not None else abort(404)
