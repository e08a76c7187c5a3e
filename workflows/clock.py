"""The clock: sweeps due steps, wakes waits and tasks whose time has come, seals and anchors traces, tidies up.

One process at a time holds the lease `clock`; a second one waits behind it and takes over when the first is gone.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from redis.exceptions import RedisError
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from models import Lease, Run, Step, Trace, TraceAnchor
from models.clock import utcnow
from services import Refused, files, traces, uploads
from workflows import clock_runs, events, proofs, queues, schedules
from workflows.claims import LIVE, is_due
from workflows.scratch import remove_leftovers
from workflows.sessions import reading, writing
from workflows.tasks import is_any_to_remind, overdue_tasks, remind_tasks, time_out_task
from workflows.times import Times, times
from workflows.waits import wake_due_waits, wake_met_waits

LEASE = "clock"
HELD_SECONDS = 15.0
TICK = 0.5
SWEPT = 500
SEALED = 5
ANCHORS = "anchors.log"
HOUR = 3600.0

log = logging.getLogger(__name__)


@dataclass
class Duty:
    """Something the clock does every so often; `apart` what may hang, in a thread of its own: the clock ticks on."""

    name: str
    every: float
    act: Callable[[], object]
    apart: bool = False
    next_at: float = 0.0
    thread: threading.Thread | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it is still at it, apart."""
        return self.thread is not None and self.thread.is_alive()


def run(app: Flask) -> None:
    """Run until SIGTERM or SIGINT."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with app.app_context():
        duties = all_duties(times())
        holder = f"{socket.gethostname()}-{os.getpid()}"
        while not stopped.is_set():
            if hold_lease(holder):
                run_due(duties)
            stopped.wait(TICK)
        let_go(holder)


def all_duties(limits: Times) -> list[Duty]:
    """What the clock does, and how often."""
    return [
        Duty("sweep", limits.sweep, sweep),
        Duty("wake_due_waits", limits.sweep, wake_due_waits),
        Duty("wake_met_waits", TICK, wake_met_waits),
        Duty("time_out", limits.sweep, time_out),
        Duty("remind", 60.0, remind),
        Duty("start_schedules", limits.sweep, schedules.start_due),
        Duty("follow_calendar", 10.0, schedules.follow_calendar),
        Duty("dispatch_events", limits.sweep, events.dispatch),
        Duty("note_overdue", 60.0, events.note_overdue),
        Duty("seal", 1.0, seal),
        Duty("anchor", 5.0, lambda: anchor(limits.anchor)),
        Duty("tidy", HOUR, tidy),
        Duty("check_counts", HOUR / 4, clock_runs.check_counts),
        Duty("check_balances", HOUR / 4, clock_runs.check_balances),
        Duty("count_shared", HOUR / 4, clock_runs.count_shared),
        Duty("prove_search", 1.0, proofs.prove_search),
        Duty("collect_scans", 10.0, clock_runs.collect_scans, apart=True),
    ]


def run_due(duties: list[Duty]) -> None:
    """Do what is due; a duty that fails is logged and comes again, and keeps no other from its time."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    for duty in duties:
        if duty.next_at > time.monotonic():
            continue
        duty.next_at = time.monotonic() + duty.every
        if duty.is_under_way:
            log.warning("clock: %s: not done yet, it may hang", duty.name)
        elif duty.apart:
            duty.thread = threading.Thread(target=_do_apart, args=(duty, app), daemon=True)
            duty.thread.start()
        else:
            _do(duty)


def hold_lease(holder: str) -> bool:
    """Take or keep the clock's lease; False while another clock has it or the database is away."""
    moment = utcnow()
    rows = Lease.__table__
    never = moment + timedelta(seconds=HELD_SECONDS * 3)  # a lease from before the machine's clock was set back
    mine = or_(rows.c.holder == holder, rows.c.until.is_(None), rows.c.until < moment, rows.c.until > never)
    try:
        with reading() as session:
            row = session.get(Lease, LEASE)
            fresh = row is not None and row.holder == holder and row.until is not None
            if fresh and row.until - moment > timedelta(seconds=HELD_SECONDS * 2 / 3):  # type: ignore[union-attr,operator]
                return True
        with writing() as session:
            until = moment + timedelta(seconds=HELD_SECONDS)
            values = {"holder": holder, "until": until, "seen_at": moment}
            taken: Any = session.execute(update(rows).where(rows.c.name == LEASE, mine).values(**values))
            if not taken.rowcount and session.get(Lease, LEASE) is None:
                session.add(Lease(name=LEASE, **values))
                return True
            return bool(taken.rowcount)
    except IntegrityError:
        return False
    except SQLAlchemyError as error:
        log.error("clock: no lease: %s", type(error).__name__)
        return False


