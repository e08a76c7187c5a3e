"""The supervisor: restarts with a growing pause, stops in order, leaves nothing behind however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from models.home import CHECKOUT
from screens import processes
from screens.processes import Child, Supervisor
from services import Refused

SLEEPER = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """A supervisor in this process takes the signals; give them back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def until_dead(child: Child) -> None:
    while child.is_alive():
        time.sleep(0.005)


def test_a_child_starts_after_the_one_it_needs() -> None:
    asked: list[bool] = []
    first = Child(
        "first", lambda: time.sleep(600), is_ready=lambda: bool(asked.append(True)) or len(asked) > 3
    )
    first.start()
    assert len(asked) == 4
    first.end()


def test_a_child_takes_its_exit_code_along() -> None:
    for work, code in ((lambda: None, 0), (lambda: sys.exit(3), 3), (lambda: sys.exit("wrong"), 1)):
        child = Child("probe", work)
        child.start()
        until_dead(child)
        assert child.ended == code


@pytest.mark.slow
def test_a_dying_child_is_restarted_with_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(processes.time, "monotonic", lambda: now[0])
    child, pauses = Child("probe", lambda: sys.exit(3)), []
    supervisor = Supervisor([child])
    for _death in range(9):
        supervisor._keep(child)
        until_dead(child)
        supervisor._keep(child)
        pauses.append(child.pause)
        now[0] = child.again_at
    assert pauses == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]


def test_a_child_that_ran_steadily_is_restarted_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(processes.time, "monotonic", lambda: now[0])
    child = Child("probe", lambda: sys.exit(3), pause=32.0)
    supervisor = Supervisor([child])
    supervisor._keep(child)
    until_dead(child)
    now[0] += 3600
    supervisor._keep(child)
    assert child.pause == 0.5


def test_the_last_child_is_stopped_after_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    children = [Child("queue", partial(time.sleep, 600), last=True), Child("web", partial(time.sleep, 600))]
    supervisor = Supervisor(children, announce=lambda: bool(os.kill(os.getpid(), signal.SIGTERM)) or True)
    stop = supervisor._stop
    monkeypatch.setattr(supervisor, "_stop", lambda some: (stopped.extend(c.name for c in some), stop(some)))
    supervisor.run()
    assert stopped == ["web", "queue"]
    assert not any(child.is_alive() for child in children)


def test_a_port_in_use_is_a_plain_message() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Refused, match="--port"):
            processes.listen("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 700000), ("no.such.host.invalid", 0)])
def test_a_wrong_address_is_a_plain_message(host: str, port: int) -> None:
    with pytest.raises(Refused, match=host):
        processes.listen(host, port)


def test_one_home_is_served_once(tmp_path: Path) -> None:
    processes.only_one(tmp_path)
    with pytest.raises(Refused, match="已经有一个服务"):
        processes.only_one(tmp_path)


def supervising(tmp_path: Path, *programs: str) -> tuple[subprocess.Popen[bytes], list[int]]:
    """A supervisor in a process of its own, and the process ids of its children once all of them run."""
    code = textwrap.dedent(
        f"""
        import sys; sys.path.insert(0, {str(CHECKOUT)!r})
        from functools import partial
        from screens.processes import Child, Supervisor
        children = [Child(str(n), partial(exec, p)) for n, p in enumerate(sys.argv[1:])]
        def announce():
            print(*(child.number for child in children), flush=True)
            return True
        Supervisor(children, announce=announce).run()
        """
    )
    started = subprocess.Popen([sys.executable, "-c", code, *programs], stdout=subprocess.PIPE)
    assert started.stdout is not None
    found = [int(word) for word in started.stdout.readline().split()]
    time.sleep(0.3)
    return started, found


def gone(numbers: list[int], seconds: float = 5) -> bool:
    """Whether all these processes end within some seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not any(Path(f"/proc/{number}").exists() and not is_zombie(number) for number in numbers):
            return True
        time.sleep(0.05)
    return False


def is_zombie(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_child_outlives_its_supervisor(tmp_path: Path, number: signal.Signals) -> None:
    started, children = supervising(tmp_path, SLEEPER, SLEEPER)
    started.send_signal(number)
    started.communicate(timeout=10)
    assert len(children) == 2
    assert gone(children)


@pytest.mark.slow
def test_a_second_signal_kills_the_stubborn(tmp_path: Path) -> None:
    started, children = supervising(tmp_path, STUBBORN)
    started.terminate()
    time.sleep(0.5)
    assert started.poll() is None
    started.terminate()
    started.communicate(timeout=5)
    assert gone(children)
