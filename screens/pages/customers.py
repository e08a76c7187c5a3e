"""Customers: the list with its search, and the page of one customer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select

from models import Contact, Customer, Reason, db
from models.words import PURPOSES, RELATIONS
from screens import customer_lists, customer_views, looks, masking
from screens.access import READING, may, needs
from screens.customer_lists import address_column, channels_column, load, name_column, phone_column
from screens.forms import choices
from screens.listings import Column, Listing, Search, Sort
from screens.lists import ListPage
from screens.messages import done, refuse, said
from screens.pickers import staff_choices
from screens.rows import key_of
from services import Refused, contact_desk, customer_pages, customers, reach, timelines
from services.contacts import Finding
from services.customer_pages import Wanted


class Customers(ListPage):
    """Customers of one's own unit, or one's own; values are masked until they are revealed for a purpose."""

    permission = "customers.view"
    export_permission, has_plain = "customers.export", True
    label, group = _l("用电客户"), "records"
    lead = ""
    listing = Listing(
        id=Customer.id,
        columns=(
            Column(_l("户号"), lambda row, _extra: row.account_no, sort="account_no", css="nowrap"),
            Column(_l("户名"), name_column, css="nowrap"),
            Column(_l("电话"), phone_column, css="nowrap"),
            Column(_l("用电地址"), address_column, css="roomy"),
            Column(_l("可达渠道"), channels_column),
            Column(
                _l("客户类别"),
                lambda row, _extra: looks.word(row.customer_class, "CUSTOMER_CLASSES"),
                css="nowrap",
            ),
            Column(_l("单位"), lambda row, _extra: row.unit, css="nowrap"),
            Column(_l("客户经理"), lambda row, _extra: row.manager or "", css="nowrap"),
            Column(
                _l("立户日期"), lambda row, _extra: looks.day(row.opened_on), sort="opened_on", css="nowrap"
            ),
            Column(
                _l("最近变动"), lambda row, _extra: looks.day(row.changed_at), sort="changed_at", css="nowrap"
            ),
        ),
        sorts={
            "account_no": Sort(_l("户号"), ()),
            "opened_on": Sort(_l("立户日期"), (), descending=True),
            "changed_at": Sort(_l("最近变动"), (), descending=True),
        },
        filters=customer_lists.FILTERS,
        searches=(Search("q", _l("户号、户名、电话、地址的任意一段"), customer_lists.typed),),
        load=load,
        link=lambda row: looks.customer_url(row.id),
        empty=_l("没有符合条件的客户。"),
        advice=_l("请检查输入，少打几个字，或者去掉一个条件。几段用空格隔开，要全部符合。"),
        pages=customer_lists.pages,
    )

    def query(self) -> Any:
        return Wanted()

    @expose("/search", methods=("POST",))
    def search(self) -> Any:
        """Straight to the customer where the search finds one alone, else to the list."""
        text = request.form.get("q", "").strip()
        if text and customer_lists.is_too_short(text):
            raise Refused(_("每一段请至少输入两个字或两位数字。"))
        found = (
            customer_pages.page(db.session(), customer_lists.typed(Wanted(size=1), text)) if text else None
        )
        if found is not None and len(found.ids) == 1 and not found.more:
            return redirect(looks.customer_url(found.ids[0]), 303)
        return redirect(self.remembered(request.form), 303)

    @expose("/<int:customer_id>", methods=("GET",))
    def view(self, customer_id: int) -> Any:
        """One customer: contacts, facts, and everything that happened on one line of time."""
        return self._view(customer_of(customer_id), frozenset(), name=False)

    @expose("/<int:customer_id>/reveal", methods=("POST",))
    @needs("customers.reveal")
    def reveal(self, customer_id: int) -> Any:
        """The same page with plain values, after a purpose was named and written down."""
        customer = customer_of(customer_id)
        purpose = request.form.get("purpose", "")
        if purpose not in dict(purposes_of_reveal()):
            raise Refused(_("请先选择查看明文的用途。"))
        wanted = key_of(Contact, request.form.get("contact"))
        ids = db.session.scalars(select(Contact.id).where(Contact.customer_id == customer.id)).all()
        shown = frozenset(key for key in ids if wanted is None or key == wanted)
        named = [wanted] if wanted is not None else []
        contact_desk.reveal(db.session(), customer, named, staff=current_user, purpose=purpose)
        return self._view(customer, shown, name=wanted is None)

    @expose("/<int:customer_id>/add", methods=("GET", "POST"))
    @needs("contacts.edit")
    def add(self, customer_id: int) -> Any:
        """A value that the customer gave at the counter or on the hotline."""
        customer = customer_of(customer_id)
        if request.method in READING:
            return self._form(customer, {})
        try:
            recorded = contact_desk.add_value(db.session(), customer, _typed(), staff=current_user)
        except Refused as refusal:
            refuse(said(refusal))
            return self._form(customer_of(customer_id), request.form), 422
        done(_("已保存，正在等待审核。") if recorded.waiting else _("已保存，现在就用这个值。"))
        return redirect(looks.customer_url(customer_id), 303)

    @expose("/<int:customer_id>/end", methods=("POST",))
    @needs("contacts.edit")
    def end(self, customer_id: int) -> Any:
        """Ask that a value be used no longer."""
        contact = _contact_of(customer_of(customer_id))
        source, evidence = request.form.get("source", ""), request.form.get("evidence", "")
        recorded = contact_desk.propose_end(
            db.session(), contact, staff=current_user, source=source, evidence=evidence
        )
        done(_("已申请停用，正在等待审核。") if recorded.waiting else _("已停用。"))
        return redirect(looks.customer_url(customer_id), 303)

    @expose("/<int:customer_id>/finding", methods=("POST",))
    @needs("contacts.edit")
    def finding(self, customer_id: int) -> Any:
        """What a call or a meeting found about a value."""
        contact = _contact_of(customer_of(customer_id))
        wrong = request.form.get("reason", "")
        found = Finding(
            contact.id,
            "refuted" if wrong else "confirmed",
            request.form.get("method", ""),
            reason=wrong[:40],
            evidence=request.form.get("evidence", "").strip()[:200],
        )
        contact_desk.report_finding(db.session(), contact, found, staff=current_user)
        done(_("核实结果已登记。"))
        return redirect(looks.customer_url(customer_id), 303)

    @expose("/<int:customer_id>/edit", methods=("GET", "POST"))
    @needs("customers.edit")
    def edit(self, customer_id: int) -> Any:
        """What the bureau itself says of a customer: who looks after it, how sensitive it is, its round."""
        customer = customer_of(customer_id)
        if request.method in READING:
            return self.render("screens/customer_form.html", customer=customer, staff=staff_choices())
        facts = customer_lists.typed_facts(request.form, {key for key, _name in staff_choices()})
        changed = {name: value for name, value in facts.items() if getattr(customer, name) != value}
        customers.change(db.session(), {customer.id: changed} if changed else {})
        done(_("已保存。") if changed else _("没有改动。"))
        return redirect(looks.customer_url(customer_id), 303)

    def _view(self, customer: Customer, revealed: frozenset[int], *, name: bool) -> str:
        session = db.session()
        before = moment_of(request.args.get("before"))
        events = timelines.timeline(session, customer.id, before=before)
        return self.render(
            "screens/customer.html",
            customer=customer,
            name=masking.name_text(customer.name, plain=name),
            plain=bool(revealed),
            groups=customer_views.groups(session, customer, revealed),
            family=customer_views.family(session, customer),
            channels=reach.channels_of(session, [customer.id])[customer.id],
            preferences=customer_views.preferences(session, customer),
            consents=customer_views.consents(session, customer),
            events=events,
            earlier=events[-1].at.timestamp() if len(events) == timelines.LIMIT else None,
            purposes=purposes_of_reveal(),
            issues=customer_views.issues_of(db.session(), customer.id) if may("issues.view") else [],
            wrong=reasons_of("message_failure"),
            refusals=reasons_of("proposal_refused"),
        )

    def _form(self, customer: Customer, typed: Mapping[str, str]) -> str:
        replaces = _standing(customer, typed.get("replaces") or request.args.get("replaces"))
        return self.render(
            "screens/contact_form.html",
            customer=customer,
            name=masking.name_text(customer.name),
            typed=typed,
            replaces=replaces,
            replaces_text=masking.contact_text(replaces) if replaces else "",
            kinds=customer_views.kinds(db.session()),
            purposes=choices(PURPOSES),
            relations=choices(RELATIONS),
        )


def customer_of(customer_id: int) -> Customer:
    """A customer in the asking person's scope, or 404."""
    query = select(Customer).where(Customer.id == customer_id)
    found = db.session.scalar(query) if 0 < customer_id < 2**63 else None
    return found if found is not None else abort(404)


