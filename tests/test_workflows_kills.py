"""Workers, their children, the clock and the queue server are killed: nothing is lost and nothing is done twice."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from following import EVERYBODY, answers, assert_each_once, follow, help_on, restart_queue
from machines import Machines, installation, until
from needs import POSTGRES_URL, needs_postgres
from places import Place

pytestmark = pytest.mark.slow
DATABASES = [
    pytest.param("", id="sqlite"),
    pytest.param(POSTGRES_URL, id="postgresql", marks=needs_postgres),
]
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
        lambda: restart_queue(machines),
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


def test_a_worker_that_wakes_up_late_changes_nothing(machines: Machines) -> None:
    Place.linger(1.0)
    machines.keep_alive(*EVERYBODY)
    run_id = machines.start_run()
    until(lambda: Place.marks("in-do") > 0)
    sleeper = machines.child_of("bulk")
    assert sleeper is not None
    os.kill(sleeper, signal.SIGSTOP)
    Place.linger(0.0)
    machines.start("bulk-2")
    until(lambda: machines.step(run_id, "chunks") == "done")
    os.kill(sleeper, signal.SIGCONT)
    follow(machines, run_id)
    assert_each_once(machines, run_id)


def test_an_emptied_queue_loses_nothing(machines: Machines) -> None:
    machines.keep_alive("clock")
    until(lambda: answers(machines))
    run_id = machines.start_run()
    machines.queue().flushall()
    follow(machines, run_id)
    assert_each_once(machines, run_id)


def test_workers_run_nothing_but_steps(machines: Machines) -> None:
    until(lambda: answers(machines))
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
