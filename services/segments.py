"""Whom a campaign writes to: customers with a missing, invalid, suspect or refuted contact, and who is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from models import Contact, Customer, Letter, RequiredField, Unit, Visit
from models.clock import now
from models.contacts import GOOD
from models.words import N_
from services import Refused, reasons, saved_segments
from services.customer_tests import SPOILED, opted_out, refuted

CHUNK = 1000
RECENT_DAYS = 90
WHY_LENGTH = 120

CONDITIONS = {
    "missing": N_("缺失"),
    "invalid": N_("无效"),
    "suspect": N_("存疑"),
    "refuted": N_("核实有误"),
}


@dataclass(frozen=True)
class Segment:
    """What a campaign selects. No kinds: those required of the customer's class; no unit or classes: all in reach.

    `segment` names a saved one (`services/saved_segments.py`) that customers must belong to; without `conditions`
    everybody in it is selected, whatever is wrong with them or not.
    `same_address` merges accounts of one holder at one address into one letter. `limit` caps how many are targeted.
    """

    kinds: tuple[str, ...] = ()
    conditions: tuple[str, ...] = tuple(CONDITIONS)
    segment: str = ""
    unit: str = ""
    classes: tuple[str, ...] = ()
    recent_days: int = RECENT_DAYS
    same_address: bool = False
    by_hand: tuple[str, ...] = ()
    limit: int = 0

    def as_row(self) -> dict[str, Any]:
        """The segment as plain JSON."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }


def segment_from(row: Mapping[str, Any]) -> Segment:
    """The segment that a row of JSON describes; names it does not know are left out."""
    known = {one.name for one in fields(Segment)}
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items() if key in known
    }
    return Segment(**values)


@dataclass(frozen=True)
class Target:
    """A customer whom the segment hits: why, and where the letter goes or why none goes."""

    customer_id: int
    unit_id: int
    why: str
    exclusion: str
    address_id: int | None
    address: str
    addressee: str


@dataclass(frozen=True)
class UnitPreview:
    """How many customers of one unit a segment hits, and how many of them are left out, by reason."""

    unit_id: int
    unit: str
    targeted: int
    excluded: Mapping[str, int] = field(default_factory=dict)

    @property
    def letters(self) -> int:
        """How many letters that makes."""
        return self.targeted - sum(self.excluded.values())


def targets(session: Session, segment: Segment) -> Iterator[list[Target]]:
    """Everybody whom the segment hits, in chunks in the order of their ids; the window is not measured here."""
    kinds = wanted_kinds(session, segment)
    query = _targeted(session, segment, kinds)
    last, left = 0, segment.limit or None
    while left is None or left > 0:
        size = min(CHUNK, left) if left is not None else CHUNK
        rows = session.execute(query.where(Customer.id > last).order_by(Customer.id).limit(size)).all()
        if not rows:
            return
        yield [_target(row, kinds) for row in rows]
        last = rows[-1].id
        left = left - len(rows) if left is not None else None


def preview(session: Session, segment: Segment) -> list[UnitPreview]:
    """What a segment would come to, by unit; the window and merged addresses are only known when letters are made."""
    hit = _targeted(session, segment, wanted_kinds(session, segment)).order_by(Customer.id)
    hit = hit.limit(segment.limit) if segment.limit else hit
    rows = hit.with_only_columns(
        Customer.unit_id.label("unit"), _exclusion(session, segment).label("exclusion")
    ).subquery()
    counted = session.execute(
        select(Unit.id, Unit.name, Unit.path, rows.c.exclusion, func.count())
        .join(rows, rows.c.unit == Unit.id)
        .group_by(Unit.id, Unit.name, Unit.path, rows.c.exclusion)
        .order_by(Unit.path)
    ).all()
    totals, left_out = Counter[tuple[int, str]](), dict[int, dict[str, int]]()
    for unit_id, name, _path, exclusion, number in counted:
        totals[unit_id, name] += number
        if exclusion:
            left_out.setdefault(unit_id, {})[exclusion] = number
    return [UnitPreview(key, name, number, left_out.get(key, {})) for (key, name), number in totals.items()]


def check_segment(session: Session, segment: Segment) -> None:
    """Refuse a segment that names an unknown unit or asks for nothing."""
    if segment.unit and session.scalar(select(Unit.id).where(Unit.code == segment.unit)) is None:
        raise Refused("没有代码为「%(unit)s」的单位。请从单位清单中选择。", unit=segment.unit)
    if segment.segment:
        saved_segments.criterion_of(session, segment.segment)
    if not (segment.conditions or segment.segment) or not set(segment.conditions) <= set(CONDITIONS):
        raise Refused("请至少选择一种要核对的情况：缺失、无效、存疑或核实有误；或者选一个客户群。")
    if not wanted_kinds(session, segment):
        raise Refused("没有要核对的信息种类。请选择种类，或先在“应录项”中为客户类别设定应录项。")


