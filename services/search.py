"""Finding customers by any fragment of account number, name, phone or address: kept up to date, and asked.

Whoever changes customers or their contacts says so with `models.search.note`; at the end of the transaction
everything noted is written anew, once a customer, a thousand at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, column, delete, event, func, select, table
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Integer

from models import Contact, Customer, SearchRow
from models.base import BigId
from models.bulk import among, insert_stored, stored, update_stored
from models.search import GRAMS, NOTED, note
from services.search_texts import (
    JUDGED,
    NO_DAY,
    SEARCHED,
    facets_of,
    gram_number,
    gram_numbers,
    grams,
    text_of,
    words_of,
)

CHUNK = 1000
SAMPLE = 256  # texts
ENTRIES_A_ROW = 200  # entries of a gram that are passed in the time that reading one row takes
CUSTOMERS, CONTACTS, ROWS = Customer.__table__, Contact.__table__, SearchRow.__table__
# SQLite knows `rowid` and the table's own name as a column, PostgreSQL the other two.
INDEX = table(
    GRAMS,
    column("rowid", BigId),
    column(GRAMS),
    column("customer_id", BigId),
    column("grams", ARRAY(Integer)),
)
KINDS = sorted({*SEARCHED, *JUDGED})
OPENED = f"coalesce(opened_on, '{NO_DAY.isoformat()}')"
SAME = ("unit_id", "manager_id", "account_no")
FACTS = ("id", *SAME, OPENED, "changed_at", "name", "customer_class", "closed_on", "reach")
COLUMNS = ("customer_id", *SAME, "opened_on", "changed_at", "facets", "text")
VALUES = ("customer_id", "kind", "value", "raw", "verdict")

Line = tuple[Any, ...]  # one row, a value for each of COLUMNS


def keep_up(session: Session, customer_ids: Sequence[int]) -> None:
    """Have the rows of customers that change written anew before the commit: once, however often they change."""
    note(session, customer_ids)


def keep(session: Session) -> None:
    """Write anew what was noted."""
    noted = sorted(session.info.pop(NOTED, ()))
    for place in range(0, len(noted), CHUNK):
        refresh(session, noted[place : place + CHUNK])


def matching(session: Session, text: str) -> Select[tuple[int]]:
    """A select of the ids of customers whose text holds every word typed; each word is a fragment of one value.

    Ask for words of two signs or more: one sign has no gram, and all texts are read. Scope and filters are the
    caller's: `Customer.id.in_(matching(…))`.
    """
    keep(session)
    words = words_of(text)
    query = select(ROWS.c.customer_id).where(*holding(session, words))
    asked = rarest_grams(session, words)
    return query.where(ROWS.c.customer_id.in_(candidates(session, asked))) if asked else query


def holding(session: Session, words: Sequence[str]) -> list[ColumnElement[bool]]:
    """The conditions on rows that their text holds each of these words."""
    place = func.instr if session.get_bind().dialect.name == "sqlite" else func.strpos
    return [place(ROWS.c.text, word) > 0 for word in words]


def rarest_grams(session: Session, words: Sequence[str]) -> list[str]:
    """The grams to ask for of those that a text with all these words must have: the rarest, as a sample of texts tells.

    Threes of digits that begin every account number stand nearly everywhere: passing their entries costs more than
    reading the few rows that they would rule out.
    """
    asked = {gram for word in words for gram in grams(word)}
    last = session.connection().scalar(select(func.max(ROWS.c.customer_id))) or 0
    spread = range(1, last + 1, max(1, last // SAMPLE))
    texts = session.connection().scalars(select(ROWS.c.text).where(ROWS.c.customer_id.in_(spread))).all()
    often = {gram: sum(gram in text for text in texts) + 0.5 for gram in asked}
    taken: list[str] = []
    left = float(last)
    for gram in sorted(asked, key=lambda gram: (often[gram], gram)):
        share = min(1.0, often[gram] / (len(texts) + 1))
        if taken and last * share > ENTRIES_A_ROW * left * (1 - share):
            break
        taken.append(gram)
        left *= share
    return taken


def candidates(session: Session, asked: Sequence[str]) -> Select[tuple[int]]:
    """A select of the ids of customers whose text has all of these grams, from the index alone."""
    if session.get_bind().dialect.name == "sqlite":
        phrase = " AND ".join(f'"{gram}"' for gram in sorted(set(asked)))
        return select(INDEX.c.rowid).where(INDEX.c[GRAMS].op("MATCH")(phrase))
    numbers = sorted({gram_number(gram) for gram in asked})
    return select(INDEX.c.customer_id).where(INDEX.c.grams.contains(numbers))


def refresh(session: Session, customer_ids: Sequence[int]) -> None:
    """Write the rows of a chunk of customers as they are now, and the grams of texts that changed."""
    session.flush()
    before = {row[0]: tuple(row) for row in stored(session, ROWS, COLUMNS, among("customer_id", customer_ids))}
    now = {row[0]: row for row in rows_of(session, customer_ids)}
    gone = sorted(before.keys() - now.keys())
    if gone:
        session.execute(delete(ROWS).where(ROWS.c.customer_id.in_(gone)))
    update_stored(session, ROWS, COLUMNS, [row for key, row in now.items() if row != before.get(key, row)])
    insert_stored(session, ROWS, COLUMNS, [row for key, row in now.items() if key not in before])
    old = {key: row[-1] for key, row in before.items() if key not in now or now[key][-1] != row[-1]}
    index(session, old, {key: row[-1] for key, row in now.items() if key not in before or key in old})


def rows_of(session: Session, customer_ids: Sequence[int]) -> list[Line]:
    """What the rows of some customers should say, from customers and current contacts, in the driver's form."""
    customers = stored(session, CUSTOMERS, FACTS, f"{among('id', customer_ids)} ORDER BY id")
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    where = f"{among('customer_id', customer_ids)} AND state = 'current' AND kind IN ({kinds})"
    values = stored(session, CONTACTS, VALUES, f"{where} ORDER BY customer_id, id")
    by_customer = {key: list(rows) for key, rows in groupby(values, itemgetter(0))}
    return [_row(customer, by_customer.get(customer[0], ())) for customer in customers]


