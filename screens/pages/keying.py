"""The keying desk: fields of scanned forms keyed from their pictures, one queue at a time, without a mouse."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import KeyJob, Sheet, Staff, db
from models.return_words import KEY_QUEUES
from quality.reasons import REASONS
from screens import key_words
from screens.access import may, needs, reads
from screens.base import Page
from screens.cards import Card
from screens.messages import said
from services import Refused, crops, key_fields, key_jobs, key_leases, key_undos
from services.letters import number_of

KEYERS = ("returns.key", "returns.lead")


class Keying(Page):
    """What is handwritten on scanned forms: five queues, each of them one field after the other."""

    permission = "returns.view"
    label, group = _l("录入台"), "mailing"

    @expose("/")
    def index(self) -> str:
        """The queues, what waits in each, and how one gets on."""
        session = db.session()
        facts = {"remaining": key_leases.remaining(session), "pace": key_leases.pace(session, current_user)}
        return self.render("screens/keying.html", queues=KEY_QUEUES, leads=key_words.LEADS, open_to=_may_key, **facts)

    @expose("/<queue>")
    @needs(*KEYERS)
    def queue(self, queue: str) -> str:
        """The workplace of one queue; its first field is fetched by itself, since fetching holds it."""
        return self.render("screens/keying_queue.html", queue=_known(queue), lead=key_words.LEADS[queue])

    @expose("/<queue>/next", methods=("POST",))
    @needs(*KEYERS)
    def next(self, queue: str) -> str:
        """The next field for whoever asks."""
        return self._work(_known(queue))

    @expose("/<queue>/key", methods=("POST",))
    @needs(*KEYERS)
    def key(self, queue: str) -> str:
        """Keep what was keyed, and show what comes next; refused, the field stays as it is."""
        session, typed = db.session(), request.form.get("value", "")
        answer, _equals, told = request.form.get("do", "value").partition("=")
        value = told or typed
        if answer == "value" and not value.strip():
            answer = "blank"
        try:
            sheet = key_jobs.key(session, _job(session), answer, value, staff=current_user)
        except Refused as refusal:
            session.rollback()
            return self._work(_known(queue), mistake=said(refusal), typed=typed)
        return self._work(_known(queue), finished=sheet if sheet.state == "keyed" else None)

    @expose("/<queue>/undo", methods=("POST",))
    @needs(*KEYERS)
    def undo(self, queue: str) -> str:
        """Take back the last field; it comes up again, wherever it belongs."""
        try:
            job = key_undos.undo_last(db.session(), current_user)
        except Refused as refusal:
            db.session.rollback()
            return self._work(_known(queue), mistake=said(refusal))
        return self._work(job.queue, job=job, undone=True)

    @expose("/judge", methods=("POST",))
    @needs(*KEYERS)
    @reads
    def judge(self) -> str:
        """What the judge says of what has been typed so far."""
        text, job = request.form.get("value", "").strip(), _job(db.session())
        if not text or job.field not in key_words.PLACES:
            return ""
        verdict = key_jobs.judge_field(db.session(), job.sheet, job.field, text)
        return self.render("screens/_desk_verdict.html", verdict=verdict, reasons=REASONS, text=text)

    @expose("/release", methods=("POST",))
    @needs(*KEYERS)
    def release(self) -> tuple[str, int]:
        """The page was closed: what it held goes back at once."""
        key_leases.release(db.session(), current_user)
        return "", 204

    @expose("/crop/<int:key>/<field>")
    @needs(*KEYERS)
    def crop(self, key: int, field: str) -> Response:
        """The picture of one field or tick, or of a whole side (`form`), for whoever has the sheet in hand."""
        mine = select(KeyJob.sheet_id).where(KeyJob.held_by_id == current_user.id, KeyJob.state == "open")
        query = select(Sheet).where(Sheet.id == key, Sheet.id.in_(mine))
        sheet = db.session.scalar(query)
        if sheet is None:
            abort(404)
        try:
            area, frame = key_fields.area_of(sheet, field), key_fields.frame_of(sheet, field)
            picture = crops.crop(sheet, area, frame=frame)
        except Refused:
            abort(404)
        return Response(picture, mimetype="image/png")

    def _work(self, queue: str, *, job: KeyJob | None = None, **facts: Any) -> str:
        session, taken = db.session(), []
        try:
            taken = key_leases.take(session, current_user, queue)
        except Refused as refusal:
            facts["mistake"] = said(refusal)
        shown = job or (taken[0] if taken else None)
        return self.render("screens/_keying.html", queue=queue, job=shown, **_shown(session, shown), **facts)


def _shown(session: Session, job: KeyJob | None) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "remaining": key_leases.remaining(session),
        "pace": key_leases.pace(session, current_user),
        "number_of": number_of,
    }
    if job is None:
        return facts
    left = [one for one in key_leases.held(session, current_user, job.queue) if one.sheet_id == job.sheet_id]
    return facts | {
        "label": key_words.label_of(job.field),
        "mode": key_words.mode_of(job.field),
        "before": key_words.before(session, job),
        "recorded": key_words.recorded(job),
        "words": key_words.words_for(job.queue),
        "read": key_words.read_by_machine(job),
        "whole": job.field == key_fields.FORM,
        "tick": job.field in key_fields.ticks_of(job.sheet),
        "left": len(left),
    }


def _job(session: Session) -> KeyJob:
    key = request.form.get("job", 0, type=int)
    job = session.scalar(select(KeyJob).where(KeyJob.id == key))
    return job if job is not None else abort(404)


def _known(queue: str) -> str:
    return queue if queue in KEY_QUEUES else abort(404)


def _may_key(queue: str) -> bool:
    return may(key_leases.PERMISSIONS[queue])


def to_key_card(session: Session, staff: Staff) -> Card | None:
    """Fields that wait to be keyed from pictures."""
    found = key_leases.remaining(session)
    number = sum(number for queue, number in found.items() if queue != "leader")
    return Card(_("项待看图录入"), number, "/admin/keying/", tone="care" if number else "calm")


def to_decide_card(session: Session, staff: Staff) -> Card | None:
    """Fields and forms that wait for the team leader."""
    number = key_leases.remaining(session)["leader"]
    return Card(_("项录入待班组长裁定"), number, "/admin/keying/leader", tone="care" if number else "calm")
