"""Schedules (定时计划): when workflows start by themselves, the next dates, what was missed; made, changed, stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select

from models import Run, Schedule, Workflow, db
from models.words import MISSED_POLICIES
from screens.access import READING, needs
from screens.base import Page
from screens.messages import done, said
from screens.start_forms import answers, as_number, asked_of, filled, heads_of, startable
from services import Refused, schedule_rules, schedules
from services.options import option_faults, questions_of, split
from services.schedule_rules import When
from services.schedules import Written
from workflows import schedules as started

RULE = "rule:"
EDIT = "schedules.edit"


class Schedules(Page):
    """All schedules, the next to start first; one with its next dates and its last slots; its form."""

    permission = "schedules.view"
    label, group = _l("定时计划"), "workflows"

    @expose("/")
    def index(self) -> str:
        """The list: when next, by what rule, what was missed and caught up."""
        names = dict(db.session.execute(select(Workflow.key, Workflow.name)).tuples().all())
        rows = schedules.listed(db.session())
        return self.render("screens/schedules.html", rows=rows, names=names, sentence=_sentence)

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """One schedule: its rule in words, the next five dates, and what became of the last slots."""
        row = _one(key)
        workflow = db.session.scalar(select(Workflow).where(Workflow.key == row.workflow_key))
        slots = schedules.slots_of(db.session(), row)
        run_ids = [slot.run_id for slot in slots if slot.run_id is not None]
        facts = {
            "runs": {run.id: run for run in db.session.scalars(select(Run).where(Run.id.in_(run_ids)))},
            "next": schedules.next_slots(db.session(), When(**row.rule)) if row.next_at else [],
        }
        return self.render(
            "screens/schedule.html", row=row, workflow=workflow, slots=slots, sentence=_sentence, **facts
        )

    @expose("/new", methods=("GET", "POST"))
    @needs(EDIT)
    def new(self) -> Any:
        """A new schedule: first which workflow, then when and with what."""
        key = request.values.get("workflow", "")
        if not key:
            return self.render("screens/schedule_new.html", choices=startable())
        return self._form(None, key)

    @expose("/<int:key>/edit", methods=("GET", "POST"))
    @needs(EDIT)
    def edit(self, key: int) -> Any:
        """Change a schedule; from then on it starts in the name of whoever changed it."""
        row = _one(key)
        return self._form(row, row.workflow_key)

    @expose("/<int:key>/switch", methods=("POST",))
    @needs(EDIT)
    def switch(self, key: int) -> Any:
        """Stop it, or let it go on from now."""
        is_on = request.form.get("enabled") == "1"
        schedules.switch(db.session(), _one(key), enabled=is_on)
        done(_("定时计划已恢复。") if is_on else _("定时计划已停止。"))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/start", methods=("POST",))
    @needs(EDIT)
    def start(self, key: int) -> Any:
        """Start its workflow now, apart from its slots."""
        run_id = started.start_now(db.session(), _one(key), current_user)
        done(_("流程已发起。"))
        return redirect(self.get_url("runs.show", key=run_id), 303)

    @expose("/<int:key>/delete", methods=("POST",))
    @needs(EDIT)
    def delete(self, key: int) -> Any:
        """Forget it; the runs that it started stay."""
        schedules.remove(db.session(), _one(key))
        done(_("定时计划已删除，它发起过的流程实例还在。"))
        return redirect(self.get_url(".index"), 303)

    def _form(self, row: Schedule | None, workflow_key: str) -> Any:
        workflow, asked = asked_of(workflow_key)
        facts: dict[str, Any] = {"row": row, "workflow": workflow, "asked": asked, "heads": heads_of(workflow)}
        if request.method in READING:
            given = row.options if row else {}
            rule = row.rule if row else {}
            return self._filled(facts, filled(asked, given), rule)
        given = answers(asked, request.form)
        rule = _rule()
        if "preview" in request.form:
            return self._filled(facts, given, rule, preview=True)
        try:
            kept = started.save(db.session(), _written(workflow_key, given, rule), current_user, row)
            db.session.flush()
        except Refused as refusal:
            mistake = said(refusal)
            db.session.rollback()
            return self._again(row, workflow_key, given, rule, mistake)
        done(_("定时计划已保存。"))
        return redirect(self.get_url(".show", key=kept.id), 303)

    def _again(self, row: Schedule | None, key: str, given: Any, rule: Any, mistake: str) -> Any:
        workflow, asked = asked_of(key)
        facts = {"row": row, "workflow": workflow, "asked": asked, "mistake": mistake}
        facts["heads"] = heads_of(workflow)
        return self._filled(facts, given, rule), 422

    def _filled(
        self, facts: Mapping[str, Any], given: Mapping[str, Any], rule: Mapping[str, Any], *, preview: bool = False
    ) -> str:
        faults = option_faults(When, rule) if preview else []
        when = When.model_validate(rule) if preview and not faults else None
        shown = {
            "when": list(questions_of(When, rule, prefix=RULE)),
            "policies": MISSED_POLICIES,
            "next": schedules.next_slots(db.session(), when) if when else [],
            "said": said(schedule_rules.sentence(when)) if when else "",
            "faults": [said(fault.text) for fault in faults],
        }
        return self.render("screens/schedule_form.html", filled=given, rule=rule, form=request.form, **facts, **shown)


def _sentence(row: Schedule) -> str:
    return said(schedule_rules.sentence(When(**row.rule)))


def _rule() -> dict[str, Any]:
    """The rule of the posted form; fields that do not belong to its kind keep their defaults."""
    found = answers(list(questions_of(When, {}, prefix=RULE)), request.form)
    return split(When, {name.removeprefix(RULE): value for name, value in found.items()})


def _written(workflow_key: str, given: Mapping[str, Any], rule: Mapping[str, Any]) -> Written:
    return Written(
        name=request.form.get("name", ""),
        workflow_key=workflow_key,
        rule=rule,
        options=given,
        missed=request.form.get("missed", ""),
        grace_minutes=as_number(request.form.get("grace_hours"), _("最晚几小时内补跑")) * 60,
    )


def _one(key: int) -> Schedule:
    row = schedules.find(db.session(), key) if key < 2**63 else None
    return row if row is not None else abort(404)
