"""Issues as runs find them: opened, kept, fixed when no longer found, recurring when found again; chunk by chunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, literal, or_, select, update
from sqlalchemy.orm import Session

from models import Assessment, Contact, Customer, Issue, Rule, Territory, Unit
from models.bulk import insert_rows, take_ids
from models.clock import today, utcnow
from models.issues import PENDING
from models.scope import ALL, working_as
from quality.rules import Record
from quality.verdicts import MISSING
from services import files, traces
from services.assessed import IDENTITY
from services.assessments import rules_in
from services.calendar import calendar
from services.members import read_rule_members
from services.rules import FUNCTIONS

CHUNK = 500
DUE_DAYS = {"high": 5, "medium": 10, "low": 20}  # working days from the day an issue is opened, by severity
TABLE = Issue.__table__
Key = tuple[int, str, str]


class Failing(NamedTuple):
    """A record that fails a rule of a run: which rule, whose, of which kind, and the value it was judged by."""

    rule_id: int
    customer_id: int
    kind: str
    contact_id: int | None


@dataclass(frozen=True)
class Finding:
    """Everything a chunk needs beside its records: the run, its rules, due days, and the moment."""

    run_id: int
    rules: Mapping[int, Rule]
    due: Mapping[str, date]
    moment: datetime


def follow(session: Session, run: Assessment) -> Iterator[dict[str, int]]:
    """Bring the issues to what a run found; yields the counts of each chunk, the caller commits. May run twice."""
    if not is_newest(session, run):
        return
    for chunk in chunks_of(failing(session, run)):
        yield found_in(session, run.id, chunk)
    for unit_id in units_of(session, run):
        yield not_found_in(session, run.id, unit_id)


def is_newest(session: Session, run: Assessment) -> bool:
    """Whether no run with a later cut-off overlaps this one: only then it says how things stand."""
    path = session.scalars(select(Unit.path).where(Unit.id == run.unit_id)).one()
    overlap = or_(Unit.path.startswith(path), literal(path).startswith(Unit.path))
    later = select(Assessment.id).join(Unit, Unit.id == Assessment.unit_id).where(overlap)
    later = later.where(Assessment.cutoff > run.cutoff, Assessment.rule_members_sha256.is_not(None))
    return session.scalar(later.limit(1)) is None


def failing(session: Session, run: Assessment) -> Iterator[Failing]:
    """Every record that a rule of a run found wrong and that somebody can mend, waived ones too."""
    if run.rule_members_sha256 is None:
        return
    mending = [(1 << at, rule.id) for at, rule in opening(session, run)]
    for member in read_rule_members(files.location(run.rule_members_sha256)):
        found = member.failed | member.exempt
        if found:
            for bit, rule_id in mending:
                if found & bit:
                    yield Failing(rule_id, member.customer_id, member.kind, member.contact_id)


def opening(session: Session, run: Assessment) -> list[tuple[int, Rule]]:
    """The rules of a run that open issues, with their places among its rules."""
    rules = enumerate(rules_in(session, run))
    return [(at, rule) for at, rule in rules if rule.opens_issues and FUNCTIONS[rule.function].opens_issues]


def chunks_of(found: Iterator[Failing]) -> Iterator[list[Failing]]:
    """Records in chunks of one transaction each."""
    chunk: list[Failing] = []
    for one in found:
        chunk.append(one)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def units_of(session: Session, run: Assessment) -> Sequence[int]:
    """The units that a run looked at."""
    path = session.scalars(select(Unit.path).where(Unit.id == run.unit_id)).one()
    return session.scalars(select(Unit.id).where(Unit.path.startswith(path)).order_by(Unit.id)).all()


def found_in(session: Session, run_id: int, chunk: Sequence[Failing]) -> dict[str, int]:
    """Open the issues of one chunk of records, or keep those that are there; returns what became of them."""
    with working_as(session, ALL):
        finding = _finding(session, run_id)
        rows = _rows(session, finding, chunk)
        known = _known(session, {row["customer_id"] for row in rows})
        fresh = [row for row in rows if _key(row) not in known]
        again = [_met_again(row, known[_key(row)], run_id) for row in rows if _key(row) in known]
        _open(session, fresh)
        _renew(session, again)
        counts = Counter(row["outcome"] for row in again) + Counter({"opened": len(fresh)})
    return dict(counts)


def not_found_in(session: Session, run_id: int, unit_id: int) -> dict[str, int]:
    """Mark as fixed what a run no longer found in one unit, under the rules it judged by."""
    run = session.get_one(Assessment, run_id)
    codes = [rule.code for _at, rule in opening(session, run)]
    query = update(TABLE).where(TABLE.c.unit_id == unit_id, TABLE.c.rule_code.in_(codes))
    query = query.where(TABLE.c.state.in_((*PENDING, "waived")), TABLE.c.last_run_id != run_id)
    fixed = session.connection().execute(query.values(state="fixed", changed_at=utcnow())).rowcount
    session.expire_all()
    if fixed:
        traces.record(session, "issue.fixed", run, details={"unit": unit_id, "number": fixed})
    return {"fixed": fixed}


def due_days(session: Session) -> dict[str, date]:
    """The day by which an issue opened today is to be mended, by severity."""
    known, day = calendar(session), today(session)
    return {severity: known.after(day, number) for severity, number in DUE_DAYS.items()}


def _finding(session: Session, run_id: int) -> Finding:
    rules = {rule.id: rule for rule in rules_in(session, session.get_one(Assessment, run_id))}
    return Finding(run_id, rules, due_days(session), utcnow())


def _rows(session: Session, finding: Finding, chunk: Sequence[Failing]) -> list[dict[str, Any]]:
    """The chunk as rows of issues; accounts that were closed since are left out."""
    ids = {one.customer_id for one in chunk}
    columns = (Customer.id, Customer.unit_id, Customer.manager_id, Customer.meter_book, Customer.id_verdict)
    query = select(*columns).where(Customer.id.in_(ids), Customer.closed_on.is_(None))
    customers = {row.id: row for row in session.execute(query)}
    contacts = {one.contact_id for one in chunk if one.contact_id}
    found_verdicts = select(Contact.id, Contact.verdict).where(Contact.id.in_(contacts))
    verdicts = {row.id: row.verdict for row in session.execute(found_verdicts)}
    books = _books(session, {row.unit_id for row in customers.values()})
    found = []
    for one in chunk:
        customer, rule = customers.get(one.customer_id), finding.rules[one.rule_id]
        if customer is None:
            continue
        verdict = verdicts.get(one.contact_id or 0, MISSING)
        record = Record(one.kind, customer.id_verdict if one.kind == IDENTITY else verdict)
        facts = {"unit_id": customer.unit_id, "rule_code": rule.code, "severity": rule.severity}
        owner = customer.manager_id or books.get((customer.unit_id, customer.meter_book))
        fix = FUNCTIONS[rule.function].fix(record)
        stamps = {"due_on": finding.due[rule.severity], "changed_at": finding.moment}
        found.append(
            one._asdict() | facts | stamps | {"owner_id": owner, "fix": fix, "last_run_id": finding.run_id}
        )
    return found


def _books(session: Session, unit_ids: set[int]) -> dict[tuple[int, str], int]:
    """Who reads the meter books of some units: they mend what no account manager answers for."""
    query = select(Territory.unit_id, Territory.code, Territory.staff_id).where(
        Territory.kind == "meter_book"
    )
    rows = session.execute(query.where(Territory.unit_id.in_(unit_ids)))
    return {(row.unit_id, row.code): row.staff_id for row in rows}


def _known(session: Session, customer_ids: set[int]) -> dict[Key, Any]:
    columns = (TABLE.c.id, TABLE.c.customer_id, TABLE.c.rule_code, TABLE.c.kind, TABLE.c.state, TABLE.c.times)
    query = select(*columns, TABLE.c.last_run_id, TABLE.c.due_on, TABLE.c.changed_at).where(
        TABLE.c.customer_id.in_(customer_ids)
    )
    return {
        (row.customer_id, row.rule_code, row.kind): row for row in session.execute(query.with_for_update())
    }


def _key(row: Mapping[str, Any]) -> Key:
    return row["customer_id"], row["rule_code"], row["kind"]


def _met_again(row: Mapping[str, Any], known: Any, run_id: int) -> dict[str, Any]:
    """What a record that has an issue already makes of it; nothing where this run has met it before."""
    has_recurred = known.state in ("fixed", "cleared") and known.last_run_id != run_id
    state = "recurring" if has_recurred else known.state
    due = row["due_on"] if has_recurred else known.due_on
    outcome = "recurring" if has_recurred else "waived" if known.state == "waived" else "kept"
    at = row["changed_at"] if has_recurred else known.changed_at
    changed = {
        "key": known.id,
        "state": state,
        "times": known.times + has_recurred,
        "due_on": due,
        "changed_at": at,
    }
    return {**row, **changed, "outcome": outcome}


def _open(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    keys = take_ids(session, TABLE, len(rows)) if rows else ()
    fresh = [
        {
            **row,
            "id": key,
            "state": "open",
            "times": 1,
            "opened_run_id": row["last_run_id"],
            "opened_at": row["changed_at"],
        }
        for key, row in zip(keys, rows, strict=True)
    ]
    insert_rows(session, TABLE, fresh)


def _renew(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    names = (
        "state",
        "times",
        "due_on",
        "changed_at",
        "unit_id",
        "rule_id",
        "contact_id",
        "owner_id",
        "severity",
        "fix",
        "last_run_id",
    )
    if not rows:
        return
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    statement = update(TABLE).where(TABLE.c.id == bindparam("key")).values(values)
    given = [{"key": row["key"]} | {f"new_{name}": row[name] for name in names} for row in rows]
    session.connection().execute(statement, given)
    session.expire_all()
