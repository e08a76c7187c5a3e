"""Definitions of workflows as versioned rows: a published version never changes, a new tree makes a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models import Run, Schedule, Staff, Trial, Workflow, WorkflowDraft, WorkflowVersion
from models.clock import utcnow
from models.people import root_unit
from services import Refused, traces

START = "workflows.start"


@dataclass(frozen=True)
class Definition:
    """A workflow as it was written: what it is called, what starting it needs, its tree, and the text it came from."""

    key: str
    name: str
    description: str
    permission: str
    tree: Sequence[Mapping[str, Any]]
    source: str


def publish(session: Session, definition: Definition, staff: Staff | None) -> Workflow:
    """Keep a definition (checked before): its head, and a new version if its tree differs from the newest one."""
    workflow = by_key(session, definition.key)
    if workflow is None:
        unit_id = staff.unit_id if staff is not None else root_unit(session).id
        workflow = Workflow(key=definition.key, unit_id=unit_id)
        session.add(workflow)
    workflow.name, workflow.description = definition.name, definition.description
    workflow.permission = definition.permission
    session.flush()
    last = newest(session, workflow)
    if last is None or last.tree != definition.tree:
        _add_version(session, workflow, definition, staff, number=last.number + 1 if last else 1)
    return workflow


def publish_seeded(session: Session, definition: Definition) -> None:
    """Keep a definition that comes with the program; one that staff have published since is left alone."""
    query = select(WorkflowVersion).join(Workflow).where(Workflow.key == definition.key)
    last = session.scalar(query.order_by(WorkflowVersion.number.desc()).limit(1))
    if last is None or (last.published_by_id is None and last.source != definition.source):
        publish(session, definition, None)


def by_key(session: Session, key: str) -> Workflow | None:
    """The workflow with a key."""
    return session.scalar(select(Workflow).where(Workflow.key == key))


def newest(session: Session, workflow: Workflow) -> WorkflowVersion | None:
    """The version that the next run will take."""
    query = select(WorkflowVersion).where(WorkflowVersion.workflow_id == workflow.id)
    return session.scalar(query.order_by(WorkflowVersion.number.desc()).limit(1))


def numbered(session: Session, workflow: Workflow, number: int | None) -> WorkflowVersion | None:
    """One version by its number, without one the newest."""
    if number is None:
        return newest(session, workflow)
    query = select(WorkflowVersion).where(WorkflowVersion.workflow_id == workflow.id)
    return session.scalar(query.where(WorkflowVersion.number == number))


def startable(session: Session, key: str) -> tuple[Workflow, WorkflowVersion]:
    """The workflow and version to start, or why it cannot be started."""
    workflow = by_key(session, key)
    if workflow is None:
        raise Refused("没有叫「%(key)s」的流程。请用 workflow list 或在流程页查看有哪些流程。", key=key)
    if not workflow.enabled:
        raise Refused("流程「%(name)s」已停用，不能发起。请联系系统管理员启用。", name=workflow.name)
    if workflow.tripped_at is not None:
        raise Refused(
            "流程「%(name)s」连续失败 %(failures)s 次，已自动停用。请查明原因，由管理员恢复。",
            name=workflow.name, failures=workflow.failures,
        )
    version = newest(session, workflow)
    if version is None:
        raise Refused("流程「%(name)s」还没有版本。请先导入流程定义。", name=workflow.name)
    return workflow, version


def switch(session: Session, workflow: Workflow, *, enabled: bool) -> None:
    """Let a workflow be started, or not; switching it on also resets its breaker."""
    workflow.enabled = enabled
    if enabled:
        workflow.failures, workflow.tripped_at = 0, None
    traces.record(session, "workflow.enabled" if enabled else "workflow.disabled", workflow)


def give_to(session: Session, workflow: Workflow, owner: Staff | None) -> None:
    """Name who answers for a workflow and lends its runs a scope; None: whoever starts one."""
    workflow.owner_id = owner.id if owner is not None else None
    traces.record(session, "workflow.owned", workflow, details={"owner_id": workflow.owner_id})


def remove(session: Session, workflow: Workflow) -> None:
    """Delete a workflow with its versions. Its runs go on and stay: each has its own copy of the tree."""
    if session.scalar(select(WorkflowDraft.id).where(WorkflowDraft.workflow_id == workflow.id)) is not None:
        raise Refused("流程「%(name)s」还有草稿，请先放弃草稿再删除。", name=workflow.name)
    if session.scalar(select(Schedule.id).where(Schedule.workflow_key == workflow.key).limit(1)) is not None:
        raise Refused("流程「%(name)s」还有定时计划，请先删除计划再删除流程。", name=workflow.name)
    traces.record(session, "workflow.removed", workflow, details={"key": workflow.key})
    for table in (Run, Trial):
        here = update(table).where(table.workflow_id == workflow.id)
        session.execute(here.values(workflow_id=None).execution_options(synchronize_session=False))
    session.execute(delete(WorkflowVersion).where(WorkflowVersion.workflow_id == workflow.id))
    session.delete(workflow)
    session.flush()
    session.expire_all()


def _add_version(
    session: Session, workflow: Workflow, definition: Definition, staff: Staff | None, *, number: int
) -> None:
    row = WorkflowVersion(
        workflow_id=workflow.id,
        number=number,
        tree=[dict(node) for node in definition.tree],
        source=definition.source,
        published_at=utcnow(),
        published_by_id=staff.id if staff is not None else None,
    )
    session.add(row)
    if staff is not None:
        traces.record(session, "workflow.published", workflow, details={"version": number})
