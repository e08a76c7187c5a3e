"""Duplicates of customers: keys kept for those that changed, pairs found block by block, decisions remembered.

Blocks are the customers that share a key; one that holds more than `MOST` says nothing (a landlord's phone, a common
name on a long road) and is passed over. So the work grows with the customers, not with their pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Contact, Customer, DuplicatePair, MatchKey, Setting, SharedNumber, Staff, Unit
from models.bulk import insert_rows
from models.clock import utcnow
from models.quality_words import PAIR_KINDS
from quality.duplicates import DIFFERENT, FAMILY, SAME_OWNER, TENANCY, Account, Pair, compare, match_keys
from services import Refused, traces
from services.people import require

CHUNK = 1000
MOST = 20
KINDS = ("mobile", "landline", "supply_address")
SINCE = "match_keys_since"
CONTACTS, CUSTOMERS, KEYS = Contact.__table__, Customer.__table__, MatchKey.__table__
PAIRS = DuplicatePair.__table__


@dataclass(frozen=True)
class Member:
    """One customer of a cluster: how it hangs together with the asked one, nearest first."""

    customer_id: int
    kind: str
    pair_id: int


def key_spans(session: Session) -> Iterator[tuple[int, int]]:
    """First and last key of each chunk of customers that changed since their match keys were made."""
    since = _since(session)
    query = select(CUSTOMERS.c.id).order_by(CUSTOMERS.c.id)
    query = query.where(CUSTOMERS.c.changed_at >= since) if since else query
    first = 0
    while ids := session.scalars(query.where(CUSTOMERS.c.id > first).limit(CHUNK)).all():
        yield ids[0], ids[-1]
        first = ids[-1]


def keys_of(session: Session, first: int, last: int) -> dict[int, list[str]]:
    """The match keys of the open customers of a span; none for those that are closed. Only reads."""
    ids = session.scalars(select(CUSTOMERS.c.id).where(CUSTOMERS.c.id.between(first, last))).all()
    known = accounts(session, ids)
    return {key: sorted(match_keys(known[key])) if key in known else [] for key in ids}


def write_keys(session: Session, keys: Mapping[int, Sequence[str]]) -> int:
    """Put new match keys in the place of the old ones; returns how many customers have any."""
    ids = [int(key) for key in keys]
    for place in range(0, len(ids), CHUNK):
        session.execute(delete(KEYS).where(KEYS.c.customer_id.in_(ids[place : place + CHUNK])))
    rows = [{"customer_id": int(key), "key": one} for key, found in keys.items() for one in found]
    insert_rows(session, KEYS, rows)
    return sum(bool(found) for found in keys.values())


def keys_made(session: Session, moment: datetime) -> None:
    """Remember that all that changed before a moment has its match keys."""
    session.merge(Setting(key=SINCE, value=moment.isoformat()))
    session.flush()


def block_spans(session: Session) -> Iterator[tuple[str, str]]:
    """First and last key of each chunk of blocks: keys that two to twenty customers share."""
    after = ""
    while keys := session.scalars(_blocks().where(KEYS.c.key > after).limit(CHUNK)).all():
        yield keys[0], keys[-1]
        after = keys[-1]


def pairs_in(session: Session, first: str, last: str) -> list[tuple[int, int, Pair]]:
    """The pairs of a span of blocks that belong together somehow, and are not decided yet. Only reads."""
    span = _blocks().where(KEYS.c.key.between(first, last))
    members: dict[str, list[int]] = {}
    for row in session.execute(select(KEYS.c.key, KEYS.c.customer_id).where(KEYS.c.key.in_(span))):
        members.setdefault(row.key, []).append(row.customer_id)
    found = sorted(_together(members) - _decided(session, {key for ids in members.values() for key in ids}))
    known = accounts(session, sorted({key for pair in found for key in pair}))
    compared = ((one, two, compare(known[one], known[two])) for one, two in found if {one, two} <= known.keys())
    return [(one, two, pair) for one, two, pair in compared if pair.kind != DIFFERENT]


def write_pairs(session: Session, pairs: Iterable[tuple[int, int, Pair]]) -> int:
    """Keep pairs as questions, with their parts as they compare now; a decision stays. Returns how many."""
    found = {(one, two): pair for one, two, pair in pairs}
    ids = sorted({key for both in found for key in both})
    query = select(CUSTOMERS.c.id, CUSTOMERS.c.unit_id).where(CUSTOMERS.c.id.in_(ids))
    units = {row.id: row.unit_id for row in session.execute(query)}
    base = {"decision": "", "note": "", "found_at": utcnow()}
    rows = [
        base | {"first_id": one, "second_id": two, "unit_id": units[one], "suggested": pair.kind}
        | {"score": pair.score, "parts": dict(pair.parts)}
        for (one, two), pair in sorted(found.items())
    ]  # fmt: skip
    if rows:
        session.execute(_upsert(session), rows)
    return len(rows)


def find(session: Session) -> Iterator[int]:
    """Make the keys of what changed and look through all blocks; yields pairs found a chunk, the caller commits."""
    begun = utcnow()
    for first, last in key_spans(session):
        write_keys(session, keys_of(session, first, last))
        yield 0
    keys_made(session, begun)
    for low, high in block_spans(session):
        yield write_pairs(session, pairs_in(session, low, high))
    forget_stale(session, begun)


def forget_stale(session: Session, begun: datetime) -> None:
    """Drop questions that a run through all blocks since a moment did not find again."""
    session.execute(delete(PAIRS).where(PAIRS.c.decision == "", PAIRS.c.found_at < begun))


def decide(session: Session, pair: DuplicatePair, decision: str, *, staff: Staff, note: str = "") -> None:
    """Say what a pair is; it is not asked for again. A decision may be changed, and is traced each time."""
    require(staff, "duplicates.edit")
    if decision not in PAIR_KINDS:
        raise Refused("请选择这两户是什么关系。")
    pair.decision, pair.note = decision, note.strip()[:200]
    pair.decided_by_id, pair.decided_at = staff.id, utcnow()
    details = {"decision": decision, "second": pair.second_id}
    traces.record(session, "duplicate.decided", pair, customer_id=pair.first_id, details=details)


def cluster(session: Session, customer_id: int, most: int = 40) -> list[Member]:
    """Who hangs together with a customer through pairs that are not `different`, each with its first link."""
    found: dict[int, Member] = {}
    edge = [customer_id]
    while edge and len(found) < most:
        touching = or_(DuplicatePair.first_id.in_(edge), DuplicatePair.second_id.in_(edge))
        kept = and_(touching, DuplicatePair.decision != DIFFERENT)
        rows = session.scalars(select(DuplicatePair).where(kept).order_by(DuplicatePair.id).limit(most)).all()
        new = {}
        for row in rows:
            for key in (row.first_id, row.second_id):
                if key != customer_id and key not in found and key not in edge:
                    new[key] = Member(key, row.decision or row.suggested, row.id)
        found |= new
        edge = list(new)
    return list(found.values())[:most]


def related(session: Session, customer_id: int) -> dict[int, str]:
    """Who was said to belong to a customer, and as what: the same owner, family, landlord or tenant."""
    touching = or_(DuplicatePair.first_id == customer_id, DuplicatePair.second_id == customer_id)
    query = select(DuplicatePair).where(touching, DuplicatePair.decision.in_((SAME_OWNER, FAMILY, TENANCY)))
    rows = session.scalars(query.order_by(DuplicatePair.id).limit(50))
    return {row.second_id if row.first_id == customer_id else row.first_id: row.decision for row in rows}


def accounts(session: Session, customer_ids: Sequence[int]) -> dict[int, Account]:
    """What is compared of some customers, open ones only: the first address, and the phones that stand now.

    A number that stands on too many customers says nothing about any two of them.
    """
    phones: dict[int, set[str]] = {}
    address: dict[int, str] = {}
    for row in session.execute(_values(customer_ids)):
        if row.kind == "supply_address":
            address.setdefault(row.customer_id, row.value or row.raw)
        elif row.value:
            phones.setdefault(row.customer_id, set()).add(row.value)
    return {
        row.id: Account(
            row.id,
            row.account_no,
            row.name,
            address.get(row.id, ""),
            row.region,
            frozenset(phones.get(row.id, ())),
            row.id_hash or row.uscc,
        )
        for row in session.execute(_facts(customer_ids))
    }


def _since(session: Session) -> datetime | None:
    stored = session.scalar(select(Setting.value).where(Setting.key == SINCE))
    return datetime.fromisoformat(stored) if stored else None


def _blocks() -> Select[Any]:
    number = func.count()
    return select(KEYS.c.key).group_by(KEYS.c.key).having(number > 1, number <= MOST).order_by(KEYS.c.key)


def _together(members: Mapping[str, Sequence[int]]) -> set[tuple[int, int]]:
    return {(one, two) for ids in members.values() for one in ids for two in ids if one < two}


def _decided(session: Session, customer_ids: set[int]) -> set[tuple[int, int]]:
    query = select(PAIRS.c.first_id, PAIRS.c.second_id).where(PAIRS.c.decision != "")
    ids = sorted(customer_ids)
    spans = (ids[place : place + CHUNK] for place in range(0, len(ids), CHUNK))
    return {(r.first_id, r.second_id) for one in spans for r in session.execute(query.where(PAIRS.c.first_id.in_(one)))}


def _values(customer_ids: Sequence[int]) -> Select[Any]:
    columns = (CONTACTS.c.customer_id, CONTACTS.c.kind, CONTACTS.c.value, CONTACTS.c.raw)
    query = select(*columns).where(CONTACTS.c.customer_id.in_(customer_ids), CONTACTS.c.state == "current")
    shared = select(SharedNumber.__table__.c.value)
    query = query.where(CONTACTS.c.kind.in_(KINDS), CONTACTS.c.value.not_in(shared))
    return query.order_by(CONTACTS.c.preferred.desc(), CONTACTS.c.id)


def _facts(customer_ids: Sequence[int]) -> Select[Any]:
    names = ("id", "account_no", "name", "id_hash", "uscc")
    query = select(*(CUSTOMERS.c[name] for name in names), Unit.__table__.c.region)
    query = query.join(Unit.__table__, Unit.__table__.c.id == CUSTOMERS.c.unit_id)
    return query.where(CUSTOMERS.c.id.in_(customer_ids), CUSTOMERS.c.closed_on.is_(None))


def _upsert(session: Session) -> Any:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(PAIRS)
    new = {name: statement.excluded[name] for name in ("unit_id", "score", "suggested", "parts", "found_at")}
    return statement.on_conflict_do_update(index_elements=["first_id", "second_id"], set_=new)
