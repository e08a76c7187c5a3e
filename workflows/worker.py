"""A worker: listens to exactly one queue and runs each step in a child of its own, which dies with it."""

from __future__ import annotations

import logging
import os
import resource
import signal
import time
from typing import Any

from flask import Flask
from redis.exceptions import RedisError
from rq import Worker
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from models import db
from models.processes import die_with_parent
from models.words import Said
from workflows import engine, queues
from workflows.times import times
from workflows.watch import Watch, Watched, watch

PATIENCE = 20
PAUSE = 1.0
LOOK_EVERY = 2
MEGABYTE = 2**20

log = logging.getLogger(__name__)


class HouseWorker(Worker):
    """RQ's worker on the app that is loaded already; its children get the app's context and fresh connections.

    It looks at its child every other second, kills one that takes too long, and writes what became of its step.
    """

    app: Flask
    max_connection_wait_time = 4.0

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent()
        with self.app.app_context():
            _limit_memory(times().memory)
            db.engine.dispose(close=False)
            super().main_work_horse(job, queue)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        self.look_after_horse()
        super().maintain_heartbeats(job, execution)

    def monitor_work_horse(self, job: Job, queue: Queue, execution: Execution) -> None:
        super().monitor_work_horse(job, queue, execution)
        self.bury_horse()

    def look_after_horse(self) -> None:
        """Kill a child that is over its limit or hangs, with all it has started."""
        seen = watch().seen()
        if seen is not None and (seen.is_over or seen.is_hanging):
            self.kill_horse()

    def bury_horse(self) -> None:
        """Write of a step whose child has died over it; one that ended by itself has left nothing."""
        seen = watch().seen()
        watch().end()
        if seen is not None:
            engine.bury(seen, _reason(seen))
            db.engine.dispose()

    def let_horse_finish(self) -> None:
        """Wait for the child at work while there is no queue server, with the same care."""
        while self.horse_pid and _is_alive(self.horse_pid):
            self.look_after_horse()
            time.sleep(PAUSE)
        self.bury_horse()

    def is_stopping(self) -> bool:
        """Whether somebody asked this worker to end."""
        return self._shutdown_requested_date is not None


def work(app: Flask, queue: str) -> None:
    """Work until asked to stop. A queue server that goes away is waited for: nothing is lost meanwhile."""
    app.extensions["watch"] = Watch()  # before any child is forked: they share it
    logging.getLogger("rq").setLevel(logging.ERROR)
    while True:
        _leave_when_asked()
        with app.app_context():
            worker = _listen(app, queue)
        if worker is not None and worker.is_stopping():
            return
        _leave_when_asked()
        time.sleep(PAUSE)


def _listen(app: Flask, queue: str) -> HouseWorker | None:
    """Listen until asked to stop, or until the queue server is gone; then the child at work is let finish."""
    worker: HouseWorker | None = None
    try:
        connection = queues.connect(socket_timeout=None)
        worker = HouseWorker(
            [queues.queue_named(queue, connection)],
            connection=connection,
            serializer=JSONSerializer,
            job_class=queues.SafeJob,
            worker_ttl=PATIENCE + 15,
            job_monitoring_interval=LOOK_EVERY,
            log_job_description=False,
        )
        worker.app = app
        db.engine.dispose()
        worker.work(logging_level="ERROR")
    except (RedisError, OSError) as error:
        log.warning("queue server does not answer: %s", type(error).__name__)
    if worker is not None and worker.horse_pid:
        worker.let_horse_finish()
    return worker


def _leave_when_asked() -> None:
    """Stop on a signal while there is no queue server, when RQ's own way out is not in place."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)


def _leave(_number: int, _frame: Any) -> None:
    raise SystemExit(0)


def _is_alive(pid: int) -> bool:
    """Whether a child still runs; one that has ended is taken leave of."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == 0
    except ChildProcessError:
        return False


def _limit_memory(megabytes: float) -> None:
    """A step that wants more is refused it and fails, instead of taking the machine with it."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = int(megabytes * MEGABYTE)
    if hard == resource.RLIM_INFINITY or wanted < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def _reason(seen: Watched) -> str:
    if seen.is_hanging:
        return Said("这一步太久没有进展，已停止，稍后自动再试。")
    return Said("执行这一步的进程意外结束，稍后自动再试，从没做完的地方继续。")
