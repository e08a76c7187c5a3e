"""What a segment may ask of a customer: the account, verdicts by kind, reach, earlier letters and visits, as SQL.

Every comparison is either true or false, also where a value is not there: a customer without an opening date opened
neither before nor after a day.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, ColumnElement, ScalarSelect, exists, false, func, not_, or_, select
from sqlalchemy.orm import Session, aliased

from models import Campaign, Contact, ContactKind, Customer, Letter, Recipient, Unit, Visit
from models.clock import now
from models.words import CUSTOMER_CLASSES, N_, OUTCOMES, SENSITIVITIES, USAGE_CLASSES, VERDICTS
from services import choices, reach
from services.conditions import Condition, ConditionField, values
from services.customer_tests import SPOILED, opted_out, refuted

Compare = Callable[[str, Any], ColumnElement[bool]]
ACCOUNT, CONTACTS, REACH, EARLIER = (
    N_("用电客户"),
    N_("联系信息的判定"),
    N_("可达渠道"),
    N_("以前的核对和走访"),
)
REFUTED, CAMPAIGN = "refuted", "campaign"
CAMPAIGNS_LISTED = 100
DIGITS = 18  # of an id; whatever is longer is nobody's
LONGEST_AGO = 36500.0  # days; nothing that is kept here is older
REACHED = {
    "letter": N_("函件可达"),
    "sms": N_("短信可达"),
    "call": N_("电话可达"),
    "email": N_("邮件可达"),
    "wechat": N_("微信可达"),
}
ORDER = {"lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "eq": operator.eq}


@dataclass(frozen=True)
class SegmentField:
    """Something a segment may ask for, and how it is compared in SQL."""

    field: ConditionField
    compare: Compare


def fields(session: Session, condition: Condition | None = None) -> dict[str, SegmentField]:
    """Everything a segment may ask for, in the order shown; of campaigns the newest and those `condition` names."""
    named = set(values(condition, CAMPAIGN)) if condition else set()
    found = [*_account(session), *_contacts(session), *_reach(), *_earlier(session, named)]
    return {one.field.name: one for one in found}


def _account(session: Session) -> list[SegmentField]:
    texts = (("transformer_area", N_("台区")), ("meter_book", N_("抄表册")))
    lists: tuple[tuple[str, str, Mapping[str, str]], ...] = (
        ("customer_class", N_("客户类别"), CUSTOMER_CLASSES),
        ("usage_class", N_("用电类别"), USAGE_CLASSES),
        ("sensitivity", N_("敏感级别"), SENSITIVITIES),
    )
    units = dict(choices.units(session))
    return [
        SegmentField(ConditionField("unit", N_("供电单位（含下级）"), "choice", units, ACCOUNT), _unit),
        *(_column(name, label, "choice", labels) for name, label, labels in lists),
        _column("opened_on", N_("立户日期"), "date", {}),
        *(_column(name, label, "text", {}) for name, label in texts),
    ]  # fmt: skip


def _contacts(session: Session) -> list[SegmentField]:
    """For each kind what its current values are judged; `missing`: none stands, `refuted`: one was found wrong."""
    labels = {**VERDICTS, REFUTED: N_("核实有误")}
    rows = session.execute(select(ContactKind.code, ContactKind.label).order_by(ContactKind.position))
    return [
        SegmentField(
            ConditionField(f"contact.{row.code}", row.label, "choice", labels, CONTACTS), _verdict(row.code)
        )
        for row in rows
    ]


def _reach() -> list[SegmentField]:
    return [
        SegmentField(ConditionField(f"reach.{name}", label, "bool", {}, REACH), _reached(name))
        for name, label in REACHED.items()
    ] + [
        SegmentField(
            ConditionField("opted_out", N_("不愿收函件"), "bool", {}, REACH),
            lambda _op, value: _is(opted_out(), value),
        )
    ]


def _earlier(session: Session, named: Collection[Any]) -> list[SegmentField]:
    newest = select(Campaign.id, Campaign.name).order_by(Campaign.id.desc())
    found = [*session.execute(newest.limit(CAMPAIGNS_LISTED))]
    ids = {int(one) for one in named if str(one).isdecimal() and len(str(one)) <= DIGITS}
    if older := ids - {row.id for row in found}:
        found += session.execute(newest.where(Campaign.id.in_(older)))
    listed = {str(row.id): row.name for row in found}
    moment = now(session)
    return [
        SegmentField(ConditionField(CAMPAIGN, N_("参加过的核对活动"), "choice", listed, EARLIER), _in_campaign),
        SegmentField(ConditionField("outcome", N_("最近一次核对的结果"), "choice", OUTCOMES, EARLIER), _outcome),
        SegmentField(
            ConditionField("written_days", N_("距最近一次寄函的天数"), "number", {}, EARLIER), _days(_written(), moment)
        ),
        SegmentField(
            ConditionField("visited_days", N_("距最近一次走访的天数"), "number", {}, EARLIER), _days(_visited(), moment)
        ),
    ]  # fmt: skip


def _column(name: str, label: str, kind: str, labels: Mapping[str, str]) -> SegmentField:
    column = getattr(Customer, name)

    def compare(op: str, value: Any) -> ColumnElement[bool]:
        given = date.fromisoformat(value) if kind == "date" and op not in ("empty", "filled") else value
        if op in ("empty", "filled"):
            is_empty: ColumnElement[bool] = column.is_(None) if kind == "date" else column == ""
            return is_empty if op == "empty" else not_(is_empty)
        return _ordered(column, op, given)

    return SegmentField(ConditionField(name, label, kind, labels, ACCOUNT), compare)


def _ordered(column: Any, op: str, value: Any) -> ColumnElement[bool]:
    """One comparison, false where the column is empty."""
    if op == "in":
        return _sure(column.in_(value))
    if op == "ne":
        return not_(_sure(column == value))
    return _sure(ORDER[op](column, value))


def _sure(condition: Any) -> ColumnElement[bool]:
    return func.coalesce(condition, false(), type_=Boolean)


def _any_of(op: str, value: Any, test: Callable[[str], ColumnElement[bool]]) -> ColumnElement[bool]:
    """`eq`, `ne` and `in` over tests that are true for one value each."""
    found = or_(*(test(str(one)) for one in (value if op == "in" else [value])))
    return not_(found) if op == "ne" else found


def _is(condition: ColumnElement[bool], value: Any) -> ColumnElement[bool]:
    return condition if value else not_(condition)


def _unit(op: str, value: Any) -> ColumnElement[bool]:
    def test(code: str) -> ColumnElement[bool]:
        path = select(Unit.path).where(Unit.code == code).scalar_subquery()
        return Customer.unit_id.in_(select(Unit.id).where(Unit.path.startswith(path)))

    return _any_of(op, value, test)


def _verdict(kind: str) -> Compare:
    def test(verdict: str) -> ColumnElement[bool]:
        contact = aliased(Contact)
        current = exists().where(
            contact.customer_id == Customer.id, contact.kind == kind, contact.state == "current"
        )
        if verdict == "missing":
            return not_(current.where(contact.verdict != "missing"))
        return current.where(refuted(contact) if verdict == REFUTED else contact.verdict == verdict)

    return lambda op, value: _any_of(op, value, test)


def _reached(channel: str) -> Compare:
    return lambda _op, value: _is(reach.reached_by(channel), value)


def _in_campaign(op: str, value: Any) -> ColumnElement[bool]:
    def test(campaign: str) -> ColumnElement[bool]:
        one = aliased(Recipient)
        return exists().where(
            one.customer_id == Customer.id, one.campaign_id == int(campaign), one.exclusion == ""
        )

    return _any_of(op, value, test)


def _outcome(op: str, value: Any) -> ColumnElement[bool]:
    """The outcome of the latest campaign that has one for the customer."""

    def test(outcome: str) -> ColumnElement[bool]:
        one, later = aliased(Recipient), aliased(Recipient)
        newer = exists().where(later.customer_id == one.customer_id, later.outcome != "", later.id > one.id)
        return exists().where(one.customer_id == Customer.id, one.outcome == outcome, ~newer)

    return _any_of(op, value, test)


def _written() -> ScalarSelect[Any]:
    one = aliased(Letter)
    query = select(func.max(one.composed_at)).where(one.customer_id == Customer.id, one.state.not_in(SPOILED))
    return query.correlate(Customer).scalar_subquery()


def _visited() -> ScalarSelect[Any]:
    one = aliased(Visit)
    query = select(func.max(one.ended_at)).where(one.customer_id == Customer.id, one.state == "done")
    return query.correlate(Customer).scalar_subquery()


def _days(latest: ScalarSelect[Any], moment: datetime) -> Compare:
    """Days since the latest of something; never is no number of days, so only `empty` finds it."""

    def compare(op: str, value: Any) -> ColumnElement[bool]:
        if op in ("empty", "filled"):
            return latest.is_(None) if op == "empty" else latest.is_not(None)
        days = max(-LONGEST_AGO, min(float(value), LONGEST_AGO))
        begins = moment - timedelta(days=days + 1)  # so many whole days ago lies in (begins, ends]
        ends = moment - timedelta(days=days)
        tests: dict[str, Any] = {
            "gt": latest <= begins, "ge": latest <= ends, "lt": latest > ends, "le": latest > begins,
        }  # fmt: skip
        if op in tests:
            return _sure(tests[op])
        inside = _sure((latest > begins) & (latest <= ends))
        return not_(inside) if op == "ne" else inside

    return compare
