"""Drafts of workflows as rows: opened, changed under a lock, undone and done again, thrown away.

Whoever writes names the revision that was on the screen; when somebody was faster nothing is written (`Stale`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from models import Staff, Workflow, WorkflowDraft, WorkflowDraftChange
from models.clock import utcnow
from models.words import N_, Said
from services import Refused, traces, workflows

KEPT_STEPS = 100
KEY = re.compile(r"[a-z][a-z0-9_]{2,39}")
OPENED = N_("打开草稿")
STALE = N_("这份草稿刚才被别人或另一个窗口改过，您的这一步没有保存。请看一下最新的内容，再做一次。")


class Stale(Refused):
    """Somebody else changed the draft since it was shown."""


@dataclass(frozen=True)
class Content:
    """What a draft says: its name, what it is for, its tree."""

    name: str
    description: str
    tree: Sequence[Mapping[str, Any]]


def draft_of(session: Session, workflow: Workflow) -> WorkflowDraft | None:
    """The draft of a workflow, if one is open."""
    return session.scalar(select(WorkflowDraft).where(WorkflowDraft.workflow_id == workflow.id))


def open_draft(session: Session, workflow: Workflow, staff: Staff) -> WorkflowDraft:
    """The draft of a workflow: the one under work, else a new one from its newest version."""
    found = draft_of(session, workflow)
    if found is not None:
        return found
    newest = workflows.newest(session, workflow)
    tree = newest.tree if newest is not None else []
    content = Content(workflow.name, workflow.description, tree)
    return _begin(session, workflow, content, staff, newest.number if newest is not None else None)


def begin_workflow(session: Session, key: str, content: Content, staff: Staff) -> WorkflowDraft:
    """A new workflow that so far is a draft only; without a key it gets one of its own."""
    key = key.strip()
    if key and not KEY.fullmatch(key):
        raise Refused("编码要用 3 到 40 个小写字母、数字和下划线，以字母开头；也可以不填。")
    if key and workflows.by_key(session, key) is not None:
        raise Refused("已有编码为「%(key)s」的流程。请换一个编码，或不填。", key=key)
    workflow = Workflow(key=key or _free_key(session), unit_id=staff.unit_id, **_head(content))
    session.add(workflow)
    session.flush()
    traces.record(session, "workflow.begun", workflow)
    return _begin(session, workflow, content, staff, None)


def keep(
    session: Session, draft: WorkflowDraft, content: Content, *, revision: int, said: str
) -> WorkflowDraft:
    """Keep a change (`said` in words); what had been undone before is gone."""
    _take(session, draft, revision)
    later = WorkflowDraftChange.place > draft.place
    session.execute(delete(WorkflowDraftChange).where(WorkflowDraftChange.draft_id == draft.id, later))
    draft.place += 1
    _put(draft, content)
    _remember(session, draft, said)
    old = WorkflowDraftChange.place <= draft.place - KEPT_STEPS
    session.execute(delete(WorkflowDraftChange).where(WorkflowDraftChange.draft_id == draft.id, old))
    return draft


def undo(session: Session, draft: WorkflowDraft, *, revision: int) -> str:
    """Take the last change back; what it was, in words."""
    undone = _step(session, draft, draft.place)
    before = _step(session, draft, draft.place - 1)
    if undone is None or before is None:
        raise Refused("没有可以撤销的改动。")
    _go_to(session, draft, before, revision)
    return undone.text


def redo(session: Session, draft: WorkflowDraft, *, revision: int) -> str:
    """Do what was undone last once more; what it was, in words."""
    following = _step(session, draft, draft.place + 1)
    if following is None:
        raise Refused("没有可以重做的改动。")
    _go_to(session, draft, following, revision)
    return following.text


def history(session: Session, draft: WorkflowDraft) -> list[WorkflowDraftChange]:
    """What has been done to a draft, the last first; those after `draft.place` are undone."""
    query = select(WorkflowDraftChange).where(WorkflowDraftChange.draft_id == draft.id)
    return list(session.scalars(query.order_by(WorkflowDraftChange.place.desc())))


def discard(session: Session, draft: WorkflowDraft, *, revision: int) -> None:
    """Throw a draft away; a workflow that never was anything else goes with it."""
    _take(session, draft, revision)
    workflow = draft.workflow
    remove(session, draft)
    traces.record(session, "workflow.discarded", workflow)
    if workflows.newest(session, workflow) is None:
        session.delete(workflow)


def remove(session: Session, draft: WorkflowDraft) -> None:
    """Forget a draft and its history: it was published or thrown away."""
    session.execute(delete(WorkflowDraftChange).where(WorkflowDraftChange.draft_id == draft.id))
    session.delete(draft)
    session.flush()


def content_of(draft: WorkflowDraft) -> Content:
    """What a draft says now."""
    return Content(draft.name, draft.description, draft.tree)


def check_current(session: Session, draft: WorkflowDraft, revision: int) -> None:
    """Refuse to go on from a page that shows an older state of the draft; locks it until the transaction ends."""
    _take(session, draft, revision)


def _begin(
    session: Session, workflow: Workflow, content: Content, staff: Staff, based_on: int | None
) -> WorkflowDraft:
    moment = utcnow()
    draft = WorkflowDraft(
        workflow_id=workflow.id, tree=list(content.tree), based_on=based_on, edited_at=moment,
        edited_by_id=staff.id, revision=1, place=0, **_head(content),
    )  # fmt: skip
    session.add(draft)
    session.flush()
    _remember(session, draft, Said(OPENED))
    return draft


def _head(content: Content) -> dict[str, str]:
    return {"name": content.name, "description": content.description}


def _take(session: Session, draft: WorkflowDraft, revision: int) -> None:
    """Count the revision up, if it is still the one that was shown; holds the row until the transaction ends."""
    query = update(WorkflowDraft).where(WorkflowDraft.id == draft.id, WorkflowDraft.revision == revision)
    taken = session.execute(
        query.values(
            revision=revision + 1, edited_at=utcnow(), edited_by_id=session.info.get("actor_id")
        ).execution_options(synchronize_session=False)
    )
    if getattr(taken, "rowcount", 0) != 1:
        raise Stale(STALE)
    session.refresh(draft)


def _put(draft: WorkflowDraft, content: Content) -> None:
    draft.name, draft.description = content.name, content.description
    draft.tree = [dict(node) for node in content.tree]


def _remember(session: Session, draft: WorkflowDraft, said: str) -> None:
    row = WorkflowDraftChange(
        draft_id=draft.id, place=draft.place, text=str(said), tree=draft.tree, at=draft.edited_at,
        staff_id=draft.edited_by_id, name=draft.name, description=draft.description,
    )  # fmt: skip
    session.add(row)
    session.flush()


def _step(session: Session, draft: WorkflowDraft, place: int) -> WorkflowDraftChange | None:
    query = select(WorkflowDraftChange).where(WorkflowDraftChange.draft_id == draft.id)
    return session.scalar(query.where(WorkflowDraftChange.place == place))


def _go_to(session: Session, draft: WorkflowDraft, row: WorkflowDraftChange, revision: int) -> None:
    _take(session, draft, revision)
    draft.place = row.place
    _put(draft, Content(row.name, row.description, row.tree))
    session.flush()


def _free_key(session: Session) -> str:
    """A key nobody has: people name a workflow by its name, commands by its key."""
    number = (session.scalar(select(func.max(Workflow.id))) or 0) + 1
    while workflows.by_key(session, f"workflow_{number}") is not None:
        number += 1
    return f"workflow_{number}"
