"""The list of issues: what rules found wrong, whose it is to mend; checked again, cleared and waived here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from flask import redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session, joinedload

from models import Issue, Staff, db
from models.clock import today
from models.issues import PENDING
from models.quality_words import ISSUE_STATES, SEVERITIES
from models.rules import newest_rules
from screens import customer_views, looks, masking
from screens.access import needs
from screens.cards import Card, Line
from screens.filters import Filter, equals
from screens.forms import choices
from screens.listings import Action, Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done, warn
from screens.pages.accounts import safe_target
from screens.pages.customers import reasons_of
from screens.pages.quality_rules import every_kind
from screens.pickers import staff_choices, unit_filter
from screens.row_words import broken_word, reason_word, record_word
from screens.rows import picked
from services import issue_decisions

DUE = {"late": _l("已逾期"), "week": _l("七天内到期"), "later": _l("七天以后到期")}
LISTED = 100


def rule_choices() -> list[tuple[str, str]]:
    """The rules by code."""
    return [(row.code, _(row.label)) for row in newest_rules(db.session())]


def owner_choices() -> list[tuple[str, str]]:
    """Oneself first, nobody, then everybody in reach."""
    others = [(str(key), name) for key, name in staff_choices() if key != current_user.id]
    return [(str(current_user.id), _("我负责的")), ("0", _("没有责任人")), *others]


def of_owner(query: Any, value: str) -> Any:
    """Issues of one person, or of nobody."""
    return query.where(Issue.owner_id == int(value) if value != "0" else Issue.owner_id.is_(None))


def by_state(query: Any, value: str) -> Any:
    """Issues in one state; `pending` is what is still to be mended."""
    return query.where(Issue.state.in_(PENDING) if value == "pending" else Issue.state == value)


def by_due(query: Any, value: str) -> Any:
    """Issues still to be mended, by how far their day is."""
    day = today(db.session())
    week = day + timedelta(days=7)
    within = {
        "late": Issue.due_on < day,
        "week": Issue.due_on.between(day, week),
        "later": Issue.due_on > week,
    }
    return query.where(Issue.state.in_(PENDING), within.get(value, false()))


def found_wrong(row: Issue, _extra: Any) -> Any:
    """The rule, the value it was found in, and why."""
    value = masking.contact_text(row.contact) if row.contact else ""
    why = " ".join(customer_views.sentences(row.contact.reasons)) if row.contact else ""
    return looks.joined(broken_word(row.rule), value, why)


def what_to_do(row: Issue, _extra: Any) -> str:
    """The proposed fix; for a value that is only written badly the standard form, masked."""
    word = looks.word(row.fix, "ISSUE_FIXES")
    if row.fix != "adopt" or row.contact is None or not row.contact.value:
        return word
    return _("%(fix)s：%(value)s", fix=word, value=masking.contact_text(row.contact))


def load(session: Session, rows: Sequence[Issue]) -> Mapping[int, date]:
    """The business day, asked once for a whole page."""
    day = today(session)
    return {row.id: day for row in rows}


def state_of(row: Issue, _day: date) -> Any:
    """The state, how often it was found, and why it is waived."""
    times = _("第 %(number)s 次", number=row.times) if row.times > 1 else ""
    waived = reason_word("waived", row.waived_reason) if row.waived_reason else ""
    return looks.joined(looks.badge(row.state, "ISSUE_STATES"), times, waived)


def due_of(row: Issue, day: date) -> Any:
    """The day it is due; marked where it has passed."""
    is_late = row.state in PENDING and row.due_on < day
    return looks.badge_text("bad", looks.day(row.due_on)) if is_late else looks.day(row.due_on)


class Issues(ListPage):
    """Issues of one's units, or of one's own customers."""

    permission = "issues.view"
    has_plain = True
    label, group = _l("问题清单"), "work"
    lead = _l(
        "规则查出的问题，改好以后下一次评价会自己变成“已整改待复核”；也可以勾选后马上复核。"
        "销号和免考核要由责任人以外的人办理；免考核的下次评价起不计入。已销号的在状态里选来看。"
    )
    listing = Listing(
        id=Issue.id,
        columns=(
            Column(_l("户号"), lambda row, _extra: row.customer.account_no, css="nowrap"),
            Column(_l("户名"), lambda row, _extra: masking.name_text(row.customer.name), css="nowrap"),
            Column(_l("种类"), lambda row, _extra: record_word(row.kind), css="nowrap"),
            Column(_l("问题"), found_wrong),
            Column(_l("怎么办"), what_to_do),
            Column(_l("严重程度"), lambda row, _extra: looks.word(row.severity, "SEVERITIES"), css="nowrap"),
            Column(_l("责任人"), lambda row, _extra: row.owner.name if row.owner else "", css="nowrap"),
            Column(_l("期限"), due_of, sort="due", css="nowrap"),
            Column(_l("状态"), state_of),
        ),
        sorts={
            "due": Sort(_l("期限最近"), (Issue.due_on,)),
            "newest": Sort(_l("最近查出"), (), descending=True),
        },
        filters=(
            unit_filter(Issue.unit_id),
            equals("rule", _l("规则"), rule_choices, Issue.rule_code),
            equals("kind", _l("种类"), every_kind, Issue.kind),
            Filter("owner", _l("责任人"), owner_choices, of_owner),
            Filter("state", _l("状态"), [("pending", _l("要整改的")), *choices(ISSUE_STATES)], by_state),
            Filter("due", _l("期限"), list(DUE.items()), by_due),
            equals("severity", _l("严重程度"), choices(SEVERITIES), Issue.severity),
        ),
        actions=(
            Action("recheck", _l("复核"), "issues.edit"),
            Action("clear", _l("销号"), "issues.approve", _l("确定把选中的 {n} 条复核后销号？")),
            Action(
                "waive",
                _l("免考核"),
                "issues.approve",
                _l("确定对选中的 {n} 条免考核？下一次评价起不计入。"),
                choices=lambda: reasons_of("waived"),
            ),
            Action("reinstate", _l("撤销免考核"), "issues.approve", _l("确定撤销选中的 {n} 条免考核？")),
        ),
        load=load,
        link=lambda row: looks.customer_url(row.customer_id),
        empty=_l("没有符合条件的问题。质量评价完成后，不符合规则的记录会列在这里。"),
    )

    def query(self) -> Select[Any]:
        shown = (Issue.customer, Issue.contact, Issue.rule, Issue.owner)
        query = select(Issue).options(*(joinedload(one) for one in shown))
        return query if request.args.get("state") else query.where(Issue.state != "cleared")

    @expose("/recheck", methods=("POST",))
    @needs("issues.edit")
    def recheck(self) -> Any:
        """Judge the picked ones as they stand now."""
        mended, wrong = issue_decisions.recheck(db.session(), _picked(), staff=current_user)
        told = _("复核完成：%(mended)s 条已整改，%(wrong)s 条仍有问题。", mended=mended, wrong=wrong)
        (warn if wrong else done)(told)
        return _back()

    @expose("/clear", methods=("POST",))
    @needs("issues.approve")
    def clear(self) -> Any:
        """Take the picked ones off the list after a check."""
        done(
            _(
                "已销号 %(number)s 条。",
                number=issue_decisions.clear(db.session(), _picked(), staff=current_user),
            )
        )
        return _back()

    @expose("/waive", methods=("POST",))
    @needs("issues.approve")
    def waive(self) -> Any:
        """Leave the picked ones out of assessments."""
        reason = request.form.get("choice", "")
        number = issue_decisions.waive(
            db.session(), _picked(), reason, staff=current_user, note=request.form.get("note", "")
        )
        done(_("已对 %(number)s 条免考核，下一次评价起不计入。", number=number))
        return _back()

    @expose("/reinstate", methods=("POST",))
    @needs("issues.approve")
    def reinstate(self) -> Any:
        """Take waivers back."""
        number = issue_decisions.reinstate(db.session(), _picked(), staff=current_user)
        done(_("已撤销 %(number)s 条免考核。", number=number))
        return _back()


def own_issues_card(session: Session, staff: Staff) -> Card | None:
    """Issues that this person is to mend: counted up to a hundred, the most urgent named."""
    query = select(Issue).where(Issue.owner_id == staff.id, Issue.state.in_(PENDING))
    query = query.options(joinedload(Issue.customer), joinedload(Issue.rule))
    rows = session.scalars(query.order_by(Issue.due_on, Issue.id).limit(LISTED)).all()
    if not rows:
        return None
    is_late = rows[0].due_on < today(session)
    lines = [
        Line(
            _("%(account)s %(rule)s", account=row.customer.account_no, rule=broken_word(row.rule)),
            looks.customer_url(row.customer_id),
            looks.day(row.due_on),
        )
        for row in rows[:3]
    ]
    note = _("超过 100 条，只数到 100") if len(rows) == LISTED else _("有的已经逾期") if is_late else ""
    link = url_for("issues.index", owner=staff.id, state="pending")
    return Card(
        _("个问题由我整改"), len(rows), link, tone="alarm" if is_late else "care", note=note, lines=lines
    )


def _picked() -> list[int]:
    return picked(request.form.getlist("rowid"))


def _back() -> Any:
    return redirect(safe_target(request.form.get("back")), 303)
