"""Drill-down (穿透): the records behind both numbers of a figure, out of the members files of its assessment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Assessment, Customer, Unit
from models.scope import Scope, current_scope
from quality.measures import DENOMINATOR, NUMERATOR, Bit, Member, has, way_of
from quality.rules import RuleMember
from services import Refused, files
from services.members import pick, read_members, read_rule_members

PARTS = ("numerator", "denominator", "rest", "undated")
RULE_PARTS: dict[str, Callable[[RuleMember, int], bool]] = {
    "counted": lambda member, bit: bool(member.counted & bit),
    "met": lambda member, bit: bool(member.counted & bit and not member.failed & bit),
    "failed": lambda member, bit: bool(member.failed & bit),
    "exempt": lambda member, bit: bool(member.exempt & bit),
}
GROUPS = ("meter_book", "transformer_area", "manager_id")
PAGE, CHUNK = 50, 1000


@dataclass(frozen=True)
class Group:
    """Customers of one meter book, transformer area or account manager of a unit: `by` names the column."""

    by: str
    unit_id: int
    code: str


@dataclass(frozen=True)
class Asked:
    """Which figure: a measure of a unit with all below it or of a person, in a cohort; and which of its records."""

    measure: str
    part: str
    unit_id: int
    cohort: str = "all"
    staff_id: int | None = None
    kind: str = ""
    group: Group | None = None


@dataclass(frozen=True)
class RuleAsked:
    """Which figure of a rule, and which of its records: all counted ones, those that meet it, fail it, are waived."""

    rule_id: int
    part: str
    unit_id: int
    cohort: str = "all"
    staff_id: int | None = None


@dataclass(frozen=True)
class Record:
    """One record of one customer that was counted."""

    customer: Customer | None
    member: Member | RuleMember


def records(session: Session, run: Assessment, asked: Asked, *, page: int = 0) -> tuple[list[Record], bool]:
    """One page of the records behind a figure, and whether more follow; only of units in the session's scope."""
    if run.members_sha256 is None:
        raise Refused("这次评价没有保存明细。")
    members = read_members(files.location(run.members_sha256))
    found, more = pick(members, _fits(session, run, asked), skip=page * PAGE, limit=PAGE)
    return _with_customers(session, found), more


def rule_records(
    session: Session, run: Assessment, asked: RuleAsked, *, page: int = 0
) -> tuple[list[Record], bool]:
    """One page of the records behind a rule's figure, and whether more follow; only of units in scope."""
    if run.rule_members_sha256 is None:
        raise Refused("这次评价没有按规则判断的明细。")
    members = read_rule_members(files.location(run.rule_members_sha256))
    found, more = pick(members, _fits_rule(session, run, asked), skip=page * PAGE, limit=PAGE)
    return _with_customers(session, found), more


def all_records(session: Session, run: Assessment, asked: Asked) -> Iterator[Record]:
    """All records behind a figure in their order; a query a chunk."""
    if run.members_sha256 is None:
        raise Refused("这次评价没有保存明细。")
    fits = _fits(session, run, asked)
    return _chunked(session, (one for one in read_members(files.location(run.members_sha256)) if fits(one)))


def all_rule_records(session: Session, run: Assessment, asked: RuleAsked) -> Iterator[Record]:
    """All records behind a rule's figure in their order; a query a chunk."""
    if run.rule_members_sha256 is None:
        raise Refused("这次评价没有按规则判断的明细。")
    fits = _fits_rule(session, run, asked)
    members = read_rule_members(files.location(run.rule_members_sha256))
    return _chunked(session, (one for one in members if fits(one)))


def _chunked(session: Session, members: Iterator[Member | RuleMember]) -> Iterator[Record]:
    while chunk := list(islice(members, CHUNK)):
        yield from _with_customers(session, chunk)


def _with_customers(session: Session, found: Sequence[Member | RuleMember]) -> list[Record]:
    ids = {member.customer_id for member in found}
    customers = {row.id: row for row in session.scalars(select(Customer).where(Customer.id.in_(ids)))}
    return [Record(customers.get(member.customer_id), member) for member in found]


def _fits_rule(session: Session, run: Assessment, asked: RuleAsked) -> Callable[[RuleMember], bool]:
    places = {entry["id"]: at for at, entry in enumerate(run.settings.get("rules", ()))}
    if asked.rule_id not in places or asked.part not in RULE_PARTS:
        raise Refused("没有这条规则的明细。")
    bit, inside, told = (
        1 << places[asked.rule_id],
        units_inside(session, asked.unit_id),
        RULE_PARTS[asked.part],
    )

    def fits(member: RuleMember) -> bool:
        return (
            told(member, bit)
            and member.unit_id in inside
            and asked.cohort in ("all", member.cohort)
            and asked.staff_id in (None, member.staff_id)
        )

    return fits


def wanted_bits(measure: str, part: str, timeliness: str = "due") -> Callable[[int], bool]:
    """Whether a member's bits count in a part: the numerator, the denominator, or what keeps the rate from 1."""
    if measure not in NUMERATOR or part not in PARTS:
        raise Refused("没有这项指标的明细。")
    way = way_of(measure, timeliness)
    above, below = NUMERATOR[way], DENOMINATOR[way]
    if part == "undated":
        return lambda bits: has(bits, Bit.UNDATED)
    if part == "rest":
        return lambda bits: has(bits, below) and not has(bits, above)
    wanted = above if part == "numerator" else below
    return lambda bits: has(bits, wanted)


def _fits(session: Session, run: Assessment, asked: Asked) -> Callable[[Member], bool]:
    inside = units_inside(session, asked.unit_id)
    counts = wanted_bits(asked.measure, asked.part, run.settings.get("timeliness", "due"))
    customers = _of_group(session, asked.group) if asked.group else None

    def fits(member: Member) -> bool:
        return (
            member.unit_id in inside
            and asked.cohort in ("all", member.cohort)
            and asked.staff_id in (None, member.staff_id)
            and asked.kind in ("", member.kind)
            and counts(member.bits)
            and (customers is None or member.customer_id in customers)
        )

    return fits


def units_inside(session: Session, unit_id: int) -> set[int]:
    """The units below one (itself included) that may be seen."""
    scope = current_scope(session) or Scope(path="/-")
    path = session.scalar(select(Unit.path).where(Unit.id == unit_id)) or "/-"
    both = select(Unit.id).where(Unit.path.startswith(path), Unit.path.startswith(scope.path))
    return set(session.scalars(both))


def _of_group(session: Session, group: Group) -> set[int]:
    if group.by not in GROUPS:
        raise Refused("没有这种分组。请从“提高最快”的列表里打开。")
    column: Any = getattr(Customer, group.by)
    code = (int(group.code) if group.code.isdecimal() else None) if group.by == "manager_id" else group.code
    query = select(Customer.id).where(Customer.unit_id == group.unit_id, column == code)
    return set(session.scalars(query))
