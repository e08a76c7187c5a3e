"""The customers that the rows of a chunk speak of: found, opened, and their facts compared with what the rows say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import Customer, ImportBatch, Staff
from services import customers
from services.import_rows import ReadRow

CUSTOMERS = Customer.__table__
BATCHES = ImportBatch.__table__
FACTS = (
    "name", "usage_class", "customer_class", "sensitivity", "manager_id", "transformer_area", "meter_book",
    "meter_no",
    "opened_on", "id_hash", "id_last4", "id_verdict", "uscc",
)  # fmt: skip
UNDONE = ("undoing", "undone")
DEFAULT_CLASS = "low_voltage_residential"


@dataclass(frozen=True)
class Found:
    """A customer that is there already. `own`: this batch opened it; `removed`: an undone batch did, and it is gone."""

    id: int
    unit_id: int
    facts: Mapping[str, Any]
    own: bool
    removed: bool


def find(session: Session, rows: Iterable[ReadRow], batch_id: int) -> dict[str, Found]:
    """The customers of these rows' accounts, in whatever unit they are."""
    accounts = sorted({row.account for row in rows})
    columns = (CUSTOMERS.c.id, CUSTOMERS.c.account_no, CUSTOMERS.c.unit_id, CUSTOMERS.c.batch_id)
    columns += tuple(CUSTOMERS.c[name] for name in (*FACTS, "closed_on"))
    query = select(*columns, BATCHES.c.state).outerjoin(BATCHES, BATCHES.c.id == CUSTOMERS.c.batch_id)
    found = session.execute(query.where(CUSTOMERS.c.account_no.in_(accounts))) if accounts else ()
    result: dict[str, Found] = {}
    for key, account, unit_id, its_batch, *facts, closed_on, state in found:
        is_removed = closed_on is not None and state in UNDONE
        kept = dict(zip(FACTS, facts, strict=True))
        result[account] = Found(key, unit_id, kept, own=its_batch == batch_id, removed=is_removed)
    return result


def with_people(session: Session, rows: Sequence[ReadRow]) -> tuple[list[ReadRow], dict[int, int | None]]:
    """The rows with their managers found, and who recorded each row; a name that means nobody is left unread."""
    texts = sorted({text for row in rows for text in row.people.values()})
    query = select(Staff.id, Staff.username, Staff.name, Staff.unit_id).where(
        or_(Staff.username.in_(texts), Staff.name.in_(texts))
    )
    staff = session.execute(query.order_by(Staff.id)).all() if texts else []
    named: dict[tuple[str, int], int | None] = {}
    for row in rows:
        for text in row.people.values():
            if (text, row.unit_id) not in named:
                named[text, row.unit_id] = _person(text, row.unit_id, staff)
    chosen = [(row, {name: named[text, row.unit_id] for name, text in row.people.items()}) for row in rows]
    recorders = {row.number: people.get("recorder") for row, people in chosen}
    return [_with_manager(row, people) for row, people in chosen], recorders


def open_new(session: Session, rows: Sequence[ReadRow], found: Mapping[str, Found], batch_id: int) -> dict[str, int]:
    """Open the accounts of rows whose customer is new, or was removed by an undo; account number -> id."""
    wanted = []
    for row in rows:
        facts = {name: value for name, value in row.facts.items() if name in FACTS}
        facts.setdefault("customer_class", row.facts.get("suggested_class", DEFAULT_CLASS))
        facts |= {"account_no": row.account, "unit_id": row.unit_id, "batch_id": batch_id}
        wanted.append(facts | ({"id": found[row.account].id} if row.account in found else {}))
    ids = customers.open_accounts(session, wanted)
    return {row.account: key for row, key in zip(rows, ids, strict=True)}


def changes_of(row: ReadRow, found: Found, mode: str) -> dict[str, list[Any]]:
    """Which facts a row changes, each with its old and its new value. `fill` only puts in what is blank."""
    said = {name: value for name, value in row.facts.items() if name in FACTS}
    changed = {name: [found.facts[name], value] for name, value in said.items() if found.facts[name] != value}
    if mode != "update":
        return {name: pair for name, pair in changed.items() if pair[0] in ("", None) or _is_identity(name, found)}
    if row.unit_named and row.unit_id != found.unit_id:
        changed["unit_id"] = [found.unit_id, row.unit_id]
    return changed


def as_json(changed: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """Changed facts as they are kept with a batch's row; the identity hash is no personal data by itself."""
    return {name: [_plain(value) for value in pair] for name, pair in changed.items()}


def from_json(name: str, value: Any) -> Any:
    """One kept fact as a column holds it."""
    return date.fromisoformat(value) if name in ("opened_on", "closed_on") and value else value


def _is_identity(name: str, found: Found) -> bool:
    """The verdict of an identity number goes with its hash: it says `missing` where there is none."""
    return name == "id_verdict" and not found.facts["id_hash"]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _person(text: str, unit_id: int, staff: Sequence[Any]) -> int | None:
    """A person by login, else by a name that one person bears, in the whole bureau or at least in the unit."""
    for row in staff:
        if row.username == text:
            return int(row.id)
    named = [row for row in staff if row.name == text]
    here = [row for row in named if row.unit_id == unit_id]
    chosen = named if len(named) == 1 else here
    return int(chosen[0].id) if len(chosen) == 1 else None


def _with_manager(row: ReadRow, people: Mapping[str, int | None]) -> ReadRow:
    unknown = {name: row.people[name] for name, key in people.items() if key is None}
    manager = {"manager_id": people["manager"]} if people.get("manager") else {}
    return row._replace(facts=row.facts | manager, unread=row.unread | unknown) if manager or unknown else row
