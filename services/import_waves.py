"""Rows of different customers written together: what they change, what they record, and what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact
from models.clock import utcnow
from models.contacts import GOOD, latest_confirmations
from services import calendar, contacts, customers, import_customers, traces
from services.contacts import Draft
from services.import_customers import DEFAULT_CLASS, Found, as_json, changes_of
from services.import_drafts import Standing, Step, steps_of
from services.import_rows import ReadRow
from services.import_units import Units

CONTACTS = Contact.__table__
OUTCOME = ("batch_id", "row", "customer_id", "unit_id", "outcome", "reason", "before", "unread")


@dataclass(frozen=True)
class Job:
    """What holds for all rows of a chunk."""

    batch_id: int
    mode: str
    home_id: int
    headings: Mapping[str, str]
    units: Units
    required: Mapping[str, frozenset[str]]
    deadlines: Mapping[int, int]
    calendar: calendar.Calendar
    dues: dict[tuple[date, int], datetime] = field(default_factory=dict)

    def due_at(self, opened_on: date, unit_id: int) -> datetime:
        """By when a required value of a customer is due: the unit's working days after the opening day."""
        key = (opened_on, self.deadlines[unit_id])
        if key not in self.dues:
            self.dues[key] = calendar.last_moment(self.calendar.after(*key))
        return self.dues[key]


@dataclass
class Wave:
    """Rows of different customers that are written together, and what became of them."""

    rows: list[ReadRow]
    recorders: Mapping[int, int | None]
    ids: dict[str, int]
    found: Mapping[str, Found]
    opened: frozenset[str]
    changed: dict[int, dict[str, list[Any]]] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)

    def unit_of(self, row: ReadRow) -> int:
        """The unit of a row's customer from now on."""
        one = self.found.get(row.account)
        return self.moved.get(one.id, one.unit_id) if one else row.unit_id

    def fact(self, row: ReadRow, name: str) -> Any:
        """What is known of a new customer's fact: from this row, else from an earlier one."""
        one = self.found.get(row.account)
        return row.facts.get(name) or (one.facts[name] if one else None)


def gather(
    session: Session,
    job: Job,
    rows: list[ReadRow],
    recorders: Mapping[int, int | None],
    found: dict[str, Found],
) -> Wave:
    """Open the accounts that are new, and know those that were there before."""
    fresh: dict[str, ReadRow] = {}
    for row in rows:
        if row.account not in found or found[row.account].removed:
            fresh.setdefault(row.account, row)
    opened = import_customers.open_new(session, list(fresh.values()), found, job.batch_id)
    ids = {account: one.id for account, one in found.items()} | opened
    there = {account: one for account, one in found.items() if account not in opened}
    return Wave(rows, recorders, ids, there, frozenset(opened))


def write(session: Session, job: Job, wave: Wave) -> list[dict[str, Any]]:
    """Write what the rows say; what became of each."""
    _change_facts(session, job, wave)
    standing = _standing(session, job, [wave.ids[account] for account in wave.found])
    steps = _steps(job, wave, standing)
    _record(session, job, wave, [pair for pair in steps if pair[0].account in wave.opened], "customer.created")
    _record(session, job, wave, [pair for pair in steps if pair[0].account not in wave.opened], "contact.settled")
    _trace_bare(session, job, wave)
    return [_outcome_of(job, wave, row) for row in wave.rows]


def _steps(job: Job, wave: Wave, standing: dict[int, list[Standing]]) -> list[tuple[ReadRow, Step]]:
    """What the rows record; the next row of the same customer finds standing what the first one brought."""
    several = {account for account, number in Counter(row.account for row in wave.rows).items() if number > 1}
    found: list[tuple[ReadRow, Step]] = []
    for row in wave.rows:
        if not _takes_part(row, wave, job):
            continue
        key = wave.ids[row.account]
        steps = steps_of(row, standing.get(key, ()), job.mode)
        if row.account in several:
            standing.setdefault(key, []).extend(map(_as_standing, steps))
        found += [(row, step) for step in steps]
    return found


def _as_standing(step: Step) -> Standing:
    value = step.value
    return Standing(
        0, value.kind, step.cell.raw, value.value, value.extension, "current", step.preferred, usable=True, own=True
    )


def _takes_part(row: ReadRow, wave: Wave, job: Job) -> bool:
    """Whether a row may write to its customer: `insert` only to those that this batch opened."""
    one = wave.found.get(row.account)
    return one is None or one.own or job.mode != "insert"


