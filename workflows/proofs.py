"""What the clock proves every night, a span at a time: what lists and search read against what it repeats."""

from __future__ import annotations

import logging

from services import search_checks
from workflows.sessions import reading, writing

log = logging.getLogger(__name__)


def prove_search() -> None:
    """Compare the next span of what lists and search read with what it repeats; mend and tell."""
    with reading() as session:
        if not search_checks.is_due(session):
            return
    with writing() as session:
        if wrong := search_checks.prove_next(session):
            log.error("clock: %s rows of search were wrong and have been written anew", wrong)
