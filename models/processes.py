"""Processes of one machine: dying with the parent, and the queue server's address."""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
LONGEST_SOCKET = 100
SERVE_LOCK = ".serve.lock"


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel to kill this process when its parent dies, however it dies (Linux; elsewhere nothing happens).

    `parent` is the process id of a parent that may have died by now; without it, it is whoever is the parent now.
    """
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid() if parent is None else parent
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def fork(name: str, work: Callable[[], object]) -> int:
    """Run a function in a child process that dies with this one, and return its process id.

    The child has its own process group (so Ctrl-C reaches the parent alone), no input and the usual signals. Whatever
    is loaded here is loaded there; open database connections must be closed before.
    """
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        die_with_parent(parent)
        _settle_in(name)
        work()
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0 if left.code is None else 1
    except BaseException:  # noqa: BLE001 the last line of a process: said, then it ends
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _settle_in(name: str) -> None:
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def queue_socket(home: Path) -> Path:
    """The unix socket of the embedded queue server: in the home folder, or in a short place where that is too long."""
    inside = home / "queue" / "valkey.sock"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET:
        return inside
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"lamplighter-{os.getuid()}-{digest}" / "valkey.sock"


def queue_url(home: Path) -> str:
    """The address of the embedded queue server, used where `LAMPLIGHTER_REDIS_URL` is not set."""
    return f"unix://{queue_socket(home)}"


def hold_lock(path: Path) -> int | None:
    """Lock a file for as long as this process lives and return its handle; None where another process holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def is_served(home: Path) -> bool:
    """Whether a `serve` runs on this home folder now."""
    try:
        handle = hold_lock(home / SERVE_LOCK)
    except OSError:
        return False
    if handle is not None:
        os.close(handle)
    return handle is None
