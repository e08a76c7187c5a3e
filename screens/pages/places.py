"""The bureau's own places (行政区划): what was brought in, a file tried first, then kept."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from models import DoorPlate, PlaceDivision, PlaceRename, db
from screens.access import needs
from screens.base import Page
from screens.messages import done, said
from services import Refused, place_imports
from services.import_spools import spool_path
from services.place_files import COLUMNS

MOST = 200  # rows shown of each list
SHOWN_FAULTS = 50


class Places(Page):
    """Divisions and renames that the list of the country does not have yet, beside the lists that other pages keep."""

    permission = "rules.view"
    label, group = _l("行政区划"), "rules"

    @expose("/")
    def index(self) -> str:
        """What was brought in so far, found by any part of a name."""
        return self._index("")

    @expose("/try", methods=("POST",))
    @needs(place_imports.EDIT)
    def try_out(self) -> Any:
        """Look a file through: how many would be new or changed, or what is wrong in which line."""
        try:
            trial = _tried(db.session())
        except Refused as refusal:
            db.session.rollback()
            return self._index(said(refusal)), 422
        faults = [said(one) for one in trial.faults[:SHOWN_FAULTS]]
        shown = self.render("screens/place_trial.html", trial=trial, faults=faults)
        return (shown, 422) if not trial.digest else shown

    @expose("/keep", methods=("POST",))
    @needs(place_imports.EDIT)
    def keep(self) -> Any:
        """Bring in the file that was tried."""
        found = place_imports.keep_tried(db.session(), request.form.get("digest", ""))
        done(
            _(
                "新增 %(created)s 处，更新 %(updated)s 处，未变 %(unchanged)s 处。"
                "已有的地址要到“判定与统计”重新判定才按它判。",
                created=found.created, updated=found.updated, unchanged=found.unchanged,
            )  # fmt: skip
        )
        return redirect(self.get_url(".index"), 303)

    def _index(self, wrong: str) -> str:
        session, find = db.session(), request.args.get("find", "").strip()[:40]
        facts = {"wrong": wrong, "find": find, "columns": COLUMNS, "most": MOST}
        facts["renames"] = session.scalars(_named(PlaceRename, find).limit(MOST)).all()
        facts["divisions"] = session.scalars(_named(PlaceDivision, find).limit(MOST)).all()
        facts["numbers"] = [_count(session, table) for table in (PlaceDivision, PlaceRename, DoorPlate)]
        return self.render("screens/places.html", **facts)


def _tried(session: Session) -> place_imports.Trial:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Refused(_("请先选择区划或更名清单（CSV）。"))
    folder = spool_path(0).parent
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "upload"
        file.save(path)
        return place_imports.try_file(session, path, file.filename)


def _named(table: Any, find: str) -> Select[Any]:
    """The rows of a list that name a place so, the latest first."""
    names = [table.province, table.city, table.county]
    names += [table.town] if table is PlaceDivision else [table.old_name, table.new_name]
    query = select(table).order_by(table.id.desc())
    return query.where(or_(*(name.contains(find, autoescape=True) for name in names))) if find else query


def _count(session: Session, table: Any) -> int:
    query = select(func.count()).select_from(table)
    if table is DoorPlate:
        query = query.where(DoorPlate.withdrawn_at.is_(None))
    return session.scalar(query) or 0
