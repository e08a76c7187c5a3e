"""One number on many customers: how often, who shares what, whom it rightly belongs to, and stopping it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models import Contact, NumberAllowance, SharedNumber, db
from models.quality_words import SHARED_ROLES
from screens import looks, masking
from screens.access import needs
from screens.filters import Filter
from screens.forms import choices
from screens.listings import Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done
from screens.pickers import below, unit_choices
from screens.rows import picked
from screens.share_drawings import drawing
from services import Refused, shared_numbers
from services.shared_numbers import Allowance
from workflows import runs

WORKFLOW = "count_shared_numbers"


def load(session: Session, rows: Sequence[SharedNumber]) -> Mapping[int, NumberAllowance]:
    """The allowances that hold today, by the key of the number."""
    keys = {row.value: row.id for row in rows}
    return {keys[row.value]: row for row in shared_numbers.running_allowances(session, list(keys))}


def allowance_column(_row: SharedNumber, row: NumberAllowance | None) -> Any:
    """Whose number it is, and until when."""
    if row is None:
        return looks.badge_text("warn", _("未放行"))
    word = looks.word(row.role, "SHARED_ROLES")
    return looks.joined(
        looks.badge_text("good", word), _("至 %(day)s", day=looks.day(row.until)) if row.until else ""
    )


def of_unit(query: Any, value: str) -> Any:
    """Numbers that stand on customers of a unit and everything below it."""
    bearers = select(Contact.id).where(Contact.value == SharedNumber.value, Contact.state == "current")
    return query.where(below(Contact.unit_id)(bearers, value).exists())


def by_allowance(query: Any, value: str) -> Any:
    """Numbers that are allowed, or are not."""
    held = shared_numbers.allowed(db.session())
    return query.where(held if value == "allowed" else ~held)


def by_class(query: Any, value: str) -> Any:
    """Numbers over the limit on residential customers, or on others only."""
    over = SharedNumber.residential > shared_numbers.limit(db.session())
    return query.where(over if value == "residential" else ~over)


class SharedNumbers(ListPage):
    """Numbers on more customers than one family has, as last counted."""

    permission = "shared_numbers.view"
    label, group = _l("一号多户"), "records"
    lead = _l("同一号码登记在很多户上，多半不是客户本人的：房东、物业等可以放行，其余的逐户核实后停用。")
    template = "screens/shared_numbers.html"
    listing = Listing(
        id=SharedNumber.id,
        columns=(
            Column(_l("号码"), lambda row, _extra: _shown(row.value), css="nowrap"),
            Column(_l("居民户数"), lambda row, _extra: row.residential, sort="residential", css="num"),
            Column(_l("全部户数"), lambda row, _extra: row.customers, sort="customers", css="num"),
            Column(_l("放行"), allowance_column),
            Column(_l("清点时间"), lambda row, _extra: looks.moment(row.counted_at), css="nowrap"),
        ),
        sorts={
            "residential": Sort(
                _l("居民户数"), (SharedNumber.residential, SharedNumber.customers), descending=True
            ),
            "customers": Sort(_l("全部户数"), (SharedNumber.customers,), descending=True),
        },
        filters=(
            Filter("unit", _l("单位"), unit_choices, of_unit),
            Filter("allowed", _l("放行"), [("no", _l("未放行")), ("allowed", _l("已放行"))], by_allowance),
            Filter(
                "class",
                _l("超限的户"),
                [("residential", _l("居民户超限")), ("others", _l("只有非居民户"))],
                by_class,
            ),
        ),
        load=load,
        link=lambda row: looks.screen_url("shared_numbers") + str(row.id),
        empty=_l("没有一号多户。点「重新清点」按现在的数据再查一次。"),
    )

    def query(self) -> Select[Any]:
        return select(SharedNumber).where(shared_numbers.in_reach(db.session()))

    def shown(self) -> dict[str, Any]:
        return super().shown() | {"limit": shared_numbers.limit(db.session())}

    @expose("/<int:key>", methods=("GET",))
    def view(self, key: int) -> str:
        """One number: its customers, what else they share, its allowance."""
        number = _one(key)
        session = db.session()
        rows = shared_numbers.bearers(session, number.value)
        links = shared_numbers.links(session, [row.customer_id for row in rows])
        return self.render(
            "screens/shared_number.html",
            number=number,
            shown=_shown(number.value),
            masked_name=masking.name_text,
            rows=rows,
            elsewhere=max(number.customers - len({row.customer_id for row in rows}), 0),
            ending=shared_numbers.ending(session, [row.id for row in rows]),
            others=_others(number, links),
            drawing=drawing(number.value, rows, links),
            allowance=shared_numbers.running_allowance(session, number.value),
            roles=choices(SHARED_ROLES),
            limit=shared_numbers.limit(session),
        )

    @expose("/count", methods=("POST",))
    @needs("shared_numbers.edit")
    def count(self) -> Any:
        """Count anew, with another limit where one was typed; a run of the engine does it."""
        wanted = request.form.get("limit", type=int)
        if wanted is not None and wanted != shared_numbers.limit(db.session()):
            shared_numbers.set_limit(db.session(), wanted, staff=current_user)
        run = runs.start(db.session(), WORKFLOW, {}, current_user)
        done(_("已开始清点，完成后判定也随之更新。"))
        return redirect(self.get_url("runs.show", key=run.id), 303)

    @expose("/<int:key>/allow", methods=("POST",))
    @needs("shared_numbers.edit")
    def allow(self, key: int) -> Any:
        """Let this number stand on many customers."""
        form = request.form
        allowance = Allowance(form.get("role", ""), form.get("reason", ""), _day(form.get("until", "")))
        shared_numbers.allow(db.session(), _one(key), allowance, staff=current_user)
        done(_("已放行，以后判定不再因一号多户存疑。"))
        return redirect(self.get_url(".view", key=key), 303)

    @expose("/<int:key>/disallow", methods=("POST",))
    @needs("shared_numbers.edit")
    def disallow(self, key: int) -> Any:
        """Take the allowance back."""
        shared_numbers.end_allowance(db.session(), _one(key), staff=current_user)
        done(_("已取消放行。"))
        return redirect(self.get_url(".view", key=key), 303)

    @expose("/<int:key>/stop", methods=("POST",))
    @needs("contacts.edit")
    def stop(self, key: int) -> Any:
        """Propose to stop the number on the picked customers."""
        picks, evidence = picked(request.form.getlist("rowid")), request.form.get("evidence", "")
        number = shared_numbers.propose_stop(
            db.session(), _one(key), picks, staff=current_user, evidence=evidence
        )
        done(_("已提出 %(number)s 条停用申请，等待审核。", number=number))
        return redirect(self.get_url(".view", key=key), 303)


def _one(key: int) -> SharedNumber:
    query = select(SharedNumber).where(SharedNumber.id == key, shared_numbers.in_reach(db.session()))
    found = db.session.scalar(query) if 0 < key < 2**63 else None
    return found if found is not None else abort(404)


def _shown(value: str) -> str:
    return masking.masked("mobile", masking.pretty("mobile", value))


def _others(number: SharedNumber, links: Sequence[tuple[int, str]]) -> dict[int, list[str]]:
    """By customer, the other values that it shares with customers of this page, masked."""
    found: dict[int, list[str]] = {}
    for customer_id, value in links:
        if value != number.value:
            found.setdefault(customer_id, []).append(_shown(value))
    return found


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(_("有效期要写成 2026-11-30 这样的日期，或者留空。")) from None
