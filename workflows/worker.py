"""A worker: listens to exactly one queue and runs each step in a child of its own, which dies with it."""

from __future__ import annotations

import logging
import os
import signal
import time
from typing import Any

from flask import Flask
from redis.exceptions import RedisError
from rq import Worker
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from models import db
from models.processes import die_with_parent
from workflows import engine, queues  # noqa: F401 the engine is loaded before the fork: no child pays for it

PATIENCE = 20
PAUSE = 1.0
HUNG = 70

log = logging.getLogger(__name__)


class HouseWorker(Worker):
    """RQ's worker on the app that is loaded already; its children get the app's context and fresh connections."""

    app: Flask
    max_connection_wait_time = 4.0

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent()
        with self.app.app_context():
            db.engine.dispose(close=False)
            super().main_work_horse(job, queue)

    def is_stopping(self) -> bool:
        """Whether somebody asked this worker to end."""
        return self._shutdown_requested_date is not None


def work(app: Flask, queue: str) -> None:
    """Work until asked to stop. A queue server that goes away is waited for: nothing is lost meanwhile."""
    app.extensions["end_hanging_work"] = _end_hanging_work
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
            log_job_description=False,
        )
        worker.app = app
        db.engine.dispose()
        worker.work(logging_level="ERROR")
    except (RedisError, OSError) as error:
        log.warning("queue server does not answer: %s", type(error).__name__)
    if worker is not None and worker.horse_pid:
        worker.wait_for_horse()
    return worker


def _leave_when_asked() -> None:
    """Stop on a signal while there is no queue server, when RQ's own way out is not in place."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)


def _leave(_number: int, _frame: Any) -> None:
    raise SystemExit(0)


def _end_hanging_work() -> None:
    """End this child: its step shows no progress; the step is tried again elsewhere, or is dead."""
    os._exit(HUNG)
