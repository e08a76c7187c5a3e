"""The one way in for every change of a contact: recorded as a version, settled by policy or by a person, confirmed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from models import Confirmation, Contact, Customer
from models.bulk import forget, insert_lines, take_ids
from models.clock import now, utcnow
from models.contacts import GOOD, latest_confirmations
from models.search import note
from services import policies, reach, scores, traces
from services.changes import Changing, adding, changing
from services.counts import Value

CHUNK = 1000
CONTACTS = Contact.__table__
CUSTOMERS = Customer.__table__


class Draft(NamedTuple):
    """A contact version about to be recorded. Without `value` and with `replaces_id` it proposes to drop that value."""

    customer_id: int
    unit_id: int
    kind: str
    raw: str
    value: str
    verdict: str
    source: str
    reasons: str = ""
    extension: str = ""
    purpose: str = ""
    relation: str = ""
    preferred: bool = False
    evidence: str = ""
    batch_id: int | None = None
    batch_row: int | None = None
    field: str = ""
    recorder_id: int | None = None
    recorded_at: datetime | None = None
    due_at: datetime | None = None
    replaces_id: int | None = None


class Version(NamedTuple):
    """What a trace says of a version."""

    id: int
    customer_id: int
    unit_id: int
    kind: str


@dataclass(frozen=True)
class Recorded:
    """What became of a chunk of drafts, as contact ids in the order of the drafts."""

    ids: tuple[int, ...]
    settled: frozenset[int]
    waiting: frozenset[int]


@dataclass(frozen=True)
class Finding:
    """That one version was found right (`confirmed`) or wrong (`refuted`): how, why, and who obtained the fact.

    `withdrawn` takes back what was found before, as if nothing were known.
    """

    contact_id: int
    result: str
    method: str
    reason: str = ""
    evidence: str = ""
    credited_id: int | None = None


def record(session: Session, drafts: Sequence[Draft], *, action: str = "contact.settled") -> Recorded:
    """Write a chunk of versions as proposals, and settle those that the policy lets settle by itself.

    `action` names the trace (one a customer): an import of new customers writes `customer.created` with it. What
    settles and replaces nothing is written as current at once.
    """
    if not drafts:
        return Recorded((), frozenset(), frozenset())
    with adding(session, {draft.customer_id for draft in drafts}) as changes:
        return _record(session, drafts, action, changes)


def _record(session: Session, drafts: Sequence[Draft], action: str, changes: Changing) -> Recorded:
    keyed = dict(zip(take_ids(session, CONTACTS, len(drafts)), drafts, strict=True))
    passing = policies.settling(session, keyed)
    added = sorted(key for key in passing if keyed[key].replaces_id is None)
    _insert(session, keyed, frozenset(added))
    changes.recorded(_value(key, keyed[key]) for key in added)
    replacing = _settled(session, sorted(passing.difference(added)))
    reach.enter(session, [keyed[key] for key in added if keyed[key].customer_id in changes.entering])
    _touch(session, {keyed[key].customer_id for key in added}.difference(changes.entering))
    _trace(session, [*(_version(key, keyed[key]) for key in added), *replacing], action)
    waiting = frozenset(keyed) - passing
    _trace(session, [_version(key, keyed[key]) for key in sorted(waiting)], "contact.proposed")
    for place in range(0, len(added), CHUNK):
        scores.score(session, added[place : place + CHUNK])
    return Recorded(tuple(keyed), passing, waiting)


def settle(session: Session, contact_ids: Sequence[int], *, action: str = "contact.settled") -> int:
    """Make proposed versions current, chunk by chunk; what they replace becomes history. Returns how many settled.

    States, counts, traces and score entries change together, in the caller's transaction.
    """
    with changing(session, _customers_of(session, contact_ids)):
        rows = _settled(session, contact_ids)
        _trace(session, rows, action)
    return len(rows)


def end(session: Session, contact_ids: Sequence[int], state: str, *, action: str) -> int:
    """End versions that are current or waiting: `stopped`, `superseded`, `withdrawn` or `refused`; returns how many."""
    with changing(session, _customers_of(session, contact_ids)):
        rows = _rows(session, contact_ids, ("current", "proposed"))
        _change(session, [row.id for row in rows], {"state": state, "current_until": now(session)})
        _touch(session, {row.customer_id for row in rows})
        _trace(session, rows, action)
    return len(rows)


def confirm(session: Session, findings: Sequence[Finding]) -> list[int]:
    """Write what was found about versions; it holds for every version with the same customer, kind and value.

    A refuted value stays current but is not usable any more. Points arise here when the version is current already.
    """
    if not findings:
        return []
    known = {row.id: row for row in _rows(session, [finding.contact_id for finding in findings])}
    moment = now(session)
    rows = [_confirmation(known[f.contact_id], f, moment, traces.actor_id(session)) for f in findings]
    ids = list(session.scalars(insert(Confirmation).returning(Confirmation.id, sort_by_parameter_order=True), rows))
    for result in ("confirmed", "refuted"):
        _trace(session, [known[f.contact_id] for f in findings if f.result == result], f"contact.{result}")
    _touch(session, {row.customer_id for row in known.values()})
    scores.score(session, sorted(known))
    return ids


def usable(session: Session, customer_ids: Sequence[int], kinds: Collection[str]) -> list[Contact]:
    """Current values of some kinds, usable for mail, messages or reach: good and not refuted, preferred first."""
    rows = session.scalars(
        select(Contact)
        .where(Contact.customer_id.in_(customer_ids), Contact.kind.in_(kinds))
        .where(Contact.state == "current", Contact.verdict.in_(GOOD))
        .order_by(Contact.customer_id, Contact.preferred.desc(), Contact.id)
    ).all()
    found = latest_confirmations(session, list(customer_ids))
    return [row for row in rows if not _is_refuted(found.get((row.customer_id, row.kind, row.value)))]


def _is_refuted(confirmation: Confirmation | None) -> bool:
    return confirmation is not None and confirmation.result == "refuted"


def _customers_of(session: Session, contact_ids: Sequence[int]) -> set[int]:
    chunks = (contact_ids[place : place + CHUNK] for place in range(0, len(contact_ids), CHUNK))
    query = select(CONTACTS.c.customer_id)
    return {key for chunk in chunks for key in session.scalars(query.where(CONTACTS.c.id.in_(chunk)))}


def _value(key: int, draft: Draft) -> Value:
    whose = (draft.customer_id, draft.unit_id)
    return (*whose, draft.kind, draft.verdict, draft.recorder_id, draft.preferred, key)


def _version(key: int, draft: Draft) -> Version:
    return Version(key, draft.customer_id, draft.unit_id, draft.kind)


def _insert(session: Session, keyed: Mapping[int, Draft], added: Collection[int]) -> None:
    """Write new versions: as current where they settle and replace nothing, else as proposals."""
    names = ("id", *Draft._fields, "created_at", "proposer_id", "state", "current_from", "decided_by_id", "decided_at")
    actor, moment = traces.actor_id(session), utcnow()
    current = (moment, actor, "current", now(session), actor, moment)
    waiting = (moment, actor, "proposed", None, None, None)
    lines = [(key, *draft, *(current if key in added else waiting)) for key, draft in keyed.items()]
    insert_lines(session, CONTACTS, names, lines)


def _settled(session: Session, contact_ids: Sequence[int]) -> list[Any]:
    """Make proposed versions current in chunks; the rows that settled, still without their trace."""
    chunks = (contact_ids[place : place + CHUNK] for place in range(0, len(contact_ids), CHUNK))
    return [row for chunk in chunks for row in _settle_chunk(session, chunk)]


def _settle_chunk(session: Session, contact_ids: Sequence[int]) -> Sequence[Any]:
    rows = _rows(session, contact_ids, ("proposed",))
    if not rows:
        return []
    moment = now(session)
    dropped = [row.id for row in rows if not row.raw and not row.value and row.replaces_id]
    kept = [row for row in rows if row.id not in set(dropped)]
    replaced = _rows(session, [row.replaces_id for row in rows if row.replaces_id], ("current",))
    stopped = {row.replaces_id for row in rows if row.id in set(dropped)}
    _change(session, [r.id for r in replaced if r.id not in stopped], {"state": "superseded", "current_until": moment})
    _change(session, [r.id for r in replaced if r.id in stopped], {"state": "stopped", "current_until": moment})
    decision = {"decided_by_id": traces.actor_id(session), "decided_at": utcnow()}
    _change(session, dropped, {"state": "stopped", "current_until": moment} | decision)
    _change(session, [row.id for row in kept], {"state": "current", "current_from": moment} | decision)
    _inherit_preference(session, kept, replaced)
    _touch(session, {row.customer_id for row in [*rows, *replaced]})
    scores.score(session, [row.id for row in kept])
    return rows


def _inherit_preference(session: Session, kept: Sequence[Any], replaced: Sequence[Any]) -> None:
    preferred = {row.id for row in replaced if row.preferred}
    _change(session, [row.id for row in kept if row.replaces_id in preferred], {"preferred": True})


def _rows(session: Session, contact_ids: Sequence[int], states: Collection[str] = ()) -> Sequence[Any]:
    columns = (Contact.id, Contact.customer_id, Contact.unit_id, Contact.kind, Contact.raw, Contact.value)
    query = select(*columns, Contact.verdict, Contact.state, Contact.replaces_id, Contact.preferred)
    query = query.where(Contact.id.in_(contact_ids)).order_by(Contact.id)
    # Rows of a state are about to leave it: whoever comes second waits, and then no longer finds them in it.
    return session.execute(query.where(Contact.state.in_(states)).with_for_update() if states else query).all()


def _change(session: Session, contact_ids: Sequence[int], values: Mapping[str, Any]) -> None:
    if contact_ids:
        session.flush()
        session.execute(update(CONTACTS).where(CONTACTS.c.id.in_(contact_ids)).values(**values))
        forget(session, Contact, contact_ids, values)


def _touch(session: Session, customer_ids: Collection[int]) -> None:
    """Keep the customers' last change and their reach, once all that changed is written."""
    if customer_ids:
        session.flush()
        query = update(CUSTOMERS).where(CUSTOMERS.c.id.in_(sorted(customer_ids)))
        session.execute(query.values(changed_at=utcnow(), reach=reach.standing()))
        note(session, customer_ids)
        reach.forget(session)


def _trace(session: Session, versions: Sequence[Any], action: str) -> None:
    """One trace a customer and action: which kinds, which versions; never the values."""
    customers: dict[int, list[Any]] = {}
    for version in versions:
        customers.setdefault(version.customer_id, []).append(version)
    names = ("at", "actor_id", "action", "object", "object_id", "customer_id", "unit_id", "details")
    base = (utcnow(), traces.actor_id(session), action, Contact.__tablename__)
    lines = [(*base, rows[0].id, key, rows[0].unit_id, _told(rows)) for key, rows in customers.items()]
    traces.record_lines(session, names, lines)


def _told(rows: Sequence[Any]) -> dict[str, Any]:
    return {"kinds": sorted({row.kind for row in rows}), "contacts": [row.id for row in rows]}


def _confirmation(row: Any, finding: Finding, moment: datetime, staff_id: int | None) -> dict[str, Any]:
    return asdict(finding) | {
        "customer_id": row.customer_id,
        "unit_id": row.unit_id,
        "kind": row.kind,
        "value": row.value or row.raw[:400],
        "staff_id": staff_id,
        "at": moment,
    }
