"""What people do while runs go on in real processes, and what must be so when they have ended."""

from __future__ import annotations

import time

from machines import Machines, until
from places import ITEMS, Place
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Outgoing, Run, Setting, SignInAttempt, Staff, Step, StepItem, Task
from workflows import runs
from workflows.tasks import decide_task

EVERYBODY = ("now", "bulk", "clock")


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


def restart_queue(machines: Machines) -> None:
    """Kill the queue server; another one begins with nothing."""
    assert machines.server is not None
    machines.server.kill()
    machines.server.wait()
    time.sleep(0.3)
    machines.start_queue()


def answers(machines: Machines) -> bool:
    """Whether the queue server is there."""
    try:
        return bool(machines.queue().ping())
    except RedisError:
        return False
