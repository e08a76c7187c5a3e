"""What the generated customers do: who answers a letter, whose letter comes back, what is found at the door."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from seed.damage import Damage
from seed.files import Line
from seed.phones import Blocks, mobile

UNDELIVERED_SHARE = 0.055
ANSWERED_SHARE = 0.35
REASONS = {
    "moved": 30,
    "unknown_person": 20,
    "unclaimed": 15,
    "bad_address": 12,
    "no_such_number": 8,
    "no_access": 8,
    "refused": 4,
    "demolished": 2,
    "other": 1,
}
AT_THE_DOOR = {
    "verified": 62,
    "not_met": 18,
    "by_proxy": 8,
    "refused": 4,
    "vacant": 4,
    "moved_out": 3,
    "no_such_address": 1,
}
RELATIONS = {"self": 76, "family": 14, "tenant": 6, "property_manager": 2, "handler": 2}
# Kinds that a change form asks for, and the column of the customer file that holds the truth.
ASKED = {
    "person": "联系人",
    "mobile": "手机",
    "landline": "固定电话",
    "postal_address": "通讯地址",
    "postcode": "邮政编码",
    "email": "电子邮箱",
}
CHANGED_SHARE = 0.05
MISWRITTEN_SHARE = 0.06


@dataclass(frozen=True)
class Fate:
    """What becomes of a letter: `answered`, `undelivered` (with the reason) or `silent`, so many days after posting."""

    end: str
    day: int
    reason: str = ""


def fate_of_letter(seed: int, account: str) -> Fate:
    """The fate of one customer's letter: the same for the same seed."""
    rng = Random(f"{seed}|letter|{account}")
    draw = rng.random()
    if draw < UNDELIVERED_SHARE:
        return Fate("undelivered", 3 + int(rng.random() * 9), weighted(rng, REASONS))
    if draw < UNDELIVERED_SHARE + ANSWERED_SHARE:
        return Fate("answered", 4 + int(rng.random() ** 1.5 * 15))
    return Fate("silent", 0)


def written_on_form(seed: int, line: Line, blocks: Blocks) -> dict[str, tuple[str, str]]:
    """What a customer fills in for each kind: `same`, `none`, or `new` with the truth where the record is wrong."""
    rng = Random(f"{seed}|form|{line.clean['户号']}")
    wrong = {damage.field for damage in line.damages if is_wrong(damage)}
    return {kind: _reply(rng, line.clean[field], field in wrong, blocks) for kind, field in ASKED.items()}


def is_wrong(damage: Damage) -> bool:
    """Whether the recorded value misleads; what only needs tidying is shown to the customer in its right form."""
    return damage.verdict not in ("valid", "repairable") or not damage.seen or damage.kind == "retired_number"


def relation(seed: int, account: str) -> str:
    """Who filled in the form or opened the door, in relation to the holder."""
    return weighted(Random(f"{seed}|relation|{account}"), RELATIONS)


def found_at_door(seed: int, account: str, attempt: int) -> str:
    """The result of going to a customer's door for the first, second … time."""
    return weighted(Random(f"{seed}|door|{account}|{attempt}"), AT_THE_DOOR)


def weighted(rng: Random, shares: dict[str, int]) -> str:
    """One of the names, drawn by its share."""
    return rng.choices(list(shares), weights=list(shares.values()))[0]


def _reply(rng: Random, truth: str, wrong: bool, blocks: Blocks) -> tuple[str, str]:
    is_mobile = truth[:1] == "1" and len(truth) == 11
    if is_mobile and rng.random() < CHANGED_SHARE:
        return "new", _hand(rng, mobile(rng, blocks))
    if not truth:
        return "none", ""
    if not wrong:
        return "same", ""
    return "new", _hand(rng, truth) if is_mobile else truth


def _hand(rng: Random, number: str) -> str:
    """A number as a person writes it into the cells: now and then a digit is left out."""
    return number[:-1] if rng.random() < MISWRITTEN_SHARE else number
