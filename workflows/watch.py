"""What a worker's child says of the step in its hands, in memory that both share: the parent outlives it and reads it.

A library may swallow a signal or never return, so the child ends nothing itself: whoever takes too long is killed.
"""

from __future__ import annotations

import mmap
import struct
import time
from dataclasses import dataclass

from flask import current_app

FORM = struct.Struct("<q32sdd")
FOREVER = float("inf")


@dataclass(frozen=True)
class Watched:
    """A step at work: its claim, when it is over its limit, and when it counts as hanging (monotonic seconds)."""

    step_id: int
    token: str
    limit: float
    hang: float

    @property
    def is_over(self) -> bool:
        """Whether it has used up its own time limit."""
        return time.monotonic() > self.limit

    @property
    def is_hanging(self) -> bool:
        """Whether it has shown no progress for too long."""
        return time.monotonic() > self.hang


class Watch:
    """The shared page of one worker and its child of the moment."""

    def __init__(self) -> None:
        self.page = mmap.mmap(-1, FORM.size)

    def begin(self, step_id: int, token: str, *, limit: float | None, hang: float) -> None:
        """A step is taken up; it may take `limit` seconds in all and `hang` without progress."""
        now = time.monotonic()
        until = now + limit if limit is not None else FOREVER
        self._write(Watched(step_id, token, until, now + hang))

    def moved(self, hang: float) -> None:
        """A chunk is done: the time for the next one begins."""
        seen = self.seen()
        if seen is not None:
            self._write(Watched(seen.step_id, seen.token, seen.limit, time.monotonic() + hang))

    def end(self) -> None:
        """Nothing is in hand any more."""
        self.page[:] = bytes(FORM.size)

    def seen(self) -> Watched | None:
        """What is in hand; after a child's death: what it left behind."""
        step_id, token, limit, hang = FORM.unpack(self.page[:])
        return Watched(step_id, token.decode("ascii"), limit, hang) if step_id else None

    def _write(self, one: Watched) -> None:
        self.page[:] = FORM.pack(one.step_id, one.token.encode("ascii"), one.limit, one.hang)


def watch() -> Watch:
    """The watch of this process; where no worker looks on, it is read by nobody."""
    found: Watch = current_app.extensions.setdefault("watch", Watch())
    return found
