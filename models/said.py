"""How a Chinese source string is marked, and a sentence that remembers its values; read them from models/words.py."""

from __future__ import annotations

from collections.abc import Iterable


def N_(text: str) -> str:
    """Mark a Chinese string for the catalogue without translating it: screens translate when they show it."""
    return text


class Said(str):
    """A sentence with its values filled in, which remembers both, so that a screen can say it in another language.

    `text` is a Chinese source string of the catalogue with %(name)s for each value.
    """

    text: str
    values: dict[str, object]

    def __new__(cls, text: str, /, **values: object) -> Said:
        """Fill the values in."""
        said = super().__new__(cls, text % values if values else text)
        said.text, said.values = text, values
        return said

    @classmethod
    def joined(cls, parts: Iterable[str], *, joint: str) -> Said:
        """Several sentences as one."""
        named = {f"part{number}": part for number, part in enumerate(parts)}
        return cls(joint.join(f"%({name})s" for name in named), **named)
