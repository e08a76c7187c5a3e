"""Tallies of members as they pass by to their files, and rolled up: units with all below, people, cohorts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from quality.measures import Member
from quality.rules import RuleMember
from services import files
from services.assessed import Item, member_of
from services.members import COLUMNS, RULE_COLUMNS, Lines, member_line, packed, rule_line
from services.rules import Judges

MEMBERS, RULE_MEMBERS = "members.csv.gz", "rules.csv.gz"
COHORTS = ("new", "existing", "all")

Told = TypeVar("Told", int, tuple[int, int, int])
Tally = Counter[tuple[int, int | None, str, int]]
Masks = tuple[int, int, int]
JudgedTally = Counter[tuple[int, int | None, str, Masks]]
Key = tuple[int, int | None, str]


def tally_rules(members: Iterable[RuleMember]) -> JudgedTally:
    """Count records by unit, person, cohort, and what the rules said."""
    found: JudgedTally = Counter()
    for one in members:
        found[one.unit_id, one.staff_id, one.cohort, (one.counted, one.failed, one.exempt)] += 1
    return found


def rolled(
    found: Mapping[tuple[int, int | None, str, Told], int], units: Sequence[tuple[int, str]]
) -> tuple[dict[Key, Counter[Told]], dict[Key, Counter[Told]]]:
    """What was counted for every unit (all below it included), and for every person among one unit's customers."""
    paths = dict(units)
    above: dict[Key, Counter[Told]] = defaultdict(Counter)
    persons: dict[Key, Counter[Told]] = defaultdict(Counter)
    for (unit_id, staff_id, cohort, told), number in found.items():
        for label in (cohort, "all"):
            for over in (int(part) for part in paths[unit_id].strip("/").split("/")):
                if over in paths:
                    above[over, None, label][told] += number
            if staff_id is not None:
                persons[unit_id, staff_id, label][told] += number
    return above, persons


@dataclass
class Counting:
    """Counts the records of a run while they go to the two members files in a folder."""

    folder: Path
    customers: set[int] = field(default_factory=set)
    counted: Tally = field(default_factory=Counter)
    judged: JudgedTally = field(default_factory=Counter)

    def take(self, items: Iterable[Item], judges: Judges) -> None:
        """Count and write all of them."""
        with (
            packed(self.folder / MEMBERS, COLUMNS) as members,
            packed(self.folder / RULE_MEMBERS, RULE_COLUMNS) as told,
        ):
            for item in items:
                self._measured(members, member_of(item))
                self._judged(told, judges.judge(item))

    def put(self) -> tuple[str, str]:
        """Put both files; returns their sha256."""
        return files.put(self.folder / MEMBERS), files.put(self.folder / RULE_MEMBERS)

    def _measured(self, lines: Lines, member: Member | None) -> None:
        if member is not None:
            self.customers.add(member.customer_id)
            self.counted[member.unit_id, member.staff_id, member.cohort, member.bits] += 1
            lines.writerow(member_line(member))

    def _judged(self, lines: Lines, one: RuleMember | None) -> None:
        if one is not None:
            self.judged[one.unit_id, one.staff_id, one.cohort, (one.counted, one.failed, one.exempt)] += 1
            lines.writerow(rule_line(one))
