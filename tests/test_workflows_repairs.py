"""Runs mended: other versions, skipped waits, many at once; limits of starting; what is done; what is deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from running import begin, go_on
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from test_workflows_turns import ALL, BAD, each, lanes, noted, noting, parts  # noqa: F401 a fixture

from models import Run, Staff, Step, Trace, Workflow, WorkflowVersion
from models.clock import utcnow
from services import Refused
from services.workflows import Definition, publish, remove
from workflows import engine, runs
from workflows.node_states import node_states
from workflows.progress import progress
from workflows.repairs import needs_somebody
from workflows.step_rows import set_state

ALWAYS = {"field": "run.id", "op": "gt", "value": 0}


def republish(session: Session, shell: Staff, *nodes: dict[str, Any]) -> None:
    publish(session, Definition("test", "试验", "", "workflows.start", list(nodes), ""), shell)
    session.commit()


def test_a_failed_run_goes_on_with_the_newest_version(session: Session, shell: Staff) -> None:
    BAD["b"] = set()
    run = begin(session, shell, noting("a"), noting("b", refuse=True), noting("c"))
    republish(session, shell, noting("new"), noting("a"), noting("b"), noting("more"), noting("c"))
    runs.retry(session, run, newest=True)
    assert (go_on(session, run).state, run.version) == ("done", 2)
    assert [len(noted(session, run, name)) for name in ("a", "b", "more", "c", "new")] == [1, 1, 1, 1, 0]
    paths = select(Step.node, Step.path).where(Step.run_id == run.id).order_by(Step.position)
    assert session.execute(paths).tuples().all() == [("a", "2"), ("b", "3"), ("more", "4"), ("c", "5")]


def test_items_that_failed_go_on_with_the_newest_version(session: Session, shell: Staff) -> None:
    BAD["b"] = {2, 6}
    run = begin(session, shell, each(noting("a"), noting("b")))
    BAD.clear()
    republish(session, shell, noting("before"), each(noting("a"), noting("b"), noting("c")))
    runs.retry(session, run, newest=True)
    assert (go_on(session, run).state, noted(session, run, "c"), noted(session, run, "b")) == (
        "done",
        [2, 6],
        ALL,
    )


@pytest.mark.parametrize("moved", [False, True])
def test_a_version_that_lacks_what_was_passed_is_refused(session: Session, shell: Staff, moved: bool) -> None:
    BAD["b"] = set()
    run = begin(session, shell, noting("a"), noting("b", refuse=True))
    inside = {"id": "fork", "branch": ALWAYS, "yes": [noting("a")]}
    republish(session, shell, *([inside] if moved else []), noting("b"))
    with pytest.raises(Refused, match="a 在新版本里没有或换了位置"):
        runs.retry(session, run, newest=True)


def test_what_was_said_at_the_start_holds_in_the_newest_version(session: Session, shell: Staff) -> None:
    republish(session, shell, {"id": "w", "wait": {"days": 3, "asked": True}}, noting("b"))
    run = runs.start(session, "test", {"w.days": 9}, shell)
    run.state = "parked"
    republish(session, shell, {"id": "w", "wait": {"days": 5, "asked": True}}, noting("b"), noting("c"))
    runs.retry(session, run, newest=True)
    assert (run.tree[0]["wait"]["days"], run.version) == (9, 2)
    with pytest.raises(Refused, match="不需要重试"):
        runs.retry(session, run, newest=True)


def test_a_wait_is_skipped_with_a_reason(session: Session, shell: Staff) -> None:
    run = begin(session, shell, {"id": "w", "wait": {"days": 9}}, noting("a"))
    step = session.scalars(select(Step).where(Step.run_id == run.id)).one()
    with pytest.raises(Refused, match="原因"):
        runs.skip(session, run, " ", step=step)
    runs.skip(session, run, "不用等了", step=step)
    assert (go_on(session, run).state, noted(session, run, "a")) == ("done", [0])


def test_a_paused_run_stays_so_when_its_wait_is_skipped(session: Session, shell: Staff) -> None:
    run = begin(session, shell, {"id": "w", "wait": {"days": 9}}, noting("a"))
    runs.pause(session, run)
    runs.skip(session, run, "不用等了", step=session.scalars(select(Step)).one())
    assert (go_on(session, run).state, noted(session, run, "a")) == ("paused", [])
    runs.resume(session, run)
    assert (go_on(session, run).state, noted(session, run, "a")) == ("done", [0])


def test_a_run_stays_failed_while_another_of_its_lanes_has_failed(session: Session, shell: Staff) -> None:
    BAD["a"] = set()
    run = begin(session, shell, lanes([noting("a", refuse=True)], [noting("b")]), noting("last"))
    one, two = (session.scalars(select(Step).where(Step.node == name)).one() for name in ("a", "b"))
    set_state(session, two.id, "dead", error="没有纸")  # another worker had it in hand at that moment
    runs.skip(session, run, "不用了", step=one)
    assert (go_on(session, run).state, run.message) == ("failed", "没有纸")
    runs.skip(session, run, "也不用了", step=two)
    assert (go_on(session, run).state, noted(session, run, "last")) == ("partly_failed", [0])


def test_many_runs_are_tried_again_together(session: Session, shell: Staff) -> None:
    BAD["a"] = set()
    failed = [begin(session, shell, noting("a", refuse=True)) for _run in range(2)]
    needing = select(Run.id).where(needs_somebody()).order_by(Run.id)
    assert session.scalars(needing).all() == [run.id for run in failed]
    BAD.clear()
    assert list(runs.retry_all(session, [run.id for run in failed])) == [run.id for run in failed]
    assert [go_on(session, run).state for run in failed] == ["done", "done"] and not session.scalars(
        needing
    ).all()


def test_a_cancelled_run_says_what_was_done(session: Session, shell: Staff) -> None:
    run = begin(session, shell, each(noting("a")), {"id": "w", "wait": {"days": 9}})
    done = runs.cancel(session, run, "不做了")
    assert [(one.path, one.times, one.items) for one in done] == [("1", 1, 7), ("1.do.1", 3, 7)]
    trace = session.scalars(select(Trace).where(Trace.action == "run.cancelled")).one()
    assert trace.details["done"] == {"list": 7, "a": 7}


def test_progress_says_the_pace_and_the_end(session: Session, shell: Staff) -> None:
    BAD["a"] = {2}
    run = begin(session, shell, each(noting("a"), {"id": "w", "wait": {"days": 1}}, size=3))
    step = session.scalars(select(Step).where(Step.run_id == run.id, Step.kind == "each")).one()
    step.started_at = utcnow() - timedelta(minutes=1)
    found = progress(session, step)
    assert (found.total, found.done, found.failed, round(found.a_minute)) == (7, 0, 1, 1)
    assert found.ends_at is not None and found.ends_at > utcnow() + timedelta(minutes=5)
    assert node_states(session, run)["1.do.2"].turns == {"waiting": 2}


def test_workflows_start_workflows_only_so_deep(session: Session, shell: Staff) -> None:
    run = begin(session, shell, noting("a"))
    for depth in range(1, 6):
        run = runs.start(session, "test", {}, shell, parent=run)
        assert (run.depth, run.parent_id is not None) == (depth, True)
    with pytest.raises(Refused, match="超过了 5 层"):
        runs.start(session, "test", {}, shell, parent=run)


def test_a_workflow_is_started_only_so_often_an_hour(
    session: Session, shell: Staff, core: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(core.config, "WORKFLOW_TIMES", {"starts": 2})
    first = begin(session, shell, noting("a"))
    begin(session, shell, noting("a"))
    with pytest.raises(Refused, match="一小时内已发起 2 次"):
        runs.start(session, "test", {}, shell)
    first.started_at = utcnow() - timedelta(hours=2)
    runs.start(session, "test", {}, shell)


def test_runs_survive_their_workflow(session: Session, shell: Staff) -> None:
    republish(session, shell, noting("a"), {"id": "w", "wait": {"when": ALWAYS}}, noting("b"))
    run = runs.start(session, "test", {}, shell)
    workflow = session.scalars(select(Workflow).where(Workflow.key == "test")).one()
    remove(session, workflow)
    assert (
        session.scalar(
            select(func.count()).select_from(WorkflowVersion).where(WorkflowVersion.workflow_id == 0)
        )
        == 0
    )
    assert (go_on(session, run).state, run.workflow_id, noted(session, run, "b")) == ("done", None, [0])
    assert engine.drain() == 0 and session.get(Run, run.id) is run
