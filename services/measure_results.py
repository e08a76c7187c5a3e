"""What a run measured, as figures: completeness, validity, timeliness of every unit and person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quality.measures import DENOMINATOR, MEASURES, NUMERATOR, Bit, has, way_of
from services.tallies import COHORTS, Key, Tally, rolled


@dataclass(frozen=True)
class Result:
    """One figure: of a unit with all below it (`level` unit), or of a person among one unit's customers."""

    measure: str
    unit_id: int
    staff_id: int | None
    level: str
    cohort: str
    numerator: int
    denominator: int
    extra: dict[str, Any]


def results_of(found: Tally, units: Sequence[tuple[int, str]], timeliness: str = "due") -> Iterator[Result]:
    """The figures of every unit (all below it included) and of every person, for new, existing and all customers."""
    above, persons = rolled(found, units)
    yield from _figures(above, "unit", [(unit_id, None) for unit_id, _path in units], timeliness)
    yield from _figures(persons, "person", sorted({(unit, staff) for unit, staff, _c in persons}), timeliness)


def _figures(
    found: Mapping[Key, Counter[int]], level: str, keys: Sequence[tuple[int, int | None]], timeliness: str
) -> Iterator[Result]:
    for unit_id, staff_id in keys:
        for cohort in COHORTS:
            counted = found.get((unit_id, staff_id, cohort), Counter())
            for measure in MEASURES:
                above, below, extra = _figure(counted, measure, timeliness)
                yield Result(measure, unit_id, staff_id, level, cohort, above, below, extra)


def _figure(counted: Counter[int], measure: str, timeliness: str) -> tuple[int, int, dict[str, Any]]:
    """Numerator, denominator and what stands beside them; accuracy is 0 of 0 here, audits put it in."""

    def number(wanted: int) -> int:
        return sum(times for bits, times in counted.items() if has(bits, wanted))

    way = way_of(measure, timeliness)
    if way not in NUMERATOR:
        return 0, 0, {}
    beside = {"validity": ("valid", Bit.VALID), "timeliness": ("undated", Bit.UNDATED)}.get(measure)
    extra = {beside[0]: number(beside[1])} if beside else {}
    return number(NUMERATOR[way]), number(DENOMINATOR[way]), extra
