"""Which unit a row of a file belongs to: by code or name, else the customer's own, else the batch's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Unit
from models.scope import Scope
from quality.verdicts import NOWHERE, Context
from services.import_facts import plain
from services.judging import contexts

CUSTOMERS = Customer.__table__


@dataclass(frozen=True)
class Units:
    """The units that the recorder of a batch reaches; `by_text` knows codes, and names that one unit alone bears."""

    by_text: dict[str, int]
    contexts: dict[int, Context]
    default: int

    def named(self, text: str) -> int | None:
        """The unit that a cell names, if the recorder reaches it."""
        return self.by_text.get(plain(text))

    def reaches(self, unit_id: int) -> bool:
        """Whether a unit lies in the recorder's scope."""
        return unit_id in self.contexts

    def context(self, unit_id: int) -> Context:
        """What a local of this unit leaves out."""
        return self.contexts.get(unit_id, NOWHERE)


class Home(NamedTuple):
    """A row's unit: `named` in the row itself (it moves the customer there), or only where it is taken to be."""

    unit_id: int
    named: bool = False


def load_units(session: Session, scope: Scope, default: int) -> Units:
    """The units of a scope by code and by name; a name that two units bear means neither."""
    inside = Unit.path.startswith(scope.path, autoescape=True)
    rows = session.execute(select(Unit.id, Unit.code, Unit.name).where(inside).order_by(Unit.id)).all()
    names = [plain(row.name) for row in rows]
    by_name = {name: row.id for name, row in zip(names, rows, strict=True) if names.count(name) == 1}
    by_code = {plain(row.code): row.id for row in rows}
    known = contexts(session)
    return Units(by_name | by_code, {row.id: known[row.id] for row in rows}, default)


def homes(session: Session, units: Units, rows: Sequence[tuple[str, str]]) -> list[Home | None]:
    """Where the rows of one chunk, as (account number, unit text), belong; None for a unit that is not known."""
    accounts = [account for account, text in rows if account and not text.strip()]
    own = units_of(session, accounts)
    return [_home(units, own, account, text) for account, text in rows]


def units_of(session: Session, accounts: Sequence[str]) -> dict[str, int]:
    """The unit of each account that is there already, whatever its unit."""
    query = select(CUSTOMERS.c.account_no, CUSTOMERS.c.unit_id).where(CUSTOMERS.c.account_no.in_(accounts))
    found: Any = session.execute(query) if accounts else ()
    return {row.account_no: row.unit_id for row in found}


def _home(units: Units, own: dict[str, int], account: str, text: str) -> Home | None:
    if not text.strip():
        return Home(own.get(account, units.default))
    named = units.named(text)
    return Home(named, named=True) if named is not None else None
