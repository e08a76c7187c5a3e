"""Small makers of rows for tests: each takes the session and writes one believable thing."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Campaign, Contact, Customer, Letter, PrintRun, Role, Staff, Unit
from models.clock import now, utcnow
from models.people import root_unit
from services.campaigns import Beginning, add_recipients, begin_campaign
from services.contacts import Draft, record, settle, usable
from services.forms import Form, keep_version
from services.letters import plan_letters, write_letters
from services.segments import Target

ADDRESS = "广东省佛山市南海区桂城街道南海大道12号3栋2单元501室"

_numbers = itertools.count(1)


def make_unit(session: Session, parent: Unit | None = None, **facts: Any) -> Unit:
    """A unit below `parent` (default: the root)."""
    above = parent or root_unit(session)
    number = next(_numbers)
    values = {
        "code": f"U{number}",
        "name": f"第{number}供电所",
        "kind": "supply_station",
        "area_code": "0757",
    }
    unit = Unit(**{**values, "region": "广东省佛山市", **facts}, parent_id=above.id, path="")
    session.add(unit)
    session.flush()
    unit.path = f"{above.path}{unit.id}/"
    session.flush()
    return unit


def make_staff(session: Session, role: str = "clerk", unit: Unit | None = None, **facts: Any) -> Staff:
    """A person with one seeded role."""
    number = next(_numbers)
    values = {"username": f"staff{number}", "name": f"员工{number}", "fs_uniquifier": f"u{number}"}
    home = unit or root_unit(session)
    staff = Staff(**{**values, **facts}, unit_id=home.id, created_at=utcnow())
    staff.roles = list(session.scalars(select(Role).where(Role.name == role)))
    session.add(staff)
    session.flush()
    return staff


def make_customer(session: Session, unit: Unit | None = None, **facts: Any) -> Customer:
    """A customer of a unit."""
    number = next(_numbers)
    values = {"account_no": f"0600{number:09}", "name": "张三", "opened_on": date(2020, 1, 1)}
    home = unit or root_unit(session)
    stamps = {"created_at": utcnow(), "changed_at": utcnow()}
    customer = Customer(**{**values, **stamps, **facts}, unit_id=home.id)
    session.add(customer)
    session.flush()
    return customer


def make_contact(session: Session, customer: Customer, kind: str = "mobile", **facts: Any) -> Contact:
    """A current contact of a customer, recorded through the one way in and settled whatever the policy says."""
    return make_contacts(session, [draft_of(session, customer, kind, **facts)])[0]


def make_contacts(session: Session, drafts: list[Draft]) -> list[Contact]:
    """Many of them at once, in the given order: ten times as fast as one by one."""
    done = record(session, drafts)
    if done.waiting:
        settle(session, sorted(done.waiting))
    found = {row.id: row for row in session.scalars(select(Contact).where(Contact.id.in_(done.ids)))}
    return [found[key] for key in done.ids]


def draft_of(session: Session, customer: Customer, kind: str = "mobile", **facts: Any) -> Draft:
    """A value that was brought in for a customer."""
    values = {"raw": "13800001111", "value": "+8613800001111", "verdict": "valid", "source": "import"}
    values |= {"recorded_at": now(session)}
    return Draft(customer_id=customer.id, unit_id=customer.unit_id, kind=kind, **{**values, **facts})


def make_campaign(session: Session, unit: Unit | None = None, **facts: Any) -> Campaign:
    """A running campaign of a unit (default: the root)."""
    beginning = Beginning(**{"name": "核对", "unit_id": (unit or root_unit(session)).id, **facts})
    campaign = begin_campaign(session, beginning)
    campaign.state = "running"
    session.flush()
    return campaign


def make_letter(
    session: Session, customer: Customer, campaign: Campaign | None = None, **facts: Any
) -> Letter:
    """A posted letter to a usable address of the customer (made where there is none), without its file."""
    if not usable(session, [customer.id], ["postal_address", "supply_address"]):
        make_contact(session, customer, "supply_address", raw=ADDRESS, value=ADDRESS)
    home = campaign or make_campaign(session)
    address = usable(session, [customer.id], ["postal_address", "supply_address"])[0]
    add_recipients(
        session, home.id, [Target(customer.id, customer.unit_id, "", "", address.id, address.value, "")]
    )
    plan = next(iter(plan_letters(session, home, form_version=1)))
    form = keep_version(session, Form("survey_letter", 1, "0" * 64, {}))
    stamps = {"composed_at": utcnow(), "serial_from": plan["serial"], "serial_to": plan["serial"]}
    run = PrintRun(
        campaign_id=home.id, unit_id=home.unit_id, number=plan["serial"], letters=1, pages=2, **stamps
    )
    run.state = "printed"
    session.add(run)
    session.flush()
    ids = write_letters(session, home.id, [plan], form_version_id=form.id, print_run_id=run.id)
    letter = session.get_one(Letter, ids[0])
    letter.state, letter.posted_at = "posted", now(session)
    for name, value in facts.items():
        setattr(letter, name, value)
    session.flush()
    return letter
