"""Many rows into one table at the speed of the driver: keys taken beforehand, no row made twice."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import repeat
from operator import itemgetter
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, Dialect, Table, func, insert, inspect, select, text
from sqlalchemy.orm import Session

Row = Mapping[str, Any]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Work through a chunk without the collector of cycles, which looks at every row again and again and finds none."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def take_ids(session: Session, table: Table, number: int) -> Sequence[int]:
    """Keys for `number` new rows of a table, in order: nobody else gets them."""
    if session.connection().dialect.name == "postgresql":
        query = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :number)")
        return sorted(session.scalars(query, {"name": table.name, "number": number}))
    last = session.scalar(select(func.max(table.c.id))) or 0  # the writer is alone, so nobody takes the same
    return range(last + 1, last + 1 + number)


def insert_rows(session: Session, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that all have the same columns; columns left out get their default.

    No events, no scope and no checks of the session: for services that checked the rows' units themselves.
    """
    if rows:
        names = tuple(rows[0])
        pick = itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)
        insert_lines(session, table, names, [pick(row) for row in rows])


def insert_lines(session: Session, table: Table, given: Sequence[str], lines: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows as tuples of the given columns: the fastest way for chunks; else as `insert_rows`."""
    if not lines:
        return
    session.flush()
    connection = session.connection()
    names, writers = _layout(table, connection.dialect, tuple(given))
    columns = list(zip(*lines, strict=True))
    placed = [columns[given.index(n)] if n in given else repeat(_default(table.c[n]), len(lines)) for n in names]
    written = [map(write, column) if write else column for column, write in zip(placed, writers, strict=True)]
    _put(connection, table, names, list(zip(*written, strict=True)))


def stored(session: Session, table: Table, names: Sequence[str], where: str) -> Sequence[Any]:
    """Columns of rows as the driver hands them out, whose types are not made Python's: read in half the time.

    `where`: a condition of our own, of names and whole numbers alone.
    """
    query = f"SELECT {', '.join(names)} FROM {table.name} WHERE {where}"  # noqa: S608 names and numbers of our own
    return session.connection().exec_driver_sql(query).fetchall()


def among(name: str, keys: Iterable[int]) -> str:
    """The condition that a column is one of these whole numbers: as text they are read in half the time."""
    return f"{name} IN ({', '.join(map(str, keys)) or 'NULL'})"


def insert_stored(session: Session, table: Table, names: Sequence[str], lines: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of the given columns that are in the driver's form already, as `stored` hands them out."""
    if lines:
        session.flush()
        _put(session.connection(), table, names, lines)


def update_stored(session: Session, table: Table, names: Sequence[str], lines: Sequence[tuple[Any, ...]]) -> None:
    """Write columns of rows anew; the first of them is the key, all are in the driver's form."""
    if lines:
        session.flush()
        connection = session.connection()
        mark = "%s" if connection.dialect.name == "postgresql" else "?"
        sets = ", ".join(f"{name} = {mark}" for name in names[1:])
        query = f"UPDATE {table.name} SET {sets} WHERE {names[0]} = {mark}"  # noqa: S608 names of our own
        connection.exec_driver_sql(query, [(*line[1:], line[0]) for line in lines])


def _put(connection: Connection, table: Table, names: Sequence[str], lines: Sequence[tuple[Any, ...]]) -> None:
    if connection.dialect.name == "postgresql":
        _copy(connection, table, names, lines)
        return
    marks = ", ".join("?" * len(names))
    quote = connection.dialect.identifier_preparer.quote
    into = f"{quote(table.name)} ({', '.join(map(quote, names))})"
    connection.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks})", list(lines))  # noqa: S608 names of our own


def forget(session: Session, model: type[Any], keys: Iterable[int], names: Iterable[str] | None = None) -> None:
    """Let rows that the session holds read again, when asked, what was written past them: these columns, or all."""
    written, attributes = set(keys), list(names) if names else None
    for row in [one for one in session.identity_map.values() if isinstance(one, model)]:
        if inspect(row).identity[0] in written:
            session.expire(row, attributes)


def _copy(connection: Connection, table: Table, names: Sequence[str], lines: Sequence[tuple[Any, ...]]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    into = f"COPY {quote(table.name)} ({', '.join(map(quote, names))}) FROM STDIN"
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(into) as copy:
        for line in lines:
            copy.write_row(line)


@lru_cache(maxsize=256)
def _layout(
    table: Table, dialect: Dialect, given: tuple[str, ...]
) -> tuple[list[str], list[Callable[[Any], Any] | None]]:
    """The columns that an insert of the given ones fills, with what turns their values into the driver's."""
    names = list(insert(table).compile(dialect=dialect, column_keys=list(given)).params)
    return names, [_writer(table.c[name], dialect) for name in names]


def _default(column: Column[Any]) -> Any:
    default: Any = column.default
    return default.arg(None) if default.is_callable else default.arg


def _writer(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What turns a value of a column into what the driver stores; values repeat, so the last ones are remembered."""
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    if process is None or isinstance(column.type, Boolean):  # both drivers know true and false
        return None
    if isinstance(column.type, JSON):
        nothing = process({})
        return lambda value: nothing if value == {} else process(value)
    return lru_cache(maxsize=256)(process)
