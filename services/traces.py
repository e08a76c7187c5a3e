"""Traces written with every change, the sealer that numbers and chains what was committed, and the anchors."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Trace, TraceAnchor
from models.bulk import insert_lines, insert_rows
from models.clock import utcnow
from models.people import root_unit
from models.scope import ALL, working_as

GENESIS = "0" * 64


def actor_id(session: Session) -> int | None:
    """Who acts in this session; None for the system itself."""
    return session.info.get("actor_id")


def record(
    session: Session,
    action: str,
    row: Any,
    *,
    customer_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write one trace of `action` (`letter.posted`) about a row, with its change. No personal data in details."""
    session.flush()
    record_all(session, [entry(session, action, row, customer_id=customer_id, details=details)])


def entry(
    session: Session,
    action: str,
    row: Any,
    *,
    customer_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One trace as a plain row, to be written by `record_all` with its whole chunk."""
    customer = customer_id if customer_id is not None else getattr(row, "customer_id", None)
    unit = getattr(row, "unit_id", None) or root_unit(session).id
    return {
        "at": utcnow(),
        "actor_id": actor_id(session),
        "action": action,
        "object": row.__tablename__,
        "object_id": getattr(row, "id", None),
        "customer_id": customer,
        "unit_id": unit,
        "details": dict(details or {}),
    }


def record_all(session: Session, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write a chunk of traces in one statement."""
    if entries:
        insert_rows(session, Trace.__table__, entries)


def record_lines(session: Session, names: Sequence[str], lines: Sequence[tuple[Any, ...]]) -> None:
    """Write a chunk of traces that are tuples of the named columns."""
    insert_lines(session, Trace.__table__, names, lines)


def canonical(row: Mapping[str, Any]) -> bytes:
    """A row as canonical JSON: sorted keys, UTF-8, no spaces, moments in ISO 8601 UTC."""
    text = json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return text.encode()


def chained(previous: str, row: Mapping[str, Any]) -> str:
    """SHA-256 over the previous hash and the row: the next link of the chain."""
    return hashlib.sha256(previous.encode() + canonical(row)).hexdigest()


def seal(session: Session, *, limit: int = 1000) -> int:
    """Number and chain up to `limit` committed traces in the order of their ids; returns how many."""
    with working_as(session, ALL):
        waiting = session.scalars(select(Trace).where(Trace.seq.is_(None)).order_by(Trace.id).limit(limit)).all()
        sealed = select(Trace.seq, Trace.hash).where(Trace.seq.is_not(None))
        head = session.execute(sealed.order_by(Trace.seq.desc())).first()
        seq, link = (head.seq, head.hash) if head else (0, GENESIS)
        for row in waiting:
            seq += 1
            row.seq, row.previous_hash = seq, link
            link = row.hash = chained(link, link_facts(row, seq))
    return len(waiting)


def link_facts(row: Trace, seq: int) -> dict[str, Any]:
    """What of a trace goes into its hash: all of it but the hashes."""
    names = ("id", "at", "actor_id", "action", "object", "object_id", "customer_id", "unit_id", "details")
    return {"seq": seq} | {name: getattr(row, name) for name in names}


def anchor(session: Session, key: str) -> TraceAnchor | None:
    """Sign the chain's head with a key the database does not hold; None when nothing is new since the last anchor."""
    sealed = select(Trace.seq, Trace.hash).where(Trace.seq.is_not(None))
    head = session.execute(sealed.order_by(Trace.seq.desc())).first()
    last = session.scalar(select(func.max(TraceAnchor.seq))) or 0
    if head is None or head.seq == last:
        return None
    signature = hmac.new(bytes.fromhex(key), f"{head.seq}|{head.hash}".encode(), hashlib.sha256).hexdigest()
    row = TraceAnchor(seq=head.seq, hash=head.hash, signature=signature, at=utcnow())
    session.add(row)
    return row


def fingerprint(session: Session) -> str:
    """The short fingerprint (8 characters) of the newest anchor, for notices and boards; empty before the first."""
    newest = session.scalar(select(TraceAnchor.hash).order_by(TraceAnchor.seq.desc()).limit(1))
    return newest[:8].upper() if newest else ""


def first_broken(session: Session) -> tuple[int, int | None]:
    """How many sealed traces there are, and the seq of the first whose hash does not follow; None when all do."""
    link, number = GENESIS, 0
    chain = select(Trace).where(Trace.seq.is_not(None)).order_by(Trace.seq).execution_options(yield_per=1000)
    with working_as(session, ALL), session.scalars(chain) as rows:
        for row in rows:
            number += 1
            if row.seq != number or row.hash != chained(link, link_facts(row, number)):
                return number, number
            link = row.hash or ""
    return number, None


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"no canonical form for {type(value).__name__}")
