"""Drafts under a lock: one a workflow, undone and done again, thrown away; who may change, publish and start."""

from __future__ import annotations

from typing import Any

import pytest
from factories import make_staff
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Workflow, WorkflowDraft, WorkflowDraftChange
from services import Refused, workflow_access, workflow_drafts, workflows
from services.workflow_drafts import Content, Stale
from services.workflows import Definition

ONE: list[dict[str, Any]] = [{"id": "one", "step": "count_shared"}]
TWO = [*ONE, {"id": "two", "step": "restate_shared"}]


@pytest.fixture
def workflow(session: Session) -> Workflow:
    return workflows.publish(session, Definition("numbers", "号码", "", "rules.edit", ONE, ""), None)


@pytest.fixture
def draft(session: Session, workflow: Workflow) -> WorkflowDraft:
    return workflow_drafts.open_draft(session, workflow, make_staff(session, "administrator"))


def kept(session: Session, draft: WorkflowDraft, tree: list[dict[str, Any]], said: str = "改") -> None:
    content = Content(draft.name, draft.description, tree)
    workflow_drafts.keep(session, draft, content, revision=draft.revision, said=said)


def test_a_draft_begins_from_the_newest_version(session: Session, draft: WorkflowDraft) -> None:
    again = workflow_drafts.open_draft(session, draft.workflow, make_staff(session, "administrator"))
    assert (again.id, draft.tree, draft.based_on, draft.revision) == (draft.id, ONE, 1, 1)


def test_changes_are_undone_and_done_again(session: Session, draft: WorkflowDraft) -> None:
    kept(session, draft, TWO, "加一步")
    assert workflow_drafts.undo(session, draft, revision=2) == "加一步"
    assert draft.tree == ONE
    assert workflow_drafts.redo(session, draft, revision=3) == "加一步"
    assert (draft.tree, draft.revision) == (TWO, 4)
    with pytest.raises(Refused, match="没有可以重做"):
        workflow_drafts.redo(session, draft, revision=4)


def test_a_change_after_an_undo_forgets_what_was_undone(session: Session, draft: WorkflowDraft) -> None:
    kept(session, draft, TWO)
    workflow_drafts.undo(session, draft, revision=draft.revision)
    kept(session, draft, [], "清空")
    assert [row.text for row in workflow_drafts.history(session, draft)] == ["清空", "打开草稿"]


def test_whoever_was_slower_writes_nothing(session: Session, draft: WorkflowDraft) -> None:
    kept(session, draft, TWO)
    for slow in (
        lambda: workflow_drafts.keep(session, draft, Content("别名", "", []), revision=1, said="改"),
        lambda: workflow_drafts.undo(session, draft, revision=1),
        lambda: workflow_drafts.discard(session, draft, revision=1),
    ):
        with pytest.raises(Stale, match="没有保存"):
            slow()
    assert (draft.tree, draft.name, draft.revision) == (TWO, "号码", 2)


def test_only_so_many_steps_are_kept(
    session: Session, draft: WorkflowDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow_drafts, "KEPT_STEPS", 3)
    for _n in range(5):
        kept(session, draft, TWO)
    assert [row.place for row in workflow_drafts.history(session, draft)] == [5, 4, 3]


def test_a_new_workflow_goes_with_its_discarded_draft(session: Session) -> None:
    staff = make_staff(session, "administrator")
    begun = workflow_drafts.begin_workflow(session, "", Content("新的", "", []), staff)
    assert begun.workflow.key.startswith("workflow_")
    workflow_drafts.discard(session, begun, revision=1)
    session.flush()
    assert workflows.by_key(session, begun.workflow.key) is None
    assert session.scalar(select(func.count()).select_from(WorkflowDraftChange)) == 0


@pytest.mark.parametrize("key", ["numbers", "A B", "x", "1abc"])
def test_a_key_is_free_and_well_formed(session: Session, workflow: Workflow, key: str) -> None:
    with pytest.raises(Refused, match="编码"):
        workflow_drafts.begin_workflow(
            session, key, Content("新的", "", []), make_staff(session, "administrator")
        )


def test_roles_of_a_workflow_replace_the_permission(session: Session, workflow: Workflow) -> None:
    admin, clerk = make_staff(session, "administrator"), make_staff(session, "clerk")
    steward = make_staff(session, "data_steward")
    assert [workflow_access.may(one, workflow, "edit") for one in (admin, clerk)] == [True, False]
    assert [workflow_access.may(one, workflow, "start") for one in (steward, clerk)] == [True, False]
    workflow_access.allow(session, workflow, {"edit": ["clerk"], "approve": [], "start": ["clerk"]})
    assert [workflow_access.may(one, workflow, "edit") for one in (admin, clerk)] == [False, True]
    assert [workflow_access.may(one, workflow, "approve") for one in (admin, clerk)] == [True, False]
    with pytest.raises(Refused, match="不能发起流程「号码」"):
        workflow_access.require(steward, workflow, "start")
    with pytest.raises(Refused, match="没有角色"):
        workflow_access.allow(session, workflow, {"edit": ["nobody"]})
