"""Processes of one machine: dying with the parent, and the queue server's address."""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import signal
import sys
import tempfile
from pathlib import Path

PR_SET_PDEATHSIG = 1
LONGEST_SOCKET = 100
SERVE_LOCK = ".serve.lock"


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies, however it dies (Linux; elsewhere nothing happens)."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


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
