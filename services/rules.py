"""Rules at work: which hold in a run, and what they say of one record; the versions that staff write."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ContactKind, Issue, Rule, Unit
from models.options import Options
from models.quality_words import JUDGED_WITH_CUSTOMER
from models.rules import rules_at
from quality.rules import FUNCTIONS as RECORD_FUNCTIONS
from quality.rules import Function, RuleMember
from quality.verdicts import MISSING
from services.assessed import IDENTITY, Frame, Item
from services.rule_sets import FINDERS, SETS, Asked, Finder

FUNCTIONS: Mapping[str, Function] = {**RECORD_FUNCTIONS, **SETS}
ASKS_CONFIRMATIONS = ("is_fresh",)
EVERY = "*"


@dataclass(frozen=True)
class Prepared:
    """One rule of a run ready to judge: its bit, its function with parameters, and where it holds."""

    rule: Rule
    bit: int
    function: Function
    parameters: Options
    kinds: frozenset[str]
    units: frozenset[int] | None
    finder: Finder | None = None

    def says(self, item: Item) -> bool | None:
        """Whether a record meets the rule; None where it is not looked at."""
        if self.function.judge is not None:
            return self.function.judge(item.record, self.parameters)
        if self.finder is None or item.record.verdict == MISSING:
            return None
        return not self.finder(item)


@dataclass
class Judges:
    """The rules of a run by what they apply to: found once for each kind, class and unit."""

    prepared: Sequence[Prepared]
    waived: Mapping[tuple[int, str], int] = field(default_factory=dict)
    _known: dict[tuple[str, str, int], list[Prepared]] = field(default_factory=dict)

    def judge(self, item: Item) -> RuleMember | None:
        """What the rules say of a record; None where none looks at it."""
        counted = failed = exempt = 0
        waived = self.waived.get((item.customer_id, item.record.kind), 0)
        for one in self._of(item.record.kind, item.customer_class, item.unit_id):
            said = one.says(item)
            if said is None:
                continue
            if said is False and waived & one.bit:
                exempt |= one.bit
                continue
            counted |= one.bit
            failed |= 0 if said else one.bit
        if not counted and not exempt:
            return None
        whose = (item.customer_id, item.record.kind, item.unit_id, item.staff_id, item.cohort)
        return RuleMember(*whose, item.customer_class, item.record.contact_id, counted, failed, exempt)

    def _of(self, kind: str, customer_class: str, unit_id: int) -> list[Prepared]:
        key = (kind, customer_class, unit_id)
        if key not in self._known:
            self._known[key] = [one for one in self.prepared if _holds(one, *key)]
        return self._known[key]


def rules_of_run(session: Session, frame: Frame) -> Sequence[Rule]:
    """The rules that are active at a run's cut-off and hold for at least one of its units."""
    found = rules_at(session, frame.day)
    return [
        rule for rule in found if (units := _units(session, rule)) is None or units & frame.deadlines.keys()
    ]


def needing(frame: Frame, rules: Collection[Rule]) -> Frame:
    """The frame with what its rules must have looked up beside the values themselves."""
    confirmations = any(rule.function in ASKS_CONFIRMATIONS for rule in rules)
    identity = any({IDENTITY, EVERY}.intersection(rule.kinds.split(",")) for rule in rules)
    return replace(frame, confirmations=confirmations, identity=identity)


def judges(
    session: Session, frame: Frame, rules: Sequence[Rule], *, customers: Collection[int] | None = None
) -> Judges:
    """The rules ready to judge, in their order; set-level functions look at the whole set now.

    With `customers` only their records will be judged, and the sets need not find more than that.
    """
    asked = Asked(frame.cutoff, frame.deadlines, customers)
    prepared = [_prepared(session, asked, rule, number) for number, rule in enumerate(rules)]
    codes = {one.rule.code: one.bit for one in prepared}
    waived: dict[tuple[int, str], int] = {}
    columns = (Issue.customer_id, Issue.kind, Issue.rule_code)
    for row in session.execute(select(*columns).where(Issue.state == "waived", Issue.rule_code.in_(codes))):
        key = (row.customer_id, row.kind)
        waived[key] = waived.get(key, 0) | codes[row.rule_code]
    return Judges(prepared, waived)


def _prepared(session: Session, asked: Asked, rule: Rule, number: int) -> Prepared:
    function = FUNCTIONS[rule.function]
    parameters = function.parameters.model_validate(rule.parameters)
    finder = FINDERS[rule.function](session, asked, parameters) if rule.function in FINDERS else None
    kinds = frozenset(rule.kinds.split(","))
    if EVERY in kinds:
        kinds = frozenset(kinds_of(session, function))
    return Prepared(rule, 1 << number, function, parameters, kinds, _units(session, rule), finder)


def _units(session: Session, rule: Rule) -> frozenset[int] | None:
    """The units a rule holds for; None for all."""
    if rule.scope_unit_id is None:
        return None
    path = select(Unit.path).where(Unit.id == rule.scope_unit_id).scalar_subquery()
    return frozenset(session.scalars(select(Unit.id).where(Unit.path.startswith(path))))


def _holds(one: Prepared, kind: str, customer_class: str, unit_id: int) -> bool:
    classes = one.rule.classes.split(",")
    return (
        kind in one.kinds
        and (EVERY in classes or customer_class in classes)
        and (one.units is None or unit_id in one.units)
    )


def kinds_of(session: Session, function: Function) -> list[str]:
    """The kinds of records that a function can judge, in their order: its own, and kinds that staff made like them."""
    rows = session.execute(select(ContactKind.code, ContactKind.judged_as).order_by(ContactKind.position))
    every = [(row.code, row.judged_as) for row in rows] + [(code, code) for code in JUDGED_WITH_CUSTOMER]
    wanted = function.kinds
    return [code for code, like in every if not wanted or code in wanted or like in wanted]
