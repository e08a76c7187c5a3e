"""What judging one value ends in: a verdict, what the value is, its standard form, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from quality.places import NO_PLACES, Places
from quality.reasons import REASONS

__all__ = [
    "INVALID",
    "MISSING",
    "NONE",
    "NOWHERE",
    "REASONS",
    "REPAIRABLE",
    "SUSPECT",
    "VALID",
    "Context",
    "Verdict",
    "invalid",
    "missing",
    "one",
]

VALID = "valid"
REPAIRABLE = "repairable"
SUSPECT = "suspect"
INVALID = "invalid"
MISSING = "missing"

NONE = "none"  # the kind of a cell in which nothing was recognised; an address has L0 instead


class Verdict(NamedTuple):
    """One judged cell. `kinds` and `extensions` stand in the order of `values`, one for each.

    `values` are in standard form (phones E.164 without extension); a suspect value keeps its standard form, an
    invalid or missing one has none. `reasons` are codes of `REASONS`. `code` says more closely how an address was
    understood (`quality/addresses.py`).
    """

    verdict: str
    kind: str
    values: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    code: str = ""

    @property
    def value(self) -> str:
        """The first value, or an empty text."""
        return self.values[0] if self.values else ""

    @property
    def extension(self) -> str:
        """The extension of the first value, or an empty text."""
        return self.extensions[0] if self.extensions else ""

    @property
    def is_usable(self) -> bool:
        """Whether a message or a letter may be sent to it: valid, or certain once tidied."""
        return self.verdict in (VALID, REPAIRABLE)


@dataclass(frozen=True)
class Context:
    """What a local leaves out: the unit's area code (`0757`) and region (`广东省佛山市`); numbers of no customer.

    `offices` are the bureau's own telephones and those of its staff, `shared` the values that stand on too many
    customers; both in E.164. `places` are what the bureau knows of its own places.
    """

    area_code: str = ""
    region: str = ""
    offices: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    places: Places = NO_PLACES


NOWHERE = Context()


def one(verdict: str, kind: str, value: str, *, reasons: tuple[str, ...] = (), extension: str = "") -> Verdict:
    """A verdict on a cell that holds exactly one value."""
    return Verdict(verdict, kind, (value,), reasons, (kind,), (extension,))


def invalid(*reasons: str, kind: str = NONE) -> Verdict:
    """A verdict on a cell that holds something, but nothing usable."""
    return Verdict(INVALID, kind, (), reasons)


def missing(*reasons: str, kind: str = NONE) -> Verdict:
    """A verdict on a blank cell, or one that says that there is nothing."""
    return Verdict(MISSING, kind, (), reasons)
