"""/m/: the account manager's phone page: own doors in walking order, and the form for what the door said."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_security import current_user

from models import Visit, db
from models.words import RELATIONS
from screens.access import needs
from screens.messages import done, said
from services import Refused, visit_sheets, visits
from services.answers import Answer, Applied, check_answers
from services.visits import Report

pages = Blueprint("phone", __name__, url_prefix="/m")


@pages.route("/")
@needs("visits.edit")
def index() -> str:
    """Own doors of today, place by place."""
    doors = visit_sheets.own_doors(db.session())
    places = list(dict.fromkeys(door.place for door in doors))
    groups = [(place, [door for door in doors if door.place == place]) for place in places]
    return render_template("screens/phone.html", groups=groups, number=len(doors))


@pages.route("/find", methods=("POST",))
@needs("visits.edit")
def find() -> Any:
    """From a scanned or typed code to its form."""
    visit = visits.visit_by_code(db.session(), request.form.get("code", ""))
    return redirect(url_for("phone.form", token=visit.token), 303)


@pages.route("/<token>")
@needs("visits.edit")
def form(token: str) -> str:
    """The form of one visit."""
    return form_of(_own(token), blank(), own=True)


@pages.route("/<token>", methods=("POST",))
@needs("visits.edit")
def record(token: str) -> Any:
    """Record what the door said; with a mistake in it, the form comes back as it was filled in."""
    visit = _own(token)
    try:
        applied = visits.record_visit(db.session(), visit, report(), staff=current_user)
    except Refused as refusal:
        db.session.rollback()
        return form_of(_own(token), request.form, said(refusal), own=True), 422
    tell(applied)
    return redirect(url_for("phone.index"), 303)


@pages.route("/<token>/accept", methods=("POST",))
@needs("visits.edit")
def accept(token: str) -> Any:
    """Sign for a visit."""
    visits.accept(db.session(), _own(token))
    done(_("已签收。"))
    return redirect(url_for("phone.form", token=token), 303)


@pages.route("/<token>/give_back", methods=("POST",))
@needs("visits.edit")
def give_back(token: str) -> Any:
    """Give a visit back with a reason."""
    visits.give_back(db.session(), _own(token), reason=request.form.get("reason", ""))
    done(_("任务已退回，由所长重新安排。"))
    return redirect(url_for("phone.index"), 303)


def report() -> Report:
    """What the posted form says."""
    answers = []
    for kind in visit_sheets.ASKED:
        reply, text = request.form.get(f"reply_{kind}", ""), request.form.get(f"text_{kind}", "").strip()
        if text and reply in ("", "new"):
            answers.append(Answer(kind, "new", text))
        elif reply == "new":
            raise Refused(_("有一项选择了“变更”，但没有填写新内容。请填写，或改选其他选项。"))
        elif reply:
            answers.append(Answer(kind, reply, text))
    check_answers(answers, visit_sheets.ASKED)
    relation = request.form.get("relation", "")
    return Report(
        result=request.form.get("result", ""),
        answers=tuple(answers),
        relation=relation if relation in RELATIONS else "",
        note=request.form.get("note", "").strip()[:500],
        form_key=request.form.get("form_key") or None,
    )


def _own(token: str) -> Visit:
    """The visit of this token, if it is assigned to the asking person."""
    visit = visits.visit_by_code(db.session(), token)
    if visit.staff_id != current_user.id:
        raise Refused(_("这项走访任务不在您名下。"))
    return visit


def blank() -> dict[str, str]:
    """A form that nobody has filled in yet; its key lets the same form be recorded once only."""
    return {"form_key": secrets.token_hex(16)}


def tell(applied: Applied) -> None:
    """Say what came of a recorded visit."""
    if applied.waiting:
        done(_("走访结果已保存，%(number)s 项变更等待审核。", number=len(applied.waiting)))
    else:
        done(_("走访结果已保存。"))


def form_of(visit: Visit, filled: Any, mistake: str = "", *, own: bool) -> str:
    """The form of one visit, for its visitor or for who keys it from paper."""
    session = db.session()
    return render_template(
        "screens/phone_form.html",
        sheet=visit_sheets.sheet(session, visit),
        results=visit_sheets.results(session),
        filled=filled,
        mistake=mistake,
        own=own,
    )
