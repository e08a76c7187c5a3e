"""Sessions of the engine: short transactions of its own, apart from any request's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from models import db
from models.scope import ALL, Scope, set_scope


@contextmanager
def reading(scope: Scope = ALL, *, actor_id: int | None = None) -> Iterator[Session]:
    """A session that cannot write; its transaction ends with the block."""
    with _session(scope, actor_id, readonly=True) as session:
        yield session


@contextmanager
def writing(scope: Scope = ALL, *, actor_id: int | None = None) -> Iterator[Session]:
    """A session whose block is one transaction: committed at its end, rolled back by any exception."""
    with _session(scope, actor_id, readonly=False) as session:
        yield session
        session.commit()


@contextmanager
def _session(scope: Scope, actor_id: int | None, *, readonly: bool) -> Iterator[Session]:
    session: Session = db.session.session_factory()
    session.info["readonly"] = readonly
    if actor_id is not None:
        session.info["actor_id"] = actor_id
    set_scope(session, scope)
    try:
        yield session
    finally:
        session.close()
