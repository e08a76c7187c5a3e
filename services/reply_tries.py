"""Guessing is slow: tries are counted in the database, by code and by address, before anything is compared."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Network, ip_address

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

    One statement decides and counts, so that tries at the same moment cannot slip through together. An address that
    has had too many uses up no code's tries, and leaves no row of the codes that it makes up.
    """
    names = _names(code, address, key)
    session.execute(delete(TRIES).where(TRIES.c.since < moment - KEPT))
    return _count(session, names[0], BY_ADDRESS, moment) and _count(session, names[1], BY_CODE, moment, ever=EVER)


def forgive(session: Session, code: str, address: str, *, key: str) -> None:
    """A right answer takes its try off again."""
    less = {"tries": TRIES.c.tries - 1, "total": TRIES.c.total - 1}
    names = _names(code, address, key)
    session.execute(update(TRIES).where(TRIES.c.key.in_(names), TRIES.c.tries > 0).values(**less))


def keyed(key: str, kind: str, text: str) -> str:
    """A keyed hash, so that neither codes nor addresses stand in the table."""
    return hmac.new(bytes.fromhex(key), f"reply|{kind}|{text}".encode(), hashlib.sha256).hexdigest()


def line_of(address: str) -> str:
    """What counts as one address: of IPv6 the first 64 bits, for whoever has a line has all of the rest."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((int(found), 64), strict=False))


def _names(code: str, address: str, key: str) -> tuple[str, str]:
    return keyed(key, "address", line_of(address)), keyed(key, "code", code)


def _count(session: Session, key: str, most: int, moment: datetime, *, ever: int | None = None) -> bool:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(TRIES).on_conflict_do_nothing(index_elements=["key"])
    session.execute(fresh, {"key": key, "since": moment, "tries": 0, "total": 0})
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
