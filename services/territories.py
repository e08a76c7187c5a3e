"""Who goes to which door: the customer's manager, else the territory, else who of the unit has the fewest doors."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Customer, Leave, Role, Staff, Territory, Unit, Visit
from models.clock import today
from models.people import staff_roles
from models.scope import ALL, working_as

OPEN_STATES = ("assigned", "accepted", "not_met")


@dataclass
class Walkers:
    """The account managers who can walk on a day, what is theirs, and how many open doors each has."""

    units: dict[int, int]
    paths: dict[int, str]
    areas: dict[tuple[int, str, str], int]
    doors: Counter[int] = field(default_factory=Counter)

    def choose(self, customer: Customer) -> int | None:
        """The person for a customer's door; None when nobody of the unit or above can walk."""
        chosen = self._own(customer) or self._fewest(customer)
        if chosen is not None:
            self.doors[chosen] += 1
        return chosen

    def _own(self, customer: Customer) -> int | None:
        keys = [
            ("meter_book", customer.meter_book),
            ("transformer_area", customer.transformer_area),
            ("unit", ""),
        ]
        named = [self.areas.get((customer.unit_id, kind, code)) for kind, code in keys]
        return next((key for key in [customer.manager_id, *named] if key in self.units), None)

    def _fewest(self, customer: Customer) -> int | None:
        path = self.paths[customer.unit_id]
        near = [key for key, unit_id in self.units.items() if unit_id == customer.unit_id]
        above = [key for key, unit_id in self.units.items() if path.startswith(self.paths[unit_id])]
        return min(near or above, key=lambda key: (self.doors[key], key), default=None)


def walkers(session: Session, day: date | None = None) -> Walkers:
    """Everybody who can walk on a day (default: today): active account managers who are not on leave."""
    when = day or today(session)
    away = select(Leave.staff_id).where(Leave.starts_on <= when, Leave.ends_on >= when)
    people = (
        select(Staff.id, Staff.unit_id)
        .join(staff_roles, staff_roles.c.staff_id == Staff.id)
        .join(Role, Role.id == staff_roles.c.role_id)
        .where(Role.name == "account_manager", Staff.active.is_(True), Staff.id.not_in(away))
    )
    areas = select(Territory.unit_id, Territory.kind, Territory.code, Territory.staff_id)
    load = select(Visit.staff_id, func.count()).where(Visit.state.in_(OPEN_STATES)).group_by(Visit.staff_id)
    with working_as(session, ALL):
        return Walkers(
            units={row.id: row.unit_id for row in session.execute(people.order_by(Staff.id))},
            paths={row.id: row.path for row in session.execute(select(Unit.id, Unit.path))},
            areas={
                (r.unit_id, r.kind, "" if r.kind == "unit" else r.code): r.staff_id
                for r in session.execute(areas)
            },
            doors=Counter({key: number for key, number in session.execute(load) if key is not None}),
        )
