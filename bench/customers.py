"""Customers, contacts and search rows of a made-up province, written set by set past the services, for measuring."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Index, Table, insert, text
from sqlalchemy.orm import Session

from bench import made_up
from models import Contact, Customer, SearchRow, Staff, Unit
from models.search import GRAMS
from services import search_checks
from services.search_texts import gram_numbers, grams

CHUNK = 20_000
STATION = 3_000  # customers of one supply station
PROVED = 2  # spans
BIG_BUFFER, USUAL_BUFFER = 256 << 20, 1 << 20  # bytes of new grams that SQLite gathers before it writes them
PAIRS = f"ix_{GRAMS}_grams"  # of PostgreSQL
TABLES = (Customer.__table__, Contact.__table__, SearchRow.__table__)
COLUMNS = (made_up.CUSTOMER, made_up.CONTACT, made_up.ROW)
CITIES = ("甲山市", "乙水市", "丙川市", "丁原市", "戊江市", "己湖市", "庚城市", "辛港市")
COUNTIES = ("东湖区", "西岭区", "南塘区", "北桥区", "新城区", "长河县", "安平县", "永宁县")


def fill(session: Session, rows: int) -> None:
    """Make units, account managers and `rows` customers; indexes are left out until the end."""
    stations = make_units(session, max(1, rows // STATION))
    managers = make_managers(session, stations)
    homes = [made_up.Home(unit.id, unit.region, managers[unit.id]) for unit in stations]
    session.commit()
    engine: Any = session.get_bind()
    for index in _indexes():
        with engine.begin() as connection:
            index.drop(connection, checkfirst=True)
    with _loading(session):
        for made in made_up.chunks(rows, CHUNK, lambda key: homes[min((key - 1) // STATION, len(homes) - 1)]):
            _write(session, made)
            session.commit()
            if made.rows[-1][0] % (CHUNK * 25) == 0:
                sys.stderr.write(f"{made.rows[-1][0]} customers\n")
    prove(session)
    session.rollback()
    build_indexes(engine)


@contextmanager
def _loading(session: Session) -> Iterator[None]:
    """What makes a first load quick and takes nothing away from what is read later."""
    run = session.connection().exec_driver_sql
    if session.get_bind().dialect.name == "postgresql":
        run(f"DROP INDEX {PAIRS}")
        yield
        session.connection().exec_driver_sql(f"CREATE INDEX {PAIRS} ON {GRAMS} USING gin (grams)")
        session.commit()
        return
    run("PRAGMA cache_size=-1000000")
    setting = f"INSERT INTO {GRAMS}({GRAMS}, rank) VALUES ('hashsize', ?)"  # noqa: S608 our own table
    run(setting, (BIG_BUFFER,))
    yield
    session.connection().exec_driver_sql(setting, (USUAL_BUFFER,))
    session.commit()


def prove(session: Session) -> None:
    """Rows written here must be those that the product would write: the first spans are compared."""
    if any(islice(search_checks.differences(session), PROVED)):
        raise SystemExit("the made-up rows are not those of the product")


def build_indexes(engine: Engine) -> None:
    """What a fresh data file has, and the statistics that planners go by."""
    for index in _indexes():
        with engine.begin() as connection:
            index.create(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _analyse(connection)


def _analyse(connection: Connection) -> None:
    words = "VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "ANALYZE"
    tables = [table.name for table in (*TABLES, Unit.__table__, Staff.__table__)]
    for name in [*tables, GRAMS] if connection.dialect.name == "postgresql" else tables:
        connection.execute(text(f"{words} {name}"))


def _indexes() -> list[Index]:
    """The indexes of the three tables; of contacts only what the list reads."""
    found = [index for table in TABLES[::2] for index in table.indexes]
    return sorted(found + list(Contact.__table__.indexes), key=lambda index: str(index.name))


def make_units(session: Session, number: int) -> list[Unit]:
    """Bureaus of about twenty counties of about twenty stations, under the root; the stations."""
    root = session.query(Unit).filter(Unit.parent_id.is_(None)).one()
    made: list[Unit] = []
    for place in range(number):
        if place % 400 == 0:
            bureau = _unit(session, root, "bureau", f"B{place // 400:03}", CITIES[place // 400 % len(CITIES)])
        if place % 20 == 0:
            county = _unit(
                session, bureau, "county_bureau", f"C{place // 20:04}", COUNTIES[place // 20 % len(COUNTIES)]
            )
        made.append(
            _unit(
                session,
                county,
                "supply_station",
                f"S{place:05}",
                "".join(
                    made_up.PLACES[step % len(made_up.PLACES)]
                    for step in (place, place // len(made_up.PLACES))
                ),
            )
        )
    return made


def _unit(session: Session, parent: Unit, kind: str, code: str, name: str) -> Unit:
    unit = Unit(
        code=code, name=f"{name}供电所" if kind == "supply_station" else f"{name}供电局", kind=kind, path=""
    )
    unit.parent_id, unit.region = (
        parent.id,
        f"{parent.region}{name}" if kind != "supply_station" else parent.region,
    )
    session.add(unit)
    session.flush()
    unit.path = f"{parent.path}{unit.id}/"
    return unit


def make_managers(session: Session, stations: Sequence[Unit]) -> dict[int, list[int]]:
    """Four account managers a station, by unit."""
    rows = [
        {
            "username": f"m{unit.id}-{place}",
            "name": f"{made_up.SURNAMES[place]}{made_up.GIVEN[unit.id % 100]}",
            "unit_id": unit.id,
        }
        | {"fs_uniquifier": f"m{unit.id}-{place}", "active": True, "must_change": False, "capacity": 20}
        for unit in stations
        for place in range(4)
    ]
    found: dict[int, list[int]] = {}
    for row in session.execute(insert(Staff).returning(Staff.id, Staff.unit_id), rows):
        found.setdefault(row.unit_id, []).append(row.id)
    return found


def _write(session: Session, made: made_up.Made) -> None:
    for table, names, lines in zip(TABLES, COLUMNS, made, strict=True):
        _insert(session, table, names, lines)
    if session.get_bind().dialect.name == "sqlite":
        into = f"INSERT INTO {GRAMS}(rowid, grams) VALUES (?, ?)"  # noqa: S608 our own table
        texts = [(row[0], " ".join(grams(row[-1]))) for row in made.rows]
        session.connection().exec_driver_sql(into, texts)
    else:
        _copy(session, f"{GRAMS} (customer_id, grams)", [(row[0], _array(row[-1])) for row in made.rows])


def _array(searched: str) -> str:
    return "{" + ",".join(map(str, gram_numbers(searched))) + "}"


def _insert(session: Session, table: Table, names: Sequence[str], lines: Sequence[tuple[Any, ...]]) -> None:
    """Lines of some columns; the others get their default, nothing is converted."""
    others = [column for column in table.c if column.name not in names and column.default is not None]
    rest = tuple(column.default.arg for column in others)  # type: ignore[union-attr]
    columns = ", ".join([*names, *(column.name for column in others)])
    whole = [line + rest for line in lines] if rest else lines
    if session.get_bind().dialect.name == "postgresql":
        _copy(session, f"{table.name} ({columns})", whole)
        return
    marks = ", ".join("?" * (len(names) + len(others)))
    into = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608 our own columns
    session.connection().exec_driver_sql(into, list(whole))


def _copy(session: Session, into: str, lines: Sequence[tuple[Any, ...]]) -> None:
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for line in lines:
            copy.write_row(line)
