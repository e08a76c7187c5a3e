"""Floor 2, what may be done: one plain function an operation. A service takes the session and writes, never commits."""

from __future__ import annotations

from models.words import Said


class Refused(Exception):
    """An operation that was not done; the message says to the user what, where and what to do.

    It is a Chinese source string with %(name)s for each value; screens say it in the reader's language.
    """

    def __init__(self, text: str, /, **values: object) -> None:
        self.message = text if isinstance(text, Said) else Said(text, **values)
        super().__init__(self.message)
