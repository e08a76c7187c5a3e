"""The tables between two tests: the rows of the first data put in, and every row taken out again."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sqlalchemy import Table

from models import db
from models.search import GRAMS, empty_grams

# Tables that are walked in spans of keys: where a test makes the spans small, keys must begin at one again.
WALKED = ("customers", "contacts")


def tables() -> Sequence[Table]:
    """All tables, parents first."""
    return db.metadata.sorted_tables


class Tables:
    """The rows that are there now, kept to be put back: PostgreSQL, with copies in a schema of their own."""

    def __init__(self) -> None:
        with db.engine.begin() as connection:
            names = [table.name for table in tables() if connection.execute(table.select().limit(1)).first()]
            connection.exec_driver_sql("DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept")
            for name in names:
                connection.exec_driver_sql(f"CREATE TABLE kept.{name} AS TABLE {name}")
        rows = [f"INSERT INTO {name} TABLE kept.{name}" for name in names]
        next_id = (
            "SELECT setval(pg_get_serial_sequence('{0}', 'id'), coalesce(max(id), 0) + 1, false) FROM {0}"
        )
        ids = [next_id.format(name) for name in (*names, *WALKED) if "id" in db.metadata.tables[name].c]
        self.back = "; ".join(rows + ids)

    def fill(self) -> None:
        """Put the kept rows into empty tables."""
        with db.engine.begin() as connection:
            connection.exec_driver_sql(self.back)

    def empty(self) -> None:
        """Delete every row, children first."""
        deletes = "; ".join(f"DELETE FROM {table.name}" for table in reversed(tables()))  # noqa: S608
        with db.engine.begin() as connection:
            empty_grams(connection)
            connection.exec_driver_sql(deletes)

    def close(self) -> None:
        """Let go of what is held."""


class SqliteTables(Tables):
    """The same over a connection of its own that checks no keys and keeps its statements: five times as fast."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(
            str(db.engine.url.database), isolation_level=None, cached_statements=500
        )
        self.connection.execute("PRAGMA synchronous=OFF")
        self.connection.execute("PRAGMA busy_timeout=20000")
        found = {table.name: self._do(f"SELECT * FROM {table.name}").fetchall() for table in tables()}  # noqa: S608
        self.rows = {name: rows for name, rows in found.items() if rows}

    def fill(self) -> None:
        self._do("BEGIN IMMEDIATE")
        for name, rows in self.rows.items():
            places = ",".join("?" * len(rows[0]))
            self.connection.executemany(f"INSERT INTO {name} VALUES ({places})", rows)  # noqa: S608
        self._do("COMMIT")

    def empty(self) -> None:
        self._do("BEGIN IMMEDIATE")
        self._do(f"INSERT INTO {GRAMS}({GRAMS}) VALUES ('delete-all')")  # noqa: S608
        for table in tables():
            self._do(f"DELETE FROM {table.name}")  # noqa: S608
        self._do("COMMIT")

    def close(self) -> None:
        self.connection.close()

    def _do(self, statement: str) -> sqlite3.Cursor:
        return self.connection.execute(statement)
