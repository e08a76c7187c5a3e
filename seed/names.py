"""Names of persons and firms as they stand in contracts, and identity numbers that belong to nobody."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from seed import read_table

RARE_SHARE = 0.004
RIC_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
RIC_CHECKS = "10X98765432"
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


@dataclass(frozen=True)
class Names:
    """Parts of names; surnames are repeated by how common they are."""

    surnames: tuple[str, ...]
    given: tuple[str, ...]
    rare: tuple[str, ...]
    firms: tuple[str, ...]
    trades: tuple[str, ...]
    shops: tuple[str, ...]
    pinyin: dict[str, str]


def load_names() -> Names:
    """The parts of names of this folder's table."""
    parts: dict[str, list[str]] = {}
    pinyin: dict[str, str] = {}
    for row in read_table("names"):
        parts.setdefault(row["kind"], []).extend([row["text"]] * row["weight"])
        pinyin[row["text"]] = row["pinyin"]
    kinds = ("surname", "given", "rare", "firm", "trade", "shop")
    surnames, given, rare, firms, trades, shops = (tuple(parts[kind]) for kind in kinds)
    return Names(surnames, given, rare, firms, trades, shops, pinyin)


def person(rng: Random, names: Names, *, surname: str = "") -> str:
    """A person's name; with `surname`, a member of that family."""
    family = surname or pick(rng, names.surnames)
    if rng.random() < RARE_SHARE:
        return family + pick(rng, names.given) + pick(rng, names.rare)
    if rng.random() < 0.16:
        return family + pick(rng, names.given)
    return family + pick(rng, names.given) + pick(rng, names.given)


def firm(rng: Random, names: Names, place: str) -> str:
    """A company's name in full, as on its licence."""
    if rng.random() < 0.25:
        return f"佛山市{place}{pick(rng, names.firms)}{pick(rng, names.shops)}"
    return f"佛山市{place}{pick(rng, names.firms)}{pick(rng, names.trades)}有限公司"


def identity_number(rng: Random, county: str) -> str:
    """A resident number with a right check digit and the order number 000, which nobody has (GB 11643).

    `county` is the county's code of those years (1984 to 1991): a number keeps the code it was given with.
    """
    born = f"{1984 + int(rng.random() * 8)}{1 + int(rng.random() * 12):02d}{1 + int(rng.random() * 28):02d}"
    body = f"{county}{born}000"
    total = sum(int(digit) * weight for digit, weight in zip(body, RIC_WEIGHTS, strict=True))
    return body + RIC_CHECKS[total % 11]


def credit_code(rng: Random, county: str) -> str:
    """A unified social credit code with a right check character (GB 32100)."""
    body = f"91{county}MA{int(rng.random() * 10**7):07d}"
    total = sum(USCC_ALPHABET.index(sign) * weight for sign, weight in zip(body, USCC_WEIGHTS, strict=True))
    return body + USCC_ALPHABET[(31 - total % 31) % 31]


def pick(rng: Random, parts: tuple[str, ...]) -> str:
    """One of the parts; faster than `choice`, which matters at a million rows."""
    return parts[int(rng.random() * len(parts))]
