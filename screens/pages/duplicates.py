"""Customers that look alike: pairs with what agrees and differs, decided by a person once and for all."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from models import Customer, DuplicatePair, db
from models.quality_words import PAIR_KINDS
from screens import looks, pair_views
from screens.access import needs
from screens.filters import Filter, equals
from screens.forms import choices
from screens.listings import Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done
from screens.pickers import unit_filter
from services import duplicates
from workflows import runs

WORKFLOW = "find_duplicates"
OPEN = "open"


class Duplicates(ListPage):
    """Pairs of customers that may be one, a family, an owner with several accounts."""

    permission = "duplicates.view"
    label, group = _l("重复客户"), "records"
    lead = _l("按电话、证件、地址和户名比对出来的两户。家人、房东和一人多户不算重复；认定过的不再问。")
    template = "screens/duplicates.html"
    listing = Listing(
        id=DuplicatePair.id,
        columns=(
            Column(_l("一户"), lambda row, _extra: pair_views.title(row.first), css="nowrap"),
            Column(_l("另一户"), lambda row, _extra: pair_views.title(row.second), css="nowrap"),
            Column(_l("异同"), lambda row, _extra: pair_views.parts(row.parts)),
            Column(_l("相似度"), lambda row, _extra: row.score, sort="score", css="num"),
            Column(_l("像是"), lambda row, _extra: looks.word(row.suggested, "PAIR_KINDS"), css="nowrap"),
            Column(_l("认定"), lambda row, _extra: decision(row), css="nowrap"),
        ),
        sorts={"score": Sort(_l("相似度"), (DuplicatePair.score,), descending=True)},
        filters=(
            unit_filter(DuplicatePair.unit_id),
            equals("kind", _l("像是"), choices(PAIR_KINDS), DuplicatePair.suggested),
            Filter(
                "decision",
                _l("认定"),
                [(OPEN, _l("未认定")), *choices(PAIR_KINDS)],
                lambda query, value: query.where(DuplicatePair.decision == ("" if value == OPEN else value)),
            ),
        ),
        link=lambda row: looks.screen_url("duplicates") + str(row.id),
        empty=_l("没有这样的两户。点「重新查找」按现在的数据再比对一次。"),
    )

    def query(self) -> Select[Any]:
        found = seen().options(joinedload(DuplicatePair.first), joinedload(DuplicatePair.second))
        return found if request.args.get("decision") else found.where(DuplicatePair.decision == "")

    @expose("/find", methods=("POST",))
    @needs("duplicates.edit")
    def find(self) -> Any:
        """Look again; a run of the engine does it."""
        run = runs.start(db.session(), WORKFLOW, {}, current_user)
        done(_("已开始查找，完成后在这里看到新的两户。"))
        return redirect(self.get_url("runs.show", key=run.id), 303)

    @expose("/<int:key>", methods=("GET",))
    def view(self, key: int) -> str:
        """One pair side by side, with everybody else who hangs together with it."""
        pair = _one(key)
        session = db.session()
        members = duplicates.cluster(session, pair.first_id)
        ids = [one.customer_id for one in members]
        known = {row.id: row for row in session.scalars(select(Customer).where(Customer.id.in_(ids)))}
        return self.render(
            "screens/duplicate.html",
            pair=pair,
            title=pair_views.title,
            parts=pair_views.parts(pair.parts),
            lines=pair_views.lines(session, pair.first, pair.second),
            members=[(known[one.customer_id], one) for one in members if one.customer_id in known],
            kinds=choices(PAIR_KINDS),
        )

    @expose("/<int:key>/decide", methods=("POST",))
    @needs("duplicates.edit")
    def decide(self, key: int) -> Any:
        """Say what the two are."""
        form = request.form
        duplicates.decide(
            db.session(), _one(key), form.get("decision", ""), staff=current_user, note=form.get("note", "")
        )
        done(_("已认定，以后不再问。"))
        return redirect(self.get_url(".index"), 303)


def seen() -> Select[Any]:
    """Pairs of which both customers lie in the asking person's reach."""
    other = select(Customer.id).where(Customer.id == DuplicatePair.second_id)
    first = select(Customer.id).where(Customer.id == DuplicatePair.first_id)
    return select(DuplicatePair).where(other.exists(), first.exists())


def decision(row: DuplicatePair) -> Any:
    """What was decided, or that nobody has yet."""
    return looks.word(row.decision, "PAIR_KINDS") if row.decision else looks.badge_text("warn", _("未认定"))


def _one(key: int) -> DuplicatePair:
    found = db.session.scalar(seen().where(DuplicatePair.id == key)) if 0 < key < 2**63 else None
    return found if found is not None else abort(404)
