"""Drill-down (穿透): the records behind both numbers of a figure, out of the members of its assessment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Assessment, Customer, Unit
from models.scope import Scope, current_scope
from quality.measures import DENOMINATOR, NUMERATOR, Bit, Member, has, way_of
from services import Refused, files
from services.members import pick, read_members

PARTS = ("numerator", "denominator", "rest", "undated")
PAGE = 50


@dataclass(frozen=True)
class Asked:
    """Which figure: a measure of a unit with all below it or of a person, in a cohort; and which of its records."""

    measure: str
    part: str
    unit_id: int
    cohort: str = "all"
    staff_id: int | None = None


@dataclass(frozen=True)
class Record:
    """One required item of one customer that was counted."""

    customer: Customer | None
    member: Member


def records(session: Session, run: Assessment, asked: Asked, *, page: int = 0) -> tuple[list[Record], bool]:
    """One page of the records behind a figure, and whether more follow; only of units in the session's scope."""
    if run.members_sha256 is None:
        raise Refused("这次评价没有保存明细。")
    members = read_members(files.location(run.members_sha256))
    found, more = pick(members, _fits(session, run, asked), skip=page * PAGE, limit=PAGE)
    ids = {member.customer_id for member in found}
    customers = {row.id: row for row in session.scalars(select(Customer).where(Customer.id.in_(ids)))}
    return [Record(customers.get(member.customer_id), member) for member in found], more


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
    inside, counts = (
        _units(session, asked),
        wanted_bits(asked.measure, asked.part, run.settings.get("timeliness", "due")),
    )

    def fits(member: Member) -> bool:
        return (
            member.unit_id in inside
            and asked.cohort in ("all", member.cohort)
            and asked.staff_id in (None, member.staff_id)
            and counts(member.bits)
        )

    return fits


def _units(session: Session, asked: Asked) -> set[int]:
    """The units that are asked about and may be seen."""
    scope = current_scope(session) or Scope(path="/-")
    path = session.scalar(select(Unit.path).where(Unit.id == asked.unit_id)) or "/-"
    both = select(Unit.id).where(Unit.path.startswith(path), Unit.path.startswith(scope.path))
    return set(session.scalars(both))
