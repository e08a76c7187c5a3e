"""What tests of kept counts and of judging again share."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ContactCount, QualityCount, Unit
from services import contacts, customers
from services.contacts import Draft


def kept(session: Session, *, set_id: int | None = None) -> set[Any]:
    """All counts that are not nought."""
    found = set()
    for table in (ContactCount.__table__, QualityCount.__table__):
        for row in session.execute(select(table)).mappings():
            keys = tuple(row[column.name] for column in table.primary_key if column.name != "set_id")
            sums = tuple(row[c.name] for c in table.c if not c.primary_key)
            if any(sums) and set_id in (None, row["set_id"]):
                found.add((table.name, keys, sums))
    return found


def with_local_numbers(
    session: Session, unit: Unit, number: int = 3, verdict: str = "invalid", **facts: Any
) -> list[int]:
    """Customers whose only contact is a landline without an area code, judged as it was without one."""
    rows: list[dict[str, Any]] = [
        {"account_no": f"{unit.id}-{n}", "unit_id": unit.id, "opened_on": date(2020, 1, 1)}
        for n in range(number)
    ]
    ids = customers.open_accounts(session, rows)
    base: dict[str, Any] = {
        "kind": "landline",
        "raw": "86334455",
        "value": "",
        "verdict": verdict,
        "source": "import",
    }
    base |= {"reasons": "no_area_code", "field": "固定电话", **facts}
    contacts.record(session, [Draft(customer_id=key, unit_id=unit.id, **base) for key in ids])
    return ids
