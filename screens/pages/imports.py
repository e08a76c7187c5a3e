"""Customer files: uploaded, their columns confirmed, brought in by a worker, looked at row by row, taken back."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Response, abort, make_response, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from models import Contact, ImportBatch, Run, Unit, db
from models.words import IMPORT_MODES, IMPORT_OUTCOMES, IMPORT_STATES, UNDO_OUTCOMES
from screens import downloads, import_rows, import_trials, looks, masking
from screens.access import needs
from screens.filters import equals
from screens.forms import choices
from screens.listings import Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done, said
from screens.pages.batch_changes import begin_cleanup
from screens.pickers import unit_choices, unit_filter
from services import Refused, import_mappings, traces, undo, uploads
from services import import_trials as import_trial_service
from services.headings import HEADINGS
from services.import_spools import spool_path
from services.imports import Plan
from services.people import in_scope_units
from workflows import runs

FIELD_WORDS = {heading.field: heading.heading for heading in HEADINGS.values()}
MOVING = ("queued", "running", "undoing")
STUCK = ("failed", "parked", "paused", "cancelled", "partly_failed")


class Imports(ListPage):
    """All batches; the page of one: its columns before, its progress, its figures with the rows behind them."""

    permission = "imports.view"
    label, group = _l("导入"), "records"
    template = "screens/imports.html"
    listing = Listing(
        id=ImportBatch.id,
        columns=(
            Column(_l("批次"), lambda row, _extra: row.id, css="nowrap"),
            Column(_l("文件"), lambda row, _extra: row.file_name),
            Column(_l("状态"), lambda row, _extra: looks.badge(row.state, "IMPORT_STATES"), css="nowrap"),
            Column(_l("方式"), lambda row, _extra: looks.word(row.mode, "IMPORT_MODES"), css="nowrap"),
            Column(_l("行数"), lambda row, _extra: _figure(row.rows), css="num"),
            Column(_l("新建"), lambda row, _extra: _figure(row.created), css="num"),
            Column(_l("已更新"), lambda row, _extra: _figure(row.updated), css="num"),
            Column(_l("待审核"), lambda row, _extra: _figure(row.proposed), css="num"),
            Column(_l("拒收"), lambda row, _extra: _figure(row.rejected), css="num"),
            Column(_l("单位"), lambda row, _extra: row.unit.name, css="nowrap"),
            Column(_l("导入人"), lambda row, _extra: row.recorder.name if row.recorder else "", css="nowrap"),
            Column(_l("时间"), lambda row, _extra: looks.moment(row.created_at), sort="newest", css="nowrap"),
        ),
        sorts={"newest": Sort(_l("最近的"), (), descending=True), "oldest": Sort(_l("最早的"), ())},
        filters=(
            unit_filter(ImportBatch.unit_id),
            equals("state", _l("状态"), choices(IMPORT_STATES), ImportBatch.state),
            equals("mode", _l("方式"), choices(IMPORT_MODES), ImportBatch.mode),
        ),
        link=lambda row: looks.screen_url("imports") + str(row.id),
        empty=_l("还没有导入过文件。"),
    )

    def query(self) -> Select[Any]:
        return select(ImportBatch).options(joinedload(ImportBatch.unit), joinedload(ImportBatch.recorder))

    @expose("/upload", methods=("POST",))
    @needs("imports.run")
    def upload(self) -> Any:
        """Take a file, see what it is, and go on to its columns."""
        file = request.files.get("file")
        if file is None or not file.filename:
            raise Refused(_("请先选择要导入的文件(CSV 或 XLSX)。"))
        folder = spool_path(0).parent
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder) as place:
            path = Path(place) / "upload"
            file.save(path)
            batch = uploads.receive(db.session(), path, file.filename, current_user)
        return redirect(self.get_url(".show", key=batch.id), 303)

    @expose("/<int:key>")
    def show(self, key: int) -> Any:
        """One batch, as far as it is."""
        batch = _one(key)
        if batch.state == "uploaded":
            return self._columns(batch)
        return self.render("screens/import.html", **self._facts(batch))

    @expose("/<int:key>/progress")
    def progress(self, key: int) -> Any:
        """The moving part of a batch's page; at the end the whole page comes anew."""
        batch = _one(key)
        facts = self._facts(batch)
        response = make_response(self.render("screens/_import_progress.html", **facts))
        if not facts["is_moving"]:
            response.headers["HX-Refresh"] = "true"
        return response

    @expose("/<int:key>/start", methods=("POST",))
    @needs("imports.run")
    def start(self, key: int) -> Any:
        """Fix columns, mode and unit, and let a worker bring the file in."""
        batch, session = _one(key), db.session()
        try:
            uploads.queue(session, batch, _plan(batch), recorder=current_user)
            _run(batch, "import_file", "import")
        except Refused as refusal:
            session.rollback()
            return self._columns(_one(key), said(refusal)), 422
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/try", methods=("POST",))
    @needs("imports.run")
    def try_out(self, key: int) -> Any:
        """Let a worker find out what the import would do to each row."""
        batch, session = _one(key), db.session()
        try:
            import_trial_service.begin(session, batch, _plan(batch), current_user)
            _run(batch, "try_import", "trial")
        except Refused as refusal:
            session.rollback()
            return self._columns(_one(key), said(refusal)), 422
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/trial/progress")
    def trial_progress(self, key: int) -> Any:
        """The moving part of a trial; at its end the whole page comes anew."""
        batch = _one(key)
        facts = import_trials.facts(db.session(), batch)
        response = make_response(self.render("screens/_import_trial.html", batch=batch, **facts))
        if not facts["is_trying"]:
            response.headers["HX-Refresh"] = "true"
        return response

    @expose("/<int:key>/trial")
    @needs("imports.run")
    def trial(self, key: int) -> str:
        """The rows behind one figure of a trial, as they came."""
        batch = _one(key)
        figure = import_trials.chosen(request.args)
        page = import_trials.page(db.session(), batch, figure, after=request.args.get("after", 0, type=int))
        reasons = import_trial_service.reasons(db.session(), batch)
        return self.render(
            "screens/import_trial_rows.html", batch=batch, chosen=figure, page=page, trial=batch.trial, reasons=reasons
        )

    @expose("/<int:key>/discard", methods=("POST",))
    @needs("imports.run")
    def discard(self, key: int) -> Any:
        """Forget an upload that is not to be imported."""
        uploads.discard(db.session(), _one(key))
        done(_("上传的文件已丢弃，没有导入任何数据。"))
        return redirect(self.get_url(".index"), 303)

    @expose("/<int:key>/rows")
    def rows(self, key: int) -> str:
        """The rows behind one figure of a batch."""
        batch = _one(key)
        chosen = import_rows.chosen(request.args)
        page = import_rows.page(db.session(), batch, chosen, after=request.args.get("after", 0, type=int))
        return self.render(
            "screens/import_rows.html", batch=batch, chosen=chosen, page=page, masked=masking.name_text
        )

    @expose("/<int:key>/errors", methods=("POST",))
    @needs("imports.run")
    def errors(self, key: int) -> Response:
        """The rejected rows in the sender's layout, to be corrected and brought again."""
        batch = _one(key)
        response = downloads.stored(db.session(), batch.errors_file)
        traces.record(db.session(), "import.errors_taken", batch)
        return response

    @expose("/<int:key>/undo", methods=("POST",))
    @needs("imports.undo")
    def undo(self, key: int) -> Any:
        """Let a worker take the batch back."""
        batch = _one(key)
        if batch.state == "undoing" and not _is_stuck(batch):
            raise Refused(_("这一批正在撤销，请等它结束。"))
        undo.begin(db.session(), batch, current_user)
        _run(batch, "undo_import", "undo")
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/cleanups", methods=("POST",))
    @needs("imports.run")
    def cleanups(self, key: int) -> Any:
        """Let a worker try clean versions of the batch's values; the page of that batch change goes on from there."""
        batch = _one(key)
        if batch.state != "done":
            raise Refused(_("导入完成后才能提出数据规范。"))
        title = _("数据规范 %(file)s", file=batch.file_name)
        change = begin_cleanup(db.session(), batch.unit, batch.id, title)
        return redirect(self.get_url("batch_changes.show", key=change.id), 303)

    def _columns(self, batch: ImportBatch, mistake: str = "") -> str:
        """The page before the import: what the file is, and which column holds what."""
        try:
            preview = uploads.preview(batch)
        except Refused as refusal:
            return self.render("screens/import_gone.html", batch=batch, reason=said(refusal))
        return self.render(
            "screens/import_columns.html",
            batch=batch,
            preview=preview,
            fields=FIELD_WORDS,
            filled=request.form,
            modes=IMPORT_MODES,
            units=unit_choices(),
            mistake=mistake,
            known=import_mappings.find(db.session(), current_user.unit_id, preview.table.headings),
            **import_trials.facts(db.session(), batch),
        )

    def _facts(self, batch: ImportBatch) -> dict[str, Any]:
        run = db.session.scalar(select(Run).where(Run.id == batch.run_id)) if batch.run_id else None
        is_stuck = run is not None and run.state in STUCK and batch.state in MOVING
        return {
            "batch": batch,
            "run": run,
            "is_stuck": is_stuck,
            "is_moving": batch.state in MOVING and not is_stuck,
            "outcomes": IMPORT_OUTCOMES,
            "undo_outcomes": UNDO_OUTCOMES,
            "fields": FIELD_WORDS,
            "touched": batch.created + batch.updated + batch.proposed,
            "is_cleanable": batch.state == "done" and _has_cleanable(batch),
        }