def index(session: Session, old: Mapping[int, str], new: Mapping[int, str]) -> None:
    """Take old texts out of the index of grams and put new ones in."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        taken = f"INSERT INTO {GRAMS}({GRAMS}, rowid, grams) VALUES ('delete', ?, ?)"  # noqa: S608 our own table
        given = f"INSERT INTO {GRAMS}(rowid, grams) VALUES (?, ?)"  # noqa: S608
        for statement, texts in ((taken, old), (given, new)):
            rows = [(key, " ".join(grams(text))) for key, text in sorted(texts.items())]
            if rows:
                connection.exec_driver_sql(statement, rows)
        return
    session.execute(delete(INDEX).where(INDEX.c.customer_id.in_(sorted(old.keys() | new.keys()))))
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {GRAMS} (customer_id, grams) FROM STDIN") as copy:
        for key, text in sorted(new.items()):
            copy.write_row((key, gram_numbers(text)))


def _row(customer: Any, contacts: Collection[Any]) -> Line:
    """In the order of COLUMNS."""
    return (*customer[:6], facets_of(customer, contacts), text_of(customer, contacts))


@event.listens_for(Session, "before_commit")
def _keep_at_commit(session: Session) -> None:
    if session.info.get(NOTED):
        keep(session)


@event.listens_for(Session, "after_flush")
def _note_objects(session: Session, _context: object) -> None:
    """Customers and contacts that were changed as objects, one by one."""
    rows = [row for row in (*session.new, *session.dirty) if isinstance(row, Customer | Contact)]
    if rows:
        note(session, (row.id if isinstance(row, Customer) else row.customer_id for row in rows))


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(NOTED, None)
