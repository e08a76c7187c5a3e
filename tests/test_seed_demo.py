"""The demo's calendar, and the generated bureau put into a database."""

from datetime import date

import pytest
from flask_security import verify_password
from sqlalchemy import select

from models import Customer, Letterhead, Staff, Territory, Unit
from models.clock import utcnow
from seed import staffing
from seed.bureau import make_bureau
from seed.demo import LONGEST, first_day
from services import accounts, units


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2026-11-22", "2026-10-10"),
        ("2026-11-15", "2026-10-10"),
        ("2026-11-14", "2026-09-10"),
        ("2026-01-05", "2025-11-10"),
        ("2026-03-17", "2026-01-10"),
        ("2026-03-18", "2026-02-10"),
    ],
)
def test_demo_begins_on_the_tenth_of_a_month_that_is_over(today, expected):
    day = date.fromisoformat(today)
    assert first_day(day) == date.fromisoformat(expected)
    assert (day - first_day(day)).days >= LONGEST


@pytest.fixture
def bureau(session, shell, tmp_path):
    made = make_bureau(7)
    staffing.write_units(made, tmp_path / "units.csv")
    units.import_file(session, tmp_path / "units.csv")
    staffing.set_up_staff(session, made, password="Chancheng-7")
    session.flush()
    return made


def test_units_come_in_through_the_unit_file(session, bureau):
    rows = {row.code: row for row in session.scalars(select(Unit))}
    assert set(rows) == {unit.code for unit in bureau.units}
    for unit in bureau.units:
        row = rows[unit.code]
        assert (row.name, row.kind, row.area_code, row.region) == (
            unit.name,
            unit.kind,
            unit.area_code,
            unit.region,
        )
        assert row.path == (f"{rows[unit.parent].path}{row.id}/" if unit.parent else f"/{row.id}/")


def test_everybody_signs_in_with_the_one_password(session, bureau):
    staff = {row.username: row for row in session.scalars(select(Staff))}
    assert len(staff) == 61
    for who in bureau.staff:
        assert [role.name for role in staff[who.login].roles] == [who.role]
    assert verify_password("Chancheng-7", staff[bureau.staff[0].login].password)
    assert session.scalars(select(Letterhead.organ)).one() == "佛山供电局"


def test_one_time_password_is_strong_enough_for_all_logins():
    for who in make_bureau(7).staff:
        accounts.check_password(accounts.one_time_password(), who.login)


def test_every_second_book_goes_to_the_meter_reader(session, bureau):
    station = session.scalars(select(Unit).where(Unit.code == "FS0101")).one()
    for number in range(5):
        book = f"ZM-{number:03d}"
        session.add(
            Customer(
                account_no=book, unit_id=station.id, meter_book=book, created_at=utcnow(), changed_at=utcnow()
            )
        )
    session.flush()
    assert staffing.share_out_books(session, bureau) == 3
    rows = session.execute(
        select(Territory.code, Staff.job).join(Staff, Staff.id == Territory.staff_id)
    ).all()
    assert sorted(rows) == [(f"ZM-{number:03d}", "抄表催费员") for number in (0, 2, 4)]
