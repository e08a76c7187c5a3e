"""Drafts changed through the tree they hold, what keeps them from running, and their publication."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Role, Staff, Workflow, WorkflowDraft
from models.people import staff_roles
from models.words import N_, Said
from services import Refused, workflow_access, workflow_drafts, workflows
from services.choices import Lists
from services.options import list_faults, option_faults
from services.workflow_drafts import STALE, Content, Stale
from services.workflows import Definition
from workflows import tree_changes
from workflows.definitions import node_faults
from workflows.kinds import model_of, settings_of
from workflows.option_upgrades import upgraded
from workflows.task_units import unable
from workflows.tree_changes import Place, label_of
from workflows.walk import Tree, by_id, placed

LONGEST_NAME, LONGEST_TEXT = 120, 2000


@dataclass(frozen=True)
class Editor:
    """One draft as one person sees it: whatever they change must begin from this revision."""

    session: Session
    draft: WorkflowDraft
    revision: int

    @property
    def tree(self) -> Tree:
        """The tree as it was seen; refused where somebody has changed it since."""
        if self.draft.revision != self.revision:
            raise Stale(STALE)
        tree: Tree = self.draft.tree
        return tree


@dataclass(frozen=True)
class Obstacle:
    """What keeps a workflow from running: the node (empty: the whole) and why."""

    node: str
    text: str


def open_draft(session: Session, workflow: Workflow, staff: Staff) -> tuple[WorkflowDraft, tuple[str, ...]]:
    """The draft of a workflow, its steps' options brought to today's; and what that changed, in words."""
    draft = workflow_drafts.open_draft(session, workflow, staff)
    found = upgraded(draft.tree)
    if found.notes:
        content = Content(draft.name, draft.description, found.tree)
        said = Said(N_("按新版本的步骤更新选项"))
        workflow_drafts.keep(session, draft, content, revision=draft.revision, said=said)
    return draft, found.notes


def insert(editor: Editor, key: str, place: Place) -> str:
    """Insert a new node; its id."""
    node = tree_changes.new_node(editor.tree, key)
    _keep(editor, tree_changes.insert(editor.tree, place, node), N_("插入「%(node)s」"), node)
    return str(node["id"])


def move(editor: Editor, node_id: str, place: Place) -> None:
    """Move a node to a place."""
    tree = tree_changes.move(editor.tree, node_id, place)
    _keep(editor, tree, N_("移动「%(node)s」"), by_id(tree, node_id) or {})


def shift(editor: Editor, node_id: str, *, by: int) -> None:
    """Move a node up or down by one."""
    tree = tree_changes.shift(editor.tree, node_id, by=by)
    _keep(
        editor, tree, N_("上移「%(node)s」") if by < 0 else N_("下移「%(node)s」"), by_id(tree, node_id) or {}
    )


def duplicate(editor: Editor, node_id: str) -> None:
    """Copy a node behind itself."""
    tree = tree_changes.duplicate(editor.tree, node_id)
    _keep(editor, tree, N_("复制「%(node)s」"), by_id(tree, node_id) or {})


def delete(editor: Editor, node_id: str) -> None:
    """Delete a node and everything in its arms."""
    node = by_id(editor.tree, node_id) or {}
    _keep(editor, tree_changes.delete(editor.tree, node_id), N_("删除「%(node)s」"), node)


def put(editor: Editor, node_id: str, settings: Mapping[str, Any], lanes: Sequence[str] = ()) -> None:
    """Set what a node says; of a parallel also what its lanes are called."""
    tree = tree_changes.put(editor.tree, node_id, settings)
    if lanes:
        tree = tree_changes.set_lanes(tree, node_id, lanes)
    if tree == list(editor.tree):
        workflow_drafts.check_current(editor.session, editor.draft, editor.revision)
        return
    _keep(editor, tree, N_("修改「%(node)s」"), by_id(tree, node_id) or {})


def arrange(editor: Editor, shape: Any) -> None:
    """Take over the order and nesting that was drawn."""
    tree = tree_changes.arrange(editor.tree, shape)
    if tree == list(editor.tree):
        workflow_drafts.check_current(editor.session, editor.draft, editor.revision)
        return
    _keep(editor, tree, _drawn(editor.tree, tree), {})


def rename(editor: Editor, name: str, description: str) -> None:
    """Change what the workflow is called and what it is for."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or len(description) > LONGEST_TEXT:
        raise Refused(
            "请填写流程的名称，最多 %(most)s 个字；说明最多 %(text)s 个字。",
            most=LONGEST_NAME,
            text=LONGEST_TEXT,
        )
    content = Content(name, description.strip(), editor.tree)
    workflow_drafts.keep(
        editor.session, editor.draft, content, revision=editor.revision, said=Said(N_("修改名称和说明"))
    )


