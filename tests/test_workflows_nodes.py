"""Branches, waits, persons and sendings of a run, in one process."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import current_app
from running import begin, go_on
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Outgoing, Role, Run, Staff, Step, StepItem, Task, Trace, TraceAnchor, Unit, db
from models.clock import move_to, now, utcnow
from models.home import home_path
from services import Refused, files, task_lists, traces
from services.workflows import Definition, publish
from workflows import STEPS, channels, clock, runs
from workflows.channels import DeliveryFailed, Driver
from workflows.facts import FACTS
from workflows.steps import Effects, Fact, Facts, Options, Planned, Send, StepKind
from workflows.tasks import decide_task

MORE = {"field": "live", "op": "gt", "value": 0}
PERSON = {"title": "审核", "permission": "notices.review", "choices": [{"code": "agree", "label": "同意"}]}


def plan_nothing(session: Session, options: Options, facts: Facts) -> Planned:
    return Planned([{"n": 1}])


def do_nothing(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
    return Effects(summary={"done": len(items)})


@pytest.fixture(autouse=True)
def live(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A live fact that the test can change, and a step that does nothing."""
    value = {"live": 0}
    monkeypatch.setitem(FACTS, "live", Fact("活事实", lambda session, facts: value["live"]))
    monkeypatch.setitem(STEPS, "nothing", StepKind("无事", plan_nothing, do_nothing))
    return value


def states(session: Session, run: Run) -> dict[str, str]:
    return dict(session.execute(select(Step.node, Step.state).where(Step.run_id == run.id)).tuples().all())


def person(session: Session, name: str, role: str, unit: Unit) -> Staff:
    """Somebody with a seeded role."""
    staff = Staff(username=name, name=name, fs_uniquifier=name, unit_id=unit.id, created_at=utcnow())
    staff.roles = [session.scalars(select(Role).where(Role.name == role)).one()]
    session.add(staff)
    session.commit()
    return staff


def task_of(session: Session, run: Run) -> Task:
    return session.scalars(select(Task).where(Task.run_id == run.id, Task.state == "open")).one()


@pytest.mark.parametrize(("value", "visited"), [(1, {"ask", "one", "end"}), (0, {"ask", "two", "end"})])
def test_a_branch_goes_down_one_arm(
    session: Session, shell: Staff, live: dict[str, int], value: int, visited: set[str]
) -> None:
    live["live"] = value
    arms = {"yes": [{"id": "one", "step": "nothing"}], "no": [{"id": "two", "step": "nothing"}]}
    run = begin(session, shell, {"id": "ask", "branch": MORE, **arms}, {"id": "end", "step": "nothing"})
    assert (run.state, set(states(session, run))) == ("done", visited)


def test_a_wait_goes_on_when_its_condition_holds(
    session: Session, shell: Staff, live: dict[str, int]
) -> None:
    run = begin(
        session, shell, {"id": "w", "wait": {"when": MORE, "days": 3}}, {"id": "end", "step": "nothing"}
    )
    assert run.state == "waiting"
    session.rollback()
    assert clock.wake_met_waits() == 0
    live["live"] = 1
    assert clock.wake_met_waits() == 0
    session.query(Step).update({"not_before": utcnow()})
    session.commit()
    assert clock.wake_met_waits() == 1
    assert go_on(session, run).state == "done"
    assert run.facts["w"] == {"met": True, "late": False}


def test_a_wait_goes_on_when_its_time_is_over(session: Session, shell: Staff) -> None:
    run = begin(
        session, shell, {"id": "w", "wait": {"when": MORE, "days": 3}}, {"id": "end", "step": "nothing"}
    )
    session.rollback()
    assert clock.wake_due_waits() == 0
    move_to(session, now(session) + timedelta(days=4))
    session.commit()
    assert clock.wake_due_waits() == 1
    assert go_on(session, run).facts["w"] == {"met": False, "late": True}


def test_a_wait_until_a_day_that_a_step_named_ends_with_that_day(session: Session, shell: Staff) -> None:
    run = begin(session, shell, {"id": "w", "wait": {"until": "run.started_on"}})
    step = session.scalars(select(Step).where(Step.run_id == run.id)).one()
    assert (
        step.due_at is not None
        and str(step.due_at.astimezone(now(session).tzinfo).date()) > run.facts["run"]["started_on"]
    )


def test_a_person_decides_once_and_the_run_goes_on(session: Session, shell: Staff, root: Unit) -> None:
    run = begin(session, shell, {"id": "p", "person": PERSON}, {"id": "end", "step": "nothing"})
    leader = person(session, "leader", "team_leader", root)
    task = task_of(session, run)
    assert [one.id for one in task_lists.waiting_for(session, leader)] == [task.id]
    decide_task(session, task, leader, "agree", note="看过了")
    assert go_on(session, run).state == "done"
    assert run.facts["p"] == {"choice": "agree", "by": leader.id, "note": "看过了", "timed_out": False}
    with pytest.raises(Refused, match="已经办结"):
        decide_task(session, task, leader, "agree")


