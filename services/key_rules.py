"""What becomes of a keyed field: settled, or keyed once more by somebody else.

Double keying from the picture has an eighth of the errors of single keying (Paulsen 2012, PLoS ONE 7(4):e35087): what
messages and letters depend on is keyed twice, blind, by different people, and a third person decides where they differ.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quality.verdicts import Verdict

ARBITRATION, LEADER = 3, 4
TWICE = frozenset({"mobile", "landline", "outage_mobile", "postcode", "account_no"})
FIELD_QUEUES = ("first", "once")  # of handwriting, keyed for the first time
ADDRESSES = frozenset({"postal_address", "supply_address"})
DOOR = ("L5", "L6")  # an address that reaches the door
SPACE = re.compile(r"\s+")
Judge = Callable[[str], Verdict]


@dataclass(frozen=True)
class Turn:
    """One keying of a field: which turn it was, the answer, and the value if there was one."""

    turn: int
    answer: str
    value: str = ""


@dataclass(frozen=True)
class Settled:
    """The field is done: `value` with its text, `blank`, or `unreadable`."""

    answer: str
    value: str = ""


@dataclass(frozen=True)
class Wanted:
    """The field is to be keyed once more: in which turn and queue."""

    turn: int
    queue: str


ARBITRATE, ASK_LEADER, AGAIN = Wanted(ARBITRATION, "arbitrate"), Wanted(LEADER, "leader"), Wanted(2, "once")


def decide(name: str, turns: Sequence[Turn], judge: Judge) -> Settled | Wanted | None:
    """What the keyings of one field so far come to, whatever their order; None while a blind one is still out."""
    first, last = min(turns, key=_order), max(turns, key=_order)
    if last.turn == LEADER:
        return Settled(last.answer, last.value)
    if name in TWICE and len(turns) < 2:
        return None
    if any(one.answer == "leader" for one in turns):
        return ASK_LEADER
    if last.turn == ARBITRATION:
        return Settled(last.answer, last.value)
    if len(turns) == 1:
        return Settled(last.answer, last.value) if _may_stand(name, last, judge) else AGAIN
    return Settled(first.answer, first.value) if _agree(name, first, last, judge) else ARBITRATE


def _order(one: Turn) -> int:
    return one.turn


def _may_stand(name: str, one: Turn, judge: Judge) -> bool:
    """Nobody alone calls something unreadable, and an address keyed once must reach the door."""
    if one.answer != "value" or name not in ADDRESSES:
        return one.answer != "unreadable"
    return judge(one.value).kind in DOOR


def _agree(name: str, one: Turn, other: Turn, judge: Judge) -> bool:
    """Two keyings agree in writing; numbers also where they mean the same (with and without the area code)."""
    if one.answer != other.answer or plain(one.value) == plain(other.value):
        return one.answer == other.answer
    found = judge(one.value).values if name in TWICE else ()
    return bool(found) and found == judge(other.value).values


def plain(text: str) -> str:
    """A text as it is compared: half width, one case, without spaces."""
    return SPACE.sub("", unicodedata.normalize("NFKC", text)).casefold()
