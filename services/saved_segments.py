"""Segments (客户群): kept as conditions, checked, counted and listed as SQL within the scope of whoever asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select
from sqlalchemy.orm import Session

from models import Customer, SavedSegment, Staff
from models.clock import now, utcnow
from models.scope import ALL, working_as
from models.words import Said
from services import Refused, conditions, traces
from services.conditions import Condition, line_fault
from services.segment_fields import SegmentField, fields

LONGEST_NAME, LONGEST_TEXT = 80, 500


def keep(session: Session, row: SavedSegment | None, values: Mapping[str, Any], staff: Staff) -> SavedSegment:
    """Keep a segment (`name`, `description`, `condition`), new or changed; runs that began keep what they selected."""
    name, text = str(values["name"]).strip(), str(values.get("description", "")).strip()
    if not 0 < len(name) <= LONGEST_NAME or len(text) > LONGEST_TEXT:
        raise Refused(
            "请填写客户群的名称，最多 %(most)s 个字；说明最多 %(text)s 个字。",
            most=LONGEST_NAME,
            text=LONGEST_TEXT,
        )
    check(session, values["condition"])
    is_new = row is None
    if row is None:
        row = SavedSegment(code=_free_code(session), unit_id=staff.unit_id)
        session.add(row)
    row.name, row.description, row.condition = name, text, dict(values["condition"])
    row.edited_by_id, row.edited_at = staff.id, utcnow()
    traces.record(session, "segment.created" if is_new else "segment.changed", row)
    return row


def delete(session: Session, row: SavedSegment) -> None:
    """Delete a segment; a workflow that names it says so when it is enabled or started."""
    traces.record(session, "segment.deleted", row, details={"code": row.code})
    session.delete(row)


def by_code(session: Session, code: str) -> SavedSegment:
    """The segment that a step names, wherever it was kept: it holds a condition, no customers."""
    with working_as(session, ALL):
        found = session.scalar(select(SavedSegment).where(SavedSegment.code == code))
    if found is None:
        raise Refused("没有客户群「%(code)s」，可能已删除。请在流程中重新选择客户群。", code=code)
    return found


def check(session: Session, condition: Any) -> None:
    """Refuse a condition that is not complete or asks for what nobody offers."""
    if not condition or list(conditions.faults(condition)):
        raise Refused("请至少填写一条完整的条件。")
    known = fields(session, condition)
    offered = {name: one.field for name, one in known.items()}
    for line in _lines(condition):
        fault = line_fault(line, offered)
        if fault:
            label = known[line["field"]].field.label if line["field"] in known else line["field"]
            raise Refused("条件「%(field)s」：%(fault)s。", field=Said(str(label)), fault=Said(fault))


def criterion(session: Session, condition: Condition) -> ColumnElement[bool]:
    """A checked condition as one on customers."""
    return _criterion(condition, fields(session, condition))


def criterion_of(session: Session, code: str) -> ColumnElement[bool]:
    """The condition of a saved segment as one on customers."""
    row = by_code(session, code)
    check(session, row.condition)
    return criterion(session, row.condition)


def members(session: Session, condition: Condition) -> Select[Any]:
    """The open customers of a segment in the session's scope."""
    day = now(session).date()
    is_open = or_(Customer.closed_on.is_(None), Customer.closed_on > day)
    return select(Customer).where(is_open, criterion(session, condition))


def count(session: Session, condition: Condition) -> int:
    """How many customers a segment has."""
    counted = members(session, condition).with_only_columns(func.count(Customer.id)).order_by(None)
    return session.scalar(counted) or 0


def among(session: Session, code: str, customer_ids: Collection[int]) -> set[int]:
    """Those of a chunk of customers that belong to a saved segment."""
    chosen = select(Customer.id).where(Customer.id.in_(customer_ids), criterion_of(session, code))
    return set(session.scalars(chosen))


def _criterion(condition: Condition, known: Mapping[str, SegmentField]) -> ColumnElement[bool]:
    if "all" in condition:
        return and_(*(_criterion(part, known) for part in condition["all"]))
    if "any" in condition:
        return or_(*(_criterion(part, known) for part in condition["any"]))
    if "not" in condition:
        return not_(_criterion(condition["not"], known))
    return known[condition["field"]].compare(condition["op"], condition.get("value"))


def _lines(condition: Condition) -> list[Condition]:
    for joint in ("all", "any"):
        if joint in condition:
            return [line for part in condition[joint] for line in _lines(part)]
    return _lines(condition["not"]) if "not" in condition else [condition]


def _free_code(session: Session) -> str:
    with working_as(session, ALL):
        number = (session.scalar(select(func.max(SavedSegment.id))) or 0) + 1
        while (
            session.scalar(select(SavedSegment.id).where(SavedSegment.code == f"segment_{number}"))
            is not None
        ):
            number += 1
    return f"segment_{number}"
