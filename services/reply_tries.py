"""Guessing is slow: tries are counted in the database, by code and by address, before anything is compared."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import case, delete, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import ReplyTry

WINDOW = timedelta(minutes=15)
BY_CODE = 5
BY_ADDRESS = 30
EVER = 10  # tries that one code has in all: the hidden middle of a phone number is soon guessed where the town is known
KEPT = timedelta(days=400)
TRIES = ReplyTry.__table__


def claim(session: Session, code: str, address: str, *, key: str, moment: datetime) -> bool:
    """Count a try of a code from an address; False where either has had too many. The caller commits it at once.

    One statement decides and counts, so that tries at the same moment cannot slip through together.
    """
    keys = keyed(key, "code", code), keyed(key, "address", address)
    _begin(session, keys, moment)
    return all(
        [_count(session, keys[0], BY_CODE, moment, ever=EVER), _count(session, keys[1], BY_ADDRESS, moment)]
    )


def forgive(session: Session, code: str, address: str, *, key: str) -> None:
    """A right answer takes its try off again."""
    keys = keyed(key, "code", code), keyed(key, "address", address)
    less = {"tries": TRIES.c.tries - 1, "total": TRIES.c.total - 1}
    session.execute(update(TRIES).where(TRIES.c.key.in_(keys), TRIES.c.tries > 0).values(**less))


def keyed(key: str, kind: str, text: str) -> str:
    """A keyed hash, so that neither codes nor addresses stand in the table."""
    return hmac.new(bytes.fromhex(key), f"reply|{kind}|{text}".encode(), hashlib.sha256).hexdigest()


def _begin(session: Session, keys: Sequence[str], moment: datetime) -> None:
    session.execute(delete(TRIES).where(TRIES.c.since < moment - KEPT))
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    rows = [{"key": key, "since": moment, "tries": 0, "total": 0} for key in sorted(keys)]
    session.execute(dialect.insert(TRIES).on_conflict_do_nothing(index_elements=["key"]), rows)


def _count(session: Session, key: str, most: int, moment: datetime, *, ever: int | None = None) -> bool:
    is_over = TRIES.c.since < moment - WINDOW
    again = {
        "tries": case((is_over, 1), else_=TRIES.c.tries + 1),
        "since": case((is_over, moment), else_=TRIES.c.since),
        "total": TRIES.c.total + 1,
    }
    query = update(TRIES).where(TRIES.c.key == key, or_(is_over, TRIES.c.tries < most))
    query = query.where(TRIES.c.total < ever) if ever is not None else query
    done = session.execute(query.values(**again))
    return bool(done.rowcount)  # type: ignore[attr-defined]
