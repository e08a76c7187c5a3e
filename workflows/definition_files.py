"""A version of a workflow as a file that is taken along: TOML or BPMN 2.0, and back."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models import Staff, Workflow, WorkflowVersion
from services.workflows import Definition
from workflows import bpmn_texts
from workflows.definition_texts import written
from workflows.definitions import load_definition


def toml_of(workflow: Workflow, version: WorkflowVersion) -> str:
    """A version as TOML text: reading it gives the same name, permission and tree."""
    return written(definition_of(workflow, version))


def bpmn_of(workflow: Workflow, version: WorkflowVersion) -> str:
    """A version as BPMN 2.0 with its picture; this program reads it back, others show it."""
    return bpmn_texts.write(definition_of(workflow, version))


def load_file(session: Session, text: str, staff: Staff | None) -> Workflow:
    """Publish a definition from a file: TOML, or BPMN that this program has written."""
    if bpmn_texts.is_bpmn(text):
        text = written(bpmn_texts.read(text))
    return load_definition(session, text, staff)


def definition_of(workflow: Workflow, version: WorkflowVersion) -> Definition:
    """A version with what its workflow is called, as it would be written."""
    return Definition(
        key=workflow.key,
        name=workflow.name,
        description=workflow.description,
        permission=workflow.permission,
        tree=version.tree,
        source="",
    )
