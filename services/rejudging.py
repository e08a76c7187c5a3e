"""Judging again (重新判定): what stands and what waits is judged by the rules of today, span by span of customers.

Verdict and reasons change, values never: where today's rules read another value out of the same text, a clean-up is
proposed. The figures stay those of before until everybody was judged, and change at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from models import Contact, ContactKind, CountSet, Unit
from models.clock import utcnow
from quality import judge
from quality.verdicts import VALID, Context, Verdict
from services import changes, contacts, count_sets, counts, reach, traces
from services.cleanups import written
from services.contacts import Draft
from services.headings import FIELDS, field_of
from services.judging import contact_kind, contexts

CONTACTS = Contact.__table__
STANDING = ("current", "proposed")
LOOKED_AT = ("id", "customer_id", "unit_id", "kind", "raw", "value", "verdict", "reasons", "state", "field")
WORTH = {"valid": 4, "repairable": 3, "suspect": 2, "invalid": 1, "missing": 0}
KEPT = ("customer_id", "unit_id", "kind", "purpose", "relation", "preferred", "batch_id", "batch_row", "field",
        "recorder_id", "recorded_at", "due_at")  # fmt: skip


@dataclass(frozen=True)
class Selection:
    """Whose values are judged again: of a unit and below, of some kinds; both left out: all."""

    unit_id: int | None = None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """One version that today's rules judge otherwise, or read another value out of."""

    id: int
    before: str
    reasons_before: str
    verdict: str
    reasons: str
    value: str = ""


@dataclass(frozen=True)
class Span:
    """What judging a span of customers found: `looked` at so many versions; `changed` kind|before|after -> number."""

    looked: int = 0
    judged: tuple[Judged, ...] = ()
    changed: Mapping[str, int] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, int]:
        """The span's part of a summary."""
        return {
            "values": self.looked,
            "changed": sum(self.changed.values()),
            "better": sum(n for key, n in self.changed.items() if _gain(key) > 0),
            "worse": sum(n for key, n in self.changed.items() if _gain(key) < 0),
            "other_value": sum(bool(one.value) for one in self.judged),
        }


def plan(session: Session, selection: Selection) -> CountSet:
    """Write down that values are to be judged again: first what would change, then, when a person says so, for good."""
    row = count_sets.plan(
        session, "judged", selection={"unit_id": selection.unit_id, "kinds": list(selection.kinds)}
    )
    traces.record(session, "judging.planned", row, details=row.figures["selection"])
    return row


def selection_of(row: CountSet) -> Selection:
    """Whose values a set was planned for."""
    asked = row.figures.get("selection", {})
    return Selection(asked.get("unit_id"), tuple(asked.get("kinds", ())))


def judge_span(session: Session, selection: Selection, first: int, last: int) -> Span:
    """Judge the standing and waiting values of a span of customers again; reads only."""
    return judge_rows(session, session.execute(_standing(session, selection, first, last)).all())


def judge_rows(session: Session, rows: Sequence[Any]) -> Span:
    """Judge some versions (with the columns `LOOKED_AT`) again; reads only."""
    known, judged_as = contexts(session), _judged_as(session)
    memo: dict[tuple[str, str, int], Verdict] = {}
    found: list[Judged] = []
    matrix: Counter[str] = Counter()
    for row in rows:
        asked = (_field(row, judged_as), row.raw, row.unit_id)
        verdict = memo.get(asked) or memo.setdefault(
            asked, judge(*asked[:2], known.get(row.unit_id, Context()))
        )
        one = _compare(row, verdict)
        if one is None:
            continue
        found.append(one)
        if one.verdict != one.before:
            matrix[f"{row.kind}|{one.before}|{one.verdict}"] += 1
    return Span(len(rows), tuple(found), dict(matrix))


def apply_span(session: Session, set_id: int, last: int, judged: Sequence[Judged]) -> dict[str, int]:
    """Write what was found of a span and count it in the new set, in one transaction; a span already counted is not
    written twice. What changed since it was looked at, keeps the verdict that it was given then."""
    if count_sets.hold(session, set_id) >= last:
        return {"counted": 0, "applied": 0, "proposed": 0}
    touched = write(session, judged)
    proposed = _propose(session, [one for one in judged if one.value])
    count_sets.take(session, set_id, last)
    return {"counted": 1, "applied": touched, "proposed": proposed}


def _standing(session: Session, selection: Selection, first: int, last: int) -> Any:
    columns = (CONTACTS.c[name] for name in LOOKED_AT)
    query = select(*columns).where(CONTACTS.c.customer_id.between(first, last))
    query = query.where(CONTACTS.c.state.in_(STANDING), CONTACTS.c.raw != "").order_by(CONTACTS.c.id)
    if selection.kinds:
        query = query.where(CONTACTS.c.kind.in_(selection.kinds))
    if selection.unit_id is not None:
        path = session.scalars(select(Unit.path).where(Unit.id == selection.unit_id)).one()
        query = query.where(CONTACTS.c.unit_id.in_(select(Unit.id).where(Unit.path.startswith(path))))
    return query


