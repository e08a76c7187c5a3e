"""The unit tree: adding, moving with everything below, and importing it from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import Unit
from models.people import root_unit
from models.scope import OutOfScope, current_scope
from models.words import UNIT_KINDS
from services import Refused, csv_files, traces
from services.people import acting_staff, in_scope_units, require

SEEDED_ROOT = "root"
COLUMNS = ("code", "name", "parent", "kind", "area_code", "region", "deadline_days", "phones")
LONGEST_CODE = 40
LONGEST_PHONES = 200


@dataclass(frozen=True)
class UnitRow:
    """One line of a unit file; `line` is what a spreadsheet shows, blank cells are empty."""

    line: int
    code: str
    name: str
    parent: str
    kind: str = ""
    area_code: str = ""
    region: str = ""
    deadline_days: int | None = None
    phones: str = ""


@dataclass(frozen=True)
class Imported:
    """What a unit file did."""

    created: int
    updated: int


def add_unit(session: Session, unit: Unit, parent: Unit) -> Unit:
    """Put a new unit below another; what it leaves out it takes from there."""
    _check_scope(session, parent)
    if session.scalar(select(Unit.id).where(Unit.code == unit.code)) is not None:
        raise Refused("单位代码「%(code)s」已经有了，请换一个代码。", code=unit.code)
    unit.parent_id = parent.id
    unit.kind = unit.kind or kind_below(parent.kind)
    unit.area_code = unit.area_code or parent.area_code
    unit.region = unit.region or parent.region
    unit.deadline_days = unit.deadline_days or parent.deadline_days
    unit.path = ""
    session.add(unit)
    session.flush()
    unit.path = f"{parent.path}{unit.id}/"
    session.flush()
    return unit


def move_unit(session: Session, unit: Unit, new_parent: Unit) -> int:
    """Put a unit with everything below it under another one; returns how many units moved.

    Only paths change: customers, staff and all records stay with their unit and come along.
    """
    if unit.parent_id is None:
        raise Refused("「%(name)s」是最上级单位，不能移动。", name=unit.name)
    if new_parent.path.startswith(unit.path):
        raise Refused(
            "「%(name)s」在「%(unit_name)s」下面，不能把单位移到自己的下级里。",
            name=new_parent.name,
            unit_name=unit.name,
        )
    _check_scope(session, unit)
    _check_scope(session, new_parent)
    if unit.parent_id == new_parent.id:
        return 0
    before, after = unit.path, f"{new_parent.path}{unit.id}/"
    moved = session.execute(
        update(Unit)
        .where(Unit.path.startswith(before, autoescape=True))
        .values(path=after + func.substr(Unit.path, len(before) + 1)),
        execution_options={"synchronize_session": False},
    )
    from_id, unit.parent_id = unit.parent_id, new_parent.id
    session.flush()
    session.expire_all()
    number = int(moved.rowcount)  # type: ignore[attr-defined]
    traces.record(
        session, "unit.moved", unit, details={"from": from_id, "to": new_parent.id, "units": number}
    )
    return number


def kind_below(kind: str) -> str:
    """The kind that usually stands below a kind of unit."""
    kinds = list(UNIT_KINDS)
    return kinds[min(kinds.index(kind) + 1, len(kinds) - 1)] if kind in kinds else kinds[-1]


def import_file(session: Session, path: Path) -> Imported:
    """Bring a unit file in, all of it or nothing."""
    return import_units(session, read_rows(path))


def read_rows(path: Path) -> list[UnitRow]:
    """The lines of a unit file: CSV with the columns of `COLUMNS`; code, name and parent are needed."""
    encoding = csv_files.detect_encoding(path)
    records = [(at, cells) for at, cells in csv_files.records(path, encoding.name, ",") if any(cells)]
    heading = [cell.strip().lower() for cell in records[0][1]] if records else []
    missing = [name for name in ("code", "name", "parent") if name not in heading]
    if missing:
        raise Refused(
            "%(name)s 第 1 行缺少列 %(missing)s。单位文件的列名是: %(columns)s。",
            name=path.name,
            missing="、".join(missing),
            columns=", ".join(COLUMNS),
        )
    return [
        _row(at, dict(zip(heading, (cell.strip() for cell in cells), strict=False)))
        for at, cells in records[1:]
    ]


def import_units(session: Session, rows: Sequence[UnitRow]) -> Imported:
    """Create and update units by code, in any order of lines; a parent is named by code.

    The line without a parent is the top: it renames the unit that the first start made, while that is still untouched.
    """
    staff = acting_staff(session)
    if staff is not None:
        require(staff, "units.edit")
    _check_rows(rows)
    known = {unit.code: unit for unit in session.scalars(select(Unit))}
    _check_parents(rows, known)
    created = updated = 0
    for row in _parents_first(rows, known):
        if row.code in known or _is_new_top(session, row, known):
            updated += _update(session, row, known)
        else:
            known[row.code] = _create(session, row, known)
            created += 1
    return Imported(created, updated)


def _row(line: int, cells: Mapping[str, str]) -> UnitRow:
    days = cells.get("deadline_days", "")
    if days and not (days.isdecimal() and 0 < int(days) <= 365):
        raise Refused(
            "第 %(line)s 行: deadline_days 要填 1 到 365 的工作日天数，现在是「%(days)s」。",
            line=line,
            days=days,
        )
    texts = {name: cells.get(name, "") for name in COLUMNS if name != "deadline_days"}
    return UnitRow(line, **texts, deadline_days=int(days) if days else None)


def _check_rows(rows: Sequence[UnitRow]) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        if not row.code or not row.name:
            raise Refused("第 %(line)s 行: code 和 name 都要填。", line=row.line)
        if len(row.code) > LONGEST_CODE or len(row.name) > 80:
            raise Refused("第 %(line)s 行: 单位代码最长 40 个字符，名称最长 80 个字。", line=row.line)
        if len(row.phones) > LONGEST_PHONES:
            raise Refused("第 %(line)s 行: 办公电话一共最长 200 个字符。", line=row.line)
        if row.kind and row.kind not in UNIT_KINDS:
            raise Refused(
                "第 %(line)s 行: 单位类型「%(kind)s」不认识，可以填 %(kinds)s。",
                line=row.line,
                kind=row.kind,
                kinds=", ".join(UNIT_KINDS),
            )
        if row.code in seen:
            raise Refused(
                "第 %(line)s 行: 单位代码「%(code)s」和第 %(first)s 行重复。",
                line=row.line,
                code=row.code,
                first=seen[row.code],
            )
        seen[row.code] = row.line


def _check_parents(rows: Sequence[UnitRow], known: Mapping[str, Unit]) -> None:
    codes = {row.code for row in rows} | set(known)
    for row in rows:
        if row.parent and row.parent not in codes:
            raise Refused(
                "第 %(line)s 行: 上级单位「%(parent)s」在文件和系统里都没有。",
                line=row.line,
                parent=row.parent,
            )


def _parents_first(rows: Sequence[UnitRow], known: Mapping[str, Unit]) -> list[UnitRow]:
    """The lines in an order in which each parent stands before its children."""
    waiting = list(rows)
    done: set[str] = set()
    ordered: list[UnitRow] = []
    while waiting:
        names = {row.code for row in waiting}
        ready = [row for row in waiting if row.parent not in names or row.parent in done]
        if not ready:
            raise Refused("第 %(line)s 行: 上级单位互相指向对方，成了一个圈。", line=waiting[0].line)
        ordered += ready
        done |= {row.code for row in ready}
        waiting = [row for row in waiting if row.code not in done]
    return ordered


def _is_new_top(session: Session, row: UnitRow, known: dict[str, Unit]) -> bool:
    """Whether a line names the top for the first time; the seeded root then answers to its code."""
    root = root_unit(session)
    if row.parent or root.code != SEEDED_ROOT:
        return False
    known.pop(SEEDED_ROOT, None)
    known[row.code] = root
    return True


def _create(session: Session, row: UnitRow, known: Mapping[str, Unit]) -> Unit:
    parent = known[row.parent] if row.parent else root_unit(session)
    facts = {"kind": row.kind, "area_code": row.area_code, "region": row.region, "phones": row.phones}
    unit = Unit(code=row.code, name=row.name, **facts, deadline_days=row.deadline_days)
    add_unit(session, unit, parent)
    traces.record(session, "unit.created", unit)
    return unit


def _update(session: Session, row: UnitRow, known: Mapping[str, Unit]) -> int:
    """Write what differs; blank cells leave things as they are. Returns 1 where something changed."""
    unit = known[row.code]
    _check_scope(session, unit)
    facts: dict[str, Any] = {"code": row.code, "name": row.name, "kind": row.kind}
    facts |= {"area_code": row.area_code, "region": row.region, "deadline_days": row.deadline_days}
    facts["phones"] = row.phones
    different = {name: value for name, value in facts.items() if value and getattr(unit, name) != value}
    for name, value in different.items():
        setattr(unit, name, value)
    moved = move_unit(session, unit, known[row.parent]) if row.parent and unit.parent_id is not None else 0
    if different:
        traces.record(session, "unit.changed", unit, details={"fields": sorted(different)})
    return int(bool(different or moved))


def _check_scope(session: Session, unit: Unit) -> None:
    if current_scope(session) is None:
        raise OutOfScope("Unit: no scope is set")
    if session.scalar(select(Unit.id).where(Unit.id == unit.id, in_scope_units(session))) is None:
        raise Refused("单位「%(name)s」不在您的单位范围内。", name=unit.name)
