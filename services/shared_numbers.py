"""Numbers on too many customers (一号多户): counted as a whole, allowed to those who rightly have them, put right.

The limit is a setting (more than 3 residential customers by default). What was counted is kept, so that judging reads
a small table and never the contacts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, delete, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased, joinedload

from models import (
    BatchChange,
    Contact,
    Customer,
    ImportBatch,
    NumberAllowance,
    Setting,
    SharedNumber,
    Staff,
    Unit,
)
from models.clock import now, today, utcnow
from models.quality_words import SHARED_ROLES
from quality.verdicts import MISSING
from services import Refused, contacts, traces
from services.contacts import Draft
from services.count_checks import NIGHT
from services.people import require

LIMIT_KEY = "shared_number_limit"
STARTED, LAST_START = "shared_numbers_count_started", "shared_numbers_count_last_start"
UNDER_WAY = ("queued", "running", "undoing", "submitting", "applying")  # of batches and of changes in batches
LIMIT = 3
MOST = 100_000
PHONES = ("mobile", "landline")
RESIDENTIAL = "low_voltage_residential"
REASON = "shared_number"
CONTACTS, CUSTOMERS, NUMBERS = Contact.__table__, Customer.__table__, SharedNumber.__table__


@dataclass(frozen=True)
class Counted:
    """A value, and on how many open customers, and on how many residential ones, it stands."""

    value: str
    customers: int
    residential: int


@dataclass(frozen=True)
class Allowance:
    """Whose number it is (`SHARED_ROLES`), why it may stand on many customers, and until which day (none: for good)."""

    role: str
    reason: str
    until: date | None = None


def limit(session: Session) -> int:
    """On how many residential customers a number may stand before it is doubted."""
    chosen = session.scalar(select(Setting.value).where(Setting.key == LIMIT_KEY))
    return chosen if isinstance(chosen, int) and chosen > 0 else LIMIT


def set_limit(session: Session, number: int, *, staff: Staff) -> None:
    """Choose the limit; it holds at once for judging, and for what is kept from the next count on."""
    require(staff, "shared_numbers.edit")
    if not 1 <= number <= 1000:
        raise Refused("户数上限要在 1 到 1000 之间。")
    row = session.merge(Setting(key=LIMIT_KEY, value=number))
    traces.record(session, "setting.changed", row, details={LIMIT_KEY: number})


def shared_values(session: Session) -> frozenset[str]:
    """The values (E.164) on more residential customers than the limit and not allowed: for judging, once a batch.

    As last counted; at most 100,000, the most frequent first.
    """
    order = (SharedNumber.residential.desc(), SharedNumber.customers.desc(), SharedNumber.id.desc())
    return frozenset(session.scalars(_over(session).order_by(*order).limit(MOST)))


def allowed(session: Session) -> ColumnElement[bool]:
    """The condition on shared numbers that somebody may rightly have them on many customers today."""
    row = NumberAllowance
    return exists().where(row.value == SharedNumber.value, row.ended_at.is_(None), _is_running(session))


def count(session: Session) -> int:
    """Count all phone values anew and keep those on more customers than the limit; returns how many."""
    return keep(session, counted(session), utcnow())


def is_due(session: Session) -> bool:
    """Whether it is night and tonight's count has still to be started."""
    moment = now(session)
    started = session.scalar(select(Setting.value).where(Setting.key == STARTED))
    return moment.hour in NIGHT and started != moment.date().isoformat()


def mark_started(session: Session) -> None:
    """Remember that tonight's count was started."""
    session.merge(Setting(key=STARTED, value=today(session).isoformat()))
    mark_followed(session)


def is_overtaken(session: Session) -> bool:
    """Whether an import or a change in batches has ended, or was taken back, since the last count was started, and
    none is under way: the count then follows them, however many they were."""
    last = session.scalar(select(Setting.value).where(Setting.key == LAST_START))
    since = datetime.fromisoformat(last) if isinstance(last, str) else datetime.min.replace(tzinfo=UTC)
    ends: dict[Any, tuple[str, ...]] = {
        ImportBatch: ("ended_at", "undone_at"),
        BatchChange: ("applied_at", "undone_at"),
    }
    if any(_exists(session, table.state.in_(UNDER_WAY)) for table in ends):
        return False
    return any(_exists(session, getattr(table, name) > since) for table, names in ends.items() for name in names)


def mark_followed(session: Session) -> None:
    """Remember when the last count was started."""
    session.merge(Setting(key=LAST_START, value=utcnow().isoformat()))


