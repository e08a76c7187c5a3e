"""The bureau's own places: what judging must know of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, literal, or_, select
from sqlalchemy.orm import Session

from models import DoorPlate, PlaceDivision, PlaceRename, Unit
from quality.address_texts import tidy
from quality.divisions import Place
from quality.places import NO_PLACES, Division, Places, PlateChange, TownRename, gather

DIVISIONS, RENAMES, PLATES = PlaceDivision.__table__, PlaceRename.__table__, DoorPlate.__table__
_OLD_AND_NEW = (PLATES.c.old_road, PLATES.c.old_number, PLATES.c.new_road, PLATES.c.new_number)


def known_places(session: Session, near: str | None = None) -> dict[int, Places]:
    """What every unit knows of its places; units that know nothing of their own are left out.

    Divisions and renames hold for the whole bureau, door plates for the unit they are recorded at and all below.
    `near` is one address to be judged: then only the plates of its streets are read.
    """
    stamp = _stamp(session)
    if not any(stamp):
        return {}
    units = [
        (row.id, row.parent_id)
        for row in session.execute(select(Unit.id, Unit.parent_id).order_by(Unit.path))
    ]
    key = (stamp, units, near)
    kept = session.info.get("known_places")
    if kept is None or kept[0] != key:
        kept = session.info["known_places"] = (key, _gathered(session, units, near))
    found: dict[int, Places] = kept[1]
    return found


def _stamp(session: Session) -> tuple[int, ...]:
    """Changes whenever a place was added or a plate withdrawn."""
    last = [func.coalesce(func.max(table.c.id), 0) for table in (DIVISIONS, RENAMES, PLATES)]
    counts = [select(number).scalar_subquery() for number in (*last, func.count(PLATES.c.withdrawn_at))]
    return tuple(session.execute(select(*counts)).one())


def _gathered(
    session: Session, units: Iterable[tuple[int, int | None]], near: str | None
) -> dict[int, Places]:
    divisions = [_division(row) for row in session.execute(select(DIVISIONS).order_by(DIVISIONS.c.id))]
    renames = session.execute(select(RENAMES).order_by(RENAMES.c.changed_on, RENAMES.c.id)).all()
    counties = [
        (Place(r.province, r.city, r.new_name), r.old_name, r.changed_on.year)
        for r in renames
        if not r.county
    ]
    towns = [_town(row) for row in renames if row.county]
    plates = _plates(session, near)
    common = gather(divisions, counties, towns)
    hung: dict[int, tuple[PlateChange, ...]] = {}
    found: dict[int, Places] = {}
    for unit_id, parent_id in units:
        above, own = hung.get(parent_id or 0, ()), plates.get(unit_id, ())
        hung[unit_id] = (*above, *own)
        places = (
            gather(divisions, counties, towns, hung[unit_id]) if own else found.get(parent_id or 0, common)
        )
        if places is not NO_PLACES:
            found[unit_id] = places
    return found


def _division(row: Row[Any]) -> Division:
    return Division(Place(row.province, row.city, row.county), row.town)


def _town(row: Row[Any]) -> TownRename:
    return TownRename(
        Place(row.province, row.city, row.county), row.old_name, row.new_name, row.changed_on.year
    )


def _plates(session: Session, near: str | None) -> dict[int, tuple[PlateChange, ...]]:
    """The plates that count, by unit; for one address those of its streets."""
    query = select(PLATES.c.unit_id, PLATES.c.changed_on, *_OLD_AND_NEW).where(
        PLATES.c.withdrawn_at.is_(None)
    )
    query = query.order_by(PLATES.c.changed_on, PLATES.c.id)
    rows = session.execute(query).all() if near is None else _along(session, query, tidy(near).text)
    found: dict[int, list[PlateChange]] = {}
    for row in rows:
        change = PlateChange((row.old_road, row.old_number), (row.new_road, row.new_number), row.changed_on)
        found.setdefault(row.unit_id, []).append(change)
    return {unit_id: tuple(changes) for unit_id, changes in found.items()}


def _along(session: Session, query: Select[Any], text: str) -> Sequence[Row[Any]]:
    """The plates of the streets that a text names, and of those that they lead to."""
    address = literal(text)
    named = or_(address.contains(PLATES.c.old_road), address.contains(PLATES.c.new_road))
    roads: set[str] = set()
    while True:
        rows = session.execute(query.where(or_(named, PLATES.c.old_road.in_(sorted(roads))))).all()
        further = {row.new_road for row in rows} - roads
        if not further:
            return rows
        roads |= further
