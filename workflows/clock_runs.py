"""Runs that the clock starts by itself, in the name of the shell account; a worker does what they are for."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Run, Staff
from services import balance_checks, count_checks, people, shared_numbers
from workflows import runs, scan_folders
from workflows.claims import LIVE
from workflows.sessions import reading, writing


def check_counts() -> bool:
    """Start tonight's check of the kept counts, once."""
    return _start("check_counts", count_checks.is_due, count_checks.mark_started)


def check_balances() -> bool:
    """Start tonight's proof of the balances of letters and scanned sides, once."""
    return _start("check_balances", balance_checks.is_due, balance_checks.mark_started)


def count_shared() -> bool:
    """Start tonight's count of the numbers that stand on many customers, once; by day a smaller one, when an import or
    a change in batches has ended."""
    return _start("count_shared_numbers", shared_numbers.is_due, shared_numbers.mark_started) or _start(
        "count_shared_again", shared_numbers.is_overtaken, shared_numbers.mark_followed
    )


def collect_scans() -> bool:
    """Start taking in what lies in the watched folder, unless somebody is at it. The folder, which may be far away and
    slow, is looked into before the database is asked."""
    return scan_folders.is_anything_waiting() and _start("collect_scans", _is_idle, lambda _session: None)


def _is_idle(session: Session) -> bool:
    at_it = select(Run.id).where(Run.workflow_key == "collect_scans", Run.state.in_(LIVE))
    return session.scalar(at_it.limit(1)) is None


def _start(workflow: str, due: Callable[[Session], bool], mark: Callable[[Session], None]) -> bool:
    with reading() as session:
        if not due(session):
            return False
    with writing() as session:
        staff = session.scalars(select(Staff).where(Staff.username == people.SHELL)).one_or_none()
        if staff is None or not due(session):
            return False
        mark(session)
        session.info["actor_id"] = staff.id
        runs.start(session, workflow, {}, staff)
    return True