def _exists(session: Session, condition: ColumnElement[bool]) -> bool:
    return bool(session.scalar(select(select(1).where(condition).exists())))


def counted(session: Session) -> list[Counted]:
    """The values on more customers than the limit. Only reads: values by frequency through their index, then the
    customers of the frequent ones alone."""
    most = limit(session)
    frequent = _current(session, CONTACTS).with_only_columns(CONTACTS.c.value)
    frequent = frequent.group_by(CONTACTS.c.value).having(func.count() > most)
    return [Counted(*row) for row in session.execute(_on_customers(session, frequent, most))]


def keep(session: Session, rows: Sequence[Counted], moment: datetime) -> int:
    """Keep what was counted in the place of what was kept before; a number that stays keeps its key."""
    _upsert(session, rows, moment)
    session.execute(delete(NUMBERS).where(NUMBERS.c.counted_at != moment))
    return len(rows)


def misjudged(session: Session) -> list[int]:
    """Current versions whose verdict does not know yet that their number is shared, or that it no longer is."""
    reasons, suspect = CONTACTS.c.reasons.contains(REASON), CONTACTS.c.verdict == "suspect"
    over = _over(session)
    standing = (CONTACTS.c.state == "current", CONTACTS.c.kind.in_(PHONES), CONTACTS.c.raw != "")
    newly = select(CONTACTS.c.id).where(*standing, CONTACTS.c.value.in_(over), ~reasons)
    units = CONTACTS.c.unit_id.in_(select(Unit.__table__.c.id))  # so that the index by unit answers
    no_longer = select(CONTACTS.c.id).where(*standing, units, suspect, reasons, CONTACTS.c.value.not_in(over))
    return sorted({*session.scalars(newly), *session.scalars(no_longer)})


def allow(session: Session, number: SharedNumber, allowance: Allowance, *, staff: Staff) -> NumberAllowance:
    """Let a number stand on many customers: who has it, why, until when."""
    require(staff, "shared_numbers.edit")
    reason = allowance.reason.strip()[:200]
    if allowance.role not in SHARED_ROLES or not reason:
        raise Refused("没有保存：请选择号码是谁的，并写明依据。")
    if allowance.until is not None and allowance.until < today(session):
        raise Refused("有效期已经过了，请填写今天以后的日期，或留空表示长期。")
    if running_allowance(session, number.value) is not None:
        raise Refused("这个号码已经放行，不用再登记。要改动请先取消放行。")
    row = NumberAllowance(value=number.value, role=allowance.role, reason=reason, until=allowance.until)
    row.staff_id, row.created_at = staff.id, utcnow()
    session.add(row)
    traces.record(session, "shared_number.allowed", row, details={"role": row.role, "number": number.id})
    return row


def end_allowance(session: Session, number: SharedNumber, *, staff: Staff) -> None:
    """Take an allowance back: the number is doubted again."""
    require(staff, "shared_numbers.edit")
    row = running_allowance(session, number.value)
    if row is None:
        raise Refused("这个号码没有放行登记，请刷新页面。")
    row.ended_at = utcnow()
    traces.record(session, "shared_number.disallowed", row, details={"number": number.id})


def running_allowance(session: Session, value: str) -> NumberAllowance | None:
    """The allowance of a value that holds today."""
    return next(iter(running_allowances(session, [value])), None)


def running_allowances(session: Session, values: Sequence[str]) -> Sequence[NumberAllowance]:
    """The allowances of some values that hold today."""
    query = select(NumberAllowance).where(NumberAllowance.value.in_(values), NumberAllowance.ended_at.is_(None))
    return session.scalars(query.where(_is_running(session)).order_by(NumberAllowance.id)).all()


def in_reach(session: Session) -> ColumnElement[bool]:
    """The condition on shared numbers that a customer in the session's scope has them."""
    ours = select(Contact.id).where(Contact.value == SharedNumber.value, Contact.state == "current")
    return ours.where(Contact.kind.in_(PHONES)).exists()


def bearers(session: Session, value: str, most: int = 60) -> Sequence[Contact]:
    """The versions that put a value on customers in the session's scope, open customers only, by account number."""
    query = select(Contact).join(Customer, Customer.id == Contact.customer_id)
    query = query.where(Contact.value == value, Contact.state == "current", Contact.kind.in_(PHONES))
    query = query.where(Customer.closed_on.is_(None)).options(joinedload(Contact.customer).joinedload(Customer.unit))
    return session.scalars(query.order_by(Customer.account_no).limit(most)).all()


