"""`web`: the web server alone, one role of several machines."""

from __future__ import annotations

import argparse
import socket
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from models.base import ENGINE_OPTIONS, db
from models.processes import die_with_parent
from screens import site
from screens.commands import CreateApp, say
from screens.processes import address_of, listen
from services import upgrades

HELP = "只运行网页服务(多台机器时用)"
THREADS = 32
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


def serve_pages(app: Flask, listener: socket.socket, *, processes: int) -> None:
    """Answer requests on an open socket until SIGTERM."""
    Server(app, listener, processes=processes).run()


class Server(BaseApplication):
    """gunicorn with threads, on a socket that is open already; its workers die with it."""

    def __init__(self, app: Flask, listener: socket.socket, *, processes: int) -> None:
        self.app = app
        self.settings: dict[str, Any] = {
            "bind": f"fd://{listener.fileno()}",
            "workers": processes,
            "worker_class": "gthread",
            "threads": THREADS,
            "preload_app": True,
            "control_socket_disable": True,
            "graceful_timeout": 15,
            "timeout": 60,
            "loglevel": "warning",
            "post_fork": lambda _server, _worker: die_with_parent(),
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self.app
