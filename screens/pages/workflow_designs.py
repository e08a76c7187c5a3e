"""Drafts of workflows (流程设计): a numbered list and cards of one tree, the forms of its nodes, undo, publication."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, abort, make_response, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models import Workflow, WorkflowDraft, db
from screens import node_forms
from screens.access import READING, needs
from screens.base import Page
from screens.design_forms import (
    ACTS,
    NodeForm,
    as_json,
    begun,
    draft_of,
    end_of,
    node_of,
    revision_seen,
    steps_of,
    title_in,
    whole,
    workflow_of,
)
from screens.design_views import cards_of, offers, rows_of
from screens.messages import done, refuse, said, warn
from services import Refused, workflow_access, workflow_drafts, workflows
from services.workflow_drafts import Stale
from workflows import workflow_drafts as drafts
from workflows.tree_changes import read_place
from workflows.workflow_drafts import Editor


class WorkflowDesigns(Page):
    """Drafts: opened from a workflow, changed in a list or as cards, published or thrown away."""

    permission = "workflows.view"
    label, group = _l("流程设计"), "workflows"
    in_menu = False

    @expose("/")
    def index(self) -> str:
        """The drafts under work that one may change."""
        query = select(WorkflowDraft).options(
            joinedload(WorkflowDraft.workflow), joinedload(WorkflowDraft.edited_by)
        )
        rows = db.session.scalars(query.order_by(WorkflowDraft.edited_at.desc())).all()
        own = [row for row in rows if workflow_access.may(current_user, row.workflow, "edit")]
        return self.render("screens/workflow_designs.html", rows=own)

    @expose("/new", methods=("GET", "POST"))
    @needs(workflow_access.EDIT)
    def new(self) -> Any:
        """Begin a new workflow, empty or as a copy of another."""
        if request.method in READING:
            return self._new_form({})
        try:
            draft = begun()
        except Refused as refusal:
            refuse(said(refusal))
            return self._new_form(request.form), 422
        return redirect(self.get_url(".show", key=draft.id), 303)

    @expose("/open", methods=("POST",))
    @needs("workflows.view")
    def open(self) -> Any:
        """The draft of a workflow, opened where there is none yet."""
        workflow = workflow_of(request.form.get("workflow", 0, type=int))
        workflow_access.require(current_user, workflow, "edit")
        draft, notes = drafts.open_draft(db.session(), workflow, current_user)
        for note in notes:
            warn(said(note))
        return redirect(self.get_url(".show", key=draft.id), 303)

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """The numbered list."""
        return self._list(draft_of(key))

    @expose("/<int:key>/cards")
    def cards(self, key: int) -> str:
        """The same tree as cards."""
        draft = draft_of(key)
        found = drafts.obstacles(db.session(), draft.tree)
        return self.render(
            "screens/workflow_cards.html", draft=draft, steps=steps_of(draft), cards=cards_of(draft.tree, found),
            offers=offers(), problems=found,
        )  # fmt: skip

    @expose("/<int:key>/insert", methods=("GET", "POST"))
    @needs("workflows.view")
    def insert(self, key: int) -> Any:
        """Choose what to insert at a place."""
        draft = draft_of(key)
        if request.method in READING:
            place = read_place(request.args.get("place", "//0"))
            return self.render("screens/workflow_insert.html", draft=draft, place=place, offers=offers())
        what, place = request.form.get("key", ""), read_place(request.form.get("place", ""))
        made: list[str] = []
        return self._changed(
            draft,
            lambda editor: made.append(drafts.insert(editor, what, place)),
            to=lambda: self._form_url(draft, made),
        )

    @expose("/<int:key>/place")
    def place(self, key: int) -> str:
        """Choose where a node goes."""
        draft = draft_of(key)
        node = node_of(draft, request.args.get("node", ""))
        rows = rows_of(draft.tree, ())
        return self.render(
            "screens/workflow_place.html", draft=draft, rows=rows, node=node, end=end_of(draft)
        )

    @expose("/<int:key>/change", methods=("POST",))
    @needs("workflows.view")
    def change(self, key: int) -> Any:
        """What the buttons of the list do: up, down, copy, delete, move, undo, redo."""
        draft = draft_of(key)
        act, _space, node = request.form.get("act", "").partition(" ")
        if act not in ACTS:
            abort(404)
        return self._changed(draft, lambda editor: ACTS[act](editor, node), at=node)

    @expose("/<int:key>/nodes/<node>", methods=("GET", "POST"))
    @needs("workflows.view")
    def node(self, key: int, node: str) -> Any:
        """The form of a node; its own buttons only show it again, `save` keeps it."""
        draft = draft_of(key)
        one = node_of(draft, node)
        if request.method in READING:
            return self._node_form(draft, node_forms.stored(draft.tree, one))
        act = request.form.get("act", "save")
        filled = node_forms.typed(draft.tree, one, request.form)
        if act == "check":
            return self.render("screens/_node_faults.html", form=NodeForm(draft, node_forms.checked(filled)))
        if act != "save":
            return self._node_form(draft, node_forms.acted(filled, act))
        return self._save_node(draft, node_forms.checked(filled))

    @expose("/<int:key>/about", methods=("GET", "POST"))
    @needs("workflows.view")
    def about(self, key: int) -> Any:
        """What the workflow is called and what it is for."""
        draft = draft_of(key)
        if request.method in READING:
            return self.render("screens/workflow_about.html", draft=draft)
        name, text = request.form.get("name", ""), request.form.get("description", "")
        return self._changed(draft, lambda editor: drafts.rename(editor, name, text))

    @expose("/<int:key>/tree")
    def tree(self, key: int) -> Response:
        """The tree as the card designer reads it."""
        return as_json(draft_of(key))

    @expose("/<int:key>/arrange", methods=("POST",))
    @needs("workflows.view")
    def arrange(self, key: int) -> Any:
        """Take over what was drawn; who was slower is told so, with the tree as it is."""
        draft = draft_of(key)
        found = request.get_json(silent=True)
        sent = found if isinstance(found, dict) else {}
        act = sent.get("act", "arrange")
        try:
            editor = Editor(db.session(), draft, whole(sent.get("revision")))
            if act in ("undo", "redo"):
                ACTS[act](editor, "")
            else:
                drafts.arrange(editor, sent.get("shape"))
        except Refused as refusal:
            message = said(refusal)
            db.session.rollback()
            answer = as_json(draft_of(key), message)
            answer.status_code = 409 if isinstance(refusal, Stale) else 422
            return answer
        return as_json(draft)

    @expose("/<int:key>/discard", methods=("POST",))
    @needs("workflows.view")
    def discard(self, key: int) -> Any:
        """Throw the draft away, after asking."""
        draft = draft_of(key)
        if not request.form.get("confirmed"):
            question = _("确定放弃「%(name)s」的草稿？没有发布的改动不能恢复。", name=_(draft.name))
            fields = [(name, value) for name, value in request.form.items() if name != "csrf_token"]
            back = self.get_url(".show", key=key)
            return self.render("screens/confirm.html", question=question, fields=fields, back=back)
        has_version = draft.based_on is not None
        home = (
            self.get_url("workflows.show", key=draft.workflow_id)
            if has_version
            else self.get_url("workflows.index")
        )
        try:
            workflow_drafts.discard(db.session(), draft, revision=revision_seen())
        except Refused as refusal:
            refuse(said(refusal))
            return redirect(self.get_url(".show", key=key), 303)
        done(_("草稿已放弃。"))
        return redirect(home, 303)

    @expose("/<int:key>/publish", methods=("POST",))
    @needs("workflows.view")
    def publish(self, key: int) -> Any:
        """Make the draft the newest version, if every node can run."""
        draft = draft_of(key)
        over = request.form.get("over", type=int)
        try:
            workflow = drafts.publish(Editor(db.session(), draft, revision_seen()), current_user, over=over)
        except Refused as refusal:
            refuse(said(refusal))
            return redirect(self.get_url(".show", key=key, _anchor="problems"), 303)
        done(_("已发布，以后发起的都用这一版；已经发起的不受影响。"))
        return redirect(self.get_url("workflows.show", key=workflow.id), 303)

    # --- pieces

    def _list(self, draft: WorkflowDraft) -> str:
        found = drafts.obstacles(db.session(), draft.tree)
        newest = workflows.newest(db.session(), draft.workflow)
        return self.render(
            "screens/workflow_design.html", draft=draft, rows=rows_of(draft.tree, found), end=end_of(draft),
            problems=[(one.node, title_in(draft, one.node), said(one.text)) for one in found],
            newest=newest.number if newest is not None else None, steps=steps_of(draft),
            may_publish=workflow_access.may(current_user, draft.workflow, "approve"),
        )  # fmt: skip

    def _changed(
        self,
        draft: WorkflowDraft,
        change: Callable[[Editor], Any],
        *,
        at: str = "",
        to: Callable[[], str] | None = None,
    ) -> Any:
        """Change the draft from the revision that was shown, then show it at the node; say why where it cannot be."""
        key = draft.id
        try:
            change(Editor(db.session(), draft, revision_seen()))
        except Refused as refusal:
            refuse(said(refusal))
            return redirect(self.get_url(".show", key=key, _anchor=f"n-{at}" if at else None), 303)
        target = to() if to is not None else self.get_url(".show", key=key, _anchor=f"n-{at}" if at else None)
        return redirect(target, 303)

    def _form_url(self, draft: WorkflowDraft, made: list[str]) -> str:
        return str(self.get_url(".node", key=draft.id, node=made[0]))

    def _node_form(self, draft: WorkflowDraft, filled: node_forms.Filled, mistake: str = "") -> str:
        form = NodeForm(draft, filled, mistake)
        is_part = bool(request.headers.get("HX-Request"))
        template = "screens/_node_form.html" if is_part else "screens/workflow_node.html"
        return self._rendered(template, form)

    def _rendered(self, template: str, form: NodeForm) -> str:
        action = self.get_url(".node", key=form.draft.id, node=form.id)
        return str(self.render(template, form=form, draft=form.draft, action=action))

    def _save_node(self, draft: WorkflowDraft, filled: node_forms.Filled) -> Any:
        is_part = bool(request.headers.get("HX-Request"))
        key, node_id = draft.id, str(filled.node["id"])
        if node_forms.faults(filled):
            db.session.rollback()
            return self._node_form(draft_of(key), filled), 200 if is_part else 422
        try:
            lanes = filled.lanes if filled.kind == "parallel" else ()
            drafts.put(
                Editor(db.session(), draft, revision_seen()), node_id, node_forms.settings(filled), lanes
            )
        except Refused as refusal:
            message = said(refusal)
            db.session.rollback()
            return self._node_form(draft_of(key), filled, message), 200 if is_part else 422
        if not (is_part and request.form.get("pane")):
            done(_("「%(node)s」已保存到草稿。", node=title_in(draft, node_id)))
            target = self.get_url(".show", key=key, _anchor=f"n-{node_id}")
            return Response("", headers={"HX-Redirect": target}) if is_part else redirect(target, 303)
        form = NodeForm(draft, node_forms.stored(draft.tree, node_of(draft, node_id)))
        form.revision, form.saved = draft.revision, True
        answer = make_response(self._rendered("screens/_node_form.html", form))
        answer.headers["HX-Trigger"] = "draft-changed"
        return answer

    def _new_form(self, filled: Any) -> str:
        rows = db.session.execute(select(Workflow.id, Workflow.name).order_by(Workflow.name)).all()
        return self.render("screens/workflow_new.html", filled=filled, rows=rows)
