"""What open wall screens cost: CPU time of a poll for the revision, beside the cheapest page the product has.

.venv/bin/python bench/boards.py [--screens 200] [--polls 3000]
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from flask.testing import FlaskClient
from flask_migrate import upgrade

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

ASKED_EVERY = 2.5  # seconds; static/board.js


def main() -> None:
    """Print the CPU time of one poll, its ratio to /healthz, and what all screens take of one core."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--screens", type=int, default=200)
    parser.add_argument("--polls", type=int, default=3000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["LAMPLIGHTER_HOME"] = home
        client = prepared().test_client()
        polls = [cpu_of(client, path, args.polls) for path in ("/healthz", "/board/bench/revision") * 3]
    plain, poll = min(polls[::2]), min(polls[1::2])
    share = poll * args.screens / ASKED_EVERY
    sys.stdout.write(
        f"poll {poll * 1e3:.2f} ms CPU, {poll / plain:.2f} times /healthz ({plain * 1e3:.2f} ms); "
        f"{args.screens} screens take {share:.0%} of one core\n"
    )


def prepared():  # type: ignore[no-untyped-def]
    """The web app on a fresh database with one open competition."""
    composition = importlib.import_module("app")
    models, competitions = importlib.import_module("models"), importlib.import_module("services.competitions")
    scope, seed = importlib.import_module("models.scope"), importlib.import_module("seed")
    web = composition.create_web()
    with web.app_context():
        upgrade()
        session = models.db.session()
        scope.set_scope(session, scope.ALL)
        seed.load(session)
        session.flush()
        root = session.query(models.Unit).one()
        year = (date(2026, 1, 1), date(2026, 12, 31))
        plan = competitions.Plan("bench", "bench", *year, points={"mobile": 1}, divisions={"A": [root.id]})
        competitions.create(session, plan, unit=root)
        session.commit()
    return web


def cpu_of(client: FlaskClient, path: str, times: int) -> float:
    """CPU seconds of one request, over many."""
    begin = time.process_time()
    for _time in range(times):
        if client.get(path).status_code != 200:
            raise SystemExit(f"{path} does not answer")
    return (time.process_time() - begin) / times


if __name__ == "__main__":
    main()
