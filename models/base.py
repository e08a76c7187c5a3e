"""The database object at the bottom of the house, its column types, and the transactions of SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import BigInteger, DateTime, Engine, Integer, MetaData, event
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

# What every engine has: no values in errors and logs, and a dropped connection is replaced before it is used.
ENGINE_OPTIONS = {"hide_parameters": True, "pool_pre_ping": True}

BigId = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: stored as UTC without zone in both databases, always aware (UTC) in Python."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None else None


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


Base.registry.update_type_annotation_map({datetime: UtcDateTime()})


class HouseSession(Session):
    """A session that cannot write while `info["readonly"]` is set (GET requests, reports, the plan half of a step)."""

    def get_bind(self, *args: Any, **options: Any) -> Engine | Connection:
        bind = super().get_bind(*args, **options)
        if not self.info.get("readonly") or not isinstance(bind, Engine):
            return bind
        engines: dict[int, Engine] = self.info.setdefault("readonly_engines", {})
        if id(bind) not in engines:
            engines[id(bind)] = bind.execution_options(house_readonly=True)
        return engines[id(bind)]


# 32 MB of pages a connection: with SQLite's own 2 MB an import writes one page of an index again and again.
PRAGMAS = (
    "journal_mode=WAL",
    "busy_timeout=20000",
    "foreign_keys=ON",
    "synchronous=FULL",
    "cache_size=-32768",
)

db = SQLAlchemy(model_class=Base, session_options={"class_": HouseSession})


class WithId:
    """A bigint key in time order."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)


def prepare_engine(engine: Engine) -> None:
    """Give an engine our transactions: SQLite in WAL with BEGIN IMMEDIATE for writers; readers never lock.

    A connection with the execution option `house_readonly` begins a transaction that cannot write.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    readonly = connection.get_execution_options().get("house_readonly", False)
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if readonly else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("house_readonly", False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
