"""The quality of this moment by unit and person, read from the kept counts."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from models import Unit, db
from models.clock import now, period_of
from screens.base import Page
from screens.pickers import unit_choices
from services import live_figures


class LiveFigures(Page):
    """Completeness and validity as they stand now."""

    permission = "assessments.view"
    label, group = _l("实时质量"), "quality"

    @expose("/")
    def index(self) -> Any:
        """A unit, the units right below it, and the people who answer for its own customers."""
        session, choices = db.session(), unit_choices()
        reach = [key for key, _name in choices]
        wanted = request.args.get("unit", type=int)
        unit = session.get_one(Unit, wanted if wanted in reach else current_user.unit_id)
        moment = now(session)
        month = period_of(moment.date())
        facts = {"unit": unit, "units": choices, "moment": moment, "month": month}
        facts["lines"] = live_figures.units(session, unit, month)
        return self.render("screens/live_figures.html", people=live_figures.people(session, unit, month), **facts)
