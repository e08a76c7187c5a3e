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
    compiled = insert(table).compile(dialect=connection.dialect, column_keys=list(given))
    names = list(compiled.params)
    columns = list(zip(*lines, strict=True))
    placed = [columns[given.index(n)] if n in given else repeat(_default(table.c[n]), len(lines)) for n in names]
    writers = [_writer(table.c[name], connection.dialect) for name in names]
    written = [map(write, column) if write else column for column, write in zip(placed, writers, strict=True)]
    ready = list(zip(*written, strict=True))
    if connection.dialect.name == "postgresql":
        _copy(connection, table, names, ready)
    else:
        connection.exec_driver_sql(str(compiled), ready)


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