def test_whoever_decided_before_may_not_decide_again(session: Session, root: Unit, shell: Staff) -> None:
    second = PERSON | {"not_by": ["start", "first"]}
    run = begin(session, shell, {"id": "first", "person": PERSON}, {"id": "second", "person": second})
    leader = person(session, "leader", "team_leader", root)
    decide_task(session, task_of(session, run), leader, "agree")
    go_on(session, run)
    task = task_of(session, run)
    assert sorted(task.not_by) == sorted([shell.id, leader.id]) and not task_lists.waiting_for(session, leader)
    for staff in (shell, leader):
        with pytest.raises(Refused, match="另一个人"):
            decide_task(session, task, staff, "agree")


def test_only_permission_and_unit_let_a_person_decide(session: Session, shell: Staff, root: Unit) -> None:
    run = begin(session, shell, {"id": "p", "person": PERSON})
    station = Unit(code="s1", name="一所", kind="supply_station", parent_id=root.id, path=f"{root.path}9/")
    session.add(station)
    session.flush()
    task = task_of(session, run)
    for name, role, unit, message in (
        ("clerk", "clerk", root, "权限"),
        ("away", "team_leader", station, "别的单位"),
    ):
        with pytest.raises(Refused, match=message):
            decide_task(session, task, person(session, name, role, unit), "agree")
    with pytest.raises(Refused, match="办理意见"):
        decide_task(session, task, person(session, "ok", "team_leader", root), "maybe")


def test_a_task_that_nobody_decides_goes_its_own_way_in_time(session: Session, shell: Staff) -> None:
    node = PERSON | {"due_days": 1, "on_timeout": "agree"}
    run = begin(session, shell, {"id": "p", "person": node})
    session.rollback()
    assert clock.time_out() == 0
    move_to(session, now(session) + timedelta(days=12))
    session.commit()
    assert clock.time_out() == 1
    assert go_on(session, run).facts["p"]["timed_out"] is True
    assert session.scalars(select(Task.state).where(Task.run_id == run.id)).all() == ["timed_out"]


def sending(payload: Mapping[str, Any]) -> Callable[..., Effects]:
    def send_it(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
        return Effects(sends=[Send("test", f"run-{facts['run']['id']}", payload)], summary={"sent": 1})

    return send_it


class Gate:
    """A driver that notes what went out; it may fail before, or die after."""

    def __init__(self) -> None:
        self.out: list[Any] = []
        self.errors: list[Exception] = []

    def __call__(self, payload: Mapping[str, Any]) -> str:
        if self.errors:
            raise self.errors.pop()
        self.out.append(payload["to"])
        return "ok"


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    made = Gate()
    monkeypatch.setitem(channels.DRIVERS, "test", Driver("试验通道", made, repeatable=False))
    monkeypatch.setitem(STEPS, "send_it", StepKind("发出", plan_nothing, sending({"to": "x"}), chunk=1))
    return made


def test_a_sending_goes_out_once(session: Session, shell: Staff, gate: Gate) -> None:
    run = begin(session, shell, {"id": "s", "step": "send_it"})
    assert (run.state, gate.out, run.facts["s"]["sent"]) == ("done", ["x"], 1)
    assert session.scalars(select(Outgoing.state)).all() == ["done"]


@pytest.mark.parametrize(("went_out", "expected"), [(True, []), (False, ["x"])])
def test_a_sending_nobody_knows_of_waits_for_a_person(
    session: Session, shell: Staff, gate: Gate, went_out: bool, expected: list[str]
) -> None:
    gate.errors.append(TimeoutError())
    run = begin(session, shell, {"id": "s", "step": "send_it"})
    assert (run.state, states(session, run)["s"], gate.out) == ("waiting", "unknown", [])
    outgoing = session.scalars(select(Outgoing)).one()
    runs.settle_sending(session, outgoing, went_out=went_out)
    assert (go_on(session, run).state, gate.out) == ("done", expected)
    with pytest.raises(Refused, match="已经确认过"):
        runs.settle_sending(session, outgoing, went_out=went_out)


def test_a_sending_that_was_begun_and_not_finished_is_not_repeated(
    session: Session, shell: Staff, gate: Gate
) -> None:
    row = Outgoing(key="run-1", channel="test", state="sending", token="gone", created_at=utcnow())
    session.add(row)
    publish(
        session,
        Definition("test", "试验", "", "workflows.start", [{"id": "s", "step": "send_it"}], ""),
        shell,
    )
    run = runs.start(session, "test", {}, shell)
    row.key = f"run-{run.id}"
    assert (go_on(session, run).state, gate.out) == ("waiting", [])


def test_a_driver_that_knows_nothing_went_out_is_asked_again(
    session: Session, shell: Staff, gate: Gate
) -> None:
    gate.errors += [DeliveryFailed("线路忙", permanent=False)]
    run = begin(session, shell, {"id": "s", "step": "send_it"})
    assert (states(session, run)["s"], gate.out) == ("failed", [])
    session.query(Step).update({"not_before": None})
    assert (go_on(session, run).state, gate.out) == ("done", ["x"])


def test_a_permanent_failure_is_the_items_own(session: Session, shell: Staff, gate: Gate) -> None:
    gate.errors += [DeliveryFailed("空号", permanent=True)]
    run = begin(session, shell, {"id": "s", "step": "send_it"})
    assert (run.state, run.facts["s"]["failed"], gate.out) == ("partly_failed", 1, [])


def test_what_was_planned_is_forgotten_when_it_is_done(session: Session, shell: Staff) -> None:
    run = begin(session, shell, {"id": "one", "step": "nothing"})
    items = session.execute(select(StepItem.state, StepItem.payload).join(Step).where(Step.run_id == run.id)).all()
    assert [tuple(item) for item in items] == [("done", {})]


def test_the_folder_takes_a_file_once_and_no_other_of_its_name(session: Session, tmp_path: Path) -> None:
    before = {found.name for found in channels.outbox().iterdir()}
    path = tmp_path / "a.pdf"
    path.write_bytes(b"one")
    first = files.store(session, path, "a.pdf", "application/pdf").sha256
    path.write_bytes(b"two")
    second = files.store(session, path, "a.pdf", "application/pdf").sha256
    for _time in range(2):
        assert channels.send_to_folder({"name": "../通报 1.pdf", "sha256": first}) == "通报 1.pdf"
    assert (home_path() / "outbox" / "通报 1.pdf").read_bytes() == b"one"
    with pytest.raises(DeliveryFailed, match="内容不同"):
        channels.send_to_folder({"name": "通报 1.pdf", "sha256": second})
    assert {found.name for found in channels.outbox().iterdir()} - before == {"通报 1.pdf"}


def test_a_full_disk_leaves_no_half_of_a_file(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "letters.pdf"
    path.write_bytes(b"%PDF" * 1000)

    def half(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:1000])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.shutil, "copyfile", half)
    with pytest.raises(OSError, match="No space"):
        files.put(path)
    folder = files.location(files.sha256_of(path)).parent
    assert not list(folder.glob(f"*{files.sha256_of(path)}*"))
    monkeypatch.undo()
    assert files.location(files.put(path)).read_bytes() == path.read_bytes()


