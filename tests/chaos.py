"""A seeded storm over real processes: everything is killed at random, and nothing may be lost or done twice.

    PYTHONPATH=. .venv/bin/python tests/chaos.py --seed 7 --kills 300 [--database postgresql+psycopg://…/an-empty-one]

Runs of lists, lanes and sendings go on meanwhile. Afterwards every run has ended, every effect stands in the ledger
once, every sending went out once, and whatever nobody knew of was cut off inside a sending. Prints what it counted.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from following import help_on, restart_queue, sent_lines
from machines import Machines, installation, until
from places import Place
from sqlalchemy import func, select

from models import Outgoing, Run, SignInAttempt, Step, StepItem

EVERYBODY = ("now", "bulk", "bulk-2", "clock")
ITEMS, SENT = 40, 3
LEASE = {"lease": 2.0, "attempts": 1000}
POINT = {"field": "item.n", "op": "gt", "value": ITEMS // 2}
TREE: list[dict[str, Any]] = [
    {
        "id": "lanes",
        "parallel": {},
        "lanes": [
            {
                "nodes": [
                    {
                        "id": "list",
                        "each": {"list": "numbers", "size": 8, "at_once": 3},
                        "do": [
                            {"id": "first", "step": "enter"},
                            {
                                "id": "fork",
                                "branch": POINT,
                                "yes": [{"id": "high", "step": "enter"}],
                                "no": [{"id": "low", "step": "enter"}],
                            },
                        ],
                    }
                ]
            },
            {"nodes": [{"id": "channel", "step": "post_it"}, {"id": "last", "step": "tally"}]},
        ],
    }
]
EFFECTS = 2 * ITEMS + SENT + 12  # of one run


@dataclass
class Storm:
    """What happened in one: its seed, the blows by kind, and what was found afterwards."""

    seed: int
    blows: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    wanted: int = 0
    lost: int = 0
    doubled: int = 0
    unknown: int = 0
    seconds: float = 0.0


def blow(machines: Machines, chance: random.Random) -> str:
    """Strike once, anywhere; says what was struck."""
    worker = chance.choice(("now", "bulk", "bulk-2"))
    blows: dict[str, tuple[int, Callable[[], object]]] = {
        "child": (5, lambda: machines.kill_child(worker)),
        "worker": (4, lambda: machines.kill(worker)),
        "both": (2, lambda: (machines.kill(worker), machines.kill_child(worker))),
        "clock": (2, lambda: machines.kill("clock")),
        "stopped": (2, lambda: stop_for_a_while(machines, worker)),
        "queue": (1, lambda: restart_queue(machines)),
        "emptied": (1, lambda: machines.queue().flushall()),
    }
    name = chance.choices(list(blows), weights=[weight for weight, _act in blows.values()])[0]
    blows[name][1]()
    return name


def stop_for_a_while(machines: Machines, worker: str) -> None:
    """A child that sleeps longer than its lease, and then believes that it still has it."""
    child = machines.child_of(worker)
    if child is None:
        return
    os.kill(child, signal.SIGSTOP)
    until_after = time.monotonic() + LEASE["lease"] + 0.5
    while time.monotonic() < until_after:
        machines.keep_alive(*EVERYBODY)
        time.sleep(0.1)
    if Path(f"/proc/{child}").exists():
        os.kill(child, signal.SIGCONT)


def storm(folder: Path, *, seed: int, kills: int, runs: int, database: str = "") -> Storm:
    """Start runs, strike until that many blows have fallen, let everything come to its end, and count."""
    chance, told, begin = random.Random(seed), Storm(seed), time.monotonic()
    with installation(folder, database, **LEASE) as machines:
        Place.linger(0.05)
        machines.keep_alive(*EVERYBODY)
        ids = [machines.start_run(TREE) for _run in range(runs)]
        while told.blows.total() < kills:
            time.sleep(chance.uniform(0.1, 0.4))
            told.blows[blow(machines, chance)] += 1
            machines.keep_alive(*EVERYBODY)
            told.unknown += settle(machines, ids)
            if all(machines.state(run_id) == "done" for run_id in ids[-2:]):
                ids.append(machines.start_run(TREE))
        Place.linger(0.0)
        until(lambda: is_over(machines, ids, told), seconds=120, every=0.2)
        count(machines, ids, told)
    told.seconds = round(time.monotonic() - begin, 1)
    return told


def settle(machines: Machines, ids: list[int]) -> int:
    """Say of sendings nobody knows of whether they went out; how many there were."""
    with machines.session() as session:
        unknown = session.scalar(
            select(func.count()).select_from(Outgoing).where(Outgoing.state == "unknown")
        )
    if unknown:
        help_on(machines, ids[0])
    return int(unknown or 0)


def is_over(machines: Machines, ids: list[int], told: Storm) -> bool:
    machines.keep_alive(*EVERYBODY)
    told.unknown += settle(machines, ids)
    return all(machines.state(run_id) in ("done", "failed", "parked", "partly_failed") for run_id in ids)


def count(machines: Machines, ids: list[int], told: Storm) -> None:
    """Compare the ledger and the gate with what these runs should have done."""
    with machines.session() as session:
        noted = Counter(session.scalars(select(SignInAttempt.account_key)))
        states = Counter(session.scalars(select(Run.state).where(Run.id.in_(ids))))
        items = Counter(session.scalars(select(StepItem.state)))
        steps = Counter(session.scalars(select(Step.state)))
    sent = Counter(sent_lines())
    told.runs, told.wanted = len(ids), len(ids) * EFFECTS
    assert states == {"done": len(ids)}, states
    assert set(items) == {"done"} and set(steps) == {"done"}, (items, steps)
    effects = noted + sent
    told.lost, told.doubled = told.wanted - len(effects), effects.total() - len(effects)


def main() -> None:
    """Run one storm and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--database", default="")
    args = parser.parse_args()
    logging.disable(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        told = storm(Path(folder), seed=args.seed, kills=args.kills, runs=args.runs, database=args.database)
    sys.stdout.write(f"{told}\n")


if __name__ == "__main__":
    main()
