"""Merges of customers: proposed with a choice per field, approved by somebody else, taken back where it was wrong."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from models import Customer, CustomerMerge, Staff, db
from models.quality_words import MERGE_STATES
from screens import looks, pair_views
from screens.access import needs
from screens.cards import Card, Line
from screens.filters import equals
from screens.forms import choices
from screens.listings import Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done, refuse, said, warn
from screens.pages.customers import customer_of
from screens.pickers import unit_filter
from screens.row_words import kinds_word
from services import Refused, merges


class Merges(ListPage):
    """Merges of all states; the newest first."""

    permission = "duplicates.view"
    label, group = _l("合并客户"), "records"
    in_menu = False
    lead = _l("把重复的一户并入另一户：一人提出，另一人审核；合并错了可以撤销，两户恢复原样。")
    listing = Listing(
        id=CustomerMerge.id,
        columns=(
            Column(_l("保留"), lambda row, _extra: pair_views.title(row.kept), css="nowrap"),
            Column(_l("并入"), lambda row, _extra: pair_views.title(row.merged), css="nowrap"),
            Column(_l("状态"), lambda row, _extra: looks.badge(row.state, "MERGE_STATES"), css="nowrap"),
            Column(
                _l("提出人"),
                lambda row, _extra: row.proposed_by.name if row.proposed_by else "",
                css="nowrap",
            ),
            Column(
                _l("提出时间"), lambda row, _extra: looks.moment(row.proposed_at), sort="newest", css="nowrap"
            ),
            Column(
                _l("审核人"), lambda row, _extra: row.decided_by.name if row.decided_by else "", css="nowrap"
            ),
        ),
        sorts={"newest": Sort(_l("提出时间"), (), descending=True)},
        filters=(
            unit_filter(CustomerMerge.unit_id),
            equals("state", _l("状态"), choices(MERGE_STATES), CustomerMerge.state),
        ),
        link=lambda row: looks.screen_url("merges") + str(row.id),
        empty=_l("没有合并记录。在「重复客户」里打开两户，可以提出合并。"),
    )

    def query(self) -> Select[Any]:
        people = (joinedload(CustomerMerge.proposed_by), joinedload(CustomerMerge.decided_by))
        both = (joinedload(CustomerMerge.kept), joinedload(CustomerMerge.merged))
        return seen().options(*people, *both)

    @expose("/propose", methods=("GET", "POST"))
    @needs("duplicates.edit")
    def propose(self) -> Any:
        """Choose per field which side stands."""
        kept = customer_of(request.values.get("kept", 0, type=int))
        merged = customer_of(request.values.get("merged", 0, type=int))
        if request.method == "GET":
            return self._form(kept, merged)
        chosen = {name: value for name, value in request.form.items() if value in ("kept", "merged", "both")}
        try:
            row = merges.propose(
                db.session(),
                (kept.id, merged.id),
                chosen,
                staff=current_user,
                evidence=request.form.get("evidence", ""),
            )
        except Refused as refusal:
            refuse(said(refusal))
            return self._form(customer_of(kept.id), customer_of(merged.id)), 422
        done(_("已提出合并，等待别人审核。"))
        return redirect(self.get_url(".view", key=row.id), 303)

    @expose("/<int:key>", methods=("GET",))
    def view(self, key: int) -> str:
        """One merge: what was chosen, what it did, and what may be done with it now."""
        row = _one(key)
        session = db.session()
        return self.render(
            "screens/merge.html",
            merge=row,
            title=pair_views.title,
            lines=pair_views.lines(session, row.kept, row.merged) if row.state == "proposed" else [],
            choices={_label(name): how for name, how in row.choices.items()},
        )

    @expose("/<int:key>/approve", methods=("POST",))
    @needs("duplicates.approve")
    def approve(self, key: int) -> Any:
        """Merge."""
        merges.approve(db.session(), _one(key), staff=current_user)
        done(_("已合并。并入的一户不再参加考核，历史仍可查看。"))
        return redirect(self.get_url(".view", key=key), 303)

    @expose("/<int:key>/refuse", methods=("POST",))
    @needs("duplicates.edit", "duplicates.approve")
    def refuse(self, key: int) -> Any:
        """Leave the two apart."""
        merges.refuse(db.session(), _one(key), staff=current_user)
        done(_("已驳回，两户保持原样。"))
        return redirect(self.get_url(".view", key=key), 303)

    @expose("/<int:key>/unmerge", methods=("POST",))
    @needs("duplicates.approve")
    def unmerge(self, key: int) -> Any:
        """Take a merge back."""
        left = merges.unmerge(db.session(), _one(key), staff=current_user)
        done(_("已撤销合并，两户恢复原样。"))
        if left:
            names = _("、").join(_label(name) for name in left)
            warn(_("合并之后又改过的保持现状：%(names)s。", names=names))
        return redirect(self.get_url(".view", key=key), 303)

    def _form(self, kept: Customer, merged: Customer) -> str:
        return self.render(
            "screens/merge_form.html",
            kept=kept,
            merged=merged,
            title=pair_views.title,
            lines=pair_views.lines(db.session(), kept, merged),
            typed=request.form,
        )


def seen() -> Select[Any]:
    """Merges of which both customers lie in the asking person's reach."""
    kept = select(Customer.id).where(Customer.id == CustomerMerge.kept_id)
    merged = select(Customer.id).where(Customer.id == CustomerMerge.merged_id)
    return select(CustomerMerge).where(kept.exists(), merged.exists())


def waiting_card(session: Session, staff: Staff) -> Card | None:
    """Merges that this person may decide, the oldest named."""
    others = seen().where(CustomerMerge.state == "proposed", CustomerMerge.proposed_by_id != staff.id)
    rows = session.scalars(
        others.options(joinedload(CustomerMerge.merged)).order_by(CustomerMerge.id).limit(100)
    ).all()
    if not rows:
        return None
    lines = [
        Line(row.merged.account_no, url_for("merges.view", key=row.id), looks.day(row.proposed_at))
        for row in rows[:3]
    ]
    note = _("超过 100 条，只数到 100") if len(rows) == 100 else ""
    link = url_for("merges.index", state="proposed")
    return Card(_("合并客户待审核"), len(rows), link, tone="care", note=note, lines=lines)


def _label(name: str) -> str:
    return str(pair_views.LABELS[name]) if name in pair_views.LABELS else kinds_word(name)


def _one(key: int) -> CustomerMerge:
    found = db.session.scalar(seen().where(CustomerMerge.id == key)) if 0 < key < 2**63 else None
    return found if found is not None else abort(404)
