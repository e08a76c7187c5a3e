"""Scan batches: uploaded, read by a worker, and how their sides ended, each figure with its sheets behind it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import abort, make_response, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from models import Run, ScanBatch, Sheet, Staff, db
from models.return_words import SCAN_BATCH_STATES, SCAN_ORIGINS, SHEET_STATES
from screens import looks
from screens.access import needs
from screens.cards import Card
from screens.filters import equals
from screens.forms import choices
from screens.listings import Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done
from screens.pickers import unit_filter
from services import Refused, receipts, scan_batches, sheet_balances
from services.scan_batches import Scans
from workflows import scan_readings

MOVING = ("received", "reading")
STUCK = ("failed", "parked", "paused", "cancelled", "partly_failed")
TO_SORT = ("unidentified", "foreign")


class ScanBatches(ListPage):
    """All batches, and the page of one: its progress, then its figures."""

    permission = "scans.view"
    label, group = _l("扫描批次"), "mailing"
    template = "screens/scan_batches.html"
    listing = Listing(
        id=ScanBatch.id,
        columns=(
            Column(_l("批次"), lambda row, _extra: row.id, css="nowrap"),
            Column(_l("文件"), lambda row, _extra: row.name),
            Column(_l("状态"), lambda row, _extra: looks.badge(row.state, "SCAN_BATCH_STATES"), css="nowrap"),
            Column(_l("来自"), lambda row, _extra: looks.word(row.origin, "SCAN_ORIGINS"), css="nowrap"),
            Column(_l("面数"), lambda row, _extra: f"{row.sides:,}", css="num"),
            Column(_l("单位"), lambda row, _extra: row.unit.name, css="nowrap"),
            Column(_l("扫描人"), lambda row, _extra: row.staff.name if row.staff else "", css="nowrap"),
            Column(_l("时间"), lambda row, _extra: looks.moment(row.created_at), sort="newest", css="nowrap"),
        ),
        sorts={"newest": Sort(_l("最近的"), (), descending=True), "oldest": Sort(_l("最早的"), ())},
        filters=(
            unit_filter(ScanBatch.unit_id),
            equals("state", _l("状态"), choices(SCAN_BATCH_STATES), ScanBatch.state),
            equals("origin", _l("来自"), choices(SCAN_ORIGINS), ScanBatch.origin),
        ),
        link=lambda row: looks.screen_url("scan_batches") + str(row.id),
        empty=_l("还没有扫描过回函。"),
        advice=_l("把扫描仪保存的文件在上面上传，或放进监视文件夹。"),
    )

    def query(self) -> Select[Any]:
        return select(ScanBatch).options(joinedload(ScanBatch.unit), joinedload(ScanBatch.staff))

    @expose("/upload", methods=("POST",))
    @needs("scans.run")
    def upload(self) -> Any:
        """Take files, see that they are scans, and let a worker read them."""
        given = [file for file in request.files.getlist("files") if file.filename]
        if not given:
            raise Refused(_("请先选择扫描文件（PDF、TIFF、JPEG 或 PNG）。"))
        with TemporaryDirectory() as folder:
            scans = []
            for number, file in enumerate(given):
                path = Path(folder) / str(number)
                file.save(path)
                file.close()
                scans.append(Scans(path, Path((file.filename or "").replace("\\", "/")).name))
            counted = scan_batches.look_into(scans)
            batch, is_new = scan_batches.receive(db.session(), counted, origin="upload", staff=current_user)
        if is_new:
            scan_readings.start(db.session(), batch, current_user)
        else:
            done(_("这些文件以前已经读过，这是当时的批次。"))
        return redirect(self.get_url(".show", key=batch.id), 303)

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """One batch, as far as it is."""
        return self.render("screens/scan_batch.html", **self._facts(_one(key)))

    @expose("/<int:key>/progress")
    def progress(self, key: int) -> Any:
        """The moving part of a batch's page; at the end the whole page comes anew."""
        facts = self._facts(_one(key))
        response = make_response(self.render("screens/_scan_batch.html", **facts))
        if not facts["is_moving"]:
            response.headers["HX-Refresh"] = "true"
        return response

    @expose("/<int:key>/again", methods=("POST",))
    @needs("scans.run")
    def again(self, key: int) -> Any:
        """Go on with a batch that came to a halt; what was read stays."""
        batch = _one(key)
        if not self._facts(batch)["may_go_on"]:
            raise Refused(_("这一批正在读取或已经读完。请刷新页面。"))
        batch.state, batch.error = "received", ""
        scan_readings.start(db.session(), batch, current_user)
        return redirect(self.get_url(".show", key=key), 303)

    def _facts(self, batch: ScanBatch) -> dict[str, Any]:
        session = db.session()
        run = session.scalar(select(Run).where(Run.id == batch.run_id)) if batch.run_id else None
        is_stuck = batch.state == "failed" or (
            run is not None and run.state in STUCK and batch.state in MOVING
        )
        return {
            "batch": batch,
            "run": run,
            "counts": scan_batches.counts_of(session, batch),
            "states": {name: SHEET_STATES[name] for name in scan_batches.COUNTED},
            "is_stuck": is_stuck,
            "may_go_on": is_stuck and bool(batch.files),  # a file that was refused has nothing to be read
            "is_moving": batch.state in MOVING and not is_stuck,
        }


def sheets_to_sort(session: Session, staff: Staff) -> Card | None:
    """Scanned sides that no machine could place."""
    number = session.scalar(
        select(func.count(Sheet.id)).where(
            Sheet.state.in_(TO_SORT), Sheet.decided_at.is_(None), Sheet.reason != "walk_list"
        )
    )
    if not number:
        return None
    return Card(
        _("面扫描件没有认出"), number, f"{looks.screen_url('sheets')}?state=unidentified", tone="care"
    )


def receipts_card(session: Session, staff: Staff) -> Card | None:
    """Receipts of notices on which a person reads what the machine left open."""
    number = session.scalar(
        select(func.count(Sheet.id)).where(Sheet.state == "review", Sheet.notice_id.is_not(None))
    )
    if not number:
        return None
    address = f"{looks.screen_url('sheets')}?state=review&kind={receipts.KIND}"
    return Card(_("份签收回执要由人看"), number, address, tone="care")


def differing_card(session: Session, staff: Staff) -> Card | None:
    """Batches whose sides the nightly look could not account for; None when all is well."""
    number = len(sheet_balances.last_check(session).get("batches", ()))
    return Card(_("个扫描批次对不上"), number, looks.screen_url("scan_batches"), tone="alarm") if number else None


def _one(key: int) -> ScanBatch:
    found = db.session.scalar(select(ScanBatch).where(ScanBatch.id == key))
    return found if found is not None else abort(404)
