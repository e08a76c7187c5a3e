"""Event subscriptions (事件触发): which workflow starts when something happens; made, changed, stopped, followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select

from models import EventSubscription, Run, Workflow, db
from screens.access import READING, needs
from screens.base import Page
from screens.messages import done, said
from screens.option_lists import OfferedLists
from screens.pickers import unit_choices
from screens.start_forms import answers, as_number, asked_of, filled, heads_of, startable
from services import Refused, events
from services.events import EVENTS, Written
from services.options import Question
from workflows import events as started

EDIT = "schedules.edit"


class EventSubscriptions(Page):
    """All subscriptions; one with what it started; its form."""

    permission = "schedules.view"
    label, group = _l("事件触发"), "workflows"

    @expose("/")
    def index(self) -> str:
        """The list: what happens, where, and what starts then."""
        names = dict(db.session.execute(select(Workflow.key, Workflow.name)).tuples().all())
        facts = {"rows": events.listed(db.session()), "counts": events.counts(db.session())}
        return self.render("screens/event_subscriptions.html", names=names, kinds=EVENTS, **facts)

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """One subscription and what it came to."""
        row = _one(key)
        starts = events.starts(db.session(), row.id)
        run_ids = [start.run_id for start, _event in starts if start.run_id is not None]
        facts = {
            "runs": {run.id: run for run in db.session.scalars(select(Run).where(Run.id.in_(run_ids)))},
            "workflow": db.session.scalar(select(Workflow).where(Workflow.key == row.workflow_key)),
            "reason": _reasons().get(row.event, {}).get(row.condition.get("value", ""), ""),
        }
        return self.render("screens/event_subscription.html", row=row, starts=starts, kinds=EVENTS, **facts)

    @expose("/new", methods=("GET", "POST"))
    @needs(EDIT)
    def new(self) -> Any:
        """A new subscription: first what happens and which workflow, then the rest."""
        event, workflow = (request.values.get(name, "") for name in ("event", "workflow"))
        if event not in EVENTS or not workflow:
            return self.render("screens/event_subscription_new.html", choices=startable(), kinds=EVENTS)
        return self._form(None, event, workflow)

    @expose("/<int:key>/edit", methods=("GET", "POST"))
    @needs(EDIT)
    def edit(self, key: int) -> Any:
        """Change a subscription; from then on it starts in the name of whoever changed it."""
        row = _one(key)
        return self._form(row, row.event, row.workflow_key)

    @expose("/<int:key>/switch", methods=("POST",))
    @needs(EDIT)
    def switch(self, key: int) -> Any:
        """Stop it, or let it go on."""
        is_on = request.form.get("enabled") == "1"
        events.switch(db.session(), _one(key), enabled=is_on)
        done(_("事件触发已恢复。") if is_on else _("事件触发已停止。"))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/delete", methods=("POST",))
    @needs(EDIT)
    def delete(self, key: int) -> Any:
        """Forget it; the runs that it started stay."""
        events.remove(db.session(), _one(key))
        done(_("事件触发已删除，它发起过的流程实例还在。"))
        return redirect(self.get_url(".index"), 303)

    def _form(self, row: EventSubscription | None, event: str, workflow_key: str) -> Any:
        if request.method in READING:
            return self._filled(row, event, workflow_key, row.options if row else {})
        given: dict[str, Any] = {}
        try:
            given = answers(asked_of(workflow_key)[1], request.form)
            kept = started.save(db.session(), _written(event, workflow_key, given), current_user, row)
            db.session.flush()
        except Refused as refusal:
            mistake = said(refusal)
            db.session.rollback()
            return self._filled(row, event, workflow_key, given, mistake), 422
        done(_("事件触发已保存。"))
        return redirect(self.get_url(".show", key=kept.id), 303)

    def _filled(
        self,
        row: EventSubscription | None,
        event: str,
        workflow_key: str,
        given: Mapping[str, Any],
        mistake: str = "",
    ) -> str:
        workflow, asked = asked_of(workflow_key)
        asked = [_as_text(question, EVENTS[event].facts) for question in asked]
        facts = {"workflow": workflow, "asked": asked, "filled": filled(asked, given), "mistake": mistake}
        facts["heads"] = heads_of(workflow)
        reasons = _reasons().get(event, {})
        return self.render(
            "screens/event_subscription_form.html",
            row=row, event=event, kind=EVENTS[event], units=unit_choices(), reasons=reasons, form=request.form, **facts,
        )  # fmt: skip


def _as_text(question: Question, facts: Mapping[str, str]) -> Question:
    """A question that also takes a fact of the event in braces; where nothing is said and one fits, it stands there."""
    fact = f"{question.name.rpartition('.')[2]}_id"
    default = f"{{{fact}}}" if question.default is None and fact in facts else question.default
    kind = "text" if question.kind in ("number", "date") else question.kind
    return replace(question, kind=kind, default=default)


def _written(event: str, workflow_key: str, given: Mapping[str, Any]) -> Written:
    return Written(
        name=request.form.get("name", ""),
        event=event,
        workflow_key=workflow_key,
        options=given,
        unit_id=_unit(),
        reason=request.form.get("reason", ""),
    )


def _unit() -> int:
    unit_id = as_number(request.form.get("unit"), _("单位"))
    if unit_id not in {key for key, _name in unit_choices()}:
        raise Refused(_("只能选本单位范围内的单位。"))
    return unit_id


def _reasons() -> dict[str, Mapping[str, str]]:
    """The reasons that an event may be narrowed by, by event."""
    lists = OfferedLists()
    names = {"undelivered": "undelivered_reasons", "proposal_refused": "proposal_reasons"}
    return {name: lists(names[kind.reasons]) for name, kind in EVENTS.items() if kind.reasons}


def _one(key: int) -> EventSubscription:
    row = events.find(db.session(), key) if key < 2**63 else None
    return row if row is not None else abort(404)
