"""What each way of getting contacts gained, proved right and kept; each figure opens the values behind it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from models import Contact, db
from models.clock import today
from models.words import SOURCES
from screens import looks, masking
from screens.access import needs
from screens.base import Page
from screens.contact_lists import WHOSE
from screens.filters import Filter, equals, is_day
from screens.forms import choices
from screens.listings import Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done
from screens.pickers import unit_choices
from services import yields
from services.yields import Asked

SPAN = timedelta(days=365)
FIGURES = {
    "gained": _l("新得到"),
    "proved": _l("核实为对"),
    "refuted": _l("核实有误"),
    "old": _l("满期的"),
    "kept": _l("满期仍用"),
}


class Yields(Page):
    """Sources by what they gave."""

    permission = "contacts.view"
    label, group = _l("获取成效"), "quality"

    @expose("/")
    def index(self) -> str:
        """The figures of a span of days."""
        asked = wanted()
        return self.render(
            "screens/yields.html",
            asked=asked,
            rows=yields.yields(db.session(), asked),
            units=unit_choices(),
            figures=FIGURES,
        )

    @expose("/costs", methods=("POST",))
    @needs("rules.edit")
    def costs(self) -> Any:
        """Keep what one value costs."""
        yields.set_costs(db.session(), request.form, staff=current_user)
        done(_("成本已保存。"))
        return redirect(self.get_url(".index"), 303)


class YieldValues(ListPage):
    """The values behind one figure."""

    permission = "contacts.view"
    export_permission, has_plain = "customers.export", True
    label, group = _l("获取成效明细"), "quality"
    in_menu = False
    lead = _l("获取成效里一个数字背后的联系信息。")
    listing = Listing(
        id=Contact.id,
        columns=(
            *WHOSE,
            Column(_l("内容"), lambda row, _extra: masking.contact_text(row)),
            Column(_l("来源"), lambda row, _extra: looks.word(row.source, "SOURCES"), css="nowrap"),
            Column(_l("状态"), lambda row, _extra: looks.badge(row.state, "CONTACT_STATES")),
            Column(_l("进入系统"), lambda row, _extra: looks.day(row.created_at), css="nowrap"),
        ),
        sorts={"newest": Sort(_l("最近录入"), (), descending=True)},
        filters=(
            equals(
                "source",
                _l("来源"),
                [pair for pair in choices(SOURCES) if pair[0] in yields.SOURCES],
                Contact.source,
            ),
            Filter("figure", _l("数字"), list(FIGURES.items()), lambda query, _value: query),
            Filter("unit", _l("单位"), unit_choices, lambda query, _value: query),
            Filter("first", _l("从"), None, lambda query, _value: query),
            Filter("last", _l("到"), None, lambda query, _value: query),
        ),
        link=lambda row: looks.customer_url(row.customer_id),
    )

    def query(self) -> Select[Any]:
        asked, session = wanted(), db.session()
        figure = yields.figure(session, request.args.get("figure", "gained"), asked)
        query = select(Contact).where(yields.gained(session, asked), figure)
        return query.options(joinedload(Contact.customer))


def wanted() -> Asked:
    """The span and unit that the address asks for; the last year, and all in reach, where it says nothing."""
    last = _day("last", today(db.session()))
    first = min(_day("first", last - SPAN), last)
    unit = request.args.get("unit", type=int)
    return Asked(first, last, unit if unit in {key for key, _name in unit_choices()} else None)


def _day(name: str, usual: date) -> date:
    text = request.args.get(name, "")
    return date.fromisoformat(text) if is_day(text) else usual
