"""Versions of rules as staff write them: a change is a new version, the old ones stay for the runs that used them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Rule, Staff, Unit
from models.clock import utcnow
from models.quality_words import DIRECTIONS, SEVERITIES
from models.words import CUSTOMER_CLASSES, Said
from quality.rules import INDICATORS, LARGER
from services import Refused, traces
from services.options import option_faults, split
from services.people import require
from services.rules import EVERY, FUNCTIONS, kinds_of


@dataclass(frozen=True)
class Draft:
    """A rule as a form gives it; rates from 0 to 1, `parameters` still texts."""

    label: str
    function: str
    indicator: str
    kinds: tuple[str, ...]
    classes: tuple[str, ...]
    scope_unit_id: int | None
    severity: str
    direction: str
    floor: float
    target: float
    stretch: float
    parameters: Mapping[str, Any]
    may_be_empty: bool
    opens_issues: bool
    enabled: bool
    active_from: date
    note: str = ""


def create(session: Session, code: str, draft: Draft, *, staff: Staff) -> Rule:
    """Write the first version of a new rule."""
    require(staff, "rules.edit")
    if not code.isidentifier() or not code.isascii() or code != code.lower() or len(code) > 40:
        raise Refused("规则代码「%(code)s」要用小写字母、数字和下划线，以字母开头，最多 40 位。", code=code)
    if session.scalar(select(Rule.id).where(Rule.code == code).limit(1)) is not None:
        raise Refused("已有代码为「%(code)s」的规则。请换一个代码，或修改那一条。", code=code)
    return _write(session, code, 1, draft, staff)


def revise(session: Session, rule: Rule, draft: Draft, *, staff: Staff) -> Rule:
    """Write the next version of a rule; returns the rule as it is where nothing but the day differs."""
    require(staff, "rules.edit")
    if rule.id != newest(session, rule.code).id:
        raise Refused("规则「%(label)s」已有更新的版本。请刷新后在新版本上修改。", label=rule.label)
    values = _values(session, draft)
    if all(getattr(rule, name) == value for name, value in values.items() if name != "active_from"):
        return rule
    return _write(session, rule.code, rule.version + 1, draft, staff)


def newest(session: Session, code: str) -> Rule:
    """The newest version of a rule."""
    return session.scalars(select(Rule).where(Rule.code == code).order_by(Rule.version.desc()).limit(1)).one()


def versions(session: Session, code: str) -> list[Rule]:
    """All versions of a rule, newest first."""
    return list(session.scalars(select(Rule).where(Rule.code == code).order_by(Rule.version.desc())))


def draft_of(rule: Rule, **changes: Any) -> Draft:
    """A rule as the draft of its next version."""
    names = Draft.__dataclass_fields__
    values = {name: getattr(rule, name) for name in names if name not in ("kinds", "classes")}
    lists = {"kinds": tuple(rule.kinds.split(",")), "classes": tuple(rule.classes.split(","))}
    return Draft(**{**values, **lists, **changes})


def _write(session: Session, code: str, version: int, draft: Draft, staff: Staff) -> Rule:
    stamps = {"created_at": utcnow(), "staff_id": staff.id}
    rule = Rule(code=code, version=version, **_values(session, draft), **stamps)
    session.add(rule)
    details = {"code": code, "version": version, "enabled": draft.enabled}
    traces.record(session, "rule.created" if version == 1 else "rule.changed", rule, details=details)
    return rule


def _values(session: Session, draft: Draft) -> dict[str, Any]:
    """The columns of a version, checked."""
    faults = list(_faults(session, draft))
    if faults:
        raise Refused("没有保存规则：%(listed)s。", listed=Said.joined(faults, joint="；"))
    model = FUNCTIONS[draft.function].parameters
    given = model.model_validate(split(model, draft.parameters)).model_dump(mode="json")
    plain = {name: getattr(draft, name) for name in Draft.__dataclass_fields__}
    return plain | {
        "label": draft.label.strip(),
        "kinds": _joined(draft.kinds),
        "classes": _joined(draft.classes),
        "parameters": given,
    }


def _joined(codes: tuple[str, ...]) -> str:
    return EVERY if EVERY in codes else ",".join(codes)


def _faults(session: Session, draft: Draft) -> list[str]:
    """What is wrong with a draft, in sentences."""
    found: list[str] = []
    if not 0 < len(draft.label.strip()) <= 80:
        found.append(Said("名称要填，最多 80 个字"))
    function = FUNCTIONS.get(draft.function)
    if function is None:
        return [*found, Said("没有这个判断方法")]
    found += _wrong_choices(session, draft, {*kinds_of(session, function), EVERY})
    found += _wrong_marks(draft)
    return found + [
        fault.text
        for fault in option_faults(function.parameters, split(function.parameters, draft.parameters))
    ]


def _wrong_choices(session: Session, draft: Draft, kinds: set[str]) -> list[str]:
    found: list[str] = []
    if not draft.kinds or not set(draft.kinds) <= kinds:
        found.append(Said("请至少选一种这个方法能判断的联系信息"))
    if not draft.classes or not set(draft.classes) <= {*CUSTOMER_CLASSES, EVERY}:
        found.append(Said("请至少选一类客户"))
    if draft.indicator not in INDICATORS:
        found.append(Said("国标指标要在列表中选"))
    if draft.severity not in SEVERITIES or draft.direction not in DIRECTIONS:
        found.append(Said("严重程度和方向要在列表中选"))
    if draft.scope_unit_id is not None and session.get(Unit, draft.scope_unit_id) is None:
        found.append(Said("适用单位不存在"))
    return found


def _wrong_marks(draft: Draft) -> list[str]:
    marks = [draft.floor, draft.target, draft.stretch]
    ordered = sorted(marks) if draft.direction == LARGER else sorted(marks, reverse=True)
    if not all(0 <= mark <= 1 for mark in marks) or marks != ordered:
        return [Said("基本值、目标值、挑战值要在 0 到 100 之间，并且一个比一个严")]
    return []