def let_go(holder: str) -> None:
    """Leave the lease to another clock at once."""
    rows = Lease.__table__
    try:
        with writing() as session:
            session.execute(
                update(rows).where(rows.c.name == LEASE, rows.c.holder == holder).values(until=None)
            )
    except SQLAlchemyError as error:
        log.error("clock: lease not given back: %s", type(error).__name__)


def sweep() -> int:
    """Ring for every due step that no bell waits for already; returns how many."""
    steps, runs = Step.__table__, Run.__table__
    query = select(steps.c.id, steps.c.queue).join(runs, runs.c.id == steps.c.run_id)
    with reading() as session:
        due = session.execute(
            query.where(runs.c.state.in_(LIVE), is_due()).order_by(steps.c.id).limit(SWEPT)
        ).all()
    if not due:
        return 0
    try:
        with queues.connect() as connection:
            waiting = queues.rung(connection)
    except RedisError:
        return 0
    bells = [(row.id, row.queue) for row in due if row.id not in waiting]
    return len(bells) if queues.ring(bells) else 0


def time_out() -> int:
    """Let runs go on whose persons did not decide in time."""
    with reading() as session:
        late = overdue_tasks(session)
    for task_id in late:
        try:
            with writing() as session:
                time_out_task(session, task_id)
        except Refused:
            log.info("task %s: decided in time after all", task_id)
    return len(late)


def remind() -> int:
    """Remind of tasks whose time has come."""
    with reading() as session:
        if not is_any_to_remind(session):
            return 0
    with writing() as session:
        return remind_tasks(session)


def seal() -> int:
    """Number and chain what was committed since, a chunk at a time and not for long."""
    sealed = 0
    for _chunk in range(SEALED):
        with reading() as session:
            if session.scalar(select(Trace.id).where(Trace.seq.is_(None)).limit(1)) is None:
                break
        with writing() as session:
            sealed += traces.seal(session)
    return sealed


def anchor(every: float) -> bool:
    """Sign the chain's head, in the database and in a file outside it: the first at once, then every so often."""
    with reading() as session:
        last = session.scalar(select(TraceAnchor.at).order_by(TraceAnchor.seq.desc()).limit(1))
    if last is not None and utcnow() - last < timedelta(seconds=every):
        return False
    with writing() as session:
        row = traces.anchor(session, current_app.config["TRACE_KEY"])
    _copy_anchors(Path(current_app.config["HOME"]) / ANCHORS)
    return row is not None


def tidy() -> int:
    """Remove files that were kept for a time only, uploads that nobody imported, and what killed work left behind."""
    remove_leftovers()
    events.forget_old()
    with writing() as session:
        return uploads.remove_abandoned(session) + len(list(files.remove_expired(session)))


def _do(duty: Duty) -> None:
    try:
        duty.act()
    except Exception as error:  # noqa: BLE001 the clock must not stop because one duty cannot be done now
        log.error("clock: %s: %s", duty.name, type(error).__name__)


def _do_apart(duty: Duty, app: Flask) -> None:
    with app.app_context():
        _do(duty)


def _copy_anchors(path: Path) -> None:
    """Append the anchors that the file outside the database does not hold yet."""
    lines = path.read_text("ascii").splitlines() if path.exists() else []
    known = [line for line in lines if line.count("|") == 3]
    newest = int(known[-1].partition("|")[0]) if known else 0
    with reading() as session:
        rows = session.scalars(
            select(TraceAnchor).where(TraceAnchor.seq > newest).order_by(TraceAnchor.seq)
        ).all()
        lines = [f"{row.seq}|{row.hash}|{row.signature}|{row.at:%Y-%m-%dT%H:%M:%SZ}\n" for row in rows]
    with open(path, "a", encoding="ascii", opener=_closed_to_others) as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def _closed_to_others(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
