"""The pool of traces for whoever audits: filtered by person, action, day and customer; whether the chain holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask import url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from models import Customer, Staff, Trace, TraceAnchor, db
from models.clock import end_of_day, start_of_day, today
from models.scope import ALL, working_as
from screens import looks
from screens.access import needs, reads
from screens.cards import Card, Line
from screens.filters import Filter, equals
from screens.listings import Column, Listing, Search, Sort
from screens.lists import ListPage
from screens.messages import done, warn
from screens.pickers import staff_choices, unit_filter
from screens.row_words import kinds_word, reason_word
from screens.trace_words import ACTIONS, action_word
from services import traces

SHORT = 120
ROWS = ("contacts", "values")  # keys of rows: in the trace as it is kept, not in the sentence
DETAILS = {
    "added": _l("增加"),
    "removed": _l("去掉"),
    "fields": _l("改动"),
    "roles": _l("角色"),
    "reason": _l("原因"),
    "from": _l("从"),
    "to": _l("到"),
    "units": _l("单位数"),
    "rows": _l("行数"),
    "created": _l("新建"),
    "updated": _l("更新"),
    "unchanged": _l("无变化"),
    "proposed": _l("待审核"),
    "rejected": _l("拒收"),
    "letters": _l("函件"),
    "mode": _l("方式"),
    "choice": _l("决定"),
}


def load(session: Session, rows: Sequence[Trace]) -> Mapping[int, str]:
    """The account numbers of the customers that the traces of one page speak of."""
    ids = {row.customer_id for row in rows if row.customer_id}
    numbers = dict(
        session.execute(select(Customer.id, Customer.account_no).where(Customer.id.in_(ids))).all()
    )
    return {row.id: numbers.get(row.customer_id, "") for row in rows}


def said(row: Trace) -> Any:
    """The details of a trace in words, and all of it as it is kept for whoever asks."""
    if not row.details:
        return ""
    parts = [_part(name, value) for name, value in row.details.items() if name not in ROWS]
    text = _("；").join(part for part in parts if part)
    kept = json.dumps(row.details, ensure_ascii=False)
    return Markup("<details><summary>{}</summary><code>{}</code></details>").format(text or _("原文"), kept)


def _part(name: str, value: Any) -> str:
    """One detail: its word, its value in words."""
    if name == "purpose":
        return reason_word("reveal", str(value))
    if name == "kinds":
        return _("、").join(kinds_word(code) for code in value)
    shown = _("、").join(str(one) for one in value) if isinstance(value, list) else str(value)
    return f"{DETAILS.get(name, name)} {shown}"[:SHORT]


def _customer(row: Trace, number: str) -> Any:
    if not number:
        return ""
    return Markup('<a href="{}">{}</a>').format(looks.customer_url(row.customer_id or 0), number)


def _from(query: Any, value: str) -> Any:
    return query.where(Trace.at >= start_of_day(date.fromisoformat(value)))


def _until(query: Any, value: str) -> Any:
    return query.where(Trace.at < end_of_day(date.fromisoformat(value)))


def _of_account(query: Any, text: str) -> Any:
    return query.where(Trace.customer_id.in_(select(Customer.id).where(Customer.account_no == text.strip())))


class Traces(ListPage):
    """Who did what to which record, chained so that tampering shows."""

    permission = "traces.view"
    export_permission = "traces.export"
    label, group = _l("服务痕迹"), "supervision"
    template = "screens/traces.html"
    listing = Listing(
        id=Trace.id,
        columns=(
            Column(_l("时间"), lambda row, _extra: looks.moment(row.at, seconds=True), css="nowrap"),
            Column(_l("人员"), lambda row, _extra: row.actor.name if row.actor else _("系统"), css="nowrap"),
            Column(_l("动作"), lambda row, _extra: action_word(row.action), css="nowrap"),
            Column(_l("户号"), _customer, css="nowrap"),
            Column(_l("对象"), lambda row, _extra: f"{row.object} {row.object_id or ''}", css="nowrap soft"),
            Column(_l("内容"), lambda row, _extra: said(row), css="breaks"),
            Column(_l("链序号"), lambda row, _extra: row.seq or _("待封存"), css="num"),
        ),
        sorts={"newest": Sort(_l("最近"), (), descending=True), "oldest": Sort(_l("最早"), ())},
        filters=(
            Filter(
                "staff",
                _l("人员"),
                staff_choices,
                lambda query, value: query.where(Trace.actor_id == int(value)),
            ),
            equals("action", _l("动作"), sorted(ACTIONS.items()), Trace.action),
            unit_filter(Trace.unit_id),
            Filter("from", _l("从"), None, _from),
            Filter("until", _l("到"), None, _until),
        ),
        searches=(Search("account", _l("户号"), _of_account),),
        load=load,
    )

    def query(self) -> Select[Any]:
        return select(Trace).options(joinedload(Trace.actor))

    def shown(self) -> dict[str, Any]:
        return super().shown() | {"chain": chain_state(db.session())}

    @expose("/verify", methods=("POST",))
    @needs("traces.view")
    @reads
    def verify(self) -> Any:
        """Recompute the whole chain now; nothing is written, so nobody waits for it."""
        entries, broken = traces.first_broken(db.session())
        if broken is None:
            done(_("已核验 %(number)s 条，链条完整。", number=entries))
        else:
            warn(_("链条在第 %(number)s 条断开：该条或其前后的记录被改动过，请立即报告。", number=broken))
        return self.index()


def reveals_card(session: Session, staff: Staff) -> Card | None:
    """How often plain values were looked at today, by whom most."""
    day = today(session)
    seen = select(Trace.actor_id, func.count().label("number")).where(Trace.action == "customer.revealed")
    rows = session.execute(seen.where(Trace.at >= start_of_day(day)).group_by(Trace.actor_id)).all()
    names = {
        row.id: row.name
        for row in session.scalars(select(Staff).where(Staff.id.in_([r.actor_id for r in rows])))
    }
    link = {"action": "customer.revealed", "from": day.isoformat()}
    most = sorted(rows, key=lambda row: -row.number)[:3]
    lines = [
        Line(
            names.get(row.actor_id, ""), url_for("traces.index", staff=row.actor_id, **link), str(row.number)
        )
        for row in most
    ]
    total = sum(row.number for row in rows)
    return Card(_("次查看明文(今天)"), total, url_for("traces.index", **link), lines=lines)


def chain_state(session: Session) -> dict[str, Any]:
    """How far the chain is sealed and anchored."""
    with working_as(session, ALL):
        sealed = session.scalar(select(func.max(Trace.seq))) or 0
        anchor = session.scalars(select(TraceAnchor).order_by(TraceAnchor.seq.desc()).limit(1)).first()
    return {"sealed": sealed, "anchor": anchor, "fingerprint": traces.fingerprint(session)}
