"""Batch changes: begun with a rule or a list, tried, submitted, decided by another person, applied, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Response, abort, make_response, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from models import BatchChange, Run, Staff, Unit, db
from models.quality_words import BATCH_CHANGE_KINDS, BATCH_CHANGE_STATES
from quality.number_upgrades import UPGRADES
from screens import batch_change_figures, downloads, looks
from screens.access import needs
from screens.cards import Card, Line
from screens.filters import equals
from screens.forms import choices
from screens.listings import Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done, said
from screens.pages.customers import reasons_of
from screens.pickers import unit_choices, unit_filter
from services import Refused, batch_change_sheets, batch_changes, traces
from services.batch_change_lists import COLUMNS, SHARED
from services.batch_changes import Beginning, Choice
from services.import_spools import spool_path
from services.people import in_scope_units
from workflows import runs

MOVING = ("planning", "submitting", "applying", "undoing")
STUCK = ("failed", "parked", "paused", "cancelled", "partly_failed")


class BatchChanges(ListPage):
    """All batch changes; the page of one: what it would change, who decides, how far it is."""

    permission = "batch_changes.view"
    label, group = _l("批量变更"), "records"
    template = "screens/batch_changes.html"
    listing = Listing(
        id=BatchChange.id,
        columns=(
            Column(_l("编号"), lambda row, _extra: row.id, css="nowrap"),
            Column(_l("名称"), lambda row, _extra: row.title),
            Column(_l("类型"), lambda row, _extra: looks.word(row.kind, "BATCH_CHANGE_KINDS"), css="nowrap"),
            Column(_l("状态"), lambda row, _extra: looks.badge(row.state, "BATCH_CHANGE_STATES"), css="nowrap"),
            Column(_l("文件依据"), lambda row, _extra: row.document),
            Column(_l("单位"), lambda row, _extra: row.unit.name, css="nowrap"),
            Column(_l("提出人"), lambda row, _extra: row.proposer.name if row.proposer else "", css="nowrap"),
            Column(_l("时间"), lambda row, _extra: looks.moment(row.created_at), sort="newest", css="nowrap"),
        ),
        sorts={"newest": Sort(_l("最近的"), (), descending=True), "oldest": Sort(_l("最早的"), ())},
        filters=(
            unit_filter(BatchChange.unit_id),
            equals("kind", _l("类型"), choices(BATCH_CHANGE_KINDS), BatchChange.kind),
            equals("state", _l("状态"), choices(BATCH_CHANGE_STATES), BatchChange.state),
        ),
        link=lambda row: looks.screen_url("batch_changes") + str(row.id),
        empty=_l("还没有批量变更。可以从上面选一种开始：先试算，看清影响和冲突，再提交审核。"),
    )

    def query(self) -> Select[Any]:
        return select(BatchChange).options(joinedload(BatchChange.unit), joinedload(BatchChange.proposer))

    def shown(self) -> dict[str, Any]:
        return super().shown() | {"kinds": BATCH_CHANGE_KINDS}

    @expose("/new/<kind>")
    @needs("batch_changes.run")
    def new(self, kind: str) -> Any:
        """The form of one kind."""
        if kind not in BATCH_CHANGE_KINDS:
            abort(404)
        return self._form(kind)

    @expose("/begin/<kind>", methods=("POST",))
    @needs("batch_changes.run")
    def begin(self, kind: str) -> Any:
        """Keep what was chosen and let a worker try it."""
        session = db.session()
        try:
            change = self._begun(session, kind)
        except Refused as refusal:
            session.rollback()
            return self._form(kind, said(refusal)), 422
        return redirect(self.get_url(".show", key=change.id), 303)

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """One batch change, as far as it is."""
        return self.render("screens/batch_change.html", **self._facts(_one(key)))

    @expose("/<int:key>/progress")
    def progress(self, key: int) -> Any:
        """The moving part of the page; at the end the whole page comes anew."""
        facts = self._facts(_one(key))
        response = make_response(self.render("screens/_batch_change_progress.html", **facts))
        if not facts["is_moving"]:
            response.headers["HX-Refresh"] = "true"
        return response

    @expose("/<int:key>/submit", methods=("POST",))
    @needs("batch_changes.run")
    def submit(self, key: int) -> Any:
        """Hand in what was tried."""
        change = _one(key)
        batch_changes.submit(db.session(), change, current_user)
        return self._set_going(change)

    @expose("/<int:key>/drop", methods=("POST",))
    @needs("batch_changes.run")
    def drop(self, key: int) -> Any:
        """Forget a trial."""
        batch_changes.drop(db.session(), _one(key), current_user)
        done(_("这一批已放弃，没有改动任何数据。"))
        return redirect(self.get_url(".index"), 303)

    @expose("/<int:key>/approve", methods=("POST",))
    @needs("batch_changes.approve")
    def approve(self, key: int) -> Any:
        """Approve all that waits, or one group of it."""
        change, checked = _one(key), "checked" in request.form
        batch_changes.approve(db.session(), change, _choice(), current_user, checked=checked)
        return self._set_going(change)

    @expose("/<int:key>/refuse", methods=("POST",))
    @needs("batch_changes.approve")
    def refuse(self, key: int) -> Any:
        """Refuse all that waits, or one group of it, with a reason."""
        change, reason = _one(key), request.form.get("reason", "")
        batch_changes.refuse(db.session(), change, _choice(), current_user, reason=reason)
        return self._set_going(change)

    @expose("/<int:key>/undo", methods=("POST",))
    @needs("batch_changes.undo")
    def undo(self, key: int) -> Any:
        """Take the change back."""
        change = _one(key)
        batch_changes.take_back(db.session(), change, current_user)
        return self._set_going(change)

    @expose("/<int:key>/sheet", methods=("POST",))
    @needs("batch_changes.run", "batch_changes.approve")
    def sheet(self, key: int) -> Response:
        """The sheet that is signed for the change (批量变更审批单), with examples in plain text."""
        change = _one(key)
        facts = batch_change_sheets.facts(db.session(), change)
        traces.record(db.session(), "batch_change.printed", change)
        return downloads.printed("batch_change_sheet", facts, f"{change.unit.name}_{change.id}")

    @expose("/<int:key>/list", methods=("POST",))
    @needs("batch_changes.run", "batch_changes.approve")
    def list_file(self, key: int) -> Response:
        """The list that was uploaded, as evidence."""
        return downloads.stored(db.session(), _one(key).sha256)

    def _form(self, kind: str, mistake: str = "") -> str:
        columns = COLUMNS.get(kind, {}) | (SHARED if kind in COLUMNS else {})
        return self.render(
            "screens/batch_change_form.html",
            kind=kind,
            upgrades=UPGRADES if kind == "number_upgrade" else (),
            columns={name: text.split() for name, text in columns.items()},
            takes_list=kind in COLUMNS,
            units=unit_choices(),
            filled=request.form,
            chosen=request.form.getlist("rules"),
            mistake=mistake,
        )

    def _begun(self, session: Session, kind: str) -> BatchChange:
        unit = session.scalar(select(Unit).where(Unit.id == _number("unit"), in_scope_units(session)))
        if unit is None:
            raise Refused(_("请选择在哪个单位变更。"))
        file = request.files.get("file")
        with TemporaryDirectory(dir=_folder()) as place:
            path = Path(place) / "list"
            if file is not None and file.filename:
                file.save(path)
            wish = _beginning(kind, unit, path if path.exists() else None, file)
            change = batch_changes.begin(session, wish, current_user)
        set_going(change)
        return change

    def _set_going(self, change: BatchChange) -> Any:
        set_going(change)
        return redirect(self.get_url(".show", key=change.id), 303)

    def _facts(self, change: BatchChange) -> dict[str, Any]:
        session = db.session()
        run = session.scalar(select(Run).where(Run.id == change.run_id)) if change.run_id else None
        is_stuck = run is not None and run.state in STUCK and change.state in MOVING
        is_moving = change.state in MOVING and not is_stuck
        facts = {"change": change, "run": run, "is_stuck": is_stuck, "is_moving": is_moving}
        if is_moving:
            return facts
        return facts | batch_change_figures.page(session, change) | {
            "refusals": reasons_of("proposal_refused"),
            "unconfirmed": batch_changes.unconfirmed(change),
            "is_own": change.proposer_id == current_user.id,
        }  # fmt: skip


def _beginning(kind: str, unit: Unit, path: Path | None, file: Any) -> Beginning:
    """What the form says."""
    day = request.form.get("effective_on", "")
    try:
        since = date.fromisoformat(day) if day else None
    except ValueError as error:
        raise Refused(_("生效日期不对，请按 2026-01-31 的样子填写。")) from error
    options: dict[str, Any] = {}
    if kind == "number_upgrade":
        options = {"rules": request.form.getlist("rules"), "unconfirmed": "unconfirmed" in request.form}
    name = Path(file.filename.replace("\\", "/")).name if path and file else ""
    title, document = request.form.get("title", "").strip(), request.form.get("document", "").strip()
    return Beginning(kind, unit, title, document, since, path, name, options)


def _folder() -> Path:
    folder = spool_path(0).parent
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _one(key: int) -> BatchChange:
    found = db.session.scalar(select(BatchChange).where(BatchChange.id == min(key, 2**63 - 1)))
    return found if found is not None else abort(404)


def _number(name: str) -> int:
    return min(request.form.get(name, 0, type=int), 2**63 - 1)


def _choice() -> Choice:
    return Choice(cause=request.form.get("cause"))


def set_going(change: BatchChange) -> None:
    """Start the run that does what is under way with a change."""
    values: Mapping[str, Any] = {"change.change": change.id, "change.name": change.title}
    change.run_id = runs.start(db.session(), "change_in_batch", values, current_user).id


def begin_cleanup(session: Session, unit: Unit, batch_id: int, title: str) -> BatchChange:
    """Begin the clean-up of what one import brought."""
    wish = Beginning("cleanup", unit, title=title, options={"batch": batch_id})
    change = batch_changes.begin(session, wish, current_user)
    set_going(change)
    return change


def waiting_card(session: Session, staff: Staff) -> Card | None:
    """Batch changes of others that wait to be decided."""
    query = select(BatchChange).where(BatchChange.state == "waiting", BatchChange.proposer_id != staff.id)
    rows = session.scalars(query.order_by(BatchChange.id).limit(20)).all()
    if not rows:
        return None
    base = looks.screen_url("batch_changes")
    lines = [Line(row.title, f"{base}{row.id}", looks.day(row.submitted_at)) for row in rows[:3]]
    return Card(_("批量变更待审核"), len(rows), f"{base}?state=waiting", tone="care", lines=lines)
