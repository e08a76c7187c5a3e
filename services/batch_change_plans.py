"""What a batch change would do, chunk of customers by chunk: the new values, and the conflicts that keep some out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models import BatchChange, Contact, ContactKind, Customer, Unit
from models.clock import ZONE
from models.contacts import GOOD, latest_confirmations
from models.scope import ALL, working_as
from quality import judge
from quality.batch_renames import index
from quality.number_upgrades import UPGRADES
from quality.verdicts import NOWHERE, Verdict
from services import cleanups
from services.batch_change_kinds import KINDS, PLANS, Job, Wanted
from services.batch_change_lists import stored_index, stored_list
from services.judging import contexts

CONTACTS = Contact.__table__
CUSTOMERS = Customer.__table__
COLUMNS = (
    "id", "customer_id", "unit_id", "kind", "raw", "value", "extension", "verdict", "reasons", "recorded_at",
)  # fmt: skip


def spans(session: Session, change: BatchChange, size: int) -> Iterator[tuple[int, int]]:
    """First and last customer of each chunk that a change looks at."""
    keys: list[int] = []
    with working_as(session, ALL):
        for key in session.scalars(_customers(session, change).execution_options(yield_per=size)):
            keys.append(key)
            if len(keys) == size:
                yield keys[0], keys[-1]
                keys = []
    if keys:
        yield keys[0], keys[-1]


def find_lines(session: Session, change: BatchChange, first: int, last: int) -> list[dict[str, Any]]:
    """The lines of one chunk of customers, as rows to be written; only reads."""
    with working_as(session, ALL):
        job = _job(session, change)
        rows = session.execute(_standing(session, change, first, last)).all()
        wanted = list(PLANS[change.kind](job, rows))
        met = _Met(session, rows, [one.customer_id for one in wanted])
    return [_line(change, job, one, met) for one in wanted]


def _customers(session: Session, change: BatchChange) -> Select[tuple[int]]:
    if change.options.get("batch"):
        query = select(CONTACTS.c.customer_id.distinct()).where(CONTACTS.c.batch_id == change.options["batch"])
        return query.where(CONTACTS.c.unit_id.in_(_units(session, change))).order_by(CONTACTS.c.customer_id)
    query = select(CUSTOMERS.c.id).where(CUSTOMERS.c.unit_id.in_(_units(session, change)))
    return query.order_by(CUSTOMERS.c.id)


def _units(session: Session, change: BatchChange) -> Select[tuple[int]]:
    path = session.scalar(select(Unit.path).where(Unit.id == change.unit_id)) or "/-"
    return select(Unit.id).where(Unit.path.startswith(path, autoescape=True))


def _standing(session: Session, change: BatchChange, first: int, last: int) -> Select[Any]:
    """The current values that a change may concern, of a span of customers."""
    if change.kind == "cleanup":
        query = cleanups.repairable(cleanups.Selection(change.options.get("batch"), change.unit_id))
        extra = query.add_columns(Contact.raw, Contact.verdict)
        return extra.where(Contact.customer_id.between(first, last)).order_by(Contact.id)
    kinds = KINDS[change.kind]
    query = select(*(CONTACTS.c[name] for name in COLUMNS)).where(CONTACTS.c.customer_id.between(first, last))
    query = query.where(CONTACTS.c.state == "current", CONTACTS.c.kind.in_(kinds))
    return query.where(CONTACTS.c.unit_id.in_(_units(session, change))).order_by(CONTACTS.c.customer_id, CONTACTS.c.id)


def _job(session: Session, change: BatchChange) -> Job:
    entries = stored_list(change.sha256, change.kind) if change.sha256 else ()
    units = session.execute(select(Unit.id, Unit.code, Unit.name, Unit.path)).all()
    return Job(
        contexts=contexts(session),
        paths={row.id: row.path for row in units},
        judged_as={row.code: row.judged_as for row in session.scalars(select(ContactKind))},
        rules={rule.key: rule for rule in UPGRADES if rule.key in change.options.get("rules", ())},
        known=stored_index(change.sha256, change.kind) if change.sha256 else index(()),
        given=frozenset(entry.new for entry in entries),
        since=change.effective_on,
        units={text: row.path for row in units for text in (row.code, row.name)},
    )


class _Met:
    """What the new values of a chunk meet: confirmations, what waits already, what stands already."""

    def __init__(self, session: Session, rows: Sequence[Any], customer_ids: Sequence[int]) -> None:
        ids = sorted(set(customer_ids))
        self.confirmations = latest_confirmations(session, ids) if ids else {}
        columns = (CONTACTS.c.customer_id, CONTACTS.c.kind, CONTACTS.c.value, CONTACTS.c.state, CONTACTS.c.replaces_id)
        query = select(*columns).where(CONTACTS.c.customer_id.in_(ids), CONTACTS.c.state.in_(("current", "proposed")))
        found = session.execute(query).all() if ids else []
        self.current = {(row.customer_id, row.kind, row.value) for row in found if row.state == "current"}
        self.waiting = {row.replaces_id for row in found if row.state == "proposed" and row.replaces_id}
        self.adding = {
            (row.customer_id, row.kind) for row in found if row.state == "proposed" and not row.replaces_id
        }

    def confirmed_at(self, row: Any) -> datetime | None:
        """When the standing value was last found right."""
        one = self.confirmations.get((row.customer_id, row.kind, row.value))
        return one.at if one is not None and one.result == "confirmed" else None


def _line(change: BatchChange, job: Job, wanted: Wanted, met: _Met) -> dict[str, Any]:
    kind, standing = wanted.kind, wanted.standing
    verdict = judge(job.judged_as[kind] or "text", wanted.raw, job.contexts.get(wanted.unit_id, NOWHERE))
    conflict = wanted.conflict or _conflict(change, wanted, verdict, met)
    return {
        "change_id": change.id,
        "unit_id": wanted.unit_id,
        "customer_id": wanted.customer_id,
        "contact_id": standing.id if standing else None,
        "version_id": None,
        "kind": kind,
        "cause": wanted.cause,
        "list_row": wanted.list_row,
        "raw": wanted.raw,
        "value": verdict.value[:400],
        "extension": standing.extension if standing else "",
        "verdict": verdict.verdict,
        "reasons": ";".join(verdict.reasons)[:200],
        "state": "conflict" if conflict else "planned",
        "conflict": conflict,
    }


def _conflict(change: BatchChange, wanted: Wanted, verdict: Verdict, met: _Met) -> str:
    standing = wanted.standing
    confirmed_at = met.confirmed_at(standing) if standing is not None and change.kind != "cleanup" else None
    if standing is not None and (reason := conflict_of(standing, wanted.since, confirmed_at)):
        return reason
    if standing.id in met.waiting if standing else (wanted.customer_id, wanted.kind) in met.adding:
        return "other_proposal"
    is_other = standing is None or standing.value != verdict.value
    if is_other and (wanted.customer_id, wanted.kind, verdict.value) in met.current:
        return "already_there"
    was_doubtful = standing is not None and standing.verdict == verdict.verdict == "suspect"
    return "" if verdict.verdict in GOOD or was_doubtful else "not_believable"


def conflict_of(standing: Any, since: date | None, confirmed_at: datetime | None) -> str:
    """Why a standing value is not to be touched: entered or found right since the day that the change holds from."""
    if since and standing.recorded_at and standing.recorded_at.astimezone(ZONE).date() >= since:
        return "entered_after"
    if confirmed_at and (since is None or confirmed_at.astimezone(ZONE).date() >= since):
        return "confirmed_since"
    return ""
