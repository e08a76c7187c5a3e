"""What the clock proves every night: what is read against what it repeats, and that everything adds up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy.orm import Session

from services import balance_checks, search_checks, sheet_balances
from workflows.sessions import reading, writing

T = TypeVar("T")

log = logging.getLogger(__name__)


def prove_search() -> None:
    """Compare what lists and search read with what it repeats, every night, a span at a time; mend and tell."""
    with reading() as session:
        if not search_checks.is_due(session):
            return
    with writing() as session:
        if wrong := search_checks.prove_next(session):
            log.error("clock: %s rows of search were wrong and have been written anew", wrong)


def check_sheets() -> None:
    """Look every night whether every scanned side is accounted for; the health page tells what is not."""
    if number := _look(sheet_balances.is_due, sheet_balances.faults, sheet_balances.keep_result):
        log.error("clock: %s faults in the balance of scanned sheets", number)


def prove_balances() -> None:
    """Count every letter a second time, every night; what does not add up is told."""
    if number := _look(balance_checks.is_due, balance_checks.check, balance_checks.keep_result):
        log.error("clock: %s balances of letters do not add up", number)


def _look(
    due: Callable[[Session], bool],
    found_by: Callable[[Session], Sequence[T]],
    keep: Callable[[Session, Sequence[T]], None],
) -> int:
    """Look through everything where it is due, holding up no writer, and keep what was found; how much that is."""
    with reading() as session:
        if not due(session):
            return 0
        found = found_by(session)
    with writing() as session:
        keep(session, found)
    return len(found)
