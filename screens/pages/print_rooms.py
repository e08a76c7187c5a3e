"""The print room: what waits for the printer and the post; nothing is printed twice without somebody saying why."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Letter, Printer, PrintRun, PrintTray, Staff, db
from models.words import LETTER_STATES, PRINT_RUN_STATES
from paper.masks import mask_name
from screens import downloads
from screens.access import needs
from screens.base import Page
from screens.cards import Card
from screens.messages import done
from screens.postings import Postings, tell_when_concluded
from screens.print_campaigns import PrintCampaigns, printers
from services import (
    Refused,
    letters,
    posting_lists,
    print_files,
    print_rooms,
    print_runs,
    reprints,
    spoils,
    tray_labels,
    trays,
)

RUN = "letters.run"
LISTED = 100
PAST = ("posted", "spoiled")  # states of runs that nothing is left to do with


class PrintRoom(PrintCampaigns, Postings, Page):
    """What waits, the page of one run; a whole campaign (see PrintCampaigns), a day's posting (see Postings)."""

    permission = RUN
    label, group = _l("打印与交寄"), "mailing"

    @expose("/")
    def index(self) -> str:
        """What waits, by campaign and run; or the runs that went to the post or were spoiled, newest first."""
        chosen = request.args.get("campaign", 0, type=int)
        state = request.args.get("state", "")
        state = state if state in PRINT_RUN_STATES else ""
        query = print_rooms.runs(db.session(), campaign_id=chosen, states=(state,) if state else print_rooms.WAITING)
        if after := request.args.get("after", 0, type=int):
            query = query.where(PrintRun.id < after if state in PAST else PrintRun.id > after)
        rows = db.session.scalars(query.limit(LISTED + 1)).all()
        return self.render(
            "screens/print_room.html",
            waiting=print_rooms.waiting(db.session()),
            rows=rows[:LISTED],
            after=rows[LISTED - 1].id if len(rows) > LISTED else None,
            past=PAST,
            chosen={name: value for name, value in (("campaign", chosen), ("state", state)) if value},
            left=print_rooms.trays_left(db.session(), [row.id for row in rows]),
        )

    @expose("/run/<int:key>")
    def run(self, key: int) -> str:
        """One run: its trays, its papers, what can be done with it."""
        row = _run(key)
        return self.render(
            "screens/print_run.html",
            row=row,
            trays=trays.trays_of(db.session(), row),
            states=print_rooms.states(db.session(), row),
            printers=printers(db.session()),
            sheets=row.tray_sheets or trays.SHEETS,
        )

    @expose("/run/<int:key>/letters")
    def letters_of(self, key: int) -> str:
        """The letters of a run, or those in one state or one tray."""
        row, state = _run(key), request.args.get("state", "")
        tray = _tray(row, request.args.get("tray", 0, type=int)) if "tray" in request.args else None
        query = print_rooms.letters_of(row, state=state if state in LETTER_STATES else "", tray=tray)
        after = request.args.get("after", 0, type=int)
        rows = db.session.scalars(query.where(Letter.serial > after).limit(LISTED + 1)).all()
        facts = {"number_of": letters.number_of, "masked": mask_name, "state": state, "tray": tray}
        following = rows[LISTED - 1].serial if len(rows) > LISTED else None
        return self.render("screens/print_run_letters.html", row=row, rows=rows[:LISTED], after=following, **facts)

    @expose("/run/<int:key>/file", methods=("POST",))
    @needs(RUN)
    def file(self, key: int) -> Any:
        """The file of a run, or of a tray of it; a further time with a reason. `layer` = `own`: for overprinting."""
        row, reason = _run(key), request.form.get("reason", "")
        tray = _tray(row, request.form.get("tray", 0, type=int)) if request.form.get("tray") else None
        printer = print_runs.choose_printer(db.session(), row, request.form.get("printer", 0, type=int))
        if request.form.get("layer") == "own" and printer is None:
            raise Refused(_("套打要先选打印机：偏移按打印机设置。"))
        content = _content(row, tray, printer if request.form.get("layer") == "own" else None)
        if tray is None:
            print_runs.hand_out(db.session(), row, reason=reason)
        else:
            trays.hand_out(db.session(), tray, reason=reason)
        return downloads.made(content, print_runs.file_name(row.campaign, row, tray))

    @expose("/run/<int:key>/printed", methods=("POST",))
    @needs(RUN)
    def printed(self, key: int) -> Any:
        """The stack lies on the table."""
        row = _run(key)
        print_runs.choose_printer(db.session(), row, request.form.get("printer", 0, type=int))
        print_runs.mark_printed(db.session(), row)
        done(_("已登记打印。"))
        return self._back(key)

    @expose("/run/<int:key>/posted", methods=("POST",))
    @needs(RUN)
    def posted(self, key: int) -> Any:
        """The stack went to the post."""
        row = _run(key)
        done(_("已登记交寄 %(number)s 封。", number=print_runs.mark_posted(db.session(), row)))
        tell_when_concluded(db.session(), row.campaign)
        return self._back(key)

    @expose("/run/<int:key>/divide", methods=("POST",))
    @needs(RUN)
    def divide(self, key: int) -> Any:
        """Trays of another size."""
        sheets = request.form.get("sheets", 0, type=int)
        done(_("已重新分成 %(number)s 盘。", number=trays.divide(db.session(), _run(key), sheets)))
        return self._back(key)

    @expose("/run/<int:key>/spoil", methods=("POST",))
    @needs("letters.edit")
    def spoil(self, key: int) -> Any:
        """Spoil the numbers given; the whole run only where that was asked for."""
        row, reason = _run(key), request.form.get("reason", "")
        if request.form.get("whole"):
            spoilt = spoils.spoil_run(db.session(), row, reason)
        else:
            serials = reprints.serials_in(request.form.get("numbers", ""))
            spoilt = spoils.spoil_letters(db.session(), row, serials, reason)
        done(_("已作废 %(number)s 封。需要重寄的，编号已填好，点“补打”。", number=spoilt))
        tell_when_concluded(db.session(), row.campaign)
        return redirect(self.get_url(".campaign", key=row.campaign_id) + "#reprint", 303)

    @expose("/run/<int:key>/labels.pdf", methods=("POST",))
    @needs(RUN)
    def labels(self, key: int) -> Any:
        """The labels of trays and bundles."""
        row = _run(key)
        return downloads.printed("tray_labels", tray_labels.labels(db.session(), row), posting_lists.number_of(row))

    @expose("/run/<int:key>/addresses.pdf", methods=("POST",))
    @needs(RUN)
    def addresses(self, key: int) -> Any:
        """Address labels for plain envelopes; the first sheet may have used places."""
        row, skip = _run(key), request.form.get("skip", 0, type=int)
        facts = print_rooms.address_labels(db.session(), row, skip=min(max(skip, 0), 23))
        if not facts.labels:
            raise Refused(_("这一批的函件都已作废或补打，没有要贴的标签。"))
        return downloads.printed("address_labels", facts, posting_lists.number_of(row))

    def _back(self, key: int) -> Any:
        return redirect(self.get_url(".run", key=key), 303)


