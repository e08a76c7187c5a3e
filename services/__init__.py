"""Floor 2, what may be done: one plain function an operation. A service takes the session and writes, never commits."""

from __future__ import annotations


class Refused(Exception):
    """An operation that was not done; the message says to the user what, where and what to do."""
