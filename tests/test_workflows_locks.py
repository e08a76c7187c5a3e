"""Two sessions at one run at the same moment: one waits for the other, and neither for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from running import begin, go_on
from sqlalchemy import select
from sqlalchemy.orm import Session
from test_workflows_turns import PERSON, noted, noting, parts  # noqa: F401 a fixture

from models import Run, Staff, Step, Task, db
from workflows import clock, engine, outcomes, runs, tasks, waits
from workflows.sessions import writing

ASK = {"id": "ask", "person": {**PERSON, "due_hours": 1, "on_timeout": "yes"}}
DAYS = {"id": "w", "wait": {"days": 1}}


@pytest.fixture
def rival(core: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any, str, int], list[str]]]:
    """Lets somebody cancel the run at the moment when a function of the engine is called, and half a second pass."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    threads: list[threading.Thread] = []

    def between(module: Any, name: str, run_id: int) -> list[str]:
        errors: list[str] = []
        real = getattr(module, name)

        def cancel() -> None:
            try:
                with core.app_context(), writing() as session:
                    runs.cancel(session, session.get_one(Run, run_id), "不要了")
            except Exception as error:  # noqa: BLE001 the test says which
                errors.append(type(error).__name__)

        def call(*given: Any, **named: Any) -> Any:
            if not threads:
                threads.append(threading.Thread(target=cancel))
                threads[0].start()
                time.sleep(0.5)
            return real(*given, **named)

        monkeypatch.setattr(module, name, call)
        return errors

    yield between
    for thread in threads:
        thread.join()


def late(session: Session) -> None:
    """Everything that waits is overdue."""
    for row in [*session.scalars(select(Step)), *session.scalars(select(Task))]:
        row.due_at = row.created_at
    session.commit()


@pytest.mark.parametrize(
    ("module", "name", "act"),
    [
        pytest.param(tasks, "wake", "decide", id="a decision"),
        pytest.param(tasks, "wake", "time_out", id="a time-out"),
        pytest.param(waits, "wake", "wake", id="a wait that is over"),
        pytest.param(outcomes, "finish", "work", id="a worker at work"),
    ],
)
def test_a_cancelled_run_waits_for_who_has_it_in_hand(
    session: Session,
    shell: Staff,
    rival: Callable[[Any, str, int], list[str]],
    module: Any,
    name: str,
    act: str,
) -> None:
    first = DAYS if act == "wake" else ASK
    run = begin(session, shell, first, noting("a"))
    late(session)
    if act == "work":
        tasks.decide_task(session, session.scalars(select(Task)).one(), shell, "yes")
        session.commit()
    errors = rival(module, name, run.id)
    if act == "decide":
        tasks.decide_task(session, session.scalars(select(Task)).one(), shell, "yes")
        session.commit()
    else:
        {"time_out": clock.time_out, "wake": waits.wake_due_waits, "work": engine.drain}[act]()
    for thread in threading.enumerate():
        if thread.name.startswith("Thread-"):
            thread.join(5)
    session.expire_all()
    assert not errors or (act == "work" and errors == ["Refused"])
    assert go_on(session, run).state == ("done" if errors else "cancelled")
    assert noted(session, run, "a") == ([0] if act == "work" else [])