def purposes_of_reveal() -> list[tuple[str, str]]:
    """What plain values may be looked at for."""
    return reasons_of("reveal")


def reasons_of(name: str) -> list[tuple[str, str]]:
    """One list of reasons by code and label."""
    query = select(Reason.code, Reason.label).where(Reason.list == name).order_by(Reason.position)
    return [(row.code, _(row.label)) for row in db.session.execute(query)]


def moment_of(text: str | None) -> datetime | None:
    """A moment from an address: seconds since 1970, as the link to earlier events carries it."""
    try:
        return datetime.fromtimestamp(float(text), UTC) if text else None
    except (ValueError, OverflowError, OSError):
        return None


def _contact_of(customer: Customer) -> Contact:
    found = _standing(customer, request.form.get("contact"))
    return found if found is not None else abort(404)


def _standing(customer: Customer, text: str | None) -> Contact | None:
    key = key_of(Contact, text)
    if key is None:
        return None
    return db.session.scalar(select(Contact).where(Contact.id == key, Contact.customer_id == customer.id))


def _typed() -> contact_desk.NewValue:
    given = {
        name: request.form.get(name, "")
        for name in ("kind", "text", "source", "purpose", "relation", "evidence")
    }
    return contact_desk.NewValue(**given, replaces_id=key_of(Contact, request.form.get("replaces")))
