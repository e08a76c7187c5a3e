"""What keeps the rates of an assessment down: the most frequent failures, and where mending raises a rate most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Assessment, ContactKind, Customer, Unit
from models.scope import ALL, working_as
from quality.measures import Bit, Member
from services import files
from services.drill_downs import GROUPS, units_inside
from services.members import read_members

MOST = 5
CHUNK = 2000
MISSING, UNUSABLE = "missing", "unusable"
MEASURE_OF = {MISSING: "completeness", UNUSABLE: "validity"}
Found = tuple[str, str]  # kind, and whether it is missing or recorded but not usable


@dataclass(frozen=True)
class Gap:
    """One meter book, transformer area or manager of a unit in which values of a kind are missing or not usable.

    `gain`: by how much (0 to 1) the unit's rate of `measure` would rise if all were mended.
    """

    unit_id: int
    unit_code: str
    group: str
    kind: str
    what: str
    number: int
    gain: float

    @property
    def measure(self) -> str:
        """The measure that mending raises."""
        return MEASURE_OF[self.what]


@dataclass(frozen=True)
class Lack:
    """One item that is missing or not usable, with the unit and the group of its customer."""

    customer_id: int
    unit_id: int
    group: str
    kind: str
    what: str


def gaps(
    session: Session, run: Assessment, unit: Unit, *, by: str = "meter_book", most: int = 20
) -> list[Gap]:
    """Where mending raises a unit's rates most, the largest first; what was counted, grouped as customers stand now."""
    if run.members_sha256 is None or by not in GROUPS:
        return []
    below: Counter[str] = Counter()
    found = Counter(
        (one.unit_id, one.group, one.kind, one.what) for one in lacks(session, run, unit, by=by, below=below)
    )
    with working_as(session, ALL):
        codes = dict(session.execute(select(Unit.id, Unit.code)).tuples().all())
    listed = [
        Gap(key[0], codes[key[0]], *key[1:], number, number / below[key[3]]) for key, number in found.items()
    ]
    return sorted(listed, key=lambda gap: (-gap.gain, gap.unit_code, gap.group, gap.kind, gap.what))[:most]


def lacks(
    session: Session, run: Assessment, unit: Unit, *, by: str, below: Counter[str] | None = None
) -> Iterator[Lack]:
    """Every item of a unit that is missing or not usable and belongs to a group; counts denominators into `below`."""
    inside, counted = units_inside(session, unit.id), Counter[str]() if below is None else below
    members = read_members(files.location(run.members_sha256 or ""))
    for chunk in _chunks(_lacking((one for one in members if one.unit_id in inside), counted)):
        groups = _groups(session, {customer_id for customer_id, _found in chunk}, by)
        for customer_id, (kind, what) in chunk:
            unit_id, group = groups.get(customer_id, (0, ""))
            if group:
                yield Lack(customer_id, unit_id, group, kind, what)


def frequent_problems(session: Session, run: Assessment, unit: Unit | None = None) -> list[str]:
    """The most frequent failures among a run's members, of one unit with all below it or of the whole."""
    if run.members_sha256 is None:
        return []
    with working_as(session, ALL):
        inside = units_inside(session, (unit or run.unit).id)
        labels = {row.code: row.label for row in session.scalars(select(ContactKind))}
    members = read_members(files.location(run.members_sha256))
    counted = failures(member for member in members if member.unit_id in inside)
    return [
        f"{labels.get(kind, kind)}{what} {number} 项" for (kind, what), number in counted.most_common(MOST)
    ]


def failures(members: Iterable[Member]) -> Counter[tuple[str, str]]:
    """Failures by kind of contact: missing, recorded but not usable, recorded too late."""
    found: Counter[tuple[str, str]] = Counter()
    for member in members:
        if not member.bits & Bit.RECORDED:
            found[member.kind, "缺失"] += 1
        elif not member.bits & Bit.GOOD:
            found[member.kind, "无效或存疑"] += 1
        if member.bits & Bit.DUE and not member.bits & Bit.IN_TIME:
            found[member.kind, "未按时录入"] += 1
    return found


def _lacking(members: Iterable[Member], below: Counter[str]) -> Iterator[tuple[int, Found]]:
    """What is missing or not usable; counts both denominators as the members pass by."""
    for member in members:
        below[MISSING] += 1
        is_recorded = bool(member.bits & Bit.RECORDED)
        below[UNUSABLE] += is_recorded
        if not is_recorded:
            yield member.customer_id, (member.kind, MISSING)
        elif not member.bits & Bit.GOOD:
            yield member.customer_id, (member.kind, UNUSABLE)


def _chunks(lacking: Iterator[tuple[int, Found]]) -> Iterator[Sequence[tuple[int, Found]]]:
    chunk: list[tuple[int, Found]] = []
    for one in lacking:
        chunk.append(one)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    yield chunk


def _groups(session: Session, customer_ids: set[int], by: str) -> dict[int, tuple[int, str]]:
    column = getattr(Customer, by)
    query = select(Customer.id, Customer.unit_id, column.label("code")).where(Customer.id.in_(customer_ids))
    return {row.id: (row.unit_id, str(row.code or "")) for row in session.execute(query)}
