"""The drawing of who shares what: customers on the left, numbers on the right, a line for each that stands there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models import Contact
from screens import looks, masking

STEP, TOP, LEFT, RIGHT, MOST = 26, 16, 210, 430, 24


@dataclass(frozen=True)
class Node:
    """A text at a height, with the address it opens (empty for none)."""

    text: str
    y: int
    link: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Drawing:
    """What the template draws; `left_out` customers had no room and stand in the table only."""

    customers: Sequence[Node]
    values: Sequence[Node]
    lines: Sequence[tuple[int, int]]
    height: int
    left_out: int


def drawing(value: str, rows: Sequence[Contact], links: Sequence[tuple[int, str]]) -> Drawing:
    """Customers in the order of the page, numbers by how many share them; the asked number stands first."""
    shown = list({row.customer_id: row.customer for row in rows}.values())[:MOST]
    ids = [customer.id for customer in shown]
    frequency: dict[str, int] = {}
    for customer_id, other in links:
        frequency[other] = frequency.get(other, 0) + (customer_id in ids)
    values = sorted((v for v in frequency if frequency[v]), key=lambda v: (v != value, -frequency[v], v))[
        :MOST
    ]
    tall = max(len(ids), len(values), 1)
    left = {key: TOP + STEP * place for place, key in enumerate(ids)}
    gap = STEP * tall / max(len(values), 1)
    right = {one: round(TOP + gap * (place + 0.5) - STEP / 2) for place, one in enumerate(values)}
    return Drawing(
        [Node(_name(one.account_no, one.name), left[one.id], looks.customer_url(one.id)) for one in shown],
        [Node(_number(one), right[one], strong=one == value) for one in values],
        sorted({(left[key], right[one]) for key, one in links if key in left and one in right}),
        TOP + STEP * tall,
        len({row.customer_id for row in rows}) - len(shown),
    )


def _name(account_no: str, name: str) -> str:
    return f"{account_no} {masking.name_text(name)}"


def _number(value: str) -> str:
    return masking.masked("mobile", masking.pretty("mobile", value))
