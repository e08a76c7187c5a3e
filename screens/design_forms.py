"""What pages of a draft read and show: the draft itself, the form of a node, what can be undone, the tree as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, abort, jsonify, request
from flask_babel import gettext as _
from flask_security import current_user

from models import Workflow, WorkflowDraft, db
from screens import node_forms
from screens.design_views import cards_of
from screens.languages import told
from screens.numbers import LARGEST_FIELD
from services import Refused, workflow_access, workflow_drafts, workflows
from services.workflow_drafts import Content
from workflows import tree_changes
from workflows import workflow_drafts as drafts
from workflows.palette import help_of
from workflows.tree_changes import Place, read_place
from workflows.walk import Node, by_id
from workflows.workflow_drafts import Editor


class NodeForm:
    """What the form of a node needs: its fields, its help, and what is wrong with the whole."""

    def __init__(self, draft: WorkflowDraft, filled: node_forms.Filled, mistake: str = "") -> None:
        self.draft, self.filled, self.mistake = draft, filled, mistake
        goes_on = request.method == "POST" and not mistake and "revision" in request.form
        self.revision = request.form["revision"] if goes_on else draft.revision
        self.saved, self.pane = False, bool(request.values.get("pane"))
        self.id = str(filled.node["id"])
        self.kind = filled.kind
        self.key = str(filled.node.get("step", "")) or filled.kind
        self.title = title_in(draft, self.id)
        self.help = _(help_of(self.key)) if help_of(self.key) else ""
        self.own = node_forms.fields(filled, common=False)
        self.common = node_forms.fields(filled, common=True)
        self.lanes = list(filled.lanes) if filled.kind == "parallel" else []
        self.fault = node_forms.faults(filled).get("", "") if filled.checked else ""


def draft_of(key: int) -> WorkflowDraft:
    """A draft that the asking person may change."""
    draft = db.session.get(WorkflowDraft, key) if key < 2**63 else None
    if draft is None:
        abort(404)
    if not workflow_access.may(current_user, draft.workflow, "edit"):
        abort(403)
    return draft


def workflow_of(key: int | None) -> Workflow:
    """A workflow by its id."""
    row = db.session.get(Workflow, key) if key and 0 < key < 2**63 else None
    return row if row is not None else abort(404)


def node_of(draft: WorkflowDraft, node_id: str) -> Node:
    """A node of a draft."""
    node = by_id(draft.tree, node_id)
    return node if node is not None else abort(404)


def title_in(draft: WorkflowDraft, node_id: str) -> str:
    """What a node of a draft is called."""
    node = by_id(draft.tree, node_id)
    return _(tree_changes.label_of(node)) if node is not None else ""


def end_of(draft: WorkflowDraft) -> str:
    """The place behind the last node."""
    return str(Place("", "", len(draft.tree)))


def revision_seen() -> int:
    """The revision that the posted page showed."""
    return whole(request.form.get("revision"))


def whole(value: Any) -> int:
    """A revision as it was sent; what is none is nobody's."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 10 and int(text) <= LARGEST_FIELD else -1


def steps_of(draft: WorkflowDraft) -> dict[str, Any]:
    """What can be undone and done again, and the steps so far."""
    rows = workflow_drafts.history(db.session(), draft)
    back = next((told(row.text) for row in rows if row.place == draft.place), "")
    ahead = next((told(row.text) for row in reversed(rows) if row.place > draft.place), "")
    first = min((row.place for row in rows), default=0)
    return {"undo": back if draft.place > first else "", "redo": ahead, "rows": rows}


def as_json(draft: WorkflowDraft, message: str = "") -> Response:
    """A draft as the card designer reads it."""
    found = drafts.obstacles(db.session(), draft.tree)
    steps = steps_of(draft)
    return jsonify(
        revision=draft.revision, nodes=cards_of(draft.tree, found), problems=len(found), message=message,
        undo=steps["undo"], redo=steps["redo"],
    )  # fmt: skip


def begun() -> WorkflowDraft:
    """The draft of a new workflow as the posted page says it: empty, or as a copy of another."""
    name = request.form.get("name", "").strip()
    if not 0 < len(name) <= drafts.LONGEST_NAME:
        raise Refused("请填写流程的名称，最多 %(most)s 个字。", most=drafts.LONGEST_NAME)
    copied = request.form.get("copy_of", type=int)
    newest = workflows.newest(db.session(), workflow_of(copied)) if copied else None
    content = Content(name, request.form.get("description", "").strip(), newest.tree if newest else [])
    return workflow_drafts.begin_workflow(db.session(), request.form.get("code", ""), content, current_user)


# what the buttons of the list do with a node
ACTS: dict[str, Callable[[Editor, str], Any]] = {
    "up": lambda editor, node: drafts.shift(editor, node, by=-1),
    "down": lambda editor, node: drafts.shift(editor, node, by=1),
    "copy": drafts.duplicate,
    "delete": drafts.delete,
    "move": lambda editor, node: drafts.move(editor, node, read_place(request.form.get("place", ""))),
    "undo": lambda editor, _node: workflow_drafts.undo(
        editor.session, editor.draft, revision=editor.revision
    ),
    "redo": lambda editor, _node: workflow_drafts.redo(
        editor.session, editor.draft, revision=editor.revision
    ),
}
