"""`serve`: queue server if none is configured, web, workers and clock on this machine."""

from __future__ import annotations

import argparse
import http.client
import os
import socket
from collections.abc import Callable

from flask import Flask

from models.base import db
from models.home import prepare_home
from screens import site
from screens.commands import CreateApp, say
from screens.commands.web import CONNECTIONS
from screens.commands.worker import worker_children
from screens.processes import Child, Supervisor, address_of, listen, only_one, queue_child, reachable
from screens.servers import serve_pages
from services import health, upgrades
from workflows.clock import run as run_clock
from workflows.queues import QUEUES

HELP = "运行全部服务: 队列、网页、后台处理、时钟"
WEB_PROCESSES = 2


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen."""
    parser.add_argument("--host", default="127.0.0.1", help="监听地址(默认 127.0.0.1；供全网访问用 0.0.0.0)")
    parser.add_argument("--port", type=int, default=8000, help="端口(默认 8000)")


def run(args: argparse.Namespace, create_app: CreateApp) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    with listen(args.host, args.port) as listener:
        serve(
            create_app, listener, ready=lambda: say(f"掌灯已启动: {address_of(listener)}  (按 Ctrl-C 停止)")
        )


def serve(create_app: CreateApp, listener: socket.socket, *, ready: Callable[[], None]) -> None:
    """Run every process of this machine on a database that is ready; `ready` is called once when pages answer."""
    app, web = create_app(), create_app(SQLALCHEMY_ENGINE_OPTIONS=CONNECTIONS)
    lock = only_one(prepare_home(app.config["HOME"]))
    health.require_printing()
    site.register(web)
    with app.app_context():
        upgrades.make_ready(app)
        db.engine.dispose()
    Supervisor(children(app, web, listener), announce=lambda: _answers(listener, ready)).run()
    os.close(lock)
    say("掌灯已停止。")


def children(app: Flask, web: Flask, listener: socket.socket) -> list[Child]:
    """What runs: the embedded queue server only where no other is configured."""
    pages = Child("lamp-web", lambda: serve_pages(web, listener, processes=WEB_PROCESSES))
    others = [pages, *worker_children(app, QUEUES), Child("lamp-clock", lambda: run_clock(app))]
    return [queue_child(app.config["HOME"]), *others] if health.is_queue_embedded(app) else others


def _answers(listener: socket.socket, ready: Callable[[], None]) -> bool:
    """Whether the pages answer by now; says so when they do."""
    connection = http.client.HTTPConnection(*reachable(listener), timeout=0.5)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    ready()
    return True
