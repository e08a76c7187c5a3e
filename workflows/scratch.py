"""A temporary folder for one chunk of work: what it leaves goes with it, what the killed left goes a day later."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "lamplighter-step-"
DAY = 86400.0


@contextmanager
def scratch() -> Iterator[Path]:
    """Everything that asks `tempfile` for a place gets one inside this folder, which is removed at the end."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        tempfile.tempdir = folder
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = before


def remove_leftovers(*, older_than: float = DAY) -> int:
    """Remove the folders of chunks that were killed; returns how many."""
    found = [path for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*") if _is_left(path, older_than)]
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
    return len(found)


def _is_left(path: Path, older_than: float) -> bool:
    try:
        state = path.stat()
    except FileNotFoundError:
        return False
    return state.st_uid == os.getuid() and time.time() - state.st_mtime > older_than
