"""Steps that ruin their process, a clock that jumps, a database that goes away: real processes, both databases."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chaos import storm
from following import EVERYBODY, answers, assert_each_once, follow, restart_queue
from machines import Machines, installation, until
from needs import POSTGRES_URL, needs_postgres
from places import Place
from sqlalchemy import create_engine, make_url, select, text

from models import Lease, Run, SignInAttempt, Step, db
from workflows import clock, runs
from workflows.times import Times

pytestmark = pytest.mark.slow
DATABASES = [
    pytest.param("", id="sqlite"),
    pytest.param(POSTGRES_URL, id="postgresql", marks=needs_postgres),
]
LONG = {"lease": 60.0}  # a lease that no test waits for: what ends a step sooner is the worker's own care


@pytest.fixture(params=DATABASES)
def machines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machines]:
    with installation(tmp_path, request.param) as made:
        yield made


@contextmanager
def patient(folder: Path, **times: float) -> Iterator[Machines]:
    with installation(folder, "", **{**LONG, **times}) as made:
        made.keep_alive(*EVERYBODY)
        yield made


def troubled(how: str, **more: Any) -> list[dict[str, Any]]:
    return [{"id": "one", "step": "trouble", "options": {"how": how}, **more}]


def noted(machines: Machines, run_id: int) -> list[str]:
    with machines.session() as session:
        query = select(SignInAttempt.account_key).where(SignInAttempt.account_key.startswith(f"{run_id}-"))
        return sorted(key.rpartition("-")[2] for key in session.scalars(query))


@pytest.mark.parametrize(
    ("how", "times"), [("segfault", {}), ("eat", {}), ("fill", {}), ("sleep", {"hang": 1.0})]
)
def test_a_step_that_ruins_its_process_is_done_in_another(
    tmp_path: Path, how: str, times: dict[str, float]
) -> None:
    with patient(tmp_path, **times) as machines:
        run_id = machines.start_run(troubled(how))
        until(lambda: machines.state(run_id) == "done", every=0.1)
        assert noted(machines, run_id) == ["0", "1"]


def test_a_step_over_its_limit_is_killed_and_says_so(tmp_path: Path) -> None:
    with patient(tmp_path) as machines:
        run_id = machines.start_run(troubled("sleep", time_limit=0.02))
        until(lambda: machines.state(run_id) == "failed", every=0.1)
        with machines.session() as session:
            run = session.get_one(Run, run_id)
            assert "超过时限" in run.message and "做完的 1 项" in run.message
            runs.retry(session, run)
        until(lambda: machines.state(run_id) == "done", every=0.1)
        assert noted(machines, run_id) == ["0", "1"]


def test_the_step_of_a_dead_worker_runs_again_within_half_a_minute(machines: Machines) -> None:
    limits = Times()
    assert limits.lease + limits.sweep + clock.TICK + clock.HELD_SECONDS / 3 <= 30
    Place.linger(0.3)
    machines.keep_alive(*EVERYBODY)
    run_id = machines.start_run()
    until(lambda: Place.marks("in-do") > 0)
    machines.kill("bulk")
    seen, begin = Place.marks("in-do"), time.monotonic()
    until(lambda: machines.keep_alive(*EVERYBODY) or Place.marks("in-do") > seen)
    assert (
        time.monotonic() - begin < 1.0 + 0.25 + 4
    )  # the lease and the sweep of this installation, and a start
    Place.linger(0.0)
    follow(machines, run_id)
    assert_each_once(machines, run_id)


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1)], ids=["asleep", "set-back"])
def test_a_machine_whose_clock_jumps_goes_on(machines: Machines, jump: timedelta) -> None:
    """A day asleep, or a clock set back by a day: to the rows both are the same as moments that were moved."""
    Place.linger(0.3)
    machines.keep_alive(*EVERYBODY)
    run_id = machines.start_run()
    until(lambda: Place.marks("in-do") > 0)
    everybody = [pid for pid in (*machines.children.values(), machines.child_of("bulk")) if pid]
    with machines.session() as session:
        steps = session.scalars(select(Step).where(Step.lease_until.is_not(None)).with_for_update()).all()
        leases = session.scalars(select(Lease).where(Lease.until.is_not(None)).with_for_update()).all()
        for pid in everybody:  # while the test holds the rows: nobody falls asleep with a lock in hand
            os.kill(pid, signal.SIGSTOP)
        machines.kill_child("bulk")
        for step in steps:
            step.lease_until -= jump
        for lease in leases:
            lease.until -= jump
    for pid in machines.children.values():
        os.kill(pid, signal.SIGCONT)
    Place.linger(0.0)
    follow(machines, run_id)
    assert_each_once(machines, run_id)


def test_a_database_that_goes_away_for_a_while_costs_only_time(machines: Machines) -> None:
    Place.linger(0.2)
    machines.keep_alive(*EVERYBODY)
    run_id = machines.start_run()
    until(lambda: Place.marks("in-do") > 0)
    with away(str(machines.settings["SQLALCHEMY_DATABASE_URI"])):
        time.sleep(3)
    Place.linger(0.0)
    follow(machines, run_id)
    assert_each_once(machines, run_id)


@contextmanager
def away(address: str) -> Iterator[None]:
    """A database that nobody can use: PostgreSQL lets nobody in, of SQLite somebody else holds the lock."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url)
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            yield
            connection.rollback()
    else:
        engine = create_engine(url.set(database="template1"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS false'))
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            try:
                connection.execute(text(ended), {"name": url.database})
                yield
            finally:
                connection.execute(text(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS true'))
    engine.dispose()


def test_two_clocks_and_a_queue_server_whose_log_is_lost_do_no_harm(machines: Machines) -> None:
    until(lambda: answers(machines))
    machines.queue().config_set("appendonly", "yes")
    Place.linger(0.1)
    machines.keep_alive(*EVERYBODY, "clock-2")
    run_ids = [machines.start_run() for _run in range(2)]
    until(lambda: Place.marks("in-do") > 0)
    for path in (machines.folder / "appendonlydir").glob("*"):
        path.unlink()
    restart_queue(machines)
    machines.kill("clock")
    Place.linger(0.0)
    follow(machines, *run_ids)
    assert_each_once(machines, *run_ids)


def started(machines: Machines) -> bool:
    with machines.session() as session:
        return session.scalar(select(Run.id).limit(1)) is not None


def test_whoever_starts_runs_may_be_killed_at_any_moment(machines: Machines) -> None:
    """A web process that dies leaves whole runs or none; whole ones end though nobody rang for them."""
    machines.keep_alive("now", "bulk")
    for pause in (0.05, 0.15):
        with machines.app.app_context():
            db.engine.dispose()  # a connection that two processes share is nobody's
        pid = os.fork()
        if not pid:
            while True:
                machines.start_run([{"id": "one", "step": "trouble", "options": {"how": "fill"}}])
        until(lambda: started(machines))
        time.sleep(pause)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    machines.keep_alive(*EVERYBODY)
    with machines.session() as session:
        ids = session.scalars(select(Run.id)).all()
        assert set(session.scalars(select(Step.run_id))) == set(ids)
    until(lambda: all(machines.state(run_id) == "done" for run_id in ids), seconds=60, every=0.2)
    assert all(noted(machines, run_id) == ["0", "1"] for run_id in ids)


def test_a_storm_loses_and_repeats_nothing(tmp_path: Path) -> None:
    told = storm(tmp_path, seed=7, kills=60, runs=3)
    assert (told.lost, told.doubled) == (0, 0), told
    assert told.wanted >= 285 and told.unknown <= told.blows.total() and told.seconds < 120, told