def test_two_clocks_take_turns(session: Session) -> None:
    session.rollback()
    assert [clock.hold_lease("one"), clock.hold_lease("two"), clock.hold_lease("one")] == [True, False, True]
    clock.let_go("one")
    assert clock.hold_lease("two")


def test_the_clock_seals_and_anchors_inside_and_outside_the_database(
    session: Session, shell: Staff, root: Unit
) -> None:
    for _time in range(3):
        traces.record(session, "test.done", root)
    session.commit()
    assert clock.seal() == 3 and clock.seal() == 0
    assert clock.anchor(900) and not clock.anchor(900)
    anchor = session.scalars(select(TraceAnchor)).one()
    assert session.scalars(select(Trace.seq).order_by(Trace.id)).all() == [1, 2, 3]
    log = Path(home_path() / clock.ANCHORS)
    assert log.read_text().splitlines()[-1].split("|")[:2] == ["3", anchor.hash]
    log.unlink()


def test_a_duty_that_fails_keeps_no_other_from_its_time(session: Session) -> None:
    done: list[str] = []
    duties = [clock.Duty("bad", 9.0, lambda: 1 / 0), clock.Duty("good", 9.0, lambda: done.append("good"))]
    clock.run_due(duties)
    clock.run_due(duties)
    assert done == ["good"]


def test_a_duty_that_hangs_stops_no_tick_and_is_not_begun_twice(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    answers, begun = threading.Event(), []

    def hang() -> None:
        begun.append(current_app.name)
        answers.wait(5)

    duty = clock.Duty("far away", 0.0, hang, apart=True)
    clock.run_due([duty])
    clock.run_due([duty])
    assert begun == [current_app.name] and duty.is_under_way and "far away: not done yet" in caplog.text
    answers.set()
    duty.thread.join()
    clock.run_due([duty])
    assert len(begun) == 2


def test_a_bell_is_forgotten_with_its_transaction(session: Session, shell: Staff) -> None:
    publish(
        session,
        Definition("test", "试验", "", "workflows.start", [{"id": "s", "step": "nothing"}], ""),
        shell,
    )
    runs.start(session, "test", {}, shell)
    assert len(session.info["bells"]) == 1
    session.rollback()
    assert "bells" not in session.info and db.session.scalar(select(Run.id)) is None
