"""What a schedule or an event asks before it may start a workflow: the workflow chosen, and its start form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_security import current_user
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from models import Staff, Workflow, db
from screens.option_lists import OfferedLists
from screens.workflow_words import flat, told
from services import Refused, workflow_access, workflows
from services.options import Question, offering
from workflows.options import questions
from workflows.walk import Tree, placed


def startable() -> list[Workflow]:
    """The workflows that the asking person may start now, by name."""
    rows = db.session.scalars(select(Workflow).where(Workflow.enabled).order_by(Workflow.name)).all()
    return [row for row in rows if row.tripped_at is None and workflow_access.may(current_user, row, "start")]


def asked_of(key: str) -> tuple[Workflow, list[Question]]:
    """A workflow that may be started, and what its start form asks."""
    workflow, version = workflows.startable(db.session(), key)
    staff: Staff = current_user
    workflow_access.require(staff, workflow, "start")
    lists = OfferedLists()
    return workflow, [offering(question, lists) for question in questions(version.tree)]


def heads_of(workflow: Workflow) -> dict[str, str]:
    """What each part of a workflow's start form is called: the step that asks for it, as the numbered list has it."""
    _workflow, version = workflows.startable(db.session(), workflow.key)
    return heads(version.tree)


def heads(tree: Tree) -> dict[str, str]:
    """The nodes of a tree by id, each with its number and title."""
    ids = {place.path: str(place.node["id"]) for place in placed(tree)}
    return {ids[one.path]: f"{one.number} {one.title}" for one in flat(told(tree))}


def answers(asked: list[Question], form: MultiDict[str, str]) -> dict[str, Any]:
    """What a start form brought in, by question; what was left empty and may be is left out."""
    found: dict[str, Any] = {}
    for question in asked:
        if question.kind == "choices":
            found[question.name] = form.getlist(question.name)
        elif question.kind == "bool":
            found[question.name] = question.name in form
        else:
            found[question.name] = form.get(question.name, "").strip()
    return found


def filled(asked: list[Question], given: Mapping[str, Any]) -> dict[str, Any]:
    """The start form as it is shown: what was given, else what the workflow itself says."""
    return {question.name: given.get(question.name, question.default) for question in asked}


def as_number(text: str | None, label: str) -> int:
    """A whole number of a form."""
    if text is None or not text.strip().isdecimal():
        raise Refused("「%(label)s」要填整数。", label=label)
    return int(text)
