"""Floor 3: the engine, its steps, the clock and the channels. The only floor that knows RQ.

STEPS holds every step, one line an entry: key == name of its `do` half == value stored in definitions and runs.
"""

from __future__ import annotations

from workflows.steps import StepKind

STEPS: dict[str, StepKind] = {}
