"""The list that an each of a trial works through: made of what nodes before would have made, split by conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer
from services.conditions import Condition, fields
from workflows.forecasts import Ahead, Would
from workflows.lists import CUSTOMER, LISTS
from workflows.steps import Facts
from workflows.trial_chances import certain

CHUNK = 1000
ITEM = "item."
RECIPIENTS = "recipients"

Items = list[dict[str, Any]]


def items_of(session: Session, settings: Mapping[str, Any], facts: Facts, ahead: Ahead) -> Items:
    """The items with their numbers; would-be recipients where the list is that of a campaign."""
    if settings["list"] == RECIPIENTS:
        found: Iterable[Mapping[str, Any]] = _recipients(session, ahead.rows(RECIPIENTS))
    else:
        found = LISTS[str(settings["list"])].find(session, facts, settings.get("of") or settings.get("segment"))
    return [{**item, "item": number} for number, item in enumerate(found, start=1)]


def split(
    items: Items, condition: Condition, find: Callable[[str], Any]
) -> tuple[dict[str, Items] | None, float]:
    """Which arm each item takes and the share of yes; None where the condition asks nothing of the items.

    An item of which nobody knows counts as not meeting the condition.
    """
    if not any(name.startswith(ITEM) for name in fields(condition)):
        return None, 0.0
    arms: dict[str, Items] = {"yes": [], "no": []}
    for item in items:
        own = {f"{ITEM}{name}": value for name, value in item.items()}
        holding = certain(condition, lambda name, own=own: own[name] if name in own else find(name))  # type: ignore[misc]
        arms["yes" if holding else "no"].append(item)
    return arms, len(arms["yes"]) / len(items) if items else 0.0


def customers_in(items: Items) -> set[int] | None:
    """The customers an each is about; None where it is about something else."""
    ids = {int(item["customer_id"]) for item in items if "customer_id" in item}
    return ids if ids or not items else None


def _recipients(session: Session, rows: Iterator[Would]) -> Iterator[Mapping[str, Any]]:
    while chunk := [row.customer_id for row in islice(rows, CHUNK)]:
        query = select(Customer.id, *(getattr(Customer, name) for name in CUSTOMER))
        known = {row[0]: row for row in session.execute(query.where(Customer.id.in_(chunk)))}
        for key in chunk:
            if key in known:
                yield {"customer_id": key, **dict(zip(CUSTOMER, known[key][1:], strict=True))}
