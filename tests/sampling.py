"""A small bureau with a committed or drawn sample, for the tests of samples, audits and their screens."""

from __future__ import annotations

from datetime import date, datetime

from factories import make_staff, make_unit
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, RequiredField, Sample, Staff, Unit
from models.clock import ZONE, move_to, utcnow
from services import samples
from services.contacts import Draft, record
from services.samples import Wanted

PERIOD = "2026-11"
BEFORE = datetime(2026, 11, 20, 12, tzinfo=ZONE)
AFTER = datetime(2026, 12, 1, 0, tzinfo=ZONE)
NUMBER = "03 11 17 21 28 32+09"


def make_bureau(session: Session, *, customers: int = 12) -> Unit:
    """A county with two stations on 20 November 2026: residents with a mobile and an address, a few of them new."""
    move_to(session, BEFORE)
    session.query(RequiredField).delete()
    for kind in ("mobile", "supply_address"):
        session.add(RequiredField(customer_class="low_voltage_residential", kind=kind))
    county = make_unit(session, code="C1", name="城区县局", kind="county_bureau")
    clerk = make_staff(session, "clerk", county)
    stations = [
        make_unit(session, county, code="S1", name="东所"),
        make_unit(session, county, code="S2", name="西所"),
    ]
    for station in stations:
        stamps = {"created_at": utcnow(), "changed_at": utcnow(), "unit_id": station.id, "name": "张三"}
        session.add_all(Customer(**stamps, **facts(station, place)) for place in range(customers))
    session.flush()
    record(
        session,
        [draft for customer in session.scalars(select(Customer)) for draft in drafts(customer, clerk)],
    )
    return county


def facts(station: Unit, place: int) -> dict[str, object]:
    """What the `place`-th customer of a station is; every fourth was opened in November."""
    opened = date(2026, 11, 3) if place % 4 == 0 else date(2020, 1, 1)
    return {"account_no": f"{station.code[1]}{place:05}", "meter_book": f"B{place % 3}", "opened_on": opened}


def drafts(customer: Customer, clerk: Staff) -> list[Draft]:
    """The two recorded values of a customer."""
    values = {"mobile": "+8613800001111", "supply_address": "南海大道12号"}
    whose = {"customer_id": customer.id, "unit_id": customer.unit_id, "recorder_id": clerk.id}
    how = {"verdict": "valid", "source": "import", "recorded_at": BEFORE}
    return [Draft(kind=kind, raw=value, value=value, **whose, **how) for kind, value in values.items()]


def commit(
    session: Session, unit: Unit, size: int = 8, *, staff: Staff | None = None, **more: object
) -> Sample:
    """A committed sample of November."""
    auditor = staff or make_staff(session, "auditor")
    return samples.commit(session, unit, Wanted(PERIOD, size, **more), staff=auditor)  # type: ignore[arg-type]


def draw(
    session: Session, unit: Unit, size: int = 8, *, staff: Staff | None = None, **more: object
) -> Sample:
    """A sample drawn just after the deadline."""
    auditor = staff or make_staff(session, "auditor")
    sample = commit(session, unit, size, staff=auditor, **more)
    move_to(session, AFTER)
    samples.draw(session, sample, NUMBER, staff=auditor)
    return sample
