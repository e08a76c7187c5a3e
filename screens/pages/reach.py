"""Which channels reach how many customers, by unit; each figure opens the customers behind it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from flask_admin import expose
from flask_babel import lazy_gettext as _l

from models import Unit, db
from screens.base import Page
from screens.pickers import units_in_scope
from services import reach


@dataclass(frozen=True)
class Row:
    """One unit with everything below it."""

    unit: Unit
    depth: int
    customers: int
    reached: Counter[str]


class Reach(Page):
    """The rate of customers that each channel reaches now."""

    permission = "customers.view"
    label, group = _l("可达率"), "quality"

    @expose("/")
    def index(self) -> Any:
        """Units by channels, counted when the page is opened."""
        return self.render("screens/reach.html", rows=rows(), channels=(*reach.CHANNELS, reach.ANY))


def rows() -> list[Row]:
    """Every unit in reach with the sums of itself and all below."""
    units = units_in_scope().all()
    rates = {rate.unit_id: rate for rate in reach.rates(db.session())}
    top = min((unit.path.count("/") for unit in units), default=0)
    found = []
    for unit in units:
        below = [rates[other.id] for other in units if other.path.startswith(unit.path) and other.id in rates]
        reached: Counter[str] = Counter()
        for rate in below:
            reached.update(rate.reached)
        found.append(Row(unit, unit.path.count("/") - top, sum(rate.customers for rate in below), reached))
    return found
