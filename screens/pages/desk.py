"""The mail desk: returned forms keyed, undelivered letters recorded, stacks printed and posted; all without a mouse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Letter, Reason, Staff, db
from models.clock import today
from models.words import RELATIONS
from quality.reasons import REASONS
from screens import desk_forms, downloads
from screens.access import needs, reads
from screens.base import Page
from screens.cards import Card
from screens.looks import screen_url
from screens.messages import said
from services import (
    Refused,
    form_ticks,
    letters,
    reasons,
    return_undos,
    returns,
    undelivered,
    undelivered_registers,
)
from services.judging import judge_in

RETURNS, UNDELIVERED, LETTERS = "returns.key", "undelivered.key", "letters.run"
LISTED = 100
FORM_RELATIONS = ("self", "family", "tenant", "property_manager", "handler")


class Desk(Page):
    """Three queues: what came back filled in, what came back undelivered, what is to go out."""

    permission = "returns.view"
    label, group = _l("收发台"), "mailing"

    @expose("/")
    def index(self) -> str:
        """The return queue: scan or type the code, key what the paper says, save, next."""
        return self.render("screens/desk_returns.html", **self._returns())

    @expose("/open", methods=("POST",))
    @needs(RETURNS)
    @reads
    def open(self) -> str:
        """The form of a scanned code, in the order of the paper."""
        return self._work(open_code=request.form.get("code", ""))

    @expose("/judge", methods=("POST",))
    @needs(RETURNS)
    @reads
    def judge(self) -> str:
        """What the judge says of one value, as soon as it is keyed."""
        place = request.form.get("place", "")
        text = request.form.get(f"new_{place}", "").strip()
        if place not in returns.KINDS or not text:
            return ""
        try:
            unit_id = letters.letter_by_code(db.session(), request.form.get("code", "")).unit_id
        except Refused as refusal:
            return self.render("screens/_desk_verdict.html", mistake=said(refusal))
        verdict = judge_in(db.session(), unit_id, returns.KINDS[place], text)
        return self.render("screens/_desk_verdict.html", verdict=verdict, reasons=REASONS, text=text)

    @expose("/save", methods=("POST",))
    @needs(RETURNS)
    def save(self) -> str:
        """Key the form; with a mistake in it, it comes back as it was keyed."""
        session, code = db.session(), request.form.get("code", "")
        try:
            form = desk_forms.form_from(request.form, letters.letter_by_code(session, code))
            keyed = returns.key_return(session, code, form, staff=current_user)
        except Refused as refusal:
            session.rollback()
            return self._work(open_code=code, mistake=said(refusal), filled=request.form)
        return self._work(keyed=keyed)

    @expose("/undo", methods=("POST",))
    @needs(RETURNS)
    def undo(self) -> str:
        """Take back the last form that this person keyed."""
        try:
            keying = return_undos.undo_last_return(db.session(), staff=current_user)
        except Refused as refusal:
            db.session.rollback()
            return self._work(mistake=said(refusal))
        return self._work(message=_("已撤销 %(number)s 的录入。", number=letters.number_of(keying.letter)))

    @expose("/undelivered")
    @needs(UNDELIVERED)
    def undelivered(self) -> str:
        """The undelivered queue: scan, one key for the reason."""
        return self.render("screens/desk_undelivered.html", **self._undelivered())

    @expose("/undelivered/look", methods=("POST",))
    @needs(UNDELIVERED)
    @reads
    def look(self) -> str:
        """Which letter a scanned code means, while the finger finds the reason's key."""
        try:
            letter = letters.letter_by_code(db.session(), request.form.get("code", ""))
        except Refused as refusal:
            return self.render("screens/_desk_found.html", mistake=said(refusal))
        return self.render("screens/_desk_found.html", letter=letter, **_named(letter))

    @expose("/undelivered/save", methods=("POST",))
    @needs(UNDELIVERED)
    def save_undelivered(self) -> str:
        """Record one; address, balance and visits follow at once."""
        code, reason = request.form.get("code", ""), request.form.get("reason", "")
        try:
            came_back = undelivered.record_undelivered(db.session(), code, reason, staff=current_user)
        except Refused as refusal:
            db.session.rollback()
            return self.render("screens/_desk_undelivered.html", **self._undelivered(mistake=said(refusal)))
        return self.render("screens/_desk_undelivered.html", **self._undelivered(came_back=came_back))

    @expose("/undelivered/undo", methods=("POST",))
    @needs(UNDELIVERED)
    def undo_undelivered(self) -> str:
        """Take back the last one that this person recorded."""
        try:
            letter = undelivered.undo_last_undelivered(db.session(), staff=current_user)
        except Refused as refusal:
            db.session.rollback()
            return self.render("screens/_desk_undelivered.html", **self._undelivered(mistake=said(refusal)))
        message = _("已撤销 %(number)s 的退信登记。", number=letters.number_of(letter))
        return self.render("screens/_desk_undelivered.html", **self._undelivered(message=message))

    @expose("/undelivered/list")
    @needs(UNDELIVERED)
    def recorded(self) -> str:
        """What came back on a day, recorded by everybody or by the one who asks."""
        session, day, mine = db.session(), _day(request.args), "mine" in request.args
        asked = {"staff_id": current_user.id if mine else None, "before": request.args.get("before", 0, type=int)}
        rows = session.execute(undelivered_registers.recorded(day, **asked).limit(LISTED + 1)).all()
        facts = {"day": day, "mine": mine, "rows": undelivered_registers.lines(session, rows[:LISTED], said=_)}
        before = rows[LISTED - 1].Trace.id if len(rows) > LISTED else None
        return self.render("screens/desk_recorded.html", before=before, **facts)

    @expose("/undelivered/list.pdf", methods=("POST",))
    @needs(UNDELIVERED)
    def register(self) -> Any:
        """The day's register as a sheet to be signed."""
        day = _day(request.form)
        facts = undelivered_registers.facts(db.session(), day, unit=current_user.unit.name)
        return downloads.printed("undelivered_register", facts, day.isoformat())

    @expose("/posting")
    @needs(LETTERS)
    def posting(self) -> Any:
        """The print room, where letters are printed and posted."""
        return redirect(screen_url("print_room"), 303)

    def _work(self, **facts: Any) -> str:
        return self.render("screens/_desk_returns.html", **self._returns(**facts))

    def _returns(
        self, *, open_code: str = "", mistake: str = "", filled: Any = None, keyed: Any = None, message: str = ""
    ) -> dict[str, Any]:
        facts = {"mistake": mistake, "message": message, "keyed": keyed, "filled": filled, "letter": None}
        if open_code:
            facts |= _opened(db.session(), open_code, mistake)
        return facts | {
            "today": returns.keyed_today(db.session(), current_user),
            "recent": returns.recent_keyings(db.session(), current_user),
            "rows": desk_forms.ROWS,
            "channels": form_ticks.CHANNELS,
            "other": form_ticks.OTHER,
            "wishes": form_ticks.WISHES,
            "relations": {code: RELATIONS[code] for code in FORM_RELATIONS},
            "number_of": letters.number_of,
        }

    def _undelivered(self, *, mistake: str = "", message: str = "", came_back: Any = None) -> dict[str, Any]:
        query = select(Reason).where(Reason.list == reasons.LIST).order_by(Reason.position)
        found = db.session.scalars(query).all()
        return {
            "mistake": mistake,
            "message": message,
            "came_back": came_back,
            "reasons": found,
            "labels": {reason.code: _(reason.label) for reason in found},
            "today": undelivered.recorded_today(db.session(), current_user),
            "recent": undelivered.recent(db.session(), current_user),
            "number_of": letters.number_of,
        }


def returns_today(session: Session, staff: Staff) -> Card | None:
    """Forms that this person keyed today."""
    return Card(_("份回函今天已录入"), returns.keyed_today(session, staff), "/admin/desk/")


def undelivered_today(session: Session, staff: Staff) -> Card | None:
    """Letters that this person recorded as undelivered today."""
    return Card(_("封退信今天已登记"), undelivered.recorded_today(session, staff), "/admin/desk/undelivered")


def _day(asked: Mapping[str, str]) -> date:
    try:
        return date.fromisoformat(asked.get("day", ""))
    except ValueError:
        return today(db.session())


def _opened(session: Session, code: str, mistake: str) -> dict[str, Any]:
    try:
        letter = letters.letter_by_code(session, code)
    except Refused as refusal:
        return {"mistake": mistake or said(refusal), "bad_code": code}
    return {
        "letter": letter,
        "head": desk_forms.head_of(letter),
        "printed": desk_forms.printed(letter),
        "before": returns.keyed_before(session, letter),
    }


def _named(letter: Letter) -> dict[str, Any]:
    return {"head": desk_forms.head_of(letter), "number_of": letters.number_of}

