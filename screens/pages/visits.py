"""Visits of a unit: who goes where, walk lists of a day, and results keyed from paper."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from models import Role, Staff, Visit, WalkList, db
from models.clock import today
from models.words import VISIT_STATES
from screens import downloads
from screens.access import needs
from screens.base import Page
from screens.cards import Card, Line
from screens.filters import Filter, chosen, equals, narrowed
from screens.messages import done, said, warn
from screens.pages import phone
from screens.pickers import staff_in_reach
from screens.run_words import run_filter
from services import Refused, traces, visit_sheets, visits, walk_lists

PAGE = 50


def walker_choices() -> list[tuple[int, str]]:
    """Active account managers within reach."""
    people = staff_in_reach().filter(Staff.roles.any(Role.name == "account_manager"))
    return [
        (person.id, _("%(person)s（%(unit)s）", person=person.name, unit=person.unit.name))
        for person in people
    ]


FILTERS = (
    equals("state", _l("状态"), tuple(VISIT_STATES.items()), Visit.state),
    run_filter(Visit.run_id),
    Filter(
        "person",
        _l("客户经理"),
        walker_choices,
        lambda query, value: query.where(Visit.staff_id == int(value)),
    ),
)


class Visits(Page):
    """The unit's visits, newest first; assign, list, key."""

    permission = "visits.view"
    label, group = _l("走访任务"), "visits"

    @expose("/")
    def index(self) -> str:
        """Visits by state and person, a page at a time by key."""
        set_ = chosen(FILTERS, request.args)
        query = narrowed(select(Visit), FILTERS, set_)
        before = request.args.get("before", type=int)
        if before is not None:
            query = query.where(Visit.id < min(before, 2**62))
        query = query.options(
            joinedload(Visit.customer), joinedload(Visit.staff), joinedload(Visit.walk_list)
        )
        rows = db.session.scalars(query.order_by(Visit.id.desc()).limit(PAGE + 1)).all()
        facts = {"rows": rows[:PAGE], "more": len(rows) > PAGE, "filters": FILTERS, "chosen": set_}
        return self.render("screens/visits.html", walkers=walker_choices(), **facts)

    @expose("/assign", methods=("POST",))
    @needs("visits.assign")
    def assign(self) -> Any:
        """Give the picked visits to one person, or to whom their territory belongs."""
        ids = [int(key) for key in request.form.getlist("rowid") if key.isdecimal()]
        if not ids:
            raise Refused(_("请先勾选要分派的走访任务。"))
        person = request.form.get("person", type=int)
        if person is None:
            number = visits.assign_open(db.session(), ids)
        elif person in dict(walker_choices()):
            number = visits.assign(db.session(), ids, staff_id=person)
        else:
            raise Refused(_("只能分派给本单位范围内的客户经理。"))
        done(_("已分派 %(number)s 项走访任务。", number=number))
        return redirect(self.get_url(".index"), 303)

    @expose("/lists")
    def lists(self) -> str:
        """Walk lists, newest first, and the form that makes them."""
        query = select(WalkList).options(joinedload(WalkList.staff)).order_by(WalkList.id.desc()).limit(200)
        rows = db.session.scalars(query).all()
        return self.render("screens/walk_lists.html", rows=rows, walkers=walker_choices())

    @expose("/lists", methods=("POST",))
    @needs("visits.assign")
    def make_lists(self) -> Any:
        """Put everybody's waiting doors, or one person's, into lists."""
        known = dict(walker_choices())
        person = request.form.get("person", type=int)
        wanted = [person] if person in known else list(known)
        made = walk_lists.make_lists(db.session(), wanted)
        if made:
            done(_("已生成 %(number)s 张走访清单。", number=len(made)))
        else:
            warn(_("没有等待排入清单的走访任务。"))
        return redirect(self.get_url(".lists"), 303)

    @expose("/lists/<int:key>.pdf")
    def walk_list_pdf(self, key: int) -> Any:
        """A walk list as it prints."""
        walk_list = walk_lists.own_list(db.session(), key)
        content = walk_lists.lay_out(walk_lists.facts_of(db.session(), walk_list))
        return downloads.made(content, f"走访清单_{walk_list.number}.pdf")

    @expose("/key", methods=("POST",))
    @needs("visits.key")
    def find(self) -> Any:
        """From the code on a walk list to the form of that door."""
        visit = visits.visit_by_code(db.session(), request.form.get("code", ""))
        return redirect(self.get_url(".key", token=visit.token), 303)

    @expose("/key/<token>", methods=("GET", "POST"))
    @needs("visits.key")
    def key(self, token: str) -> Any:
        """Key a result from paper, in the visitor's name."""
        visit = visits.visit_by_code(db.session(), token)
        if request.method == "GET":
            return phone.form_of(visit, phone.blank(), own=False)
        try:
            applied = visits.record_visit(db.session(), visit, phone.report(), staff=current_user)
        except Refused as refusal:
            db.session.rollback()
            visit = visits.visit_by_code(db.session(), token)
            return phone.form_of(visit, request.form, said(refusal), own=False), 422
        traces.record(db.session(), "visit.keyed", visit)
        phone.tell(applied)
        return redirect(self.get_url(".index"), 303)


def own_doors_card(session: Session, staff: Staff) -> Card | None:
    """The doors that wait for an account manager."""
    doors = visit_sheets.own_doors(session)
    lines = [
        Line(door.address, url_for("phone.form", token=door.visit.token), f"{door.visit.due_on}")
        for door in doors[:5]
    ]
    note = "" if doors else _("今天没有要走访的客户。")
    return Card(_("我的走访"), len(doors), url_for("phone.index"), note=note, lines=lines)


def unassigned_card(session: Session, staff: Staff) -> Card | None:
    """Visits of the unit that nobody goes to: without a person, or given back."""
    waiting = select(func.count()).select_from(Visit).where(Visit.state.in_(("open", "given_back")))
    number = session.scalar(waiting.where(Visit.ended_at.is_(None))) or 0
    late = (
        select(func.count()).select_from(Visit).where(Visit.ended_at.is_(None), Visit.due_on < today(session))
    )
    overdue = session.scalar(late.where(Visit.state.in_(visits.OPEN))) or 0
    note = _("另有 %(number)s 项已过期限。", number=overdue) if overdue else ""
    tone = "alarm" if overdue else "care" if number else "calm"
    return Card(_("待安排的走访"), number, url_for("visits.index"), tone=tone, note=note)
