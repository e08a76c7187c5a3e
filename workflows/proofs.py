"""What the clock proves every night, a span at a time: what lists and search read against what it repeats."""

from __future__ import annotations

import logging

from services import search_checks
from workflows.sessions import reading, writing

log = logging.getLogger(__name__)


def prove_search() -> None:
    """Compare the next span of what lists and search read with what it repeats, holding up no writer; mend and tell."""
    with reading() as session:
        if not search_checks.is_due(session):
            return
        proved = search_checks.prove_next(session)
    with writing() as session:
        search_checks.keep_proved(session, proved)
    if proved.wrong:
        log.error("clock: %s rows of search were wrong and have been written anew", len(proved.wrong))
