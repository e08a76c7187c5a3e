"""Versions of a workflow: two compared node by node, an old one taken back as a draft, any taken along as a file."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select

from models import Workflow, WorkflowDraft, WorkflowVersion, db
from models.words import N_, Said
from screens import looks
from screens.access import needs
from screens.base import Page
from screens.comparison_words import told_changes
from screens.downloads import made
from screens.messages import done
from services import workflow_access, workflow_drafts
from services.workflow_drafts import Content
from workflows.definition_files import bpmn_of, toml_of
from workflows.option_upgrades import upgraded

TOML, BPMN = "application/toml", "application/xml"
LISTED = 200


class WorkflowVersions(Page):
    """What changed between two versions; files of a version; a version as a draft."""

    permission = "workflows.view"
    label, group = _l("流程版本"), "workflows"
    in_menu = False

    @expose("/")
    def index(self) -> Any:
        """There is nothing without a workflow."""
        return redirect(self.get_url("workflows.index"))

    @expose("/<int:key>")
    def compare(self, key: int) -> str:
        """Two versions side by side: the newest and the one before it, unless others were asked for."""
        row = _workflow(key)
        query = select(WorkflowVersion).where(WorkflowVersion.workflow_id == row.id)
        rows = db.session.scalars(query.order_by(WorkflowVersion.number.desc()).limit(LISTED)).all()
        if not rows:
            abort(404)
        new = _chosen(rows, "new", rows[0])
        old = _chosen(rows, "old", next((one for one in rows if one.number < new.number), rows[-1]))
        changes = told_changes(old.tree, new.tree)
        may_edit = workflow_access.may(current_user, row, "edit")
        return self.render(
            "screens/workflow_versions.html",
            row=row, versions=rows, old=old, new=new, changes=changes, may_edit=may_edit,
        )  # fmt: skip

    @expose("/<int:key>/<int:number>/restore", methods=("POST",))
    @needs("workflows.view")
    def restore(self, key: int, number: int) -> Any:
        """Take a version back as a draft, which is published like any other."""
        row, version = _workflow(key), _version(key, number)
        workflow_access.require(current_user, row, "edit")
        content = Content(row.name, row.description, upgraded(version.tree).tree)
        found = workflow_drafts.draft_of(db.session(), row)
        revision = request.form.get("revision", -1, type=int)
        if found is not None and list(found.tree) != list(content.tree) and revision < 0:
            return self._asked_to_replace(found, number)
        draft = workflow_drafts.open_draft(db.session(), row, current_user)
        told = Said(N_("恢复第 %(number)s 版的内容"), number=number)
        seen = revision if revision >= 0 else draft.revision
        workflow_drafts.keep(db.session(), draft, content, revision=seen, said=told)
        done(_("第 %(number)s 版的内容已放进草稿，核对后发布才会生效。", number=number))
        return redirect(self.get_url("workflow_designs.show", key=draft.id), 303)

    def _asked_to_replace(self, draft: WorkflowDraft, number: int) -> str:
        """Ask before the content of an open draft is replaced, as it stands now."""
        question = _(
            "「%(name)s」有一份没有发布的草稿（%(who)s %(when)s 改过）。"
            "恢复第 %(number)s 版会换掉草稿现在的内容；换掉后可以在草稿里撤销这一步。确定恢复？",
            name=_(draft.name), number=number, when=looks.moment(draft.edited_at),
            who=draft.edited_by.name if draft.edited_by else _("系统"),
        )  # fmt: skip
        back = self.get_url("workflow_designs.show", key=draft.id)
        fields = [("revision", draft.revision)]
        return str(self.render("screens/confirm.html", question=question, fields=fields, back=back))

    @expose("/<int:key>/<int:number>/toml")
    @needs("workflows.view")
    def toml(self, key: int, number: int) -> Response:
        """A version as TOML, which imports again as it was."""
        row, version = _workflow(key), _version(key, number)
        return made(toml_of(row, version).encode(), f"{row.key}_v{number}.toml", TOML)

    @expose("/<int:key>/<int:number>/bpmn")
    @needs("workflows.view")
    def bpmn(self, key: int, number: int) -> Response:
        """A version as BPMN 2.0 with its picture."""
        row, version = _workflow(key), _version(key, number)
        return made(bpmn_of(row, version).encode(), f"{row.key}_v{number}.bpmn", BPMN)


def _chosen(rows: Any, name: str, otherwise: WorkflowVersion) -> WorkflowVersion:
    number = request.args.get(name, type=int)
    return next((one for one in rows if one.number == number), otherwise)


def _workflow(key: int) -> Workflow:
    found = db.session.get(Workflow, key) if key < 2**63 else None
    return found if found is not None else abort(404)


def _version(key: int, number: int) -> WorkflowVersion:
    query = select(WorkflowVersion).where(
        WorkflowVersion.workflow_id == key, WorkflowVersion.number == number
    )
    found = db.session.scalar(query) if number < 2**31 else None
    return found if found is not None else abort(404)
