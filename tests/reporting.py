"""A bureau with two stations that was assessed in three months: what reports are tested with."""

from __future__ import annotations

from datetime import datetime

from factories import make_customer, make_unit
from sqlalchemy.orm import Session

from models import Assessment, CustomerVersion, RequiredField, Staff, Unit
from models.clock import ZONE, move_to
from services import assessments, issues
from services.contacts import Draft, record

MONTHS = ("2025-11", "2026-10", "2026-11")


def at(period: str, day: int = 5) -> datetime:
    """Noon of a day of a month."""
    return datetime(int(period[:4]), int(period[5:]), day, 12, tzinfo=ZONE)


def assess(session: Session, unit: Unit, period: str) -> Assessment:
    """Assess a month and bring the issues to it."""
    run = assessments.keep(
        session, assessments.count(session, assessments.question(session, period, unit)), staff_id=None
    )
    for _chunk in issues.follow(session, run):
        pass
    return run


def assessed_bureau(session: Session, shell: Staff) -> tuple[Unit, list[Unit]]:
    """Two stations with ten customers each; of twenty mobiles 5, then 12, then 15 are recorded month by month."""
    move_to(session, at("2026-11", 30))
    session.query(RequiredField).delete()
    session.add(RequiredField(customer_class="low_voltage_residential", kind="mobile"))
    bureau = make_unit(session, name="南海供电局")
    stations = [make_unit(session, bureau, name=name) for name in ("石湾供电所", "=1+1供电所")]
    recorded = [*["2025-11"] * 5, *["2026-10"] * 7, *["2026-11"] * 3, *[None] * 5]
    drafts = []
    for number, period in enumerate(recorded):
        row = make_customer(session, stations[number % 2], meter_book=f"B{number % 4}")
        version = {
            "customer_class": row.customer_class,
            "opened_on": row.opened_on,
            "valid_from": at("2020-01"),
        }
        session.add(CustomerVersion(customer_id=row.id, unit_id=row.unit_id, **version))
        if period:
            value = {"raw": f"13923{number:06}", "value": f"+8613923{number:06}", "recorded_at": at(period)}
            whose = {"customer_id": row.id, "unit_id": row.unit_id, "kind": "mobile", "recorder_id": shell.id}
            drafts.append(Draft(**whose, **value, verdict="valid", source="import"))
    record(session, drafts)
    for period in MONTHS:
        assess(session, bureau, period)
    return bureau, stations
