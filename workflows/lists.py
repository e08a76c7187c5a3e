"""LISTS: what an each may work through, one line an entry; each item is a plain JSON object of ids and marks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Customer, Recipient, Staff, Unit, Visit
from models.words import N_
from services import Refused, saved_segments
from workflows.steps import Facts, Item, ListKind

READ_AT_ONCE = 1000
CUSTOMER = {
    "unit_id": N_("供电单位"),
    "customer_class": N_("客户类别"),
    "sensitivity": N_("敏感程度"),
}


def recipients(session: Session, facts: Facts, of: str | None) -> Iterator[Item]:
    """Who the run's campaign is sent to: its recipients that were not left out."""
    query = (
        select(Recipient.id, *_customer())
        .join(Customer, Customer.id == Recipient.customer_id)
        .where(Recipient.campaign_id == facts["run"].get("campaign_id"), Recipient.exclusion == "")
        .order_by(Recipient.id)
    )
    for row in session.execute(query.execution_options(yield_per=READ_AT_ONCE)):
        yield {"recipient_id": row[0], **_marks(row[1:])}


def segment(session: Session, facts: Facts, of: str | None) -> Iterator[Item]:
    """The open customers of a saved segment (`of` = its code), as it is on that day."""
    kept = saved_segments.by_code(session, of or "")
    query = (
        saved_segments.members(session, kept.condition).with_only_columns(*_customer()).order_by(Customer.id)
    )
    for row in session.execute(query.execution_options(yield_per=READ_AT_ONCE)):
        yield _marks(row)


def units(session: Session, facts: Facts, of: str | None) -> Iterator[Item]:
    """The unit the run was started in, and all below it."""
    path = session.scalar(select(Unit.path).where(Unit.id == facts["run"]["unit_id"])) or ""
    query = select(Unit.id, Unit.code, Unit.name, Unit.kind).where(Unit.path.startswith(path))
    for row in session.execute(query.order_by(Unit.path)):
        yield {"unit_id": row.id, "code": row.code, "name": row.name, "kind": row.kind}


def visitors(session: Session, facts: Facts, of: str | None) -> Iterator[Item]:
    """Everybody who has doors to go to, with how many."""
    query = (
        select(Staff.id, Staff.unit_id, func.count(Visit.id).label("doors"))
        .join(Visit, Visit.staff_id == Staff.id)
        .where(Visit.ended_at.is_(None))
        .group_by(Staff.id, Staff.unit_id)
    )
    for row in session.execute(query.order_by(Staff.id)):
        yield {"staff_id": row.id, "unit_id": row.unit_id, "doors": row.doors}


def results(session: Session, facts: Facts, of: str | None) -> Iterator[Item]:
    """A list that an earlier node left as its result (`of` = node.result); plain values become { value = … }."""
    node, _dot, name = (of or "").partition(".")
    found = facts.get(node, {}).get(name)
    if not isinstance(found, list):
        raise Refused("前面的结果「%(name)s」不是名单，不能逐项处理。请在流程定义中改正。", name=of or "")
    yield from (one if isinstance(one, dict) else {"value": one} for one in found)


# name: ListKind(label, what an item is, find(session, facts, of), what conditions may ask of an item, its key)
LISTS: dict[str, ListKind] = {
    "recipients": ListKind(N_("活动的发送对象"), "customer", recipients, CUSTOMER, "recipient_id"),
    "segment": ListKind(N_("客户群里的客户"), "customer", segment, CUSTOMER, "customer_id"),
    "units": ListKind(
        N_("本单位和下级单位"),
        "unit",
        units,
        {"code": N_("单位编码"), "name": N_("单位名称"), "kind": N_("单位类型")},
        "unit_id",
    ),
    "visitors": ListKind(
        N_("有走访任务的人"),
        "staff",
        visitors,
        {"unit_id": N_("单位"), "doors": N_("走访任务")},
        "staff_id",
    ),
    "results": ListKind(N_("前面节点的结果"), "value", results, {"value": N_("值")}),
}


def _customer() -> tuple[Any, ...]:
    return Customer.id, *(getattr(Customer, name) for name in CUSTOMER)


def _marks(row: Any) -> dict[str, Any]:
    return dict(zip(("customer_id", *CUSTOMER), row, strict=True))
