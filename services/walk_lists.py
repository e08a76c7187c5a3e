"""Walk lists (走访清单): a person's doors of one day in walking order, and what is printed of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from models import Contact, Customer, Reason, Staff, Visit, WalkList
from models.clock import today, utcnow
from models.scope import ALL, working_as
from models.words import SENSITIVITIES, VISIT_ORIGINS
from paper import visits as papers
from quality.addresses import split_address
from quality.routes import door_of, place_of, walking_key
from services import Refused, calendar, files, letterheads, traces
from services.judging import contexts

WAITING = ("assigned", "accepted", "not_met")
PHONES = ("mobile", "landline")


@dataclass(frozen=True)
class Door:
    """A visit and its place: where it stands in the walk, and under which heading."""

    visit: Visit
    full: str
    address: str
    place: str
    order: tuple[Any, ...]


def make_lists(session: Session, staff_ids: Sequence[int], *, day: date | None = None) -> list[WalkList]:
    """Put the doors that wait for these people into lists, in walking order, as many a working day as each can walk.

    Doors that are on a list already stay there; those that come again later (`next_on`) are taken from that day on.
    """
    start = day or today(session)
    made: list[WalkList] = []
    with working_as(session, ALL):
        for staff in session.scalars(select(Staff).where(Staff.id.in_(staff_ids)).order_by(Staff.id)).all():
            doors = in_walking_order(session, _waiting(session, staff.id, start))
            days = calendar.working_days_from(session, start)
            for at in range(0, len(doors), max(staff.capacity, 1)):
                made.append(_make_list(session, staff, next(days), doors[at : at + max(staff.capacity, 1)]))
    return made


def in_walking_order(session: Session, visits: Sequence[Visit]) -> list[Door]:
    """Estates by building, unit, floor (top down) and room; single houses by road, odd side before even, by number."""
    addresses = _addresses(session, [visit.customer_id for visit in visits])
    regions = contexts(session)
    doors = []
    for visit in visits:
        text = addresses.get(visit.customer_id, "")
        parts = split_address(text, regions[visit.unit_id].region)
        doors.append(Door(visit, text, door_of(parts) or text, place_of(parts), walking_key(parts)))
    return sorted(doors, key=lambda door: (door.order, door.visit.id))


def facts_of(session: Session, walk_list: WalkList) -> dict[str, Any]:
    """What the printed list says, as plain values: `paper.visits.WalkList` is made of it outside the transaction."""
    with working_as(session, ALL):
        query = select(Visit).where(Visit.walk_list_id == walk_list.id).options(joinedload(Visit.customer))
        doors = in_walking_order(session, session.scalars(query).all())
        doors.sort(key=lambda door: door.visit.position or 0)
        phones = _phones(session, [door.visit.customer_id for door in doors])
        reasons = _reasons(session)
        groups = [
            {"title": place, "rows": [_row(door, phones, reasons) for door in group]}
            for place, group in groupby(doors, key=lambda door: door.place)
        ]
        return {
            "number": walk_list.number,
            "manager": walk_list.staff.name,
            "unit": walk_list.staff.unit.name,
            "territory": walk_list.staff.unit.name,
            "day": walk_list.day.isoformat(),
            "copy": walk_list.copy,
            "groups": groups,
            "letterhead": asdict(letterheads.current(session)),
        }


def lay_out(facts: Mapping[str, Any]) -> bytes:
    """The PDF of a list from its plain facts; slow, so never inside a transaction."""
    groups = tuple(
        papers.WalkGroup(
            group["title"],
            tuple(papers.WalkRow(**row | {"hints": tuple(row["hints"])}) for row in group["rows"]),
        )
        for group in facts["groups"]
    )
    own = {name: facts[name] for name in ("number", "territory", "manager", "unit", "copy")}
    sheet = papers.WalkList(**own, groups=groups, day=date.fromisoformat(facts["day"]))
    return papers.walk_list(sheet, letterheads.from_plain(facts["letterhead"]))


def keep_print(session: Session, walk_list_id: int, path: str) -> dict[str, Any]:
    """Keep the printed list as a file; printing it again is a further copy."""
    walk_list = session.get_one(WalkList, walk_list_id)
    stored = files.store(session, Path(path), f"走访清单_{walk_list.number}.pdf", "application/pdf")
    walk_list.sha256 = stored.sha256
    traces.record(
        session, "walk_list.printed", walk_list, details={"doors": walk_list.doors, "copy": walk_list.copy}
    )
    return {"lists": 1, "doors": walk_list.doors}


def own_list(session: Session, walk_list_id: int) -> WalkList:
    """A walk list by id, if the session may see it."""
    found = session.scalar(select(WalkList).where(WalkList.id == walk_list_id))
    if found is None:
        raise Refused("没有这张走访清单，或不在您的范围内。")
    return found


def why(session: Session, visit: Visit) -> str:
    """Why a door is to be gone to, in words: the reason of the failed letter, else where the visit comes from."""
    return _why(visit, _reasons(session))


def _why(visit: Visit, reasons: Mapping[str, str]) -> str:
    return reasons.get(visit.reason) or VISIT_ORIGINS.get(visit.origin, visit.origin)


def _reasons(session: Session) -> dict[str, str]:
    return {
        row.code: row.label for row in session.scalars(select(Reason).where(Reason.list == "undelivered"))
    }


def _waiting(session: Session, staff_id: int, day: date) -> Sequence[Visit]:
    due = (Visit.next_on.is_(None)) | (Visit.next_on <= day)
    query = select(Visit).where(
        Visit.staff_id == staff_id, Visit.state.in_(WAITING), Visit.ended_at.is_(None)
    )
    return session.scalars(query.where(Visit.walk_list_id.is_(None), due)).all()


def _make_list(session: Session, staff: Staff, day: date, doors: Sequence[Door]) -> WalkList:
    row = WalkList(number=_number(session, day), staff_id=staff.id, unit_id=staff.unit_id, day=day)
    row.doors, row.created_at = len(doors), utcnow()
    session.add(row)
    session.flush()
    for position, door in enumerate(doors, 1):
        door.visit.walk_list_id, door.visit.position = row.id, position
    traces.record(session, "walk_list.made", row, details={"doors": row.doors})
    return row


def _number(session: Session, day: date) -> str:
    head = f"ZF-{day:%Y%m%d}-"
    last = session.scalar(select(func.max(WalkList.number)).where(WalkList.number.startswith(head)))
    return f"{head}{int(last[len(head) :]) + 1 if last else 1:03}"


def _addresses(session: Session, customer_ids: Sequence[int]) -> dict[int, str]:
    """The supply address of each customer as it stands, whatever its verdict: somebody has to find the door."""
    with working_as(session, ALL):
        rows = session.execute(
            select(Contact.customer_id, Contact.value, Contact.raw)
            .where(
                Contact.customer_id.in_(customer_ids),
                Contact.kind == "supply_address",
                Contact.state == "current",
            )
            .order_by(Contact.preferred, Contact.id.desc())
        )
        return {row.customer_id: row.value or row.raw for row in rows}


def _phones(session: Session, customer_ids: Sequence[int]) -> dict[int, str]:
    rows = session.execute(
        select(Contact.customer_id, Contact.value, Contact.raw)
        .where(Contact.customer_id.in_(customer_ids), Contact.kind.in_(PHONES), Contact.state == "current")
        .order_by(Contact.kind, Contact.preferred, Contact.id.desc())
    )
    return {row.customer_id: row.raw or row.value for row in rows}


def _row(door: Door, phones: dict[int, str], reasons: dict[str, str]) -> dict[str, Any]:
    customer: Customer = door.visit.customer
    reason = _why(door.visit, reasons)
    hints = [SENSITIVITIES[customer.sensitivity]] if customer.sensitivity not in ("", "normal") else []
    return {
        "token": door.visit.token,
        "account_no": customer.account_no,
        "name": customer.name,
        "address": door.address,
        "reason": reason,
        "phone": phones.get(customer.id, ""),
        "hints": hints,
        "remark": f"第{door.visit.attempts + 1}次" if door.visit.attempts else "",
    }
