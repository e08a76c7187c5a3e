"""What the customer list reads: one narrow row a customer with its sort keys, its facets and its searchable text.

The grams of the text stand in `search_grams`, made by a migration: a full-text table of SQLite, an inverted index of
PostgreSQL. `services/search.py` keeps both.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import Connection, Index, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import BigId, db
from models.scope import Scoped

GRAMS = "search_grams"
NOTED = "customers_to_search"


class SearchRow(Scoped, db.Model):
    """One customer as lists see it (检索行); `facets` has one bit for each thing a filter may ask.

    Each sort has its index, led by the unit and ended by the facets, so that a filtered list reads nothing else.
    Without foreign keys: it repeats what customers and contacts say.
    """

    __tablename__ = "search_rows"
    __table_args__ = (
        Index("ix_search_rows_account", "unit_id", "account_no", "customer_id", "facets"),
        Index("ix_search_rows_opened", "unit_id", "opened_on", "customer_id", "facets"),
        Index("ix_search_rows_changed", "unit_id", "changed_at", "customer_id", "facets"),
        Index("ix_search_rows_facets", "facets"),
    )
    customer_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    unit_id: Mapped[int] = mapped_column(BigId)
    manager_id: Mapped[int | None] = mapped_column(BigId)
    account_no: Mapped[str]
    opened_on: Mapped[date]
    changed_at: Mapped[datetime]
    facets: Mapped[int]
    text: Mapped[str] = mapped_column(Text)


def note(session: Session, customer_ids: Iterable[int]) -> None:
    """Remember customers whose account, contacts or reach changed: their rows are written anew before the commit."""
    session.info.setdefault(NOTED, set()).update(customer_ids)


def is_in_models(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a name found in the database is compared with the models: the index of grams is the database's own."""
    return kind != "table" or not (name or "").startswith(GRAMS)


def empty_grams(connection: Connection) -> None:
    """Forget every gram, where all customers go."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"INSERT INTO {GRAMS}({GRAMS}) VALUES ('delete-all')")  # noqa: S608 our own table
    else:
        connection.exec_driver_sql(f"DELETE FROM {GRAMS}")  # noqa: S608
