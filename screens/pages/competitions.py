"""Competitions: set up without code, started as a run, watched, their boards printed and their keys given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select

from models import BoardKey, Competition, ContactKind, StandingSet, Unit, db
from models.people import root_unit
from screens import downloads
from screens.access import READING, needs
from screens.base import Page
from screens.messages import done, said
from services import Refused, board_papers, boards, competitions
from services.competitions import Plan
from workflows import runs

PARTS = ("a", "b", "c")
WORKFLOW = "labour_competition"


class Competitions(Page):
    """All competitions; the page of one; the form that sets one up."""

    permission = "competitions.view"
    label, group = _l("劳动竞赛"), "results"

    @expose("/")
    def index(self) -> str:
        """The list, newest first."""
        rows = db.session.scalars(select(Competition).order_by(Competition.id.desc()).limit(200)).all()
        return self.render("screens/competitions.html", rows=rows)

    @expose("/new", methods=("GET", "POST"))
    @needs("competitions.edit")
    def new(self) -> Any:
        """Set a competition up."""
        if request.method in READING:
            return self._form({}, None)
        try:
            row = competitions.create(db.session(), plan(request.form), unit=root_unit(db.session()))
        except Refused as refusal:
            db.session.rollback()
            return self._form(request.form, None, said(refusal)), 422
        done(_("竞赛已建立，核对无误后即可启动。"))
        return redirect(self.get_url(".show", key=row.id), 303)

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """One competition: its rules, its boards, its keys."""
        row = _one(key)
        kept = select(StandingSet).where(StandingSet.competition_id == row.id).order_by(StandingSet.number)
        keys = select(BoardKey).where(BoardKey.competition_id == row.id).order_by(BoardKey.id)
        return self.render(
            "screens/competition.html",
            row=row,
            kinds=_kinds(),
            units=boards.board(db.session(), row, "unit"),
            persons=boards.board(db.session(), row, "person"),
            sets=db.session.scalars(kept).all(),
            keys=db.session.scalars(keys).all(),
        )

    @expose("/<int:key>/edit", methods=("GET", "POST"))
    @needs("competitions.edit")
    def edit(self, key: int) -> Any:
        """Change a draft."""
        row = _one(key)
        if request.method in READING:
            return self._form(_filled(row), row)
        try:
            competitions.change(db.session(), row, plan(request.form))
        except Refused as refusal:
            db.session.rollback()
            return self._form(request.form, _one(key), said(refusal)), 422
        done(_("已保存。"))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/start", methods=("POST",))
    @needs("competitions.start")
    def start(self, key: int) -> Any:
        """Start the run that carries the competition from its opening to its result."""
        run = runs.start(db.session(), WORKFLOW, {"open.competition": _one(key).code}, current_user)
        done(_("竞赛流程已启动，开赛后自动计分，到期自动统计、定榜和公示。"))
        return redirect(self.get_url("runs.show", key=run.id), 303)

    @expose("/<int:key>/board.pdf")
    def board_pdf(self, key: int) -> Any:
        """The A3 board as it stands."""
        row = _one(key)
        return downloads.made(board_papers.lay_out(db.session(), row), f"排行榜_{row.name}.pdf")

    @expose("/<int:key>/keys", methods=("POST",))
    @needs("competitions.edit")
    def give_key(self, key: int) -> str:
        """A key for one wall screen; its address is shown this once."""
        row, label = _one(key), request.form.get("label", "").strip()[:80]
        if not label:
            raise Refused(_("请写明这个密钥给哪块大屏用，以后才知道该停用哪一个。"))
        secret = boards.issue_key(db.session(), row, label)
        address = self.get_url("board.show", code=row.code, key=secret, _external=True)
        return self.render("screens/board_key.html", row=row, label=label, address=address)

    @expose("/<int:key>/keys/revoke", methods=("POST",))
    @needs("competitions.edit")
    def revoke_key(self, key: int) -> Any:
        """Close a wall screen's key."""
        found = db.session.get(BoardKey, request.form.get("id", type=int) or 0)
        if found is None or found.competition_id != key:
            abort(404)
        boards.revoke_key(db.session(), found)
        done(_("密钥已停用，使用它的大屏不再更新。"))
        return redirect(self.get_url(".show", key=key), 303)

    def _form(self, filled: Mapping[str, Any], row: Competition | None, mistake: str = "") -> str:
        units = db.session.scalars(select(Unit).where(Unit.parent_id.is_not(None)).order_by(Unit.path)).all()
        facts = {
            "filled": filled,
            "row": row,
            "mistake": mistake,
            "units": units,
            "parts": PARTS,
            "kinds": _kinds(),
        }
        return self.render("screens/competition_form.html", **facts)


def plan(form: Mapping[str, str]) -> Plan:
    """What the form says; mistakes in it are refused with a sentence."""
    code, name = form.get("code", "").strip(), form.get("name", "").strip()
    if not name or not code.isascii() or not code.replace("-", "").replace("_", "").isalnum():
        raise Refused(_("请填写竞赛名称，编码只能用英文字母、数字、短横和下划线。"))
    try:
        return Plan(
            code=code[:40],
            name=name[:120],
            starts_on=date.fromisoformat(form.get("starts_on", "")),
            ends_on=date.fromisoformat(form.get("ends_on", "")),
            points=_points(form),
            divisions=_divisions(form),
            publicity_days=max(1, min(int(form.get("publicity_days") or 5), 60)),
        )
    except ValueError:
        raise Refused(_("日期、分值和公示天数要填写数字和完整的日期，请检查后再保存。")) from None


def _points(form: Mapping[str, str]) -> dict[str, float]:
    found = {
        name.removeprefix("points_"): float(text)
        for name, text in form.items()
        if name.startswith("points_") and text
    }
    if not all(isfinite(points) for points in found.values()):
        raise ValueError
    return {kind: points for kind, points in found.items() if points}


def _divisions(form: Mapping[str, str]) -> dict[str, list[int]]:
    chosen = [
        (int(name.removeprefix("unit_")), part) for name, part in form.items() if name.startswith("unit_")
    ]
    names = {part: form.get(f"division_{part}", "").strip()[:40] or part.upper() for part in PARTS}
    found: dict[str, list[int]] = {}
    for unit_id, part in chosen:
        if part in names:
            found.setdefault(names[part], []).append(unit_id)
    return found


def _filled(row: Competition) -> dict[str, Any]:
    found: dict[str, Any] = {"code": row.code, "name": row.name, "publicity_days": row.publicity_days}
    found |= {"starts_on": row.starts_on.isoformat(), "ends_on": row.ends_on.isoformat()}
    found |= {f"points_{kind}": points for kind, points in row.points.items()}
    for part, division in zip(PARTS, row.divisions, strict=False):
        found[f"division_{part}"] = division.name
        found |= {f"unit_{member.unit_id}": part for member in division.members}
    return found


def _one(key: int) -> Competition:
    found = db.session.get(Competition, key) if key < 2**63 else None
    return found if found is not None else abort(404)


def _kinds() -> list[ContactKind]:
    return list(db.session.scalars(select(ContactKind).order_by(ContactKind.position)))
