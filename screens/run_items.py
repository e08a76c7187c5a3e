"""Which customers the items of a run's steps speak of, as far as the asking person may see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from models import Customer, Letter, Recipient, StepItem, Visit, db
from screens import masking

NAMED_BY = {"recipient_id": Recipient, "letter_id": Letter, "visit_id": Visit}


@dataclass(frozen=True)
class ItemTold:
    """One item that failed: what it is about (a customer where it is one's), and why."""

    id: int
    position: int
    customer_id: int | None
    name: str
    error: str


def told_items(items: Sequence[StepItem]) -> list[ItemTold]:
    """Items with their customers: one query for each sort of id that stands in them."""
    customer_ids = _customers_of(items)
    query = select(Customer.id, Customer.account_no, Customer.name).where(
        Customer.id.in_(set(customer_ids.values()))
    )
    known = {row.id: f"{row.account_no} {masking.name_text(row.name)}" for row in db.session.execute(query)}
    return [_told(item, customer_ids.get(item.id), known) for item in items]


def _told(item: StepItem, customer_id: int | None, known: Mapping[int, str]) -> ItemTold:
    found = customer_id if customer_id in known else None
    name = known[found] if found is not None else _("第 %(number)s 项", number=item.position)
    return ItemTold(item.id, item.position, found, name, item.error)


def _customers_of(items: Sequence[StepItem]) -> dict[int, int]:
    """The customer of each item, straight or by what it names."""
    found = {item.id: key for item in items if isinstance(key := item.payload.get("customer_id"), int)}
    for name, table in NAMED_BY.items():
        named = {item.id: item.payload[name] for item in items if isinstance(item.payload.get(name), int)}
        if named:
            owners = dict(_pairs(table, set(named.values())))
            found |= {item: owners[key] for item, key in named.items() if key in owners}
    return found


def _pairs(table: Any, ids: set[int]) -> Sequence[Any]:
    return db.session.execute(select(table.id, table.customer_id).where(table.id.in_(ids))).tuples().all()