def letters_to_post(session: Session, staff: Staff) -> Card | None:
    """Letters that are made and not posted yet."""
    number = print_rooms.letters_left(session)
    return Card(_("封函件待打印、交寄"), number, "/admin/print_room/", tone="care" if number else "calm")


def _content(row: PrintRun, tray: PrintTray | None, printer: Printer | None) -> bytes:
    """The pages to print; with a printer, their own layer alone, where this printer puts it right."""
    session = db.session()
    offset = (printer.offset_x, printer.offset_y) if printer is not None else None
    with tempfile.TemporaryDirectory(prefix="letters-") as folder, downloads.laying_out():
        target, source = Path(folder) / "letters.pdf", trays.content(row)
        pages = trays.pages_of(session, row, tray)
        if offset is None and len(pages) == row.pages:
            return source.read_bytes()
        trays.write(source, pages, target, day=print_files.sent_on(session, row.campaign), offset=offset)
        return target.read_bytes()


def _run(key: int) -> PrintRun:
    found = db.session.scalar(select(PrintRun).where(PrintRun.id == min(key, 2**63 - 1)))
    return found if found is not None else abort(404)


def _tray(row: PrintRun, number: int) -> PrintTray:
    query = select(PrintTray).where(PrintTray.print_run_id == row.id, PrintTray.number == min(number, 2**31 - 1))
    return db.session.scalar(query) or abort(404)
