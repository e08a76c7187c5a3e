"""What waits to be approved: proposals with the value before and after, one by one or many at once, never one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from markupsafe import Markup
from sqlalchemy import Select, literal_column, select
from sqlalchemy.orm import Session, joinedload

from models import Contact, Staff, db
from models.words import SOURCES, VERDICTS
from screens import customer_views, looks, masking
from screens.access import needs
from screens.cards import Card, Line
from screens.contact_lists import WHOSE
from screens.filters import equals
from screens.forms import choices
from screens.listings import Action, Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done
from screens.pages.accounts import safe_target
from screens.pages.customers import reasons_of
from screens.pickers import kind_choices, unit_filter
from screens.row_words import kinds_word
from screens.rows import picked
from services import Refused, proposals


def load(session: Session, rows: Sequence[Contact]) -> Mapping[int, Contact]:
    """The versions that the proposals of one page would take the place of."""
    wanted = {row.replaces_id: row.id for row in rows if row.replaces_id}
    found = session.scalars(select(Contact).where(Contact.id.in_(wanted)))
    return {wanted[row.id]: row for row in found}


def before_and_after(row: Contact, replaced: Contact | None) -> Any:
    """The value now, struck through, and the value proposed."""
    now = Markup("<del>{}</del> → ").format(masking.contact_text(replaced)) if replaced else ""
    if not row.raw and not row.value:
        return looks.joined(
            _("停用"), Markup("<del>{}</del>").format(masking.contact_text(replaced) if replaced else "")
        )
    after = Markup("<ins>{}</ins>").format(masking.contact_text(row))
    return Markup("{}{} {}").format(now, after, looks.badge(row.verdict, "VERDICTS"))


def why(row: Contact) -> str:
    """The reasons of the judgement, and what backs the proposal."""
    parts = customer_views.sentences(row.reasons)
    return " ".join([*parts, *([_("佐证：%(evidence)s", evidence=row.evidence)] if row.evidence else [])])


class Proposals(ListPage):
    """Contact versions that are not current yet."""

    permission = "proposals.view"
    label, group = _l("变更申请"), "records"
    lead = _l("不能自动生效的新联系信息在这里等人审核。自己提出的要由别人审核；驳回要选原因。")
    listing = Listing(
        id=Contact.id,
        columns=(
            *WHOSE,
            Column(_l("现用 → 申请"), before_and_after),
            Column(_l("说明"), lambda row, _extra: why(row)),
            Column(_l("来源"), lambda row, _extra: looks.word(row.source, "SOURCES"), css="nowrap"),
            Column(_l("录入人"), lambda row, _extra: row.recorder.name if row.recorder else "", css="nowrap"),
            Column(
                _l("提出时间"), lambda row, _extra: looks.moment(row.created_at), sort="oldest", css="nowrap"
            ),
        ),
        sorts={
            "oldest": Sort(_l("最早提出"), ()),
            "newest": Sort(_l("最近提出"), (), descending=True),
        },
        filters=(
            unit_filter(Contact.unit_id),
            equals("kind", _l("种类"), kind_choices, Contact.kind),
            equals("source", _l("来源"), choices(SOURCES), Contact.source),
            equals("verdict", _l("判定"), choices(VERDICTS), Contact.verdict),
        ),
        actions=(
            Action("approve", _l("通过"), "proposals.approve", _l("确定通过选中的 {n} 条变更申请？")),
            Action(
                "refuse",
                _l("驳回"),
                "proposals.approve",
                _l("确定驳回选中的 {n} 条变更申请？"),
                choices=lambda: reasons_of("proposal_refused"),
            ),
        ),
        load=load,
        link=lambda row: looks.customer_url(row.customer_id),
        empty=_l("没有等待审核的变更申请。"),
    )

    def query(self) -> Select[Any]:
        return waiting().options(joinedload(Contact.customer), joinedload(Contact.recorder))

    @expose("/approve", methods=("POST",))
    @needs("proposals.approve")
    def approve(self) -> Any:
        """Let the picked proposals become current."""
        number = proposals.approve(db.session(), _picked(), staff=current_user)
        done(_("已通过 %(number)s 条。", number=number))
        return redirect(safe_target(request.form.get("back")), 303)

    @expose("/refuse", methods=("POST",))
    @needs("proposals.approve")
    def refuse(self) -> Any:
        """Refuse the picked proposals with one reason."""
        reason = request.form.get("choice", "")
        number = proposals.refuse(db.session(), _picked(), staff=current_user, reason=reason)
        done(_("已驳回 %(number)s 条。", number=number))
        return redirect(safe_target(request.form.get("back")), 303)


def waiting() -> Select[Any]:
    """Proposals that nobody has decided yet."""
    return select(Contact).where(Contact.state == literal_column("'proposed'"))  # what its index is made for


def waiting_card(session: Session, staff: Staff) -> Card | None:
    """Proposals that this person may decide: counted up to a hundred, the oldest named."""
    others = waiting().where((Contact.recorder_id != staff.id) | Contact.recorder_id.is_(None))
    rows = session.scalars(others.options(joinedload(Contact.customer)).order_by(Contact.id).limit(100)).all()
    if not rows:
        return None
    lines = [
        Line(
            _("%(account)s 的%(kind)s", account=row.customer.account_no, kind=kinds_word(row.kind)),
            looks.customer_url(row.customer_id),
            looks.day(row.created_at),
        )
        for row in rows[:3]
    ]
    note = _("超过 100 条，只数到 100") if len(rows) == 100 else ""
    return Card(
        _("变更申请待审核"), len(rows), url_for("proposals.index"), tone="care", note=note, lines=lines
    )


def _picked() -> list[int]:
    found = picked(request.form.getlist("rowid"))
    if not found:
        raise Refused(_("请先勾选要处理的变更申请。"))
    return found
