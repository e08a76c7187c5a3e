"""What one does with a task before it is decided: claim, give back, hand over, ask another to sign; all kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from models import Role, Staff, Task, Unit
from models.scope import ALL, working_as
from services import Refused, people, tasks, traces

MOST_SIGNERS = 5
LISTED = 500


def claim(session: Session, task: Task, staff: Staff) -> None:
    """Take a task that others could take too, so that it waits for oneself only."""
    name = _one_hand(session, task, staff)
    if task.staff_id is not None:
        raise Refused("这项待办已经在您手里，直接办理即可。")
    _change(session, task, "claimed", staff, name, staff_id=name.id)


def give_back(session: Session, task: Task, staff: Staff, note: str) -> None:
    """Put a task back for those it was made for, or for whoever asked one to sign."""
    name = _one_hand(session, task, staff)
    back = task.next_ids[0] if task.next_ids else task.addressee_id
    if task.staff_id is None or back == task.staff_id:
        raise Refused("这项待办就是交给您办理的，不能退还。可以转办给别人。")
    _change(session, task, "given_back", staff, name, staff_id=back, next_ids=task.next_ids[1:], note=note)


def hand_over(session: Session, task: Task, staff: Staff, to_id: int, note: str) -> None:
    """Give a task to another who decides it instead."""
    name = _one_hand(session, task, staff)
    _require_words(note)
    to = _other(session, task, staff, to_id)
    _require_role(session, task, staff, to)
    _change(session, task, "handed_over", staff, name, staff_id=to.id, to_id=to.id, note=note)


def ask_before(session: Session, task: Task, staff: Staff, to_id: int, note: str) -> None:
    """Let another say what they think first; then the task comes back, and one's own decision counts."""
    name = _one_hand(session, task, staff)
    to = _signer(session, task, staff, to_id)
    queue = [name.id, *task.next_ids]
    _change(
        session, task, "signer_before", staff, name, staff_id=to.id, to_id=to.id, next_ids=queue, note=note
    )


def ask_after(session: Session, task: Task, staff: Staff, to_id: int, note: str) -> None:
    """Let another decide after oneself: the last decision counts."""
    name = _one_hand(session, task, staff)
    to = _signer(session, task, staff, to_id)
    _require_role(session, task, staff, to)
    queue = [to.id, *task.next_ids]
    _change(
        session, task, "signer_after", staff, name, staff_id=name.id, to_id=to.id, next_ids=queue, note=note
    )


def colleagues(session: Session, task: Task, staff: Staff) -> Sequence[Staff]:
    """Whom a person may ask to look at a task: active, with its permission, of a unit above or below the task's."""
    return session.scalars(_near(session, task, {staff.id})).unique().all()


def able(session: Session, task: Task) -> Sequence[Staff]:
    """Who may decide a task in the place of whoever has it: they also hold the role that it asks for."""
    query = _near(session, task, {one.staff_id for one, _staff in tasks.people_of(session, task)})
    return session.scalars(_with_role(query, task)).unique().all()


def in_place_of(session: Session, task: Task, staff: Staff) -> Sequence[Staff]:
    """Of those who may be asked, those whose decision may stand: they hold the role that the task asks for."""
    return session.scalars(_with_role(_near(session, task, {staff.id}), task)).unique().all()


def _with_role(query: Select[tuple[Staff]], task: Task) -> Select[tuple[Staff]]:
    return query.where(Staff.roles.any(Role.name == task.role)) if task.role else query


def _near(session: Session, task: Task, without: Collection[int]) -> Select[tuple[Staff]]:
    barred = {*without, *task.next_ids, *task.not_by, *([task.staff_id] if task.staff_id else ())}
    wanted = ("tasks.edit", *([task.permission] if task.permission else ()))
    query = select(Staff).join(Unit, Unit.id == Staff.unit_id)
    query = query.where(Staff.active, Staff.username != people.SHELL, Staff.id.not_in(barred))
    query = query.where(
        people.along_the_line(session, task.unit_id), *(people.holding(session, name) for name in wanted)
    )
    return query.options(joinedload(Staff.unit)).order_by(Unit.path, Staff.name).limit(LISTED)


def _one_hand(session: Session, task: Task, staff: Staff) -> Staff:
    """In whose name; refused for a task that several decide together."""
    name = tasks.in_whose_name(session, task, staff)
    if task.rule != "any":
        raise Refused("这项待办由几个人会签，各办各的，不能认领、转办或加签。")
    return name


def _signer(session: Session, task: Task, staff: Staff, to_id: int) -> Staff:
    if len(task.next_ids) >= MOST_SIGNERS:
        raise Refused("加签最多 %(most)s 人。", most=MOST_SIGNERS)
    return _other(session, task, staff, to_id)


def _other(session: Session, task: Task, staff: Staff, to_id: int) -> Staff:
    with working_as(session, ALL):
        found = next((one for one in colleagues(session, task, staff) if one.id == to_id), None)
    if found is None:
        raise Refused("请选择一位能办理这项待办的同事：账号在用、有相应权限、没有办理过前面的环节。")
    return found


def _require_role(session: Session, task: Task, staff: Staff, to: Staff) -> None:
    """Refuse whoever lacks the role that a task asks for, where their decision would stand."""
    with working_as(session, ALL):
        if to.id in {one.id for one in in_place_of(session, task, staff)}:
            return
        label = session.scalar(select(Role.label).where(Role.name == task.role)) or task.role
    raise Refused(
        "这项待办要由「%(role)s」办理，%(name)s没有这个角色：不能转办给他，也不能以他的意见为准，可以请他先看。",
        role=label,
        name=to.name,
    )


def _require_words(note: str) -> None:
    if not note.strip():
        raise Refused("请填写原因，让接手的人明白要做什么。")


def _change(session: Session, task: Task, act: str, staff: Staff, name: Staff, **values: Any) -> None:
    told = {"note": values.pop("note", "").strip()[: tasks.NOTE], "to_id": values.pop("to_id", None)}
    with working_as(session, ALL):
        tasks.change_open(session, task, **values)
        session.refresh(task)
        tasks.note_act(session, task, act, staff=staff, for_id=name.id, **told)
        traces.record(session, f"task.{act}", task, details={"to": told["to_id"], "run": task.run_id})
