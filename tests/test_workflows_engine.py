"""The engine in one process, with steps of its own: planning, chunks, results, failures, retries, parking."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from factories import make_customer, make_staff, make_unit
from flask import Flask
from running import begin
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Customer, Run, Setting, Staff, Step, StepItem, Task, Workflow
from services import Refused
from services.workflows import Definition, publish
from workflows import STEPS, engine, runs, scratch
from workflows.steps import Call, Effects, Facts, Options, Planned, StepKind, asked


class Count(Options):
    """Options of the test step."""

    number: int = asked("数量", 3, ge=0)
    fail_at: int = 0


def note(session: Session, names: Sequence[str]) -> dict[str, Any]:
    """The service of the test step: one row a name; a second one of the same name is an error."""
    for name in names:
        session.add(Setting(key=f"did-{name}", value=1))
    session.flush()
    return {"noted": len(names), "last_id": 7}


def plan_count(session: Session, options: Count, facts: Facts) -> Planned:
    items = ({"name": f"{facts['run']['id']}-{number}"} for number in range(1, options.number + 1))
    return Planned(items, {"wanted": options.number})


def do_count(options: Count, facts: Facts, items: Sequence[Any]) -> Effects:
    bad = [item for item in items if item["name"].endswith(f"-{options.fail_at}")]
    if bad:
        raise ValueError(f"cannot do 13800138000 {bad}")
    return Effects([Call(note, {"names": [item["name"] for item in items]})], summary={"batches": 1})


def refuse(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
    raise Refused("柜台的打印机没有纸。请加纸后重试。")


@pytest.fixture(autouse=True)
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = StepKind("数一数", plan_count, do_count, Count, chunk=2, results={"noted": "记下的条数"})
    monkeypatch.setitem(STEPS, "count", kind)
    monkeypatch.setitem(STEPS, "refuse", StepKind("拒绝", plan_count, refuse, Count))


def did(session: Session) -> int:
    return (
        session.scalar(select(func.count()).select_from(Setting).where(Setting.key.startswith("did-"))) or 0
    )


def step_of(session: Session, run: Run, node: str = "one") -> Step:
    return session.scalars(select(Step).where(Step.run_id == run.id, Step.node == node)).one()


def test_chunks_are_done_once_and_their_results_merged(session: Session, shell: Staff) -> None:
    run = begin(session, shell, {"id": "one", "step": "count", "options": {"number": 5}})
    assert (run.state, did(session)) == ("done", 5)
    assert run.facts["one"] == {"planned": {"wanted": 5}, "batches": 3, "noted": 5, "last_id": 7}


def test_values_given_at_the_start_reach_the_step(session: Session, shell: Staff) -> None:
    begin(session, shell, {"id": "one", "step": "count"}, **{"one.number": "4"})
    assert did(session) == 4


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("one.number", "many", "「数量」要填整数"),
        ("one.number", -1, "「数量」不能小于 0"),
        ("one.colour", "red", "「colour」没有这个选项"),
        ("two.number", 1, "流程里没有选项「two.number」"),
    ],
)
def test_wrong_values_are_named(session: Session, shell: Staff, name: str, value: Any, message: str) -> None:
    with pytest.raises(Refused, match=message):
        begin(session, shell, {"id": "one", "step": "count"}, **{name: value})


def test_a_failing_chunk_leaves_the_ones_before_it_done(session: Session, shell: Staff) -> None:
    run = begin(session, shell, {"id": "one", "step": "count", "options": {"number": 5, "fail_at": 3}})
    step = step_of(session, run)
    assert (step.state, did(session), run.state) == ("failed", 2, "running")
    assert step.error.startswith("程序错误") and "13800138000" not in step.error


def test_a_step_is_dead_after_its_attempts_and_retry_goes_on(session: Session, shell: Staff) -> None:
    run = begin(session, shell, {"id": "one", "step": "count", "options": {"number": 5, "fail_at": 3}})
    for _attempt in range(6):
        session.query(Step).update({"not_before": None})
        session.commit()
        engine.drain()
    session.refresh(run)
    assert (run.state, step_of(session, run).state) == ("failed", "dead")
    run.tree = [{"id": "one", "step": "count", "options": {"number": 5}}]
    session.commit()
    runs.retry(session, run)
    session.commit()
    engine.drain()
    session.refresh(run)
    assert (run.state, did(session)) == ("done", 5)


def test_a_refusal_is_told_at_once_and_the_owner_gets_a_task(session: Session, shell: Staff) -> None:
    run = begin(session, shell, {"id": "one", "step": "refuse"})
    assert (run.state, run.message) == ("failed", "柜台的打印机没有纸。请加纸后重试。")
    task = session.scalars(select(Task).where(Task.run_id == run.id)).one()
    assert (task.kind, task.staff_id) == ("failed_step", shell.id)


def test_failed_runs_in_a_row_switch_a_workflow_off(session: Session, shell: Staff) -> None:
    for _time in range(3):
        begin(session, shell, {"id": "one", "step": "refuse"})
    with pytest.raises(Refused, match="连续失败 3 次"):
        runs.start(session, "test", {}, shell)


def test_a_skipped_step_leaves_the_run_partly_failed(session: Session, shell: Staff) -> None:
    run = begin(session, shell, {"id": "one", "step": "refuse"}, {"id": "two", "step": "count"})
    runs.skip(session, run, "打印机坏了")
    session.commit()
    engine.drain()
    session.refresh(run)
    assert (run.state, did(session)) == ("partly_failed", 3)


def test_an_unknown_step_parks_the_run_until_the_program_knows_it(
    session: Session, shell: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(session, shell, {"id": "one", "step": "later"}, {"id": "two", "step": "count"})
    assert run.state == "parked" and "later" in run.message
    monkeypatch.setitem(STEPS, "later", StepKind("以后", plan_count, lambda *_: Effects(), Count))
    runs.retry(session, run)
    session.commit()
    engine.drain()
    session.refresh(run)
    assert (run.state, did(session)) == ("done", 3)


def test_a_run_whose_owner_left_is_parked(session: Session, shell: Staff) -> None:
    publish(
        session,
        Definition("test", "试验", "", "workflows.start", [{"id": "one", "step": "count"}], ""),
        shell,
    )
    run = runs.start(session, "test", {}, shell)
    shell.active = False
    session.commit()
    engine.drain()
    session.refresh(run)
    assert run.state == "parked" and did(session) == 0


def test_a_step_works_within_its_owners_scope_and_the_units_it_was_started_in(
    session: Session, shell: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def plan_look(looking: Session, options: Options, facts: Facts) -> Planned:
        seen.extend(looking.scalars(select(Customer.name).order_by(Customer.name)))
        return Planned()

    monkeypatch.setitem(STEPS, "look", StepKind("看", plan_look, do_count))
    near, far = make_unit(session), make_unit(session)
    make_customer(session, near, name="近")
    make_customer(session, far, name="远")
    starter, boss = make_staff(session, "service_specialist", near), make_staff(session, "service_specialist")
    workflow = publish(
        session, Definition("look", "看", "", "campaigns.start", [{"id": "one", "step": "look"}], ""), shell
    )
    for owner, who in ((None, starter), (boss, starter), (None, boss)):
        workflow.owner_id = owner.id if owner else None
        session.flush()
        session.expire(workflow)
        runs.start(session, "look", {}, who)
        session.commit()
        engine.drain()
    assert seen == ["近", "近", "近", "远"]


def test_slow_work_keeps_its_step_and_work_without_progress_loses_it(
    session: Session, shell: Staff, core: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[bool] = []

    def linger(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
        for pause in (0.35, 0.6):
            time.sleep(pause)
            taken.append(engine._next_due() is not None)
        return Effects()

    monkeypatch.setitem(STEPS, "linger", StepKind("慢", plan_count, linger, Count))
    monkeypatch.setitem(core.config, "WORKFLOW_TIMES", {"lease": 0.2, "hang": 0.5})
    begin(session, shell, {"id": "one", "step": "linger"})
    assert taken[:2] == [False, True]


def test_a_step_without_items_is_done_without_being_called(session: Session, shell: Staff) -> None:
    run = begin(session, shell, {"id": "one", "step": "refuse", "options": {"number": 0}})
    assert run.state == "done"


def test_a_paused_run_does_nothing_until_it_is_resumed(session: Session, shell: Staff) -> None:
    publish(
        session,
        Definition("test", "试验", "", "workflows.start", [{"id": "one", "step": "count"}], ""),
        shell,
    )
    run = runs.start(session, "test", {}, shell)
    runs.pause(session, run)
    session.commit()
    assert engine.drain() == 0
    runs.resume(session, run)
    session.commit()
    engine.drain()
    assert did(session) == 3


def test_a_cancelled_run_ends_with_its_steps(session: Session, shell: Staff) -> None:
    publish(
        session,
        Definition("test", "试验", "", "workflows.start", [{"id": "one", "step": "count"}], ""),
        shell,
    )
    run = runs.start(session, "test", {}, shell)
    runs.cancel(session, run, "发起错了")
    session.commit()
    assert engine.drain() == 0
    assert (run.state, step_of(session, run).state) == ("cancelled", "cancelled")


def test_items_that_fail_are_tried_again_alone(
    session: Session, shell: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def halves(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
        seen.append(len(items))
        return Effects(
            results=[
                {"error": "没有地址"} if len(seen) == 1 and item["name"].endswith("2") else {}
                for item in items
            ]
        )

    monkeypatch.setitem(STEPS, "halves", StepKind("一半", plan_count, halves, Count))
    run = begin(session, shell, {"id": "one", "step": "halves"}, {"id": "two", "step": "count"})
    assert (run.state, run.facts["one"]["failed"]) == ("partly_failed", 1)
    runs.retry(session, run)
    session.commit()
    engine.drain()
    session.refresh(run)
    assert (run.state, seen, did(session)) == ("done", [3, 1], 3)
    assert session.scalar(select(func.count()).select_from(StepItem).where(StepItem.state == "failed")) == 0


def test_what_a_chunk_leaves_behind_goes_with_it(
    session: Session, shell: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[Path] = []

    def leave(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
        left.append(Path(tempfile.mkdtemp()))
        (left[0] / "letter.pdf").touch()
        return Effects()

    monkeypatch.setitem(STEPS, "leave", StepKind("留下", plan_count, leave, Count))
    begin(session, shell, {"id": "one", "step": "leave"})
    assert left and not left[0].exists() and not left[0].parent.exists()


def test_what_killed_work_left_is_removed_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / f"{scratch.PREFIX}x").mkdir()
    assert (scratch.remove_leftovers(), scratch.remove_leftovers(older_than=-1)) == (0, 1)
    assert not list(tmp_path.iterdir())


def test_a_workflow_in_good_order_forgets_its_failures(session: Session, shell: Staff) -> None:
    begin(session, shell, {"id": "one", "step": "refuse"})
    begin(session, shell, {"id": "one", "step": "count"})
    assert session.scalars(select(Workflow.failures).where(Workflow.key == "test")).one() == 0