def _judged_as(session: Session) -> dict[str, str]:
    return {row.code: row.judged_as or "text" for row in session.scalars(select(ContactKind))}


def _field(row: Any, judged_as: Mapping[str, str]) -> str:
    """As what a value was judged: as its column says, where that column can hold such a kind; else by its kind."""
    heading = FIELDS.get(field_of(row.field)) if row.field else None
    if heading and heading.contact and heading.judged and contact_kind(heading.field, row.kind) == row.kind:
        return heading.judged
    return judged_as.get(row.kind, "text")


def _compare(row: Any, verdict: Verdict) -> Judged | None:
    """What changes: verdict and reasons, as long as the value is one that the text still says; else only a proposal."""
    if verdict.values and row.value not in verdict.values:
        value = verdict.value[:400] if row.state == "current" else ""
        return Judged(row.id, row.verdict, row.reasons, row.verdict, row.reasons, value) if value else None
    reasons = ";".join(verdict.reasons)[:200]
    if (verdict.verdict, reasons) == (row.verdict, row.reasons):
        return None
    return Judged(row.id, row.verdict, row.reasons, verdict.verdict, reasons)


def write(session: Session, judged: Sequence[Judged]) -> int:
    """Change verdicts and reasons of versions that still are as they were looked at; one trace a customer."""
    differ = {one.id: one for one in judged if (one.verdict, one.reasons) != (one.before, one.reasons_before)}
    query = select(
        CONTACTS.c.id, CONTACTS.c.customer_id, CONTACTS.c.unit_id, CONTACTS.c.verdict, CONTACTS.c.reasons
    )
    rows = [
        row
        for row in session.execute(query.where(CONTACTS.c.id.in_(differ), CONTACTS.c.state.in_(STANDING)))
        if (row.verdict, row.reasons) == (differ[row.id].before, differ[row.id].reasons_before)
    ]
    counts.lock_customers(session, {row.customer_id for row in rows})
    if rows:
        statement = update(CONTACTS).where(CONTACTS.c.id == bindparam("key"))
        statement = statement.values(verdict=bindparam("now"), reasons=bindparam("why"))
        pairs = [
            {"key": row.id, "now": differ[row.id].verdict, "why": differ[row.id].reasons} for row in rows
        ]
        session.connection().execute(statement, pairs)
        _trace(session, rows, differ)
        ids = sorted({row.customer_id for row in rows})
        reach.keep(session, ids)
        changes.keep_up(session, ids)
        session.expire_all()
    return len(rows)


def _trace(session: Session, rows: Iterable[Any], differ: Mapping[int, Judged]) -> None:
    customers: dict[int, list[Any]] = {}
    for row in rows:
        customers.setdefault(row.customer_id, []).append(row)
    names = ("at", "actor_id", "action", "object", "object_id", "customer_id", "unit_id", "details")
    base = (utcnow(), traces.actor_id(session), "contact.judged", Contact.__tablename__)
    told = {
        key: {"contacts": [[row.id, differ[row.id].before, differ[row.id].verdict] for row in found]}
        for key, found in customers.items()
    }
    lines = [(*base, rows[0].id, key, rows[0].unit_id, told[key]) for key, rows in customers.items()]
    traces.record_lines(session, names, lines)


def _propose(session: Session, judged: Sequence[Judged]) -> int:
    """Propose the values that today's rules read, each once, where they stand up to being judged by themselves."""
    found = {one.id: one for one in judged}
    names = ("id", "value", *KEPT)
    query = select(*(CONTACTS.c[name] for name in names)).where(CONTACTS.c.id.in_(found))
    rows = session.execute(query.where(CONTACTS.c.state == "current").order_by(CONTACTS.c.id)).all()
    waiting = select(CONTACTS.c.replaces_id, CONTACTS.c.value).where(CONTACTS.c.replaces_id.in_(found))
    known = {tuple(row) for row in session.execute(waiting.where(CONTACTS.c.state == "proposed"))}
    kinds, judged_as = contexts(session) if rows else {}, _judged_as(session)
    drafts = [
        draft
        for row in rows
        if (row.id, found[row.id].value) not in known
        and (draft := _draft(row, found[row.id].value, judged_as, kinds.get(row.unit_id, Context())))
    ]
    return len(contacts.record(session, drafts).ids)


def _draft(row: Any, value: str, judged_as: Mapping[str, str], context: Context) -> Draft | None:
    text = written(row.kind, value)
    verdict = judge(judged_as.get(row.kind, "text"), text, context)
    if verdict.verdict != VALID or verdict.value != value:
        return None
    return Draft(
        raw=text, value=value, verdict=VALID, reasons=";".join(verdict.reasons)[:200], source="cleanup",
        replaces_id=row.id, **{name: getattr(row, name) for name in KEPT},
    )  # fmt: skip


def _gain(key: str) -> int:
    _kind, before, after = key.split("|")
    return WORTH.get(after, 0) - WORTH.get(before, 0)