def obstacles(session: Session, tree: Tree) -> list[Obstacle]:
    """Everything that keeps a tree from running as a workflow, each with its node."""
    if not tree:
        return [Obstacle("", N_("流程里没有节点"))]
    found = [Obstacle(fault.node, fault.text) for fault in node_faults(tree)]
    lists, holders = Lists(session), _Holders(session)
    for place in placed(tree):
        texts = _missing(place.node, lists, holders)
        found += [Obstacle(str(place.node.get("id")), text) for text in texts]
    return found


def publish(editor: Editor, staff: Staff, *, over: int | None) -> Workflow:
    """Make a draft the newest version, if every node can run and nobody published another than `over` meanwhile."""
    session, draft = editor.session, editor.draft
    workflow = draft.workflow
    workflow_access.require_to_publish(session, staff, workflow)
    workflow_drafts.check_current(session, draft, editor.revision)
    newest = workflows.newest(session, workflow)
    if (newest.number if newest is not None else None) != over:
        raise Refused(
            "流程「%(name)s」刚有了新的版本。请看一下草稿和新版本的差别，再发布。", name=workflow.name
        )
    found = obstacles(session, draft.tree)
    if found:
        raise Refused(
            "还有 %(number)s 处要改，没有发布。每一处都列在流程下面，点开就能改。", number=len(found)
        )
    content = Definition(
        workflow.key, draft.name, draft.description, workflow.permission, list(draft.tree), ""
    )
    workflows.publish(session, content, staff)
    workflow_drafts.remove(session, draft)
    return workflow


def require_runnable(session: Session, workflow: Workflow) -> None:
    """Refuse to enable a workflow whose newest version cannot run."""
    newest = workflows.newest(session, workflow)
    tree = upgraded(newest.tree).tree if newest is not None else []
    found = obstacles(session, tree)
    if found:
        lines = (Said("- %(fault)s", fault=_placed_text(tree, one)) for one in found[:10])
        listed = Said.joined(lines, joint="\n")
        raise Refused("流程「%(name)s」不能启用：\n%(listed)s", name=workflow.name, listed=listed)


def _missing(node: Any, lists: Lists, holders: _Holders) -> Iterator[str]:
    """What a node names that this bureau does not have (any more): a role, a unit, a segment; nobody who could act."""
    model, settings = model_of(node), settings_of(node)
    if model is None or option_faults(model, settings):
        return
    yield from (fault.text for fault in list_faults(model, settings, lists))
    if "person" in node and not holders.has_anybody(settings):
        yield N_("现在没有人能办理这个待办：没有启用的人员有这个角色或权限")
    elif "person" in node and str(settings.get("unit", "run")) != "run":
        if lacking := unable(lists.session, settings, 0):
            yield lacking


class _Holders:
    """Who could do a task: the roles that active people hold, and what those may."""

    def __init__(self, session: Session) -> None:
        held = select(staff_roles.c.role_id).join(Staff, Staff.id == staff_roles.c.staff_id)
        roles = session.scalars(select(Role).where(Role.id.in_(held.where(Staff.active))))
        self.roles = {role.name: set(role.permissions) for role in roles}

    def has_anybody(self, person: Mapping[str, Any]) -> bool:
        """Whether an active person holds the role or the permission of a task; named people are looked up by name."""
        if person.get("to", "role") != "role":
            return True
        if person.get("role"):
            return person["role"] in self.roles
        return any(person.get("permission") in permissions for permissions in self.roles.values())


def _keep(editor: Editor, tree: Tree, text: str, node: Any) -> None:
    draft = editor.draft
    said = Said(text, node=label_of(node)) if node else text
    content = Content(draft.name, draft.description, tree)
    workflow_drafts.keep(editor.session, draft, content, revision=editor.revision, said=said)


def _drawn(before: Tree, after: Tree) -> str:
    """What was drawn, in words: one drag changes one thing."""
    old = {str(place.node.get("id")): place.node for place in placed(before)}
    new = {str(place.node.get("id")): place.node for place in placed(after)}
    for text, one, other in ((N_("插入「%(node)s」"), new, old), (N_("删除「%(node)s」"), old, new)):
        added = [node for name, node in one.items() if name not in other]
        if added:
            return Said(text, node=label_of(added[0]))
    return N_("移动步骤")


def _placed_text(tree: Tree, obstacle: Obstacle) -> str:
    node = by_id(tree, obstacle.node)
    if node is None:
        return obstacle.text
    return Said("「%(node)s」：%(fault)s", node=label_of(node), fault=obstacle.text)
