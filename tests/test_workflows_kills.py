"""Workers, their children, the clock and the queue server are killed: nothing is lost and nothing is done twice."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from machines import ITEMS, Machines, Place, installation, until
from needs import POSTGRES_URL, needs_postgres
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Outgoing, Run, Setting, SignInAttempt, Staff, Step, StepItem, Task
from workflows import runs
from workflows.tasks import decide_task

pytestmark = pytest.mark.slow
DATABASES = [
    pytest.param("", id="sqlite"),
    pytest.param(POSTGRES_URL, id="postgresql", marks=needs_postgres),
]
EVERYBODY = ("now", "bulk", "clock")
POINTS = (
    ("bulk", "in-do"),
    ("bulk", "in-transaction"),
    ("now", "in-branch"),
    ("now", "in-wait"),
    ("now", "in-person"),
    ("now", "before-sending"),
    ("now", "after-sending"),
)


@pytest.fixture(params=DATABASES)
def machines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machines]:
    with installation(tmp_path, request.param) as made:
        yield made


def help_on(machines: Machines, run_id: int) -> None:
    """What people do while a run goes on: let it go on, decide its task, say what became of a sending."""
    sent = sent_lines()
    with machines.session() as session:
        shell = session.scalars(select(Staff).where(Staff.username == "shell")).one()
        if session.get(Setting, "go") is None and state_of(session, run_id, "wait") == "waiting":
            session.add(Setting(key="go", value=1))
        tasks = select(Task).where(Task.run_id == run_id, Task.state == "open", Task.step_id.is_not(None))
        for task in session.scalars(tasks):
            decide_task(session, task, shell, "yes")
        for outgoing in session.scalars(select(Outgoing).where(Outgoing.state == "unknown")):
            runs.settle_sending(session, outgoing, went_out=outgoing.payload["to"] in sent)


def state_of(session: Session, run_id: int, node: str) -> str | None:
    return session.scalar(select(Step.state).where(Step.run_id == run_id, Step.node == node))


def sent_lines() -> list[str]:
    log = Place.folder / "gate.log"
    return log.read_text("utf-8").split() if log.exists() else []


def follow(machines: Machines, *run_ids: int, seconds: float = 60.0) -> None:
    """Keep everything running, and help, until the runs have ended."""

    def is_over() -> bool:
        machines.keep_alive(*EVERYBODY)
        for run_id in run_ids:
            help_on(machines, run_id)
        return all(machines.state(run_id) in ("done", "failed", "parked") for run_id in run_ids)

    until(is_over, seconds=seconds, every=0.1)


def assert_each_once(machines: Machines, *run_ids: int) -> None:
    """Every item of every step was done exactly once, every run ended once, every letter went out once."""
    for run_id in run_ids:
        with machines.session() as session:
            run = session.get_one(Run, run_id)
            assert (run.state, run.message) == ("done", "")
            rows = session.execute(
                select(Step.node, Step.state).where(Step.run_id == run_id).order_by(Step.position)
            ).all()
            assert [row.node for row in rows] == [
                "chunks",
                "branch",
                "inside",
                "wait",
                "person",
                "channel",
                "last",
            ]
            assert {row.state for row in rows} == {"done"}
            did = session.scalars(
                select(SignInAttempt.account_key).where(SignInAttempt.account_key.startswith(f"{run_id}-"))
            )
            assert len(found := did.all()) == len(set(found)) == 3 * ITEMS
            assert [run.facts[node]["noted"] for node in ("chunks", "inside", "last")] == [ITEMS] * 3
            items = select(func.count()).select_from(StepItem).join(Step).where(Step.run_id == run_id)
            assert (
                session.scalar(items)
                == session.scalar(items.where(StepItem.state == "done"))
                == 3 * ITEMS + 3
            )
            assert (
                session.scalar(
                    select(func.count()).select_from(Task).where(Task.run_id == run_id, Task.step_id > 0)
                )
                == 1
            )
    wanted = sorted(f"{run_id}-{number}" for run_id in run_ids for number in range(3))
    assert sorted(sent_lines()) == wanted


@pytest.mark.parametrize("victim", ["worker", "child"])
def test_a_kill_at_every_point_loses_and_repeats_nothing(machines: Machines, victim: str) -> None:
    Place.linger(0.15)
    machines.keep_alive(*EVERYBODY)
    run_id = machines.start_run()
    for queue, point in POINTS:
        seen = Place.marks(point)
        until(lambda point=point, seen=seen: _helped(machines, run_id) and Place.marks(point) > seen)
        machines.kill(queue) if victim == "worker" else machines.kill_child(queue)
        machines.keep_alive(*EVERYBODY)
    Place.linger(0.0)
    follow(machines, run_id)
    assert_each_once(machines, run_id)


def _helped(machines: Machines, run_id: int) -> bool:
    machines.keep_alive(*EVERYBODY)
    help_on(machines, run_id)
    return True


def test_random_deaths_lose_and_repeat_nothing(machines: Machines) -> None:
    Place.linger(0.03)
    chance = random.Random(7)
    machines.keep_alive(*EVERYBODY)
    run_ids = [machines.start_run() for _run in range(3)]
    deaths: list[Callable[[], object]] = [
        *(4 * [lambda: machines.kill_child(chance.choice(("now", "bulk")))]),
        *(3 * [lambda: machines.kill(chance.choice(EVERYBODY))]),
        lambda: machines.queue().flushall(),
        lambda: _restart_queue(machines),
    ]
    end = time.monotonic() + 6
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.1, 0.4))
        chance.choice(deaths)()
        machines.keep_alive(*EVERYBODY)
        for run_id in run_ids:
            help_on(machines, run_id)
    Place.linger(0.0)
    follow(machines, *run_ids)
    assert_each_once(machines, *run_ids)


def _restart_queue(machines: Machines) -> None:
    assert machines.server is not None
    machines.server.kill()
    machines.server.wait()
    time.sleep(0.3)
    machines.start_queue()


def test_a_worker_that_wakes_up_late_changes_nothing(machines: Machines) -> None:
    Place.linger(0.3)
    machines.keep_alive(*EVERYBODY)
    run_id = machines.start_run()
    until(lambda: Place.marks("in-do") > 0)
    sleeper = machines.child_of("bulk")
    assert sleeper is not None
    os.kill(sleeper, signal.SIGSTOP)
    machines.start("bulk-2")
    until(lambda: machines.step(run_id, "chunks") == "done")
    os.kill(sleeper, signal.SIGCONT)
    Place.linger(0.0)
    follow(machines, run_id)
    assert_each_once(machines, run_id)


def test_an_emptied_queue_loses_nothing(machines: Machines) -> None:
    machines.keep_alive("clock")
    until(lambda: _answers(machines))
    run_id = machines.start_run()
    machines.queue().flushall()
    follow(machines, run_id)
    assert_each_once(machines, run_id)


def _answers(machines: Machines) -> bool:
    try:
        return bool(machines.queue().ping())
    except RedisError:
        return False


def test_workers_run_nothing_but_steps(machines: Machines) -> None:
    until(lambda: _answers(machines))
    forged = {
        "origin": "now",
        "data": b'["os.mkdir", null, ["%s"], {}]' % bytes(machines.folder / "hacked"),
        "status": "queued",
    }
    queue = machines.queue()
    queue.hset("rq:job:forged", mapping=forged)
    queue.sadd("rq:queues", "rq:queue:now")
    queue.rpush("rq:queue:now", "forged")
    machines.keep_alive("now")
    until(lambda: queue.llen("rq:queue:now") == 0 and queue.hget("rq:job:forged", "status") != b"started")
    time.sleep(0.5)
    assert not (machines.folder / "hacked").exists()
    machines.keep_alive("now")
    assert queue.hget("rq:job:forged", "status") == b"failed"
