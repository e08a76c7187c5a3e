"""What the rules of a run found, as figures: numerator, denominator and grade of every unit and person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from models import Rule
from quality.rules import LARGER, grade
from services.tallies import COHORTS, JudgedTally, Key, Masks, rolled


@dataclass(frozen=True)
class Marks:
    """What turns the counts of a rule version into figures: its direction and its three marks."""

    rule_id: int
    direction: str
    floor: float
    target: float
    stretch: float


@dataclass(frozen=True)
class Finding:
    """One figure of one rule version: of a unit with all below it (`level` unit), or of a person in a unit."""

    rule_id: int
    unit_id: int
    staff_id: int | None
    level: str
    cohort: str
    numerator: int
    denominator: int
    exempt: int
    grade: int | None


def marks_of(rule: Rule) -> Marks:
    """The marks of a rule version."""
    return Marks(rule.id, rule.direction, rule.floor, rule.target, rule.stretch)


def findings_of(
    found: JudgedTally, units: Sequence[tuple[int, str]], rules: Sequence[Marks]
) -> Iterator[Finding]:
    """The figures of every unit and person by rule, in the order of the bits; people only where something counted."""
    above, persons = rolled(found, units)
    for unit_id, _path in units:
        for cohort in COHORTS:
            key: Key = (unit_id, None, cohort)
            yield from _figures(above.get(key, Counter()), key, "unit", rules)
    for unit_id, staff_id in sorted({(unit, staff) for unit, staff, _cohort in persons if staff is not None}):
        for cohort in COHORTS:
            key = (unit_id, staff_id, cohort)
            figures = _figures(persons.get(key, Counter()), key, "person", rules)
            yield from (one for one in figures if one.denominator or one.exempt)


def _figures(counted: Mapping[Masks, int], key: Key, level: str, rules: Sequence[Marks]) -> Iterator[Finding]:
    for place, marks in enumerate(rules):
        bit = 1 << place
        below = sum(number for (seen, _f, _e), number in counted.items() if seen & bit)
        failed = sum(number for (_s, fails, _e), number in counted.items() if fails & bit)
        exempt = sum(number for (_s, _f, waived), number in counted.items() if waived & bit)
        numerator = below - failed if marks.direction == LARGER else failed
        rate = numerator / below if below else None
        graded = grade(rate, (marks.floor, marks.target, marks.stretch), marks.direction)
        unit_id, staff_id, cohort = key
        yield Finding(marks.rule_id, unit_id, staff_id, level, cohort, numerator, below, exempt, graded)
