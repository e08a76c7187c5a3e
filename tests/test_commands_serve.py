"""`serve` for real: pages, queue, workers and clock come up together and leave nothing behind."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from models.home import CHECKOUT
from screens.commands import main

PROGRAM = [sys.executable, str(CHECKOUT / "app.py")]
NOT_INHERITED = ("LAMPLIGHTER_HOME", "LAMPLIGHTER_DATABASE_URL", "LAMPLIGHTER_REDIS_URL")


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    return kept | {"LAMPLIGHTER_HOME": str(home)} | more


def command(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words], env=environment(home, **more), capture_output=True, text=True, timeout=60
    )


def processes_of(home: Path) -> dict[int, str]:
    """Living processes that belong to a home folder: by environment, by command line."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words, environ = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if words and (os.fsencode(home) in words or b"LAMPLIGHTER_HOME=" + os.fsencode(home) in environ):
            found[int(folder.name)] = words.replace(b"\0", b" ").decode()
    return found


def until_gone(home: Path, seconds: float = 10) -> dict[int, str]:
    end = time.monotonic() + seconds
    while (left := processes_of(home)) and time.monotonic() < end:
        time.sleep(0.1)
    return left


class Served:
    """A `serve` on a free port, up and answering."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [*PROGRAM, "serve", "--port", "0"], env=environment(home), stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        self.said = ""
        for line in self.process.stderr:
            self.said += line
            if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                self.address = found.group()
                return
        raise AssertionError(f"serve did not start: {self.said}")

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.address + path, timeout=10) as answer:  # noqa: S310 our own address
            return answer.read().decode()

    def child(self, name: str) -> int:
        """The process id of the direct child of this name."""
        return next(
            n for n in processes_of(self.home) if name_of(n) == name and parent_of(n) == self.process.pid
        )


def name_of(number: int) -> str:
    return Path(f"/proc/{number}/comm").read_text().strip()


def parent_of(number: int) -> int:
    return int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture(scope="module")
def ready_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a database in it."""
    home = tmp_path_factory.mktemp("served")
    assert command(home, "upgrade").returncode == 0
    return home


@pytest.fixture
def served(ready_home: Path) -> Iterator[Served]:
    started = Served(ready_home)
    yield started
    for number in processes_of(ready_home):
        os.kill(number, signal.SIGKILL)
    started.process.communicate()


@pytest.mark.slow
def test_serve_answers_and_stops_cleanly(served: Served) -> None:
    assert json.loads(served.get("healthz")) == {"ok": True}
    until = time.monotonic() + 20
    while (
        not (told := json.loads(command(served.home, "doctor", "--json").stdout))["ok"]
        and time.monotonic() < until
    ):
        time.sleep(0.5)
    assert told["ok"], told
    assert not any("没有在运行" in check["advice"] for check in told["checks"])
    served.process.terminate()
    assert served.process.wait(40) == 0
    assert until_gone(served.home) == {}


@pytest.mark.slow
def test_killed_parent_leaves_no_process(served: Served) -> None:
    assert len(processes_of(served.home)) >= 6
    served.process.kill()
    assert until_gone(served.home) == {}


@pytest.mark.slow
def test_two_signals_in_a_row_leave_no_process(served: Served) -> None:
    served.process.terminate()
    served.process.terminate()
    assert served.process.wait(20) == 0
    assert until_gone(served.home) == {}


@pytest.mark.slow
def test_what_dies_is_started_again(served: Served) -> None:
    first = served.child("valkey-server")
    for word in ("valkey-server", "lamp-web", "lamp-now", "lamp-clock"):
        os.kill(served.child(word), signal.SIGKILL)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        time.sleep(0.3)
        try:
            if served.child("valkey-server") != first and json.loads(served.get("healthz"))["ok"]:
                return
        except (OSError, StopIteration):
            continue
    raise AssertionError(processes_of(served.home))


@pytest.mark.slow
def test_the_second_serve_on_a_home_is_refused(served: Served) -> None:
    again = command(served.home, "serve", "--port", "0")
    assert again.returncode == 1
    assert "已经有一个服务" in again.stderr


Refusing = Callable[..., str]


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Refusing]:
    """Play a command in this process that must refuse, and return what it said."""
    before = os.umask(0o022)

    def play(home: Path, *words: str) -> str:
        for name in NOT_INHERITED:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("LAMPLIGHTER_HOME", str(home))
        assert main(words, importlib.import_module("app").create_app) == 1
        shown = capsys.readouterr()
        return shown.err + shown.out

    yield play
    os.umask(before)


@pytest.mark.parametrize("role", ["serve", "web"])
def test_a_port_in_use_is_a_plain_message(tmp_path: Path, refusing: Refusing, role: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "--port" in refusing(tmp_path, role, "--port", str(taken.getsockname()[1]))


@pytest.mark.parametrize("role", ["serve", "web", "doctor", "upgrade"])
def test_an_unwritable_home_is_a_plain_message(refusing: Refusing, role: str) -> None:
    port = ["--port", "0"] if role in ("serve", "web") else []
    assert "LAMPLIGHTER_HOME" in refusing(Path("/proc/lamplighter"), role, *port)


@pytest.mark.parametrize("role", ["serve", "web", "worker", "clock", "upgrade", "doctor"])
def test_a_newer_database_is_a_plain_message(newer_home: Path, refusing: Refusing, role: str) -> None:
    port = ["--port", "0"] if role in ("serve", "web") else []
    assert "更新版本" in refusing(newer_home, role, *port)


@pytest.fixture(scope="module")
def newer_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose database a later version wrote."""
    home, before = tmp_path_factory.mktemp("newer"), os.umask(0o022)
    with pytest.MonkeyPatch.context() as environment:
        for name in NOT_INHERITED:
            environment.delenv(name, raising=False)
        environment.setenv("LAMPLIGHTER_HOME", str(home))
        assert main(["upgrade"], importlib.import_module("app").create_app) == 0
    os.umask(before)
    with closing(sqlite3.connect(home / "lamplighter.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    return home


def test_serve_without_chinese_fonts_is_a_plain_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusing: Refusing
) -> None:
    config = tmp_path / "fonts.conf"
    config.write_text(f"<fontconfig><dir>{tmp_path}</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(config))
    assert "apt-get install" in refusing(tmp_path / "home", "serve", "--port", "0")
