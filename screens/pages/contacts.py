"""The list of contacts: what stands behind the figures by kind and verdict."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from models import Contact
from models.words import CONTACT_STATES, SOURCES, VERDICTS
from screens import customer_views, looks, masking
from screens.contact_lists import WHOSE
from screens.filters import equals
from screens.forms import choices
from screens.listings import Column, Listing, Sort
from screens.lists import ListPage
from screens.pickers import kind_choices, unit_filter


class Contacts(ListPage):
    """Contact versions by kind, verdict, source; current ones unless a state is chosen."""

    permission = "contacts.view"
    export_permission, has_plain = "customers.export", True
    label, group = _l("联系信息"), "records"
    lead = _l("首页和报表里每个数字背后的记录。")
    listing = Listing(
        id=Contact.id,
        columns=(
            *WHOSE,
            Column(_l("内容"), lambda row, _extra: masking.contact_text(row)),
            Column(_l("判定"), lambda row, _extra: looks.badge(row.verdict, "VERDICTS")),
            Column(_l("原因"), lambda row, _extra: " ".join(customer_views.sentences(row.reasons))),
            Column(_l("状态"), lambda row, _extra: looks.badge(row.state, "CONTACT_STATES")),
            Column(_l("来源"), lambda row, _extra: looks.word(row.source, "SOURCES"), css="nowrap"),
            Column(_l("录入"), lambda row, _extra: looks.day(row.recorded_at), css="nowrap"),
        ),
        sorts={"newest": Sort(_l("最近录入"), (), descending=True)},
        filters=(
            unit_filter(Contact.unit_id),
            equals("kind", _l("种类"), kind_choices, Contact.kind),
            equals("verdict", _l("判定"), choices(VERDICTS), Contact.verdict),
            equals("source", _l("来源"), choices(SOURCES), Contact.source),
            equals("state", _l("状态"), choices(CONTACT_STATES), Contact.state),
        ),
        link=lambda row: looks.customer_url(row.customer_id),
    )

    def query(self) -> Select[Any]:
        found = select(Contact).options(joinedload(Contact.customer))
        return (
            found if request.args.get("state") in CONTACT_STATES else found.where(Contact.state == "current")
        )
