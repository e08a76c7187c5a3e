"""What the print room does for a whole campaign: reprints by number, test prints, envelopes, register, trays."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Campaign, Letter, Printer, Unit, db
from models.clock import today
from paper.calibrations import Calibration
from paper.masks import mask_name
from paper.specimens import specimens as lay_out_specimens
from screens import downloads
from screens.access import needs
from screens.messages import done
from services import (
    campaigns,
    forms,
    letterheads,
    letters,
    postage_marks,
    print_registers,
    print_rooms,
    print_runs,
    reprints,
    specimens,
    spoils,
    trays,
)
from services.postage_marks import Mark

ENVELOPES = ("outer_envelope", "return_envelope")
RUN = "letters.run"
LISTED = 100


class PrintCampaigns:
    """Views of the print room about one campaign, and the calibration pages of its printers."""

    @expose("/campaign/<int:key>")
    def campaign(self: Any, key: int) -> str:
        """A campaign's register, what waits for a reprint, its envelopes and settings."""
        row, session = _campaign(key), db.session()
        spoiled = session.scalars(spoils.waiting(row.id).limit(reprints.MOST)).all()
        return str(
            self.render(
                "screens/print_campaign.html",
                row=row,
                lines=print_registers.lines(db.session(), row.id, said=_),
                runs={run.number: run.id for run in print_runs.runs_of(db.session(), row.id)},
                spoiled=spoils.waiting_by_campaign(session).get(row.id, 0),
                numbers=reprints.named([letter.serial for letter in spoiled]),
                reason=spoiled[0].spoiled_reason if spoiled else "",
                mark=row.options.get(postage_marks.KEY, {}),
                sheets=row.options.get(print_runs.TRAYS) or trays.SHEETS,
                printers=printers(db.session()),
            )
        )

    @expose("/campaign/<int:key>/<any(to_print, to_post, spoiled):what>")
    def waiting_letters(self: Any, key: int, what: str) -> str:
        """The letters of a campaign that wait for the printer, for the post, or spoiled for a reprint."""
        row, after = _campaign(key), request.args.get("after", 0, type=int)
        query = spoils.waiting(row.id) if what == "spoiled" else print_rooms.waiting_letters(row.id, what)
        found = db.session.scalars(query.where(Letter.serial > after).limit(LISTED + 1)).all()
        following = found[LISTED - 1].serial if len(found) > LISTED else None
        facts = {"number_of": letters.number_of, "masked": mask_name, "after": following, "what": what}
        return str(self.render("screens/print_waiting.html", row=row, rows=found[:LISTED], **facts))

    @expose("/campaign/<int:key>/reprint", methods=("POST",))
    @needs(RUN)
    def reprint(self: Any, key: int) -> Any:
        """Further copies of the numbers given, as a print run of their own; laid out outside any transaction."""
        row, session = _campaign(key), db.session()
        version, head = forms.survey_version(session), letterheads.current(session)
        numbers, reason = request.form.get("numbers", ""), request.form.get("reason", "")
        plans = reprints.plan(session, row, numbers, form_version=version, reason=reason)
        is_new = forms.kept_version(session, forms.SURVEY_LETTER, version) is None
        session.commit()
        with downloads.laying_out():
            made = print_runs.make_file([{**plan, "new_form": is_new} for plan in plans], head)
        kept = print_runs.record_run(session, key, plans, made=made)
        done(_("已补打 %(number)s 封，成为新的一批，请下载打印。", number=kept["letters"]))
        return redirect(self.get_url(".index", campaign=key), 303)

    @expose("/campaign/<int:key>/specimens.pdf", methods=("POST",))
    @needs(RUN)
    def specimens(self: Any, key: int) -> Any:
        """Test prints of the strangest recipients, marked so that none can be mailed."""
        row, session = _campaign(key), db.session()
        plans, head, day = specimens.plan(session, row), letterheads.current(session), today(session)
        session.commit()
        with tempfile.TemporaryDirectory(prefix="letters-") as folder, downloads.laying_out():
            path = Path(folder) / "specimens.pdf"
            lay_out_specimens(plans, head, path, day=day)
            return downloads.made(path.read_bytes(), _("样张_%(code)s.pdf", code=row.code))

    @expose("/campaign/<int:key>/mark", methods=("POST",))
    @needs("letters.edit")
    def mark(self: Any, key: int) -> Any:
        """The postage mark of the campaign's envelopes."""
        form, picture = request.form, request.files.get("image")
        content = picture.read(postage_marks.LARGEST + 1) if picture else b""
        mark = Mark(form.get("text", ""), form.get("permit", ""), content, without_image="without_image" in form)
        postage_marks.change(db.session(), _campaign(key), mark)
        done(_("邮资标志已保存，以后印的信封用它。"))
        return redirect(self.get_url(".campaign", key=key), 303)

    @expose("/campaign/<int:key>/trays", methods=("POST",))
    @needs("letters.edit")
    def trays(self: Any, key: int) -> Any:
        """How many letters a tray of the campaign's coming runs holds."""
        sheets, row = request.form.get("sheets", 0, type=int), _campaign(key)
        trays.check_size(sheets)
        row.options = {**row.options, print_runs.TRAYS: sheets}
        done(_("以后生成的批次每盘 %(sheets)s 张。", sheets=sheets))
        return redirect(self.get_url(".campaign", key=key), 303)

    @expose("/campaign/<int:key>/register.pdf", methods=("POST",))
    @needs(RUN)
    def register(self: Any, key: int) -> Any:
        """The print register as a sheet to be signed."""
        row = _campaign(key)
        return downloads.printed("print_register", print_registers.facts(db.session(), row), row.code)

    @expose("/campaign/<int:key>/<envelope>.pdf", methods=("POST",))
    @needs(RUN)
    def envelope(self: Any, key: int, envelope: str) -> Any:
        """The outer or the return envelope, for the printer or the print shop."""
        if envelope not in ENVELOPES:
            abort(404)
        row = _campaign(key)
        return downloads.printed(envelope, postage_marks.envelope(db.session(), row), row.code)

    @expose("/printer/<int:key>/calibration.pdf", methods=("POST",))
    @needs(RUN)
    def calibration(self: Any, key: int) -> Any:
        """The calibration page of a printer, with its present offsets."""
        printer = db.session.get(Printer, min(key, 2**63 - 1)) or abort(404)
        facts = Calibration(printer.name, printer.offset_x, printer.offset_y, today(db.session()))
        return downloads.printed("calibration_page", facts, printer.name)


def printers(session: Session) -> Sequence[Printer]:
    """The printers in use."""
    return session.scalars(select(Printer).where(Printer.active).order_by(Printer.name)).all()


def _campaign(key: int) -> Campaign:
    query = select(Campaign).join(Unit, Unit.id == Campaign.unit_id).where(campaigns.in_reach(db.session()))
    found = db.session.scalar(query.where(Campaign.id == min(key, 2**63 - 1)))
    return found if found is not None else abort(404)
