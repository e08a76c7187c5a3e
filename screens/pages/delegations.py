"""Delegations (委托代办): while one is away another sees and decides one's tasks."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from models import Delegation, db
from models.clock import today
from screens.access import needs
from screens.base import Page
from screens.messages import done
from services import Refused, delegations
from services.delegations import Away


class Delegations(Page):
    """What one has delegated and was delegated; a new delegation."""

    permission = "tasks.view"
    label, group = _l("委托代办"), "work"
    in_menu = False

    @expose("/")
    def index(self) -> str:
        """Delegations that are not over, and the form for one."""
        session = db.session()
        rows = delegations.of_person(session, current_user)
        people = delegations.stand_ins(session, current_user)
        return self.render("screens/delegations.html", rows=rows, people=people, day=today(session))

    @expose("/new", methods=("POST",))
    @needs("tasks.edit")
    def new(self) -> Any:
        """Let another decide one's tasks for some days."""
        form = request.form
        try:
            since, until = (date.fromisoformat(form.get(name, "")) for name in ("since", "until"))
        except ValueError as error:
            raise Refused(_("请填写开始日期和结束日期。")) from error
        away = Away(form.get("to", 0, type=int), since, until, form.get("reason", ""))
        delegations.delegate(db.session(), current_user, away)
        done(_("已委托。这几天代办人能看到并以您的名义办理您的待办。"))
        return redirect(self.get_url(".index"), 303)

    @expose("/<int:key>/end", methods=("POST",))
    @needs("tasks.edit")
    def end(self, key: int) -> Any:
        """End a delegation at once."""
        row = db.session.get(Delegation, key) if key < 2**63 else None
        if row is None or row.from_id != current_user.id:
            abort(404)
        delegations.end(db.session(), row, current_user)
        done(_("委托已结束。"))
        return redirect(self.get_url(".index"), 303)
