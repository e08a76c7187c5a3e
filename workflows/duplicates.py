"""The steps that look for duplicates: match keys of what changed, then the pairs of every block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from models.clock import utcnow
from quality.duplicates import Pair
from services import duplicates
from workflows.sessions import reading
from workflows.steps import Call, Effects, Facts, Item, Options, Planned


def plan_match_customers(session: Session, options: Options, facts: Facts) -> Planned:
    """The customers that changed since their match keys were made, in chunks."""
    return Planned(_items(duplicates.key_spans(session)))


def match_customers(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Make the match keys of one chunk."""
    (item,) = items
    if "moment" in item:
        return Effects(calls=[Call(end_keys, {"moment": item["moment"]})])
    with reading() as session:
        keys = duplicates.keys_of(session, item["first"], item["last"])
    return Effects(calls=[Call(write_keys, {"keys": keys})])


def plan_find_duplicates(session: Session, options: Options, facts: Facts) -> Planned:
    """The blocks of customers that share a key, in chunks."""
    return Planned(_items(duplicates.block_spans(session)))


def find_duplicates(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Compare the customers of one chunk of blocks."""
    (item,) = items
    if "moment" in item:
        return Effects(calls=[Call(end_pairs, {"moment": item["moment"]})])
    with reading() as session:
        pairs = duplicates.pairs_in(session, item["first"], item["last"])
    return Effects(calls=[Call(write_pairs, {"pairs": pairs})])


def write_keys(session: Session, keys: Mapping[int, Sequence[str]]) -> dict[str, int]:
    """Write the match keys of one chunk."""
    return {"customers": duplicates.write_keys(session, keys)}


def end_keys(session: Session, moment: str) -> dict[str, int]:
    """Remember how far the keys go."""
    duplicates.keys_made(session, datetime.fromisoformat(moment))
    return {"customers": 0}


def write_pairs(session: Session, pairs: Sequence[tuple[int, int, Pair]]) -> dict[str, int]:
    """Write the pairs of one chunk."""
    return {"pairs": duplicates.write_pairs(session, pairs)}


def end_pairs(session: Session, moment: str) -> dict[str, int]:
    """Drop the questions that were not found again."""
    duplicates.forget_stale(session, datetime.fromisoformat(moment))
    return {"pairs": 0}


def _items(spans: Iterator[tuple[Any, Any]]) -> Iterator[dict[str, Any]]:
    """One item a span, and a last one that ends the work; its moment is the one at which the plan began."""
    moment = utcnow().isoformat()
    yield from ({"first": first, "last": last} for first, last in spans)
    yield {"moment": moment}
