"""Who may touch which rows: the scope is put into the session once per request, command or step and applies to it.

No scope set means no rows; system jobs say ALL. Core statements on tables are not filtered: services that use them
check their units themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, ForeignKey, event, false, select, union
from sqlalchemy.orm import (
    Mapped,
    ORMExecuteState,
    Session,
    declared_attr,
    mapped_column,
    with_loader_criteria,
)
from sqlalchemy.orm.interfaces import CriteriaOption
from sqlalchemy.sql.cache_key import anon_map

from models.base import db
from models.people import Territory, Unit


@dataclass(frozen=True)
class Scope:
    """Rows of the unit tree below `path`; with `own`, only the customers of the person `staff_id`."""

    path: str
    staff_id: int = 0
    own: bool = False


ALL = Scope(path="/")


class OutOfScope(Exception):
    """Somebody tried to write a row outside their unit or their own customers."""


class Scoped:
    """A table that belongs to units: it carries its own `unit_id`, and an `own_by` that says whose rows are one's own.

    `own_by`: `customer` (by customer_id), `self` (the customers table), `staff` (by the column named in `own_column`),
    `unit` (as everybody in the unit).
    """

    own_by: ClassVar[str] = "customer"
    own_column: ClassVar[str] = "staff_id"

    @declared_attr
    def unit_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("units.id"), index=True)


def set_scope(session: Session, scope: Scope | None) -> None:
    """Put a scope into the session for everything that follows; None closes it."""
    session.info["scope"] = scope


@contextmanager
def working_as(session: Session, scope: Scope) -> Iterator[None]:
    """Work with another scope for a few lines: a system job inside a person's request says so with ALL."""
    before = current_scope(session)
    set_scope(session, scope)
    try:
        yield
        session.flush()
    finally:
        set_scope(session, before)


def current_scope(session: Session) -> Scope | None:
    """The scope the session works with."""
    return session.info.get("scope")


def scoped_classes() -> list[Any]:
    """Every mapped table that is scoped."""
    return [m.class_ for m in db.Model.registry.mappers if issubclass(m.class_, Scoped)]


def units_in(scope: Scope) -> Any:
    """A select of the unit ids that a scope covers."""
    units = Unit.__table__
    return select(units.c.id).where(units.c.path.startswith(scope.path, autoescape=True))


def own_customers(scope: Scope) -> Any:
    """A select of the ids of a person's own customers: as account manager or by meter book, each by its index."""
    customers = db.Model.metadata.tables["customers"]
    books = Territory.__table__
    of_book = (books.c.unit_id == customers.c.unit_id) & (books.c.code == customers.c.meter_book)
    in_books = select(customers.c.id).join(books, of_book)
    in_books = in_books.where(books.c.kind == "meter_book", books.c.staff_id == scope.staff_id)
    return union(select(customers.c.id).where(customers.c.manager_id == scope.staff_id), in_books)


def criterion(cls: Any, scope: Scope | None) -> ColumnElement[bool] | None:
    """The condition a scope puts on one scoped table; None for ALL."""
    if scope is None:
        return false()
    if scope == ALL:
        return None
    inside: ColumnElement[bool] = cls.unit_id.in_(units_in(scope))
    if not scope.own or cls.own_by == "unit":
        return inside
    if cls.own_by == "staff":
        return getattr(cls, cls.own_column) == scope.staff_id
    key = cls.id if cls.own_by == "self" else cls.customer_id
    return key.in_(own_customers(scope))


@event.listens_for(Session, "do_orm_execute")
def _apply_scope(state: ORMExecuteState) -> None:
    if not (state.is_select or state.is_update or state.is_delete) or state.is_column_load:
        return
    scope = current_scope(state.session)
    if scope == ALL:
        return
    state.statement = state.statement.options(_options(scope))


class _Conditions(CriteriaOption):
    """The conditions of one scope on every scoped table as one option.

    What they add to the key by which SQLAlchemy keeps compiled statements is made once: walking through all of them
    for each statement cost a page more than its queries. The key says how the conditions are built, the parameters
    beside it say whose they are.
    """

    propagate_to_loaders = True

    def __init__(self, options: Sequence[Any]) -> None:
        self.options = options
        self.parameters: list[Any] = []
        numbers = anon_map()
        self.key = (_Conditions, *(option._gen_cache_key(numbers, self.parameters) for option in options))

    def process_compile_state(self, compile_state: Any) -> None:
        for option in self.options:
            option.process_compile_state(compile_state)

    def process_compile_state_replaced_entities(self, compile_state: Any, mapper_entities: Any) -> None:
        self.process_compile_state(compile_state)

    def get_global_criteria(self, attributes: dict[Any, Any]) -> None:
        for option in self.options:
            option.get_global_criteria(attributes)

    def _gen_cache_key(self, _numbers: Any, bindparams: list[Any]) -> tuple[Any, ...]:
        bindparams.extend(self.parameters)
        return self.key


@lru_cache(maxsize=256)
def _options(scope: Scope | None) -> _Conditions:
    """One condition a scoped table; building them anew would cost each request some milliseconds."""
    return _Conditions([_option(cls, scope) for cls in scoped_classes()])


def _option(cls: Any, scope: Scope | None) -> Any:
    condition = criterion(cls, scope)
    return with_loader_criteria(cls, condition, include_aliases=True)  # type: ignore[arg-type]


@event.listens_for(Session, "before_flush")
def _check_writes(session: Session, _context: object, _instances: object) -> None:
    scope = current_scope(session)
    if scope == ALL:
        return
    for row in [*session.new, *session.dirty]:
        if isinstance(row, Scoped) and (row in session.new or session.is_modified(row)):
            _check_row(session, row, scope)


def _check_row(session: Session, row: Any, scope: Scope | None) -> None:
    if scope is None:
        raise OutOfScope(f"{type(row).__name__}: no scope is set")
    units = Unit.__table__
    path = session.connection().scalar(select(units.c.path).where(units.c.id == row.unit_id))
    if path is None or not path.startswith(scope.path):
        raise OutOfScope(f"{type(row).__name__}: unit {row.unit_id} is outside")
    customer_id = getattr(row, "customer_id", None)
    if customer_id is not None and not _may_touch_customer(session, customer_id, row, scope):
        raise OutOfScope(f"{type(row).__name__}: customer {customer_id} is outside")


def _may_touch_customer(session: Session, customer_id: int, row: Any, scope: Scope) -> bool:
    customers = db.Model.metadata.tables["customers"]
    query = select(customers.c.id).where(
        customers.c.id == customer_id, customers.c.unit_id.in_(units_in(scope))
    )
    if scope.own and row.own_by == "customer":
        query = query.where(customers.c.id.in_(own_customers(scope)))
    return session.connection().scalar(query) is not None
