"""The engine's limits, times in seconds of real time; a variable such as LAMPLIGHTER_WORKFLOW_LEASE sets one."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields

from flask import current_app


@dataclass(frozen=True)
class Times:
    """`lease`: how long a claim holds without renewal. `hang`: how long one plan or one chunk may take at all.

    `sweep`: how often due steps are rung again. `waits`: how often conditions of waits are asked. `backoff`,
    `backoff_most`: first and longest pause before another attempt. `attempts`: tries without progress before a step is
    dead. `breaker`: failed runs in a row before a workflow is switched off. `anchor`: how often the chain is anchored.
    `carry`: how long a worker goes on with the following steps of a run before others have their turn; 0: not at all.
    `depth`: how deep workflows may start workflows. `starts`: how often an hour one may be started. `memory`: megabytes
    that one step may take.
    """

    lease: float = 20.0
    hang: float = 900.0
    sweep: float = 3.0
    waits: float = 5.0
    backoff: float = 2.0
    backoff_most: float = 300.0
    attempts: float = 5
    breaker: float = 3
    anchor: float = 900.0
    carry: float = 1.0
    depth: float = 5
    starts: float = 500
    memory: float = 4096


def times() -> Times:
    """The times of this installation."""
    return from_settings(current_app.config.get("WORKFLOW_TIMES") or {})


def from_settings(settings: Mapping[str, str | float]) -> Times:
    """Times from what is set; names that are none of them are left alone."""
    known = {field.name for field in fields(Times)}
    return Times(**{name: float(value) for name, value in settings.items() if name in known})


def pause_before(attempt: int, limits: Times) -> float:
    """Seconds until the next attempt: doubled each time, with jitter so that failures do not come back together."""
    longest = float(min(limits.backoff * 2 ** max(attempt - 1, 0), limits.backoff_most))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 no secret