def wanted_kinds(session: Session, segment: Segment) -> dict[str, tuple[str, ...]]:
    """The kinds to look at, each with the customer classes it is looked at for; no classes: for all."""
    if segment.kinds:
        return {kind: () for kind in segment.kinds}
    found: dict[str, tuple[str, ...]] = {}
    rows = session.execute(
        select(RequiredField.kind, RequiredField.customer_class).order_by(
            RequiredField.kind, RequiredField.customer_class
        )
    )
    for kind, customer_class in rows:
        found[kind] = (*found.get(kind, ()), customer_class)
    return found


def _targeted(session: Session, segment: Segment, kinds: Mapping[str, Sequence[str]]) -> Select[Any]:
    needs = [_need(kind, classes, segment.conditions) for kind, classes in kinds.items()]
    address_id = _address_id()
    columns = [need.label(f"need_{at}") for at, need in enumerate(needs)]
    address = aliased(Contact)
    text = select(func.coalesce(func.nullif(address.value, ""), address.raw)).where(address.id == address_id)
    query = select(
        Customer.id,
        Customer.unit_id,
        Customer.name,
        _exclusion(session, segment).label("exclusion"),
        address_id.label("address_id"),
        text.scalar_subquery().label("address"),
        *columns,
    )
    if segment.conditions:
        query = query.where(or_(*(need != "" for need in needs)))
    if segment.segment:
        query = query.where(saved_segments.criterion_of(session, segment.segment))
    if segment.unit:
        path = select(Unit.path).where(Unit.code == segment.unit).scalar_subquery()
        query = query.where(Customer.unit_id.in_(select(Unit.id).where(Unit.path.startswith(path))))
    return query.where(Customer.customer_class.in_(segment.classes)) if segment.classes else query


def _need(kind: str, classes: Sequence[str], conditions: Sequence[str]) -> ColumnElement[str]:
    """What is wrong with one kind of a customer, as the code of a condition; empty when nothing is."""
    contact = aliased(Contact)
    current = exists().where(
        contact.customer_id == Customer.id, contact.kind == kind, contact.state == "current"
    )
    tests = {
        "missing": ~current.where(contact.verdict != "missing"),
        "refuted": current.where(refuted(contact)),
        "invalid": current.where(contact.verdict == "invalid"),
        "suspect": current.where(contact.verdict == "suspect"),
    }
    if not conditions:
        return literal("")
    looked_at = Customer.customer_class.in_(classes) if classes else literal(1) == 1
    arms = [(and_(looked_at, test), name) for name, test in tests.items() if name in conditions]
    return case(*arms, else_="")


def _address_id() -> Any:
    """Where the letter goes: the preferred usable postal address, else the usable supply address."""
    contact = aliased(Contact)
    return (
        select(contact.id)
        .where(contact.customer_id == Customer.id, contact.kind.in_(("postal_address", "supply_address")))
        .where(contact.state == "current", contact.verdict.in_(GOOD), ~refuted(contact))
        .order_by((contact.kind == "postal_address").desc(), contact.preferred.desc(), contact.id)
        .limit(1)
        .correlate(Customer)
        .scalar_subquery()
    )


def _exclusion(session: Session, segment: Segment) -> ColumnElement[str]:
    """The first reason of the glossary that keeps a customer from getting a letter; empty when none does."""
    day = now(session).date()
    return case(
        (and_(Customer.closed_on.is_not(None), Customer.closed_on <= day), "closed"),
        (Customer.legal_hold, "legal_hold"),
        (Customer.account_no.in_(segment.by_hand), "by_hand"),
        (opted_out(), "opted_out"),
        (or_(_recent(session, segment.recent_days), _rests(session)), "recent"),
        (_address_id().is_(None), "doubtful_address"),
        else_="",
    )


def _recent(session: Session, days: int) -> ColumnElement[bool]:
    """Whether a letter went out, or a visit reached its end, within so many days."""
    since = now(session) - timedelta(days=days)
    letter, visit = aliased(Letter), aliased(Visit)
    written = exists().where(
        letter.customer_id == Customer.id, letter.state.not_in(SPOILED), letter.composed_at >= since
    )
    seen = exists().where(visit.customer_id == Customer.id, visit.state == "done", visit.ended_at >= since)
    return or_(written, seen) if days > 0 else literal(1) == 0


def _rests(session: Session) -> ColumnElement[bool]:
    """Whether a letter to the address that would be used came back lately, for a reason that says when to try again."""
    letter, moment = aliased(Letter), now(session)
    lately = [
        and_(letter.undelivered_reason == code, letter.undelivered_at >= moment - timedelta(days=days))
        for code, days in reasons.days_of_rest(session).items()
    ]
    back = exists().where(letter.customer_id == Customer.id, letter.address_id == _address_id())
    return back.where(or_(*lately)) if lately else literal(1) == 0


def _target(row: Any, kinds: Mapping[str, Sequence[str]]) -> Target:
    found = [(kind, getattr(row, f"need_{at}")) for at, kind in enumerate(kinds)]
    why = ""
    for text in (f"{kind}:{need}" for kind, need in found if need):
        why = f"{why},{text}".lstrip(",") if len(why) + len(text) < WHY_LENGTH else why
    return Target(row.id, row.unit_id, why, row.exclusion, row.address_id, row.address or "", row.name)
