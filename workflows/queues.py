"""The bell: RQ carries `run_step(id)` to the workers. Losing it loses nothing, the sweeper rings again."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from secrets import token_hex
from typing import Any

from flask import current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import event
from sqlalchemy.orm import Session

from models.processes import queue_url

QUEUES = ("now", "bulk")
BELL = "workflows.engine.run_step"
DEAF_SECONDS = 2.0

log = logging.getLogger(__name__)


class NotAllowed(Exception):
    """A queue message that asks for anything but a step to be run."""


class SafeJob(Job):
    """A job that can only ring: whoever writes to the queue server cannot make a worker call anything else."""

    @property
    def func(self) -> Any:
        if self.func_name != BELL or self.instance is not None or self.kwargs or len(self.args) != 1:
            raise NotAllowed("this queue carries run_step(id) only")
        return super().func

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None

    def send_webhooks(self, *_args: Any, **_options: Any) -> None:
        """None are ever sent."""


def redis_address() -> str:
    """The queue server's address: the configured one, else the embedded server's socket in the home folder."""
    return current_app.config["REDIS_URL"] or queue_url(current_app.config["HOME"])


def connect(**options: Any) -> Redis:
    """A connection for the web, commands and the clock: it gives up at once instead of keeping people waiting."""
    limits = {"socket_connect_timeout": 1.0, "socket_timeout": 5.0, "retry": Retry(NoBackoff(), 0)}
    return Redis.from_url(redis_address(), **(limits | options))


def queue_named(name: str, connection: Redis) -> Queue:
    """One of our queues."""
    return Queue(name, connection=connection, serializer=JSONSerializer, job_class=SafeJob)


def ring_after_commit(session: Session, step_id: int, queue: str) -> None:
    """Ring for a step once this session's transaction is committed; nothing rings when it is rolled back."""
    session.info.setdefault("bells", []).append((step_id, queue))


def ring(bells: Iterable[tuple[int, str]]) -> bool:
    """Ring for steps now; False when the queue server does not answer, which only delays them until the next sweep."""
    state: dict[str, float] = current_app.extensions.setdefault("queue_state", {})
    if state.get("deaf_until", 0.0) > time.monotonic():
        return False
    try:
        with connect() as connection:
            for step_id, name in bells:
                _ring(queue_named(name, connection), step_id)
    except RedisError as error:
        state["deaf_until"] = time.monotonic() + DEAF_SECONDS
        log.warning("queue server does not answer: %s", type(error).__name__)
        return False
    return True


def rung(connection: Redis) -> set[int]:
    """The steps that a bell still waits for in any queue."""
    ids = (job_id for name in QUEUES for job_id in queue_named(name, connection).get_job_ids())
    return {int(number) for number in (job_id.partition("-")[0] for job_id in ids) if number.isdigit()}


def _ring(queue: Queue, step_id: int) -> None:
    queue.enqueue_call(
        BELL,
        args=(step_id,),
        job_id=f"{step_id}-{token_hex(4)}",
        description="run_step",
        timeout=-1,
        result_ttl=0,
        failure_ttl=3600,
    )


@event.listens_for(Session, "after_commit")
def _ring_bells(session: Session) -> None:
    bells = session.info.pop("bells", None)
    if bells:
        ring(bells)


@event.listens_for(Session, "after_rollback")
def _forget_bells(session: Session) -> None:
    session.info.pop("bells", None)
