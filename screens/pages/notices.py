"""Bulletins and assessment notices: their register, one document with its way, the signature of the assessed."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session

from models import Notice, Staff, db
from screens import downloads
from screens.access import may, needs
from screens.base import Page
from screens.cards import Card, Line
from screens.messages import done
from services import Refused, notice_papers, notices, receipts, traces
from services.notices import UNISSUED


class Notices(Page):
    """The register of documents that one may see, and the page of one."""

    permission = "notices.view"
    label, group = _l("通报和通知单"), "results"

    @expose("/")
    def index(self) -> str:
        """The register, newest first."""
        rows = notices.visible(db.session(), current_user)
        numbers = {row.id: notices.number_of(row) for row in rows}
        return self.render("screens/notices.html", rows=rows, numbers=numbers)

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """One document: what it says, who took which stage, who has signed."""
        row = _one(key)
        waits = row.kind == "bulletin" and row.state == "issued"
        return self.render(
            "screens/notice.html",
            row=row,
            number=notices.number_of(row),
            missing=notices.units_missing(db.session(), row) if waits else [],
            receipt=receipts.sheet_of(db.session(), row) if may("scans.view") else None,
            signable=notices.signable(db.session(), row, current_user),
            editable=row.state == "draft" and may("notices.edit"),
        )

    @expose("/<int:key>/document.pdf")
    def document(self, key: int) -> Any:
        """The issued PDF, or the draft as it would print."""
        row = _one(key)
        if row.sha256:
            return downloads.stored(db.session(), row.sha256)
        printed = notice_papers.printed_facts(db.session(), row)
        return downloads.made(notice_papers.lay_out(printed), f"{notices.file_name(db.session(), row)}.pdf")

    @expose("/<int:key>/opinion", methods=("POST",))
    @needs("notices.edit")
    def opinion(self, key: int) -> Any:
        """Write the opinion of a draft; figures are fields that cannot be typed over."""
        row = _one(key)
        if row.state not in ("draft",):
            raise Refused(_("已经送审的文件不能再改，请由审核人退回后重拟。"))
        row.opinion = request.form.get("opinion", "").strip()[:1000]
        traces.record(db.session(), "notice.edited", row)
        done(_("考核意见已保存。"))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/acknowledge", methods=("POST",))
    @needs("notices.acknowledge")
    def acknowledge(self, key: int) -> Any:
        """Sign for a document in the name of one's unit, with or without objection."""
        objects = request.form.get("objects") == "yes"
        text = request.form.get("rebuttal", "").strip()[:2000]
        if objects and not text:
            raise Refused(_("有异议时请写明陈述意见。"))
        unit = current_user.unit
        notices.acknowledge(
            db.session(), _one(key), staff=current_user, unit=unit, rebuttal=text if objects else ""
        )
        done(_("已签收，陈述意见已送交。") if objects else _("已签收。"))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/void", methods=("POST",))
    @needs("notices.edit")
    def void(self, key: int) -> Any:
        """Make a document void that is not issued yet."""
        row, reason = _one(key), request.form.get("reason", "").strip()[:200]
        if not reason or row.state not in UNISSUED:
            raise Refused(_("作废要写明原因；已印发的文件只能另发更正。"))
        notices.void(db.session(), [row], reason=reason)
        done(_("已作废，编号保留在登记簿里。"))
        return redirect(self.get_url(".show", key=key), 303)


def _one(key: int) -> Notice:
    found = notices.visible_one(db.session(), current_user, key)
    return found if found is not None else abort(404)


def to_sign_card(session: Session, staff: Staff) -> Card | None:
    """The issued documents that a unit has still to sign for."""
    rows = [row for row in notices.visible(session, staff) if notices.signable(session, row, staff)]
    lines = [Line(row.title, url_for("notices.show", key=row.id)) for row in rows[:5]]
    return Card(
        _("待签收的文件"), len(rows), url_for("notices.index"), tone="care" if rows else "calm", lines=lines
    )
