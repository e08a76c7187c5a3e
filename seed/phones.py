"""Telephone numbers that look allotted: real mobile blocks with four free digits, eight-digit landlines.

`segments.csv` is a thinned list of seven-digit blocks (allocation of December 2023, from the free data of the
Python package `phone`, BSD/MIT); the last four digits are drawn, so a number means nobody in particular.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from seed import read_table

HOME_CITY = "佛山"
SHARES = {"mobile": 58, "unicom": 20, "telecom": 19, "broadnet": 1, "virtual": 2}
LANDLINE_HEADS = ("22", "23", "28", "63", "66", "81", "82", "83", "85", "86", "88")


@dataclass(frozen=True)
class Blocks:
    """Seven-digit blocks: those of the bureau's city by operator, in their shares, and those of elsewhere."""

    home: tuple[tuple[str, ...], ...]
    away: tuple[str, ...]


def load_blocks() -> Blocks:
    """The number blocks of this folder's table, each operator repeated by its share of subscribers."""
    home: dict[str, list[str]] = {name: [] for name in SHARES}
    away: list[str] = []
    for row in read_table("segments"):
        blocks = [row["prefix"] + tail for tail in row["blocks"].split()]
        (home[row["operator"]] if row["city"] == HOME_CITY else away).extend(blocks)
    shares = tuple(tuple(home[name]) for name, share in SHARES.items() for _ in range(share))
    return Blocks(shares, tuple(away))


def mobile(rng: Random, blocks: Blocks) -> str:
    """A mobile number; one in twelve comes from the neighbouring city."""
    if rng.random() < 1 / 12:
        block = blocks.away[int(rng.random() * len(blocks.away))]
    else:
        operator = blocks.home[int(rng.random() * len(blocks.home))]
        block = operator[int(rng.random() * len(operator))]
    return block + _tail(rng)


def landline(rng: Random, area_code: str) -> str:
    """A landline as it should be written: area code, hyphen, eight digits."""
    head = LANDLINE_HEADS[int(rng.random() * len(LANDLINE_HEADS))]
    return f"{area_code}-{head}{int(rng.random() * 90) + 10}{_tail(rng)}"


def _tail(rng: Random) -> str:
    """Four digits in which nothing repeats or runs on for long, so that no honest number looks made up."""
    while True:
        tail = f"{int(rng.random() * 10000):04d}"
        if len(set(tail)) > 2 and tail not in "0123456789876543210":
            return tail
