"""Screens of staff and roles: people with their accounts, and what each role may do."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Query, Session

from models import Role, Unit, db
from models import Staff as Person
from screens.access import READING, needs
from screens.base import Page, Screen
from screens.cards import Card
from screens.filters import Filter
from screens.messages import done, refuse, said
from screens.permissions import PERMISSIONS, SUBJECTS, VERBS
from screens.pickers import role_choices, staff_in_reach, unit_choices
from screens.rows import key_of
from services import Refused, accounts, staff
from services.people import SHELL, in_scope_units

MOST_VISITS = 200


class Staff(Screen):
    """People and their accounts; roles are given within one's own rights and never to oneself."""

    table = Person
    permission, change_permission = "staff.view", "staff.edit"
    label, group = _l("人员"), "settings"
    can_create = can_edit = True
    column_list = ("name", "username", "unit", "roles", "active")
    column_labels = {
        "name": _l("姓名"),
        "username": _l("登录名"),
        "unit": _l("单位"),
        "roles": _l("角色"),
        "active": _l("账号可用"),
    }
    column_formatters = {"roles": lambda _view, _context, row, _name: _("、").join(_(role.label) for role in row.roles)}
    column_searchable_list = ("name", "username")
    column_sortable_list = ("name", "username")
    column_default_sort = "username"
    filters = (
        Filter(
            "unit", _l("单位"), unit_choices, lambda query, value: query.filter(Person.unit_id == int(value))
        ),
        Filter(
            "role", _l("角色"), role_choices, lambda query, value: query.filter(Person.roles.any(name=value))
        ),
        Filter(
            "active",
            _l("账号"),
            (("1", _l("可用")), ("0", _l("已停用"))),
            lambda query, value: query.filter(Person.active.is_(value == "1")),
        ),
    )
    form_columns = ("name",)  # the forms are this screen's own: roles and passwords go through services

    def narrowed(self, query: Query[Any]) -> Query[Any]:
        inside = select(Unit.id).where(in_scope_units(db.session()))
        return query.filter(Person.unit_id.in_(inside), Person.username != SHELL)

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        """A person with an account, and a one-time password where none is typed."""
        if request.method in READING:
            return self._form(None, {})
        typed = request.form.get("password", "")
        password = typed or accounts.one_time_password()
        try:
            draft = staff.NewStaff(
                login=request.form.get("username", "").strip(),
                name=_needed("name", _("请填写姓名。")),
                unit_id=_unit_id(),
                roles=tuple(request.form.getlist("roles")),
                password=password,
                must_change=True,
                phone=request.form.get("phone", "").strip()[:30],
                job=request.form.get("job", "").strip()[:40],
            )
            person = staff.add_staff(db.session(), draft)
            person.capacity = _capacity()
        except Refused as refusal:
            refuse(said(refusal))
            return self._form(None, request.form), 422
        if not typed:
            return self.render("screens/staff_password.html", person=person, password=password)
        done(_("已新建账号，第一次登录时须改密码。"))
        return redirect(self.get_url(".index_view"), 303)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        """Facts and roles of a person."""
        person = self.get_one(request.args.get("id"))
        if person is None:
            abort(404)
        if request.method in READING:
            return self._form(person, {})
        try:
            self._change(person)
        except Refused as refusal:
            refuse(said(refusal))
            return self._form(person, request.form), 422
        done(_("已保存。"))
        return redirect(self.get_url(".index_view"), 303)

    @expose("/password", methods=("POST",))
    @needs("staff.edit")
    def password(self) -> Any:
        """A new one-time password, shown once."""
        person = self._one()
        password = staff.reset_password(db.session(), person)
        return self.render("screens/staff_password.html", person=person, password=password)

    @expose("/active", methods=("POST",))
    @needs("staff.edit")
    def active(self) -> Any:
        """Close or open an account."""
        person = self._one()
        wanted = request.form.get("active") == "1"
        staff.set_active(db.session(), person, wanted)
        done(_("账号已启用。") if wanted else _("账号已停用，该人员的登录已全部失效。"))
        return redirect(self.get_url(".edit_view", id=person.id), 303)

    def _one(self) -> Person:
        person = self.get_one(request.form.get("id"))
        if person is None:
            abort(404)
        return person

    def _change(self, person: Person) -> None:
        unit_id = _unit_id()
        staff.check_unit(db.session(), unit_id)
        staff.give_roles(db.session(), person, request.form.getlist("roles"))
        moved = person.unit_id != unit_id
        person.name, person.unit_id = _needed("name", _("请填写姓名。")), unit_id
        person.phone = request.form.get("phone", "").strip()[:30]
        person.job = request.form.get("job", "").strip()[:40]
        person.capacity = _capacity()
        roles = sorted(role.name for role in person.roles)
        self._trace("changed", person, {"roles": roles, "unit_moved": moved})

    def _form(self, person: Person | None, typed: Any) -> str:
        given = (
            set(typed.getlist("roles"))
            if typed
            else {role.name for role in person.roles}
            if person
            else set()
        )
        roles = db.session.scalars(select(Role).order_by(Role.id)).all()
        return self.render(
            "screens/staff_form.html",
            person=person,
            typed=typed,
            given=given,
            roles=roles,
            units=unit_choices(),
        )


class Roles(Page):
    """What each role may do: all at a glance, and one role to be changed."""

    permission = "roles.view"
    label, group = _l("角色"), "settings"

    @expose("/")
    def index(self) -> Any:
        """Every role with every permission; with ?role= one role to tick."""
        roles = db.session.scalars(select(Role).order_by(Role.id)).all()
        chosen = next((role for role in roles if str(role.id) == request.args.get("role")), None)
        own = {role.name for role in current_user.roles}
        return self.render(
            "screens/roles.html", roles=roles, chosen=chosen, own=own, subjects=SUBJECTS, verbs=VERBS
        )

    @expose("/change", methods=("POST",))
    @needs("roles.edit")
    def change(self) -> Any:
        """Give one role exactly the permissions that are ticked."""
        role = db.session.get(Role, key_of(Role, request.form.get("role")) or 0)
        if role is None:
            abort(404)
        staff.change_permissions(
            db.session(), role, set(PERMISSIONS) & set(request.form.getlist("permission"))
        )
        done(_("已保存角色「%(role)s」的权限。", role=_(role.label)))
        return redirect(self.get_url(".index"), 303)


def accounts_card(session: Session, staff: Person) -> Card | None:
    """How many accounts are open in one's reach, and how many still have a password that was handed out."""
    people = staff_in_reach()
    waiting = people.filter(Person.must_change).count()
    note = _("其中 %(number)s 个还没换掉一次性密码", number=waiting) if waiting else ""
    return Card(_("个可用账号"), people.count(), url_for("staff.index_view", active="1"), note=note)


def _needed(name: str, message: str) -> str:
    text = request.form.get(name, "").strip()[:80]
    if not text:
        raise Refused(message)
    return text


def _unit_id() -> int:
    key = key_of(Unit, request.form.get("unit"))
    if key is None:
        raise Refused(_("请选择单位。"))
    return int(key)


def _capacity() -> int:
    text = request.form.get("capacity", "20").strip() or "20"
    if not text.isdecimal() or int(text) > MOST_VISITS:
        raise Refused(_("日走访能力要填 0 到 200 的户数。"))
    return int(text)
