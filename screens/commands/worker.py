"""`worker`: carries out steps, one role of several machines."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from flask import Flask

from models.base import db
from screens.commands import CreateApp
from screens.processes import Child, Supervisor
from services import health, upgrades
from workflows.queues import QUEUES
from workflows.worker import work

HELP = "只运行后台处理进程(多台机器时用)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which queue, and how many processes for it."""
    parser.add_argument("--queue", choices=QUEUES, default=None, help="只听一个队列(默认两个队列各有进程)")
    parser.add_argument("--processes", type=int, default=1, help="每个队列的进程数(默认 1)")


def run(args: argparse.Namespace, create_app: CreateApp) -> None:
    """Work in this process where one is asked for; else start that many and keep them alive."""
    queues = [args.queue] if args.queue else list(QUEUES)
    app = create_app()
    with app.app_context():
        upgrades.make_ready(app)
        health.require_queue(app)
        db.engine.dispose()
    if len(queues) * args.processes > 1:
        Supervisor(worker_children(app, queues, processes=args.processes)).run()
    else:
        work(app, queues[0])


def worker_children(app: Flask, queues: Sequence[str], *, processes: int = 1) -> list[Child]:
    """Workers that listen to exactly one queue each."""
    return [
        Child(f"lamp-{queue}", partial(work, app, queue)) for queue in queues for _number in range(processes)
    ]
