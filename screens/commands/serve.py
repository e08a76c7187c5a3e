"""`serve`: queue server if none is configured, web, workers and clock on this machine."""

from __future__ import annotations

import argparse
import http.client
import socket
from collections.abc import Callable

from flask import Flask

from models.base import db
from models.home import prepare_home
from screens.commands import CreateApp, say
from screens.commands.worker import QUEUES
from screens.processes import (
    Child,
    Supervisor,
    address_of,
    clock_child,
    listen,
    only_one,
    queue_child,
    web_child,
    worker_children,
)
from services import health, upgrades

HELP = "运行全部服务: 队列、网页、后台处理、时钟"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen."""
    parser.add_argument("--host", default="127.0.0.1", help="监听地址(默认 127.0.0.1；供全网访问用 0.0.0.0)")
    parser.add_argument("--port", type=int, default=8000, help="端口(默认 8000)")


def run(args: argparse.Namespace, create_app: CreateApp) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    app = create_app()
    listener = listen(args.host, args.port)
    serve(app, listener, ready=lambda: say(f"掌灯已启动: {address_of(listener)}  (按 Ctrl-C 停止)"))


def serve(app: Flask, listener: socket.socket, *, ready: Callable[[], None]) -> None:
    """Run every process of this machine on a database that is ready; `ready` is called once when pages answer."""
    lock = only_one(prepare_home(app.config["HOME"]))
    health.require_printing()
    with app.app_context():
        upgrades.make_ready(app)
        db.engine.dispose()
    Supervisor(children(app, listener), announce=lambda: _answers(listener, ready)).run()
    del lock
    say("掌灯已停止。")


def children(app: Flask, listener: socket.socket) -> list[Child]:
    """What runs: the embedded queue server only where no other is configured."""
    own_queue = [queue_child(app.config["HOME"])] if health.is_queue_embedded(app) else []
    return [*own_queue, web_child(listener), *worker_children(QUEUES), clock_child()]


def _answers(listener: socket.socket, ready: Callable[[], None]) -> bool:
    """Whether the pages answer by now; says so when they do."""
    host, port = listener.getsockname()[:2]
    connection = http.client.HTTPConnection({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port, timeout=0.5)  # noqa: S104
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    ready()
    return True
