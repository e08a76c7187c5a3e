"""The server that answers requests: gunicorn with threads, on a socket that is open already."""

from __future__ import annotations

import socket
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from models.processes import die_with_parent

THREADS = 32


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