def ending(session: Session, contact_ids: Sequence[int]) -> frozenset[int]:
    """Those of some versions for which somebody has proposed the end already."""
    query = select(Contact.replaces_id).where(Contact.replaces_id.in_(contact_ids), Contact.state == "proposed")
    return frozenset(key for key in session.scalars(query.where(Contact.raw == "")) if key is not None)


def links(session: Session, customer_ids: Collection[int], most: int = 400) -> Sequence[tuple[int, str]]:
    """Who shares what: (customer id, value) of these customers, values that stand on at least two of them only."""
    mine, other = aliased(Contact), aliased(Contact)
    ids = list(customer_ids)
    shared = select(other.value).where(other.customer_id.in_(ids), other.state == "current", other.kind.in_(PHONES))
    shared = shared.group_by(other.value).having(func.count(func.distinct(other.customer_id)) > 1)
    query = select(mine.customer_id, mine.value).where(mine.customer_id.in_(ids), mine.state == "current")
    query = query.where(mine.kind.in_(PHONES), mine.value != "", mine.value.in_(shared)).distinct()
    return [(row.customer_id, row.value) for row in session.execute(query.limit(most))]


def propose_stop(
    session: Session, number: SharedNumber, contact_ids: Collection[int], *, staff: Staff, evidence: str
) -> int:
    """Propose that a number be used no longer on chosen customers; each waits for a person. Returns how many."""
    require(staff, "contacts.edit")
    if not evidence.strip():
        raise Refused("请写明停用的依据，例如核实的电话录音编号或工单号。")
    query = select(Contact).where(Contact.id.in_(list(contact_ids)), Contact.value == number.value)
    rows = session.scalars(query.where(Contact.state == "current", ~_is_ending()).order_by(Contact.id)).all()
    if not rows:
        raise Refused("没有可以停用的：请勾选客户；已经申请停用的不用再提。")
    drafts = [_ending(session, row, staff, evidence.strip()[:200]) for row in rows]
    return len(contacts.record(session, drafts).ids)


def _ending(session: Session, row: Contact, staff: Staff, evidence: str) -> Draft:
    return Draft(
        customer_id=row.customer_id, unit_id=row.unit_id, kind=row.kind, raw="", value="", verdict=MISSING,
        source="cleanup", reasons="shared_number", purpose=row.purpose, evidence=evidence, recorder_id=staff.id,
        recorded_at=now(session), replaces_id=row.id,
    )  # fmt: skip


def _is_ending() -> ColumnElement[bool]:
    waiting = aliased(Contact)
    return exists().where(waiting.replaces_id == Contact.id, waiting.state == "proposed", waiting.raw == "")


def _over(session: Session) -> Select[tuple[str]]:
    return select(SharedNumber.value).where(SharedNumber.residential > limit(session), ~allowed(session))


def _is_running(session: Session) -> ColumnElement[bool]:
    return or_(NumberAllowance.until.is_(None), NumberAllowance.until >= today(session))


def _current(session: Session, table: Any) -> Select[Any]:
    """Current phone values; on SQLite as a span of the index over values: in standard form they begin with a plus."""
    query = select(table).where(table.c.state == "current")
    if session.get_bind().dialect.name == "sqlite":
        return query.where(table.c.value >= "+", table.c.value < ",")
    return query.where(table.c.kind.in_(PHONES), table.c.value != "")


def _on_customers(session: Session, values: Select[Any], most: int) -> Select[Any]:
    """For each of some values: on how many open customers, and on how many residential ones, it stands."""
    person = case((CUSTOMERS.c.customer_class == RESIDENTIAL, CUSTOMERS.c.id))
    customers, residential = func.count(func.distinct(CUSTOMERS.c.id)), func.count(func.distinct(person))
    query = _current(session, CONTACTS).with_only_columns(CONTACTS.c.value, customers, residential)
    query = query.join(CUSTOMERS, CUSTOMERS.c.id == CONTACTS.c.customer_id).where(CUSTOMERS.c.closed_on.is_(None))
    return query.where(CONTACTS.c.value.in_(values)).group_by(CONTACTS.c.value).having(customers > most)


def _upsert(session: Session, rows: Sequence[Counted], moment: datetime) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(NUMBERS)
    new = {name: statement.excluded[name] for name in ("customers", "residential", "counted_at")}
    if rows:
        lines = [{**asdict(row), "counted_at": moment} for row in rows]
        session.connection().execute(statement.on_conflict_do_update(index_elements=["value"], set_=new), lines)
    for known in [row for row in session.identity_map.values() if isinstance(row, SharedNumber)]:
        session.expire(known)
