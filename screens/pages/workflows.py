"""Workflows (流程): the list, each definition as a numbered list, its start form, versions, owner; importing one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from models import Run, Workflow, WorkflowDraft, WorkflowVersion, db
from screens import pickers
from screens.access import READING, needs
from screens.base import Page
from screens.design_views import cards_of, offers
from screens.messages import done, said
from screens.node_words import role_word
from screens.option_lists import OfferedLists
from screens.permissions import permission_word
from screens.start_forms import answers, heads
from screens.workflow_words import told
from services import Refused, people, workflow_access, workflow_drafts, workflows
from services.choices import PEOPLE_LISTED
from services.options import Question, offering
from services.workflow_access import ACTS
from workflows import runs, trial_runs
from workflows.definition_files import load_file
from workflows.options import questions
from workflows.task_units import unable_in
from workflows.workflow_drafts import require_runnable

BIGGEST = 1 << 20


class Workflows(Page):
    """All workflows; one with its numbered list; the form that starts it."""

    permission = "workflows.view"
    label, group = _l("流程"), "workflows"

    @expose("/")
    def index(self) -> str:
        """The list by name, each with its version and how often it runs now."""
        newest = select(WorkflowVersion.workflow_id, func.max(WorkflowVersion.number)).group_by(
            WorkflowVersion.workflow_id
        )
        rows = db.session.scalars(
            select(Workflow).options(joinedload(Workflow.owner)).order_by(Workflow.name)
        ).all()
        running = select(Run.workflow_id, func.count()).where(Run.state.in_(("running", "waiting", "paused")))
        drafts = select(WorkflowDraft.workflow_id, WorkflowDraft.id)
        own = {row.id for row in rows if workflow_access.may(current_user, row, "edit")}
        facts = {
            "versions": dict(db.session.execute(newest).tuples().all()),
            "running": dict(db.session.execute(running.group_by(Run.workflow_id)).tuples().all()),
            "drafts": {key: draft for key, draft in db.session.execute(drafts).tuples() if key in own},
            "startable": {row.id for row in rows if workflow_access.may(current_user, row, "start")},
        }
        return self.render("screens/workflows.html", rows=rows, **facts)

    @expose("/<int:key>")
    def show(self, key: int) -> Any:
        """One definition as a numbered list, in the version that was asked for."""
        row = _one(key)
        versions = _versions(row)
        draft = workflow_drafts.draft_of(db.session(), row)
        if not versions and draft is not None:
            return redirect(self.get_url("workflow_designs.show", key=draft.id), 303)
        version = _asked_version(versions)
        facts = {
            "nodes": told(version.tree),
            "asked": len(questions(version.tree)),
            "draft": draft,
            "acts": {act: workflow_access.may(current_user, row, act) for act in ACTS},
            "allowed": [(_(label), _allowed(row, act)) for act, label in ACTS.items()],
            "granting": [(act, _(label), workflow_access.roles_for(row, act)) for act, label in ACTS.items()],
            "roles": pickers.role_choices(),
        }
        governs = workflow_access.may_govern(db.session(), current_user, row)
        sought = request.args.get("sought", "")[:60]
        owners = pickers.staff_found(sought, row.owner_id) if governs else []
        return self.render(
            "screens/workflow.html", row=row, version=version, versions=versions, owners=owners,
            sought=sought, finds=bool(sought) or len(owners) >= PEOPLE_LISTED, governs=governs, **facts,
        )  # fmt: skip

    @expose("/<int:key>/start", methods=("GET", "POST"))
    @needs("workflows.view")
    def start(self, key: int) -> Any:
        """The start form, made from what the steps ask; tries what a run would do, or starts one."""
        row = _one(key)
        workflow_access.require(current_user, row, "start")
        _workflow, version = workflows.startable(db.session(), row.key)
        lists = OfferedLists()
        asked = [offering(question, lists) for question in questions(version.tree)]
        if request.method in READING:
            return self._start_form(row, asked, {question.name: question.default for question in asked})
        try:
            if request.form.get("act") == "trial":
                given = answers(asked, request.form)
                trial = trial_runs.prepare(db.session(), row.key, given, current_user)
                trial_runs.begin(db.session(), trial, current_user)
                return redirect(self.get_url("trials.show", key=trial.id), 303)
            run = runs.start(db.session(), row.key, answers(asked, request.form), current_user)
        except Refused as refusal:
            db.session.rollback()
            return self._start_form(_one(key), asked, answers(asked, request.form), said(refusal)), 422
        done(_("流程已发起。"))
        return redirect(self.get_url("runs.show", key=run.id), 303)

    @expose("/<int:key>/switch", methods=("POST",))
    @needs("workflows.view")
    def switch(self, key: int) -> Any:
        """Let it be started, or not; switching on also resets what failures in a row had switched off."""
        row, is_on = _governed(key), request.form.get("enabled") == "1"
        if is_on:
            require_runnable(db.session(), row)
        workflows.switch(db.session(), row, enabled=is_on)
        done(_("流程已启用。") if is_on else _("流程已停用，已经发起的继续进行。"))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/owner", methods=("POST",))
    @needs("workflows.view")
    def owner(self, key: int) -> Any:
        """Name who answers for it."""
        row, chosen = _governed(key), request.form.get("owner", type=int)
        staff = people.staff_in_scope(db.session(), chosen) if chosen else None
        if chosen and staff is None:
            raise Refused(_("只能指定本单位范围内的人员为负责人。"))
        workflows.give_to(db.session(), row, staff)
        done(_("负责人已更新。"))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/allow", methods=("POST",))
    @needs("workflows.view")
    def allow(self, key: int) -> Any:
        """Say which roles may change, publish and start it."""
        given = {act: request.form.getlist(act) for act in ACTS}
        workflow_access.allow(db.session(), _governed(key), given)
        done(_("流程权限已更新。"))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/cards")
    def cards(self, key: int) -> str:
        """One version as cards, to look at."""
        row = _one(key)
        version = _asked_version(_versions(row))
        return self.render(
            "screens/workflow_cards.html",
            row=row,
            version=version,
            cards=cards_of(version.tree, ()),
            offers=offers(),
        )

    @expose("/import", methods=("GET", "POST"))
    @needs("workflows.edit")
    def load(self) -> Any:
        """Bring a definition in as TOML; every fault is named and nothing kept."""
        if request.method in READING:
            return self.render("screens/workflow_import.html", text="", mistake="")
        text = _uploaded() or request.form.get("text", "")
        try:
            row = load_file(db.session(), text, current_user)
        except Refused as refusal:
            db.session.rollback()
            return self.render("screens/workflow_import.html", text=text, mistake=said(refusal)), 422
        done(_("流程定义已保存。"))
        return redirect(self.get_url(".show", key=row.id), 303)

    def _start_form(
        self, row: Workflow, asked: list[Question], filled: Mapping[str, Any], mistake: str = ""
    ) -> str:
        _workflow, version = workflows.startable(db.session(), row.key)
        unable = [(title, said(text)) for title, text in unable_in(db.session(), version.tree, current_user.unit_id)]
        return self.render(
            "screens/workflow_start.html", row=row, asked=asked, filled=filled, mistake=mistake, unable=unable,
            heads=heads(version.tree),
        )  # fmt: skip


def _one(key: int) -> Workflow:
    row = db.session.get(Workflow, key) if key < 2**63 else None
    return row if row is not None else abort(404)


def _governed(key: int) -> Workflow:
    """A workflow that the asking person may switch and give away."""
    row = _one(key)
    workflow_access.require_to_govern(db.session(), current_user, row)
    return row


def _versions(row: Workflow) -> list[WorkflowVersion]:
    query = select(WorkflowVersion).where(WorkflowVersion.workflow_id == row.id)
    return list(db.session.scalars(query.order_by(WorkflowVersion.number.desc()).limit(50)))


def _asked_version(versions: list[WorkflowVersion]) -> WorkflowVersion:
    """The version that the address names, else the newest."""
    number = request.args.get("version", type=int)
    found = next((one for one in versions if one.number == number), versions[0] if versions else None)
    return found if found is not None else abort(404)


def _allowed(row: Workflow, act: str) -> str:
    """Who may do something with a workflow, in words."""
    named = workflow_access.roles_for(row, act)
    if named:
        return _("、").join(role_word(name) for name in named)
    return permission_word(workflow_access.permission_for(row, act))


def _uploaded() -> str:
    file = request.files.get("file")
    if file is None or not file.filename:
        return ""
    try:
        return _whole(file.stream.read(BIGGEST + 1)).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(_("文件不是 UTF-8 文字。请用 UTF-8 编码保存流程定义再上传。")) from None


def _whole(content: bytes) -> bytes:
    """A file that was read to its end: half a definition must not pass for a whole one."""
    if len(content) > BIGGEST:
        raise Refused(_("文件太大"))
    return content
