"""What a rule row may ask of one record: functions over how a value stood at the cut-off, and the five grades.

Indicators are those of GB/T 36344-2018: 0201 completeness of elements, 0301 content right, 0302 format,
0304 uniqueness, 0305 dirty data, 0402 agreement of related data, 0501 right over a span of time, 0502 in time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from models.options import Options, asked
from models.words import N_, VERDICTS
from quality import RULES
from quality.measures import Due
from quality.reasons import REASONS_BY_RULE
from quality.verdicts import INVALID, MISSING, REASONS, REPAIRABLE, SUSPECT, VALID

LARGER, SMALLER = "larger", "smaller"
INDICATORS = {
    "0104": N_("业务规则"),
    "0201": N_("数据元素完整性"),
    "0202": N_("数据记录完整性"),
    "0301": N_("数据内容正确性"),
    "0302": N_("数据格式合规性"),
    "0303": N_("数据重复率"),
    "0304": N_("数据唯一性"),
    "0305": N_("脏数据出现率"),
    "0401": N_("相同数据一致性"),
    "0402": N_("关联数据一致性"),
    "0501": N_("基于时间段的正确性"),
    "0502": N_("基于时间点的及时性"),
    "0503": N_("时序性"),
}
WRONG = (
    "known_dummy",
    "repeated_digits",
    "sequential_digits",
    "patterned_digits",
    "service_number",
    "masked",
)
BEST, WORST = 5, 1


class Record(NamedTuple):
    """How a customer's value of a kind stood at the cut-off; without a value its verdict is `missing`.

    `day` is the day of the cut-off; `confirmed_on` the day the value was last found right, if nothing was found
    against it since; `due` is given only where the due day lies in the period.
    """

    kind: str
    verdict: str = MISSING
    reasons: tuple[str, ...] = ()
    is_required: bool = False
    due: Due | None = None
    confirmed_on: date | None = None
    day: date = date.min
    contact_id: int | None = None


class RuleMember(NamedTuple):
    """One record that rules looked at; each rule of the run has one bit, in the order of the run's rules.

    `counted`: in the denominator; `failed`: does not meet it; `exempt`: fails, but is waived and not counted.
    """

    customer_id: int
    kind: str
    unit_id: int
    staff_id: int | None
    cohort: str
    customer_class: str
    contact_id: int | None
    counted: int
    failed: int
    exempt: int


class NoParameters(Options):
    """A function that needs nothing to be set."""


class Accepted(Options):
    """Which verdicts satisfy a rule of format."""

    accepted: tuple[Annotated[str, Field(json_schema_extra={"enum": list(VERDICTS)[:4]})], ...] = asked(
        N_("哪些判定算合格"), (VALID, REPAIRABLE), labels=VERDICTS, min_length=1
    )


class Forbidden(Options):
    """Which reasons make a value dirty."""

    reasons: tuple[Annotated[str, Field(json_schema_extra={"enum": sorted(REASONS)})], ...] = asked(
        N_("哪些原因算脏数据"), WRONG, labels=REASONS, min_length=1
    )


class Lately(Options):
    """How long a confirmation keeps a value fresh."""

    months: int = asked(N_("多少个月内核实过才算新鲜"), 24, ge=1, le=120)


@dataclass(frozen=True)
class Function:
    """A function that rule rows may name: its label, its form, and what mends a record that fails.

    `judge(record, parameters)`: True meets the rule, False fails, None is not looked at; None instead of a function:
    the whole set is judged by `services/rule_sets.py`. `indicator` and `kinds` are what a new rule begins with.
    """

    label: str
    help: str
    indicator: str
    judge: Callable[[Record, Any], bool | None] | None
    fix: Callable[[Record], str]
    parameters: type[Options] = NoParameters
    kinds: tuple[str, ...] = field(default=())
    opens_issues: bool = True


def is_recorded(record: Record, _parameters: Options) -> bool | None:
    """A required item has a value; an invalid one is recorded."""
    return record.verdict != MISSING if record.is_required else None


def is_acceptable(record: Record, parameters: Accepted) -> bool | None:
    """A recorded value has one of the accepted verdicts."""
    return None if record.verdict == MISSING else record.verdict in parameters.accepted


def is_clean(record: Record, parameters: Forbidden) -> bool | None:
    """A recorded value has none of the forbidden reasons."""
    return None if record.verdict == MISSING else not set(record.reasons).intersection(parameters.reasons)


def is_in_time(record: Record, _parameters: Options) -> bool | None:
    """An item that fell due in the period was recorded by its day; without a recording date it is not counted."""
    due = record.due
    if due is None or not (due.is_dated or _was_in_time(due)):
        return None
    return _was_in_time(due)


def is_fresh(record: Record, parameters: Lately) -> bool | None:
    """A usable value was confirmed within so many months before the cut-off."""
    if record.verdict not in (VALID, REPAIRABLE):
        return None
    return record.confirmed_on is not None and record.confirmed_on >= months_before(
        record.day, parameters.months
    )


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, or the last day of that month."""
    number = day.year * 12 + day.month - 1 - months
    year, month = divmod(number, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise ValueError(day)


def fix_of(record: Record) -> str:
    """What to do about a value by its verdict: a code of ISSUE_FIXES."""
    return {MISSING: "supply", REPAIRABLE: "adopt", SUSPECT: "verify", INVALID: "obtain"}.get(
        record.verdict, "verify"
    )


def _was_in_time(due: Due) -> bool:
    return due.first_recorded is not None and due.first_recorded <= due.day


def _confirm(_record: Record) -> str:
    return "confirm"


def _judged(key: str) -> Function:
    rule = RULES[key]
    text = N_("已录的值按判定规则得出的结论合格；判定时已保存，这里只读取。")
    return Function(rule.label, text, "0302", is_acceptable, fix_of, Accepted, rule.fields)


FUNCTIONS: dict[str, Function] = {
    **{key: _judged(key) for key in RULES},
    "is_recorded": Function(
        N_("应录项已录入"), N_("按应录项表必须有的信息，已经录入。"), "0201", is_recorded, fix_of
    ),
    "is_clean": Function(
        N_("没有脏数据"),
        N_("已录的值没有下面勾选的任何一种原因。"),
        "0305",
        is_clean,
        fix_of,
        Forbidden,
    ),
    "is_in_time": Function(
        N_("按时录入"),
        N_("规定时限落在本考核期的应录项，在时限内录入；没有录入时间的不计入。"),
        "0502",
        is_in_time,
        fix_of,
        opens_issues=False,
    ),
    "is_fresh": Function(
        N_("近期核实过"),
        N_("可用的值在规定月数内核实过，此后没有核实有误。"),
        "0501",
        is_fresh,
        _confirm,
        Lately,
    ),
}


def grade(rate: float | None, marks: tuple[float, float, float], direction: str = LARGER) -> int | None:
    """The grade 5 (best) to 1 of a rate by its floor, target and stretch mark (五级评级); None where nothing counted.

    5 reaches the stretch mark, 4 the target, 3 the floor; 2 misses the floor by no more than the stretch mark lies
    beyond it, and by no more than half; 1 is worse. A smaller-is-better rate is read the other way round, from 1.
    """
    if rate is None:
        return None
    if direction != LARGER:
        rate, marks = 1 - rate, (1 - marks[0], 1 - marks[1], 1 - marks[2])
    floor, target, stretch = marks
    steps = ((stretch, 5), (target, 4), (floor, 3), (max(2 * floor - stretch, floor / 2), 2))
    return next((found for mark, found in steps if round(rate, 12) >= round(mark, 12)), WORST)


def reasons_about(kinds: Collection[str]) -> set[str]:
    """The reasons that values of some kinds can have; of all kinds for `*`."""
    judges = [key for key, rule in RULES.items() if "*" in kinds or not set(kinds).isdisjoint(rule.fields)]
    return {code for key in (*judges, "judge_text") for code in REASONS_BY_RULE[key]}
