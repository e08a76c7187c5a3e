"""/board/<competition>: the wall screen. Live, readable from five metres, no personal data of customers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, jsonify, render_template, request
from flask_security import current_user

from models import Competition, db
from models.clock import now, today
from screens import access
from screens.access import anonymous, opened
from services import Refused, boards, competitions

pages = Blueprint("board", __name__, url_prefix="/board")

PERSONS = 20


@pages.route("/<code>")
@opened("a wall screen holds a key instead of a person")
def show(code: str) -> Any:
    """The wall screen itself."""
    competition = _seen(code)
    return render_template("screens/board.html", **_facts(competition), key=request.args.get("key", ""))


@pages.route("/<code>/rows")
@opened("a wall screen holds a key instead of a person")
def rows(code: str) -> Any:
    """What changes on the wall screen."""
    return render_template("screens/_board_rows.html", **_facts(_seen(code)))


@pages.route("/<code>/revision")
@opened("a number that says nothing but whether the board moved")
@anonymous
def revision(code: str) -> Any:
    """The number that open boards poll: one indexed row, no session, no person."""
    number = boards.revision(db.session(), code)
    if number is None:
        abort(404)
    return jsonify(revision=number)


def _seen(code: str) -> Competition:
    """The competition, if a key or the asking person's permission opens it; nobody learns which codes there are."""
    session = db.session()
    if boards.opens(session, code, request.args.get("key", "")) or access.may("competitions.view"):
        try:
            return competitions.by_code(session, code)
        except Refused:
            abort(404)
    abort(403 if current_user.is_authenticated else 401)


def _facts(competition: Competition) -> dict[str, Any]:
    session = db.session()
    units = boards.board(session, competition, "unit")
    persons = sorted(boards.board(session, competition, "person"), key=lambda row: (-row.score, row.code))[
        :PERSONS
    ]
    divisions = list(dict.fromkeys(row.division for row in units))
    return {
        "competition": competition,
        "groups": [(name, [row for row in units if row.division == name]) for name in divisions],
        "persons": persons,
        "most": max((row.score for row in units), default=0) or 1,
        "total": sum(row.numerator for row in units),
        "as_of": now(session),
        "days_left": max((competition.ends_on - today(session)).days, 0),
        "revision": boards.revision(session, competition.code),
    }
