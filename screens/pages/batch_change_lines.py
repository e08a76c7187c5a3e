"""The lines behind the figures of a batch change: value now and after, picked and decided one by one."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from markupsafe import Markup
from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from models import BatchChange, BatchChangeLine, db
from models.quality_words import CHANGE_CONFLICTS, CHANGE_LINE_STATES
from screens import looks, masking
from screens.access import needs
from screens.batch_change_figures import before_text, cause_label
from screens.filters import Filter, equals
from screens.forms import choices
from screens.listings import Action, Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done
from screens.pages.accounts import safe_target
from screens.pages.batch_changes import set_going
from screens.pages.customers import purposes_of_reveal, reasons_of
from screens.row_words import kinds_word
from screens.rows import picked
from services import Refused, batch_changes, contact_desk
from services.batch_changes import Choice

OFFERED = 200
MOST_PLAIN = 50


def change_choices() -> list[tuple[str, str]]:
    """The newest batch changes."""
    rows = db.session.scalars(select(BatchChange).order_by(BatchChange.id.desc()).limit(OFFERED))
    return [(str(row.id), str(row)) for row in rows]


def cause_choices() -> list[tuple[str, str]]:
    """The groups of the change that the address names."""
    change = db.session.get(BatchChange, request.args.get("change", 0, type=int) or 0)
    if change is None:
        return []
    query = select(BatchChangeLine.cause).where(BatchChangeLine.change_id == change.id)
    query = query.group_by(BatchChangeLine.cause).order_by(func.count().desc()).limit(OFFERED)
    found = list(db.session.scalars(query))
    asked = request.args.get("cause", "")
    return [(code, cause_label(change.kind, code)) for code in ([*found, asked] if asked not in found else found)]


def before_and_after(row: BatchChangeLine) -> Any:
    """The value now, struck through, and the value after the change; the middle of both is covered."""
    now = Markup("<del>{}</del> → ").format(before_text(row.contact)) if row.contact else ""
    badge = looks.badge(row.verdict, "VERDICTS")
    return Markup("<span>{}<ins>{}</ins> {}</span>").format(now, masking.contact_text(row), badge)


def conflict_words(code: str) -> str:
    """Why a line is left as it is."""
    return _(CHANGE_CONFLICTS[code]) if code in CHANGE_CONFLICTS else code


class BatchChangeLines(ListPage):
    """The lines of batch changes."""

    permission = "batch_changes.view"
    label, group = _l("批量变更明细"), "records"
    in_menu = False
    lead = _l("一行是一个要变更的值。提交前可以把不该变更的取出来；提交后由别人逐条或按原因整组审核。")
    listing = Listing(
        id=BatchChangeLine.id,
        columns=(
            Column(_l("户号"), lambda row, _extra: row.customer.account_no, css="nowrap"),
            Column(_l("户名"), lambda row, _extra: masking.name_text(row.customer.name), css="nowrap"),
            Column(_l("种类"), lambda row, _extra: kinds_word(row.kind), css="nowrap"),
            Column(_l("现用 → 变更后"), lambda row, _extra: before_and_after(row)),
            Column(_l("原因"), lambda row, extra: cause_label(extra, row.cause)),
            Column(_l("状态"), lambda row, _extra: looks.badge(row.state, "CHANGE_LINE_STATES"), css="nowrap"),
            Column(_l("说明"), lambda row, _extra: conflict_words(row.conflict)),
        ),
        sorts={"first": Sort(_l("先后"), ())},
        filters=(
            Filter(
                "change",
                _l("批量变更"),
                change_choices,
                lambda query, value: query.where(BatchChangeLine.change_id == int(value)),
            ),
            equals("state", _l("状态"), choices(CHANGE_LINE_STATES), BatchChangeLine.state),
            equals("cause", _l("原因"), cause_choices, BatchChangeLine.cause),
            equals("conflict", _l("冲突"), choices(CHANGE_CONFLICTS), BatchChangeLine.conflict),
        ),
        actions=(
            Action("reveal", _l("看明文"), "customers.reveal", choices=purposes_of_reveal),
            Action("leave", _l("取出 / 放回"), "batch_changes.run"),
            Action("approve", _l("通过"), "batch_changes.approve", _l("确定通过选中的 {n} 条变更？")),
            Action(
                "refuse",
                _l("驳回"),
                "batch_changes.approve",
                _l("确定驳回选中的 {n} 条变更？"),
                choices=lambda: reasons_of("proposal_refused"),
            ),
        ),
        load=lambda session, rows: kinds_of(session, rows),
        link=lambda row: looks.customer_url(row.customer_id),
        empty=_l("没有这样的明细。"),
    )

    def query(self) -> Select[Any]:
        found = select(BatchChangeLine)
        return found.options(joinedload(BatchChangeLine.customer), joinedload(BatchChangeLine.contact))

    @expose("/reveal", methods=("POST",))
    @needs("customers.reveal")
    def reveal(self) -> str:
        """The picked lines in plain text, after a purpose was named and written down for each customer."""
        change, choice = chosen()
        purpose = request.form.get("choice", "")
        if purpose not in dict(purposes_of_reveal()):
            raise Refused(_("请先选择查看明文的用途。"))
        rows = db.session.scalars(self.query().where(BatchChangeLine.id.in_(choice.ids or ()))).all()[:MOST_PLAIN]
        for customer in {row.customer_id: row.customer for row in rows}.values():
            ids = [row.contact_id for row in rows if row.customer_id == customer.id and row.contact_id]
            contact_desk.reveal(db.session(), customer, ids, staff=current_user, purpose=purpose)
        return self.render(
            "screens/batch_change_plain.html",
            change=change,
            rows=rows,
            label=lambda row: cause_label(change.kind, row.cause),
        )

    @expose("/leave", methods=("POST",))
    @needs("batch_changes.run")
    def leave(self) -> Any:
        """Leave lines out of what is submitted, or take them in again."""
        change, choice = chosen()
        number = batch_changes.leave(db.session(), change, choice, current_user)
        done(_("已取出或放回 %(number)s 条。", number=number))
        return redirect(safe_target(request.form.get("back")), 303)

    @expose("/approve", methods=("POST",))
    @needs("batch_changes.approve")
    def approve(self) -> Any:
        """Approve the picked lines."""
        change, choice = chosen()
        batch_changes.approve(db.session(), change, choice, current_user, checked=False)
        set_going(change)
        return redirect(url_for("batch_changes.show", key=change.id), 303)

    @expose("/refuse", methods=("POST",))
    @needs("batch_changes.approve")
    def refuse(self) -> Any:
        """Refuse the picked lines with one reason."""
        change, choice = chosen()
        reason = request.form.get("choice", "")
        batch_changes.refuse(db.session(), change, choice, current_user, reason=reason)
        set_going(change)
        return redirect(url_for("batch_changes.show", key=change.id), 303)


def kinds_of(session: Any, rows: Any) -> dict[int, str]:
    """The kind of change that each line of a page belongs to."""
    ids = {row.change_id for row in rows}
    kinds = dict(session.execute(select(BatchChange.id, BatchChange.kind).where(BatchChange.id.in_(ids))).all())
    return {row.id: kinds[row.change_id] for row in rows}


def chosen() -> tuple[BatchChange, Choice]:
    """The picked lines and the one change that they belong to."""
    ids = picked(request.form.getlist("rowid"))
    found = set(db.session.scalars(select(BatchChangeLine.change_id).where(BatchChangeLine.id.in_(ids))))
    if len(found) != 1:
        raise Refused(_("请先勾选同一批变更里要处理的行。"))
    return db.session.get_one(BatchChange, found.pop()), Choice(ids=ids)
