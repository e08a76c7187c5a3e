"""`web`: the web server alone, one role of several machines."""

from __future__ import annotations

import argparse

from models.base import ENGINE_OPTIONS, db
from screens import site
from screens.commands import CreateApp, say
from screens.processes import address_of, listen
from screens.servers import THREADS, serve_pages
from services import upgrades

HELP = "只运行网页服务(多台机器时用)"
# A connection for each thread, few of them kept.
CONNECTIONS = ENGINE_OPTIONS | {"pool_size": 8, "max_overflow": THREADS - 8}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen."""
    parser.add_argument("--host", default="127.0.0.1", help="监听地址(默认 127.0.0.1；供全网访问用 0.0.0.0)")
    parser.add_argument("--port", type=int, default=8000, help="端口(默认 8000)")
    parser.add_argument("--processes", type=int, default=2, help="进程数(默认 2)")


def run(args: argparse.Namespace, create_app: CreateApp) -> None:
    """Serve pages until stopped."""
    with listen(args.host, args.port) as listener:
        app = create_app(SQLALCHEMY_ENGINE_OPTIONS=CONNECTIONS)
        site.register(app)
        with app.app_context():
            upgrades.make_ready(app)
            db.engine.dispose()
        say(f"网页服务: {address_of(listener)}")
        serve_pages(app, listener, processes=args.processes)