def _figure(number: int) -> str:
    return f"{number:,}" if number else ""


def _one(key: int) -> ImportBatch:
    found = db.session.scalar(select(ImportBatch).where(ImportBatch.id == min(key, 2**63 - 1)))
    return found if found is not None else abort(404)


def _plan(batch: ImportBatch) -> Plan:
    """What the form says of how the file is to be brought in."""
    session = db.session()
    unit = session.scalar(select(Unit).where(Unit.id == _number("unit"), in_scope_units(session)))
    if unit is None:
        raise Refused(_("请选择没有写供电单位的行归哪个单位。"))
    return Plan(request.form.get("mode", ""), unit, _mapping(batch))


def _run(batch: ImportBatch, workflow: str, node: str) -> None:
    """Start the run that works on a batch, and tie the two together."""
    values = {f"{node}.batch": batch.id, f"{node}.name": batch.file_name}
    batch.run_id = runs.start(db.session(), workflow, values, current_user).id


def _is_stuck(batch: ImportBatch) -> bool:
    state = db.session.scalar(select(Run.state).where(Run.id == batch.run_id))
    return state in STUCK


def _number(name: str) -> int:
    return min(request.form.get(name, 0, type=int), 2**63 - 1)


def _mapping(batch: ImportBatch) -> dict[str, str]:
    """What the person chose for each column: a field, or nothing to leave it out."""
    headings = uploads.preview(batch).table.headings
    return {heading: request.form.get(f"column-{place}", "") for place, heading in enumerate(headings) if heading}


def _has_cleanable(batch: ImportBatch) -> bool:
    """Whether a value of the batch is certain but not clean."""
    query = select(Contact.id).where(Contact.batch_id == batch.id, Contact.state == "current")
    return db.session.scalar(query.where(Contact.verdict == "repairable").limit(1)) is not None
