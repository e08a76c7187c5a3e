"""The generated bureau put into a database: its staff with one password, its letterhead, who reads which book."""

from __future__ import annotations

import csv
import secrets
from pathlib import Path

from flask_security import hash_password
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Letterhead, Role, Staff, Territory, Unit
from models.clock import utcnow
from seed import read_toml
from seed.bureau import Bureau
from services.units import COLUMNS


def write_units(bureau: Bureau, path: Path) -> None:
    """The unit tree as a file for `units import`."""
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        rows.writerows([getattr(unit, name, "") for name in COLUMNS] for unit in bureau.units)


def set_up_staff(session: Session, bureau: Bureau, *, password: str) -> None:
    """Staff and letterhead; everybody signs in with the same password, which is hashed once."""
    units = {row.code: row.id for row in session.scalars(select(Unit))}
    roles = {role.name: role for role in session.scalars(select(Role))}
    hashed = hash_password(password)
    for who in bureau.staff:
        session.add(
            Staff(
                username=who.login,
                name=who.name,
                phone=who.phone,
                password=hashed,
                fs_uniquifier=secrets.token_hex(32),
                unit_id=units[who.unit],
                job=roles[who.role].label,
                created_at=utcnow(),
                roles=[roles[who.role]],
            )
        )
    head = session.scalars(select(Letterhead).order_by(Letterhead.id).limit(1)).one()
    for name, value in read_toml("demo_letterhead").items():
        setattr(head, name, value)


def share_out_books(session: Session, bureau: Bureau) -> int:
    """Give every second meter book to the meter reader of its station; returns how many."""
    readers = {who.unit: who.login for who in bureau.staff if who.role == "meter_reader"}
    staff = {row.username: row.id for row in session.scalars(select(Staff))}
    books = session.execute(
        select(Customer.unit_id, Unit.code, Customer.meter_book)
        .join(Unit, Unit.id == Customer.unit_id)
        .where(Unit.kind == "supply_station", Customer.meter_book != "")
        .distinct()
        .order_by(Unit.code, Customer.meter_book)
    ).all()
    for row in books[::2]:
        reader = staff[readers[row.code]]
        session.add(Territory(unit_id=row.unit_id, kind="meter_book", code=row.meter_book, staff_id=reader))
    return len(books[::2])