def _change_facts(session: Session, job: Job, wave: Wave) -> None:
    merged: dict[int, dict[str, Any]] = {}
    for row in wave.rows:
        one = wave.found.get(row.account)
        if one is None or not _takes_part(row, wave, job):
            continue
        changed = changes_of(row, one, "fill" if one.own and job.mode == "insert" else job.mode)
        taken = merged.setdefault(one.id, {})
        changed = {name: pair for name, pair in changed.items() if name not in taken}
        taken.update({name: pair[1] for name, pair in changed.items()})
        wave.changed[row.number] = changed
    wave.moved = {key: facts["unit_id"] for key, facts in merged.items() if "unit_id" in facts}
    customers.change(session, {key: facts for key, facts in merged.items() if facts})


def _standing(session: Session, job: Job, ids: Sequence[int]) -> dict[int, list[Standing]]:
    """The current and waiting values of customers that were there before."""
    if not ids:
        return {}
    columns = ("id", "customer_id", "kind", "raw", "value", "extension", "state", "preferred", "verdict", "batch_id")
    query = select(*(CONTACTS.c[name] for name in columns)).where(CONTACTS.c.customer_id.in_(ids))
    known = latest_confirmations(session, list(ids)) if job.mode == "fill" else {}
    found: dict[int, list[Standing]] = {}
    rows = session.execute(query.where(CONTACTS.c.state.in_(("current", "proposed"))).order_by(CONTACTS.c.id))
    for key, customer_id, kind, raw, value, extension, state, preferred, verdict, batch_id in rows:
        confirmation = known.get((customer_id, kind, value)) if known else None
        is_usable = verdict in GOOD and (confirmation is None or confirmation.result != "refuted")
        one = Standing(key, kind, raw, value, extension, state, preferred, is_usable, batch_id == job.batch_id)
        found.setdefault(customer_id, []).append(one)
    return found


def _record(session: Session, job: Job, wave: Wave, steps: Sequence[tuple[ReadRow, Step]], action: str) -> None:
    drafts: list[Draft] = []
    for _number, group in groupby(steps, key=lambda pair: pair[0].number):
        pairs = list(group)
        drafts += _drafts(job, wave, pairs[0][0], [step for _row, step in pairs])
    done = contacts.record(session, drafts, action=action)
    for key, (row, _step) in zip(done.ids, steps, strict=True):
        (wave.settled if key in done.settled else wave.waiting).add(row.number)


def _drafts(job: Job, wave: Wave, row: ReadRow, steps: Sequence[Step]) -> list[Draft]:
    """The values of one row as versions; what holds for the row is looked up once."""
    customer_id, unit_id, recorder_id = wave.ids[row.account], wave.unit_of(row), wave.recorders.get(row.number)
    required, due_at = _due(job, wave, row)
    return [
        Draft(
            customer_id,
            unit_id,
            step.value.kind,
            step.cell.raw,
            step.value.value,
            step.cell.verdict,
            "import",
            reasons=step.cell.reasons,
            extension=step.value.extension,
            preferred=step.preferred,
            batch_id=job.batch_id,
            batch_row=row.number,
            field=job.headings[step.cell.field][:40],
            recorder_id=recorder_id,
            recorded_at=row.recorded_at,
            due_at=due_at if step.value.kind in required else None,
            replaces_id=step.replaces_id,
        )
        for step in steps
    ]


def _due(job: Job, wave: Wave, row: ReadRow) -> tuple[Collection[str], datetime | None]:
    """Which values of a new customer are required, and by when they are due; nothing else is due by itself."""
    one = wave.found.get(row.account)
    opened_on = wave.fact(row, "opened_on")
    if (one and not one.own) or opened_on is None:
        return (), None
    customer_class = wave.fact(row, "customer_class") or row.facts.get("suggested_class", DEFAULT_CLASS)
    return job.required.get(customer_class, ()), job.due_at(opened_on, wave.unit_of(row))


def _trace_bare(session: Session, job: Job, wave: Wave) -> None:
    """The trace of customers that came without any contact that settled: every new one has exactly one."""
    told = {row.account for row in wave.rows if row.number in wave.settled}
    base = {"at": utcnow(), "actor_id": traces.actor_id(session), "action": "customer.created", "object": "customers"}
    rows = {row.account: row for row in wave.rows if row.account in wave.opened and row.account not in told}
    written = [
        base | {"object_id": wave.ids[account], "customer_id": wave.ids[account], "unit_id": row.unit_id, "details": {}}
        for account, row in rows.items()
    ]
    traces.record_all(session, written)


def _outcome_of(job: Job, wave: Wave, row: ReadRow) -> dict[str, Any]:
    changed = wave.changed.get(row.number, {})
    if row.account in wave.opened and row.is_first:
        outcome = "created"
    elif row.number in wave.waiting:
        outcome = "proposed"
    else:
        outcome = "updated" if row.number in wave.settled or changed else "unchanged"
    whose = (wave.ids[row.account], wave.unit_of(row))
    written = (job.batch_id, row.number, *whose, outcome, "", as_json(changed), row.unread)
    return dict(zip(OUTCOME, written, strict=True))
