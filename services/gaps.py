"""What is wrong most often among the members of an assessment, in sentences with counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Assessment, ContactKind, Unit
from models.scope import ALL, working_as
from quality.measures import Bit, Member
from services import files
from services.members import read_members

MOST = 5


def frequent_problems(session: Session, run: Assessment, unit: Unit | None = None) -> list[str]:
    """The most frequent failures among a run's members, of one unit with all below it or of the whole."""
    if run.members_sha256 is None:
        return []
    with working_as(session, ALL):
        inside = _units(session, unit or run.unit)
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


def _units(session: Session, unit: Unit) -> set[int]:
    return set(session.scalars(select(Unit.id).where(Unit.path.startswith(unit.path))))
