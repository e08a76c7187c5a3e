"""Repairs of a run: what failed is made ready again, in the version it has or in the newest one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from models import Run, Step, StepItem, WorkflowVersion
from services import Refused
from workflows import list_repairs, turns
from workflows.options import questions, with_values
from workflows.step_rows import take_up_again
from workflows.walk import Tree, by_id, container, node_at, placed, ways_to

ITEMS = StepItem.__table__


def failed_steps(session: Session, *run_ids: int) -> list[Step]:
    """The steps of runs that failed or were passed over, and those that have items which failed."""
    query = select(Step).where(Step.run_id.in_(run_ids), _has_failed()).order_by(Step.run_id, Step.position)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def needs_somebody() -> ColumnElement[bool]:
    """Which runs go on only when somebody mends them: failed, laid aside, or ended with something left to try again."""
    left = select(Step.id).where(Step.run_id == Run.id, _has_failed()).exists()
    return Run.state.in_(("failed", "parked")) | ((Run.state == "partly_failed") & left)


def try_again(session: Session, run: Run, *, anew: bool = False) -> int:
    """Make ready what failed of a run: its steps with their items, and its lists, where they have ended, with all that
    failed in them; what they stand in waits again. Returns how many steps and lists.

    `anew`: a step of which nothing is done yet is also planned again.
    """
    lists = list_repairs.try_again(session, run, anew=anew)
    failed = [step for step in failed_steps(session, run.id) if not step.turn and step not in lists]
    for step in failed:
        _wait_again(session, run, step)
        items = (ITEMS.c.step_id == step.id, ITEMS.c.state == "failed")
        session.execute(update(ITEMS).where(*items).values(state="ready", error=""))
        planned = step.planned and not (anew and not step.items_done)
        take_up_again(session, step, planned=planned, items_total=step.items_total if planned else 0)
    for step in lists:
        _wait_again(session, run, step)
        take_up_again(session, step)
    return len(failed) + len(lists)


def try_items(session: Session, run: Run, step: Step, item_ids: Sequence[int]) -> int:
    """Make only some of the items ready that failed of a step or a list; the others stay failed. Returns how many."""
    here = (ITEMS.c.step_id == step.id, ITEMS.c.id.in_(item_ids), ITEMS.c.state == "failed")
    tried: Any = session.execute(update(ITEMS).where(*here).values(state="ready", error=""))
    if tried.rowcount:
        _wait_again(session, run, step)
        take_up_again(session, step)
    return int(tried.rowcount)


def take_newest_version(session: Session, run: Run) -> None:
    """Give a run the newest tree of its workflow; refused when it has passed a node that stands elsewhere there."""
    newest = session.scalar(
        select(WorkflowVersion)
        .where(WorkflowVersion.workflow_id == run.workflow_id)
        .order_by(WorkflowVersion.number.desc())
        .limit(1)
    )
    if newest is None or newest.number == run.version:
        raise Refused("「%(title)s」用的已经是最新版本，请直接重试。", title=run.title)
    tree = with_values(newest.tree, _given(session, run, newest.tree))
    moved = _moved(session, run, tree)
    run.tree, run.version = tree, newest.number
    _move(session, run, moved)


def _has_failed() -> ColumnElement[bool]:
    passed = func.coalesce(Step.result["passed"].as_string(), "")
    return or_(
        Step.state.in_(("dead", "failed")),
        (Step.state == "skipped") & (passed == "go_on"),
        (Step.state.in_(("done", "skipped"))) & (Step.result["failed"].as_integer() > 0),
    )


def _given(session: Session, run: Run, tree: Tree) -> dict[str, Any]:
    """What was said when the run was started, as far as the other tree asks for it too."""
    before = session.scalar(
        select(WorkflowVersion.tree).where(
            WorkflowVersion.workflow_id == run.workflow_id, WorkflowVersion.number == run.version
        )
    )
    asked = {question.name for question in questions(tree)}
    given = {}
    for question in questions(before or []):
        node_id, _dot, name = question.name.partition(".")
        node: Any = by_id(run.tree, node_id) or {}
        value = (node.get("options") or node.get("wait") or {}).get(name)
        if question.name in asked and value not in (None, question.default):
            given[question.name] = value
    return given


def _moved(session: Session, run: Run, tree: Tree) -> dict[str, str]:
    """Where the nodes that a run has passed stand in another tree, by their paths before."""
    now = {place.node["id"]: place.path for place in placed(tree)}
    query = select(Step.path, Step.node).where(Step.run_id == run.id).distinct()
    passed = dict(session.execute(query).tuples().all())
    lost = [
        node
        for path, node in passed.items()
        if node not in now
        or _ancestry(run.tree, path) != _ancestry(tree, now[node])
        or node_at(run.tree, path).get("each")
        != node_at(tree, now[node]).get("each")  # a begun list stays as it is
    ]
    if lost:
        raise Refused(
            "「%(title)s」已经走过的节点 %(nodes)s 在新版本里没有或换了位置，不能换用。请用原版本重试，或重新发起。",
            title=run.title, nodes="、".join(sorted(lost)),
        )  # fmt: skip
    return {path: now[node] for path, node in passed.items()}


def _ancestry(tree: Tree, path: str) -> list[tuple[str, str]]:
    """The ids of the nodes above one, each with the arm that leads to it."""
    ids = {place.path: str(place.node["id"]) for place in placed(tree)}
    found = []
    while path:
        found += [(ids[above], arm) for above, arm in ways_to(path)]
        path = container(path)
        found += [(ids[path], "")] if path else []
    return found


def _move(session: Session, run: Run, moved: dict[str, str]) -> None:
    """Give the run's rows their new places, in two passes so that no two stand on one place in between."""
    session.flush()
    numbers = {place.path: place.number for place in placed(run.tree)}
    rows = Step.__table__
    for path in moved:
        here = update(rows).where(rows.c.run_id == run.id, rows.c.path == path)
        session.execute(here.values(path=f"~{path}"))
    for path, then in moved.items():
        here = update(rows).where(rows.c.run_id == run.id, rows.c.path == f"~{path}")
        session.execute(here.values(path=then, position=numbers[then]))
    session.expire_all()
    list_repairs.move(session, run, moved)


def _wait_again(session: Session, run: Run, step: Step) -> None:
    """What a step stands in has ended with it, and ends once more when the step does."""
    path, turn = container(step.path), step.turn
    while path:
        turn = turns.outer(turn)
        around = Step.__table__
        session.execute(
            update(around)
            .where(around.c.run_id == run.id, around.c.path == path, around.c.turn == turn)
            .where(around.c.state == "done")
            .values(state="waiting", ended_at=None)
        )
        path = container(path)
