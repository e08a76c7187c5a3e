"""Claiming a step, keeping it while one works, and writing only while one still holds it.

Whoever changes a run takes its row first, then its tasks and steps: so nobody waits for somebody who waits for him.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from secrets import token_hex
from types import TracebackType
from typing import Any

from flask import Flask, current_app
from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import Run, Step
from models.clock import utcnow
from workflows.sessions import writing
from workflows.times import Times, times
from workflows.watch import watch

LIVE = ("running", "waiting")
SKEW = 3
STEPS = Step.__table__
RUNS = Run.__table__

# Statements of every step are built once: building one anew takes five times as long as running it.
HELD = update(STEPS).where(
    STEPS.c.id == bindparam("step"), STEPS.c.token == bindparam("mine"), STEPS.c.state == "leased"
)
LOCKED = (
    select(Run)
    .where(Run.id == bindparam("run"))
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)

log = logging.getLogger(__name__)


class ClaimLost(Exception):
    """Somebody else has the step now, or the run was cancelled: whoever notices stops and writes nothing."""


def is_due() -> ColumnElement[bool]:
    """The condition of a step that may be claimed: ready or failed and its time has come, or its lease ran out.

    A lease that ends later than any can is one from before the machine's clock was set back.
    """
    moment = utcnow()
    return _is_due(moment, _never(moment))


def _never(moment: datetime) -> datetime:
    return moment + timedelta(seconds=SKEW * times().lease)


def _is_due(moment: Any, never: Any) -> ColumnElement[bool]:
    lapsed = or_(STEPS.c.lease_until < moment, STEPS.c.lease_until > never)
    rested = or_(STEPS.c.not_before.is_(None), STEPS.c.not_before <= moment)
    return or_(
        and_(STEPS.c.state.in_(("ready", "failed")), rested),
        and_(STEPS.c.state == "leased", lapsed),
    )


def _moment(name: str) -> Any:
    return bindparam(name, type_=STEPS.c.lease_until.type)


CLAIM = (
    update(STEPS)
    .where(
        STEPS.c.id == bindparam("step"),
        _is_due(_moment("moment"), _moment("never")),
        select(RUNS.c.id).where(RUNS.c.id == STEPS.c.run_id, RUNS.c.state.in_(LIVE)).exists(),
    )
    .values(
        state="leased",
        token=bindparam("fresh"),
        lease_until=_moment("until"),
        attempt=STEPS.c.attempt + 1,
        started_at=func.coalesce(STEPS.c.started_at, _moment("moment")),
    )
)


def claim(session: Session, step_id: int, limits: Times) -> str | None:
    """Take a due step of a live run; its fresh token, or None when there is nothing to take."""
    token, moment = token_hex(16), utcnow()
    until = moment + timedelta(seconds=limits.lease)
    about = {"step": step_id, "fresh": token, "moment": moment, "never": _never(moment), "until": until}
    taken: Any = session.execute(CLAIM, about)
    return token if taken.rowcount == 1 else None


def take(step: Step, limits: Times) -> str:
    """Claim a step that was made ready in the same transaction, so that nobody else knows of it yet."""
    step.state, step.token, step.attempt = "leased", token_hex(16), (step.attempt or 0) + 1
    step.lease_until = utcnow() + timedelta(seconds=limits.lease)
    step.started_at = step.started_at or utcnow()
    return step.token


def hold(session: Session, step_id: int, token: str, limits: Times, **values: Any) -> None:
    """Begin a write of the holder: the first statement of its transaction; ClaimLost when it holds the step no more."""
    until = utcnow() + timedelta(seconds=limits.lease)
    held: Any = session.execute(HELD, {"step": step_id, "mine": token, "lease_until": until, **values})
    if held.rowcount != 1:
        raise ClaimLost(f"step {step_id}")


def locked(session: Session, run_id: int) -> Run:
    """A run read afresh, with its row held until the transaction ends: before any step or task of it is changed."""
    return session.scalars(LOCKED, {"run": run_id}).one()


def hold_runs(session: Session, run_ids: Iterable[int]) -> None:
    """Hold the rows of several runs, always in the same order, without reading them."""
    rows = select(RUNS.c.id).where(RUNS.c.id.in_(sorted(run_ids))).order_by(RUNS.c.id)
    session.execute(rows.with_for_update(key_share=True)).all()


class Heartbeat:
    """Renews a claim from a thread while slow work goes on; not any more after `hang` seconds without progress."""

    def __init__(self, step_id: int, token: str, limits: Times) -> None:
        self.step_id, self.token, self.limits = step_id, token, limits
        self.app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self.progress = time.monotonic()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True, name=f"heartbeat-{step_id}")

    def __enter__(self) -> Heartbeat:
        self.thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self.thread.join()

    def moved(self) -> None:
        """Say that a chunk is done, so that the time for the next one begins."""
        self.progress = time.monotonic()
        watch().moved(self.limits.hang)

    def _beat(self) -> None:
        while not self.stopped.wait(self.limits.lease / 3):
            if time.monotonic() - self.progress > self.limits.hang:
                log.error("step %s: no progress for %s s", self.step_id, self.limits.hang)
                return
            if not self._renew():
                return

    def _renew(self) -> bool:
        try:
            with self.app.app_context(), writing() as session:
                hold(session, self.step_id, self.token, self.limits)
        except ClaimLost:
            return False
        except SQLAlchemyError as error:
            log.warning("step %s: lease not renewed: %s", self.step_id, type(error).__name__)
        return True
