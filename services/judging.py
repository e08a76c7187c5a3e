"""Judging in the light of a unit: its area code and region supply what a local leaves out.

The bureau's own telephones (offices of units, staff, the letterhead's hotline) are told apart from customers'.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Letterhead, Staff, Unit
from quality import judge
from quality.places import NO_PLACES
from quality.verdicts import Context, Verdict
from services.places import known_places
from services.shared_numbers import shared_values

PHONES = ("mobile", "landline")
ADDRESSES = ("supply_address", "postal_address", "address")


def contact_kind(asked: str, found: str) -> str:
    """The contact kind of a judged value: what it is, among phones; where nothing is found, the column's (a mobile)."""
    if asked in (*PHONES, "phone") and found in PHONES:
        return found
    return "mobile" if asked == "phone" else asked


def contexts(session: Session) -> dict[int, Context]:
    """What judging must know of every unit: its area code and region, the bureau's own numbers, those of too many.

    For many values at once: it reads every unit, every staff telephone, the numbers over the limit, and all door
    plates that were changed.
    """
    homes = _homes(session)
    offices, shared, places = _office_numbers(session, homes), shared_values(session), known_places(session)
    return {
        unit_id: replace(home, offices=offices, shared=shared, places=places.get(unit_id, NO_PLACES))
        for unit_id, home in homes.items()
    }


def judge_in(session: Session, unit_id: int, kind: str, text: str) -> Verdict:
    """Judge one value keyed for a customer of a unit; chunks take `contexts` once instead."""
    home = _home(session, unit_id)
    if kind in (*PHONES, "phone"):
        offices = _office_numbers(session, _homes(session))
        home = replace(home, offices=offices, shared=shared_values(session))
    if kind in ADDRESSES:
        home = replace(home, places=known_places(session, near=text).get(unit_id, NO_PLACES))
    return judge(kind, text, home)


def _home(session: Session, unit_id: int) -> Context:
    """Area code and region of one unit: only the units above it are read."""
    path = session.scalar(select(Unit.path).where(Unit.id == unit_id)) or ""
    line = [int(part) for part in path.split("/") if part]
    rows = session.execute(select(Unit.area_code, Unit.region).where(Unit.id.in_(line)).order_by(Unit.path))
    home = Context()
    for row in rows:
        home = _below(home, row)
    return home


def _homes(session: Session) -> dict[int, Context]:
    """Area code and region of every unit."""
    found: dict[int, Context] = {}
    rows = session.execute(select(Unit.id, Unit.parent_id, Unit.area_code, Unit.region).order_by(Unit.path))
    for row in rows:
        found[row.id] = _below(found.get(row.parent_id, Context()), row)
    return found


def _below(above: Context, unit: Any) -> Context:
    """What a unit states itself, and what the nearest unit above that states it."""
    return Context(area_code=unit.area_code or above.area_code, region=unit.region or above.region)


def _office_numbers(session: Session, homes: dict[int, Context]) -> frozenset[str]:
    """Every telephone of the bureau in standard form; what cannot be read as one is left out."""
    found: set[str] = set()
    for table, owner in ((Unit.phones, Unit.id), (Staff.phone, Staff.unit_id)):
        for text, unit_id in session.execute(select(table, owner).where(table != "")):
            found.update(judge("phone", text, homes.get(unit_id, Context())).values)
    for hotline in session.scalars(select(Letterhead.hotline)):
        found.update(judge("phone", hotline).values)
    return frozenset(found)
